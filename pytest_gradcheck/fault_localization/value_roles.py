"""Roles of the values that were recorded: data, claims, gradients that backward computes.

It knows the names of values and where they came from, but no derivative.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.binding.gradient_problem import Problem
from pytest_gradcheck.fault_localization.execution.recorded_values import (
    RETURNED,
    Recorder,
    Version,
    descendants,
)
from pytest_gradcheck.fault_localization.execution.statements import Statement
from pytest_gradcheck.fault_localization.forward_graph import ForwardGraph
from pytest_gradcheck.fault_localization.gradient_pairs import fits
from pytest_gradcheck.fault_localization.misplaced_values import is_named, misnamed
from pytest_gradcheck.report.report_data import ParameterReport

__all__ = ["Claims", "Roles", "claims_of", "roles_of", "sizes_of"]

#: Values whose entries agree to so many digits of the largest are the same.
DIGITS = 10

#: Values of forward that are tried instead of one of backward with their name.
MOST_NAMESAKES = 3


@dataclass(frozen=True, slots=True)
class Claims:
    """The values that backward returned as gradients of parameters, by what the check found.

    Attributes
    ----------
    wrong, right, undecided : dict of str to Version
        By parameter.
    """

    wrong: dict[str, Version] = field(default_factory=dict)
    right: dict[str, Version] = field(default_factory=dict)
    undecided: dict[str, Version] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Roles:
    """The roles of the values of one check.

    Attributes
    ----------
    data : set of Version
        The values of forward, and those from outside.
    gradients : list of Version
        All others: what backward computes.
    cotangents : mapping of Version to Version
        The upstream gradients that backward was given, with the outputs that they belong to.
    descendants : set of Version or None
        What was computed from upstream gradients; None where backward is given none.
    recomputed : set of Version
        Values of backward that forward has, too.
    initial : set of Version
        Zeros that backward begins with.
    owners : list of Version
        The values of forward that variables are named after.
    unused : list of Version
        What backward computes, and neither reads nor returns.
    misnamed : list of (str, Version)
        Values under the names of others.
    well_named : set of Version
        Values of forward under their own names.
    sizes : set of float
        The lengths of the axes of data.
    of_forward : set of Statement
        Those that forward executes, if backward is another function: they are right.
    """

    data: set[Version]
    gradients: list[Version]
    cotangents: Mapping[Version, Version]
    descendants: set[Version] | None
    recomputed: set[Version]
    initial: set[Version]
    owners: list[Version]
    unused: list[Version]
    misnamed: list[tuple[str, Version]]
    well_named: set[Version]
    sizes: set[float]
    of_forward: set[Statement]

    def read(self, version: Version) -> list[Version]:
        """Return the values of backward that were read for one, which may be gradients."""
        return [
            read
            for read in version.direct
            if read not in self.data
            and read.is_floating
            and (self.descendants is None or read in self.descendants)
        ]

    def computed(self, version: Version) -> list[Version]:
        """Return the values that backward computed, or was given, and read for another one."""
        return [
            read
            for read in version.direct
            if read.is_gradient_like
            and (read not in self.data or read in self.cotangents)
            and read not in self.recomputed
        ]

    def namesakes(self, version: Version) -> list[Version]:
        """Return the values of forward that have the name and the shape of one of backward."""
        found = (
            other
            for other in self.data
            if other.path.last == version.path.last
            and (other.is_floating or (other.is_size and version.is_size))
            and other.phase == 1
            and other.root is not version.root
            and other.value.shape == version.value.shape
        )
        return sorted(found, key=lambda other: other.number)[:MOST_NAMESAKES]

    def usual_numbers(self) -> set[Version]:
        """Return the numbers of backward that are lengths of axes of data.

        Where forward has other ones of that name, they are not.
        """
        names = {str(version.path) for version in self.data if version.is_size}
        return {
            version
            for version in self.gradients
            if version.is_size
            and float(version.value) in self.sizes
            and (version in self.recomputed or str(version.path) not in names)
        }


def claims_of(
    problem: Problem, parameters: Collection[ParameterReport], versions: Sequence[Version]
) -> Claims:
    """Return the values that backward returned as gradients of parameters.

    Parameters
    ----------
    problem : Problem
        The problem.
    parameters : collection of ParameterReport
        What the check found.
    versions : sequence of Version
        Where these values are looked for, the most likely first; rather those with such a name.
    """
    verdicts = {p.name: p.verdict for p in parameters}
    claims = Claims()
    kinds = {"wrong": claims.wrong, "correct": claims.right}
    by_entries: dict[bytes, list[Version]] = defaultdict(list)
    for version in versions:
        if version.is_floating:
            by_entries[_entries(version.value)].append(version)
    for parameter in problem.parameters:
        if parameter.stop > parameter.start:
            claim = problem.claim.rows(parameter.start, parameter.stop)[:, 0]
            found = [] if np.isnan(claim).any() else by_entries.get(_entries(claim), [])
            if found:
                named = (one for one in found if is_named(one.path, parameter.name))
                kind = kinds.get(verdicts[parameter.name], claims.undecided)
                kind[parameter.name] = next(named, found[0])
    return claims


def _entries(values: NDArray[Any]) -> bytes:
    """Return what is equal for arrays of equal entries, whatever their shapes and types."""
    entries = values.reshape(-1).astype(np.float64) + 0.0  # -0.0 becomes 0.0
    return hashlib.sha256(entries.tobytes()).digest()


def roles_of(
    problem: Problem,
    parameters: Collection[ParameterReport],
    recorder: Recorder,
    graph: ForwardGraph,
) -> tuple[Roles, Claims]:
    """Return the roles of all values that were recorded, and what was claimed."""
    versions = recorder.versions
    data = graph.values | {v for v in versions if v.step is None and not v.direct}
    if recorder.phases > 1:
        data |= {v for v in versions if v.phase == 1}
    gradients = [v for v in versions if v not in data]
    claims = claims_of(
        problem, parameters, [*reversed(gradients), *(v for v in versions if v in data)]
    )
    is_given = problem.kind == "vjp" and len(problem.functions) > 1
    others = list(misnamed(recorder.bindings, data))
    roles = Roles(
        data=data,
        gradients=gradients,
        cotangents=_cotangents(graph.outputs, versions) if is_given else {},
        descendants=descendants(versions, _given(versions)) if is_given else None,
        recomputed=_recomputed(gradients, data, versions),
        initial=_initial(gradients, data),
        owners=[
            v
            for v in versions
            if v in graph.values and v.is_floating and v.value.ndim and not v.path.accessors
        ],
        unused=_unused(gradients, recorder, claims),
        misnamed=others,
        well_named=_well_named(recorder, data) - {version for _, version in others},
        sizes={size for version in data for size in sizes_of(version)},
        of_forward={
            v.statement
            for v in versions
            if v.phase == 1 and v.statement is not None and recorder.phases > 1
        },
    )
    return roles, claims


def sizes_of(version: Version) -> set[float]:
    """Return the lengths of the axes of an array, and its number of entries."""
    return {float(length) for length in (*version.value.shape, version.value.size) if length > 1}


def _given(versions: Sequence[Version]) -> list[Version]:
    """Return what backward was given that forward did not know."""
    return [v for v in versions if v.step is None and v.phase > 1 and not v.direct]


def _cotangents(outputs: Sequence[Version], versions: Sequence[Version]) -> dict[Version, Version]:
    """Return the upstream gradients, with their outputs, where they fit to these in order."""
    given = [version for version in _given(versions) if version.is_floating and version.value.ndim]
    if len(given) != len(outputs) or not all(map(fits, given, outputs)):
        return {}
    return dict(zip(given, outputs, strict=True))


def _recomputed(
    gradients: Collection[Version], data: Collection[Version], versions: Sequence[Version]
) -> set[Version]:
    """Return what backward computes and forward has: under its name, or from data alone.

    A loop has many values of one name; one of them may be in the place of another. All of them
    in order are the same, whatever the name.
    """
    from_data = {v for v in gradients if all(read in data for read in v.direct if read.value.ndim)}
    known = {_contents(version) for version in data if version.value.ndim}
    of_forward = _by_name(version for version in versions if version in data)
    of_backward = _by_name(gradients)
    repeated = {name for name, found in of_forward.items() if len(set(found)) > 1}
    loops = {tuple(found) for found in of_forward.values() if len(set(found)) > 1}
    in_order = {
        name
        for name, found in of_backward.items()
        if found == of_forward.get(name) or tuple(found) in loops
    }
    return {
        version
        for version in gradients
        if str(version.path) in in_order
        or (
            str(version.path) not in repeated
            and not version.is_copy
            and _contents(version)
            in (
                known
                if version.value.ndim and version in from_data
                else of_forward.get(str(version.path), ())
            )
        )
    }


def _by_name(versions: Iterable[Version]) -> dict[str, list[object]]:
    """Return the contents of values by the names of their variables, in order."""
    found: dict[str, list[object]] = {}
    for version in versions:
        found.setdefault(str(version.path), []).append(_contents(version))
    return found


def _initial(gradients: Collection[Version], data: Collection[Version]) -> set[Version]:
    """Return zeros to which gradients are added: of the shape of one value at most."""
    return {
        version
        for version in gradients
        if version.is_floating
        and version.value.ndim
        and not version.value.any()
        and all(read in data and read.phase == 1 for read in version.direct if read.is_floating)
        and sum(read.is_floating for read in version.direct) <= 1
    }


def _unused(gradients: Collection[Version], recorder: Recorder, claims: Claims) -> list[Version]:
    read = {v for other in gradients for v in (*other.direct, *other.indirect)}
    stored = {r.version for r in recorder.routes if r.path.name != RETURNED}
    returned = {v.root for _, versions, _ in recorder.returned for v in versions}
    claimed = {v.root for v in (*claims.wrong.values(), *claims.right.values())}
    used = read | stored | returned | claimed
    return [v for v in gradients if v.value.ndim and v.is_floating and v not in used]


def _well_named(recorder: Recorder, data: Collection[Version]) -> set[Version]:
    return {
        binding.version
        for binding in recorder.bindings
        if binding.version.root in data and binding.version.root.phase == 1
    }


def _contents(version: Version) -> object:
    """Return what is equal for arrays and numbers with equal entries, but for rounding."""
    value = version.value
    if not value.ndim:
        return f"{float(value):.{DIGITS}e}"
    if value.dtype.kind != "f":
        return value.shape, value.dtype.str, value.tobytes()
    size = float(np.abs(value).max(initial=0.0))
    if not (np.isfinite(size) and size):
        return value.shape, value.tobytes()
    digits = min(DIGITS, np.finfo(value.dtype).precision - 2)
    entries = np.round(value.astype(np.float64) / size, digits) + 0.0  # -0.0 becomes 0.0
    return value.shape, f"{size:.{digits}e}", entries.tobytes()
