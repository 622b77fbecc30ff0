"""Local Jacobians: how each value of forward depends on the values that its statement read.

Forward is executed once more, and each of its statements is executed again by itself with one
entry after the other of what it read changed. Functions that it calls are not called again, unless
that is in a comprehension, or they make an object: then they are, and what they compute remains
unknown.

It does not know what the output is.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.fault_localization.execution.execution_steps import Activation, Step
from pytest_gradcheck.fault_localization.execution.recorded_values import (
    Identity,
    Recorder,
    Version,
)
from pytest_gradcheck.fault_localization.execution.reexecution import (
    Reexecution,
    Variables,
    calls_in,
    reexecution_of_arguments,
    reexecution_of_statement,
    returned_name,
)
from pytest_gradcheck.fault_localization.execution.statements import Statement
from pytest_gradcheck.fault_localization.execution.variables import (
    MISSING,
    Path,
    is_array,
    leaves,
    resolve,
)

__all__ = ["Jacobian", "JacobianRecorder", "selection"]

Floats = NDArray[np.float64]

#: The most re-executions of one execution of a statement, and of all together; and the seconds of
#: those that do not only compute with numpy.
MOST_REEXECUTIONS = 4_000
MOST_REEXECUTIONS_OF_ALL = 40_000
MOST_SECONDS = 0.5

#: All entries are changed together so often, to see whether they depend on each other.
PROBES = 2


@dataclass(frozen=True, slots=True)
class Jacobian:
    """The derivative of a value by another one that was read for it.

    Attributes
    ----------
    made, read : tuple
        The identities of these values.
    step : Step
        What read the one and made the other.
    name : str
        The variable under which the one was read.
    matrix : ndarray, shape (entries made, entries read)
        Its diagonal, if it has nothing else.
    """

    made: Identity
    read: Identity
    step: Step
    name: str
    matrix: Floats

    def vjp(self, cotangent: Floats) -> Floats:
        """Return the product of a cotangent of what was made with the Jacobian."""
        return cotangent * self.matrix if self.matrix.ndim == 1 else cotangent @ self.matrix


@dataclass(slots=True)
class _Execution:
    """A statement that is being executed.

    Attributes
    ----------
    variables : Variables
        What it met.
    sources : list of (Path, Version)
        What it reads, and where that is.
    names : list of str
        The functions of the user's that it has called ...
    arguments : list of list of Version
        ... the values that were made for these ...
    returned : list of Any
        ... and what they have returned.
    """

    variables: Variables
    sources: list[tuple[Path, Version]]
    names: list[str] = field(default_factory=list)
    arguments: list[list[Version]] = field(default_factory=list)
    returned: list[Any] = field(default_factory=list)


class JacobianRecorder:
    """Records an execution as a `Recorder` does, with the Jacobians of values of forward.

    Parameters
    ----------
    wanted : collection of tuple
        The identities of the values whose Jacobians are wanted.
    epsilon : float
        The relative rounding of values.

    Attributes
    ----------
    recorder : Recorder
        What is recorded.
    jacobians : list of Jacobian
        In order.
    is_whole : bool
        Whether none is missing, as far as that is seen.
    callers : dict of Step to Step
        The steps that have called the functions that steps are in.
    executions : Counter of Statement
        How often statements of forward were executed.
    """

    def __init__(self, wanted: Collection[Identity], epsilon: float) -> None:
        self.recorder = Recorder()
        self.jacobians: list[Jacobian] = []
        self.is_whole = True
        self.callers: dict[Step, Step] = {}
        self.executions: Counter[Statement] = Counter()
        self._wanted, self._change = wanted, epsilon ** (1 / 3)
        self._executions: dict[int, _Execution] = {}
        self._reexecutions, self._seconds = 0, 0.0

    def enter(self, activation: Activation) -> None:
        """Record a call, and the values that were made for its arguments."""
        begin = len(self.recorder.versions)
        self.recorder.enter(activation)
        caller = activation.caller
        if caller is not None and caller.number in self._executions:
            execution = self._executions[caller.number]
            execution.names.append(activation.frame.f_code.co_name)
            execution.arguments.append(self._wanted_since(begin))

    def begin(self, activation: Activation, step: Step) -> None:
        """Record what is read."""
        if activation.caller is not None and activation.caller.step is not None:
            self.callers[step] = activation.caller.step
        if activation.phase == 1:
            self.executions[step.statement] += 1
            variables = Variables.before(activation.frame, step.statement)
            self.recorder.begin(activation, step)
            sources = list(self.recorder.sources(activation))
            self._executions[activation.number] = _Execution(variables, sources)

    def end(self, activation: Activation, step: Step, returned: Any) -> None:
        """Record what was made, and find its Jacobians."""
        execution = self._executions.pop(activation.number, None)
        if execution is None:
            return
        begin, handed_back = len(self.recorder.versions), self.recorder.handed_back(activation)
        self.recorder.end(activation, step, returned)
        made = self._wanted_since(begin)
        is_defined = not step.statement.is_uninitialized
        if self.is_whole and is_defined and (made or any(execution.arguments)):
            self.is_whole = self._differentiate(step, execution, made, handed_back)
        caller = activation.caller
        if returned is not None and caller is not None and caller.number in self._executions:
            self._executions[caller.number].returned.append(returned)

    def _wanted_since(self, begin: int) -> list[Version]:
        return [
            version
            for version in self.recorder.versions[begin:]
            if version.identity in self._wanted and version.is_floating and not version.is_alias
        ]

    def _differentiate(
        self, step: Step, execution: _Execution, made: list[Version], handed_back: list[Version]
    ) -> bool:
        """Find the Jacobians of what a step has made, also for the functions that it called."""
        arguments = [version for given in execution.arguments for version in given]
        calls, returned = calls_in(step.statement, execution.names), execution.returned
        if calls is None or len(calls) != len(returned):
            whole = reexecution_of_statement(step.statement, execution.variables, (), ())
            if whole is not None:
                results = [*made, *_found_in(whole, [*handed_back, *arguments])]
                if results and self._reexecute(step, whole, results, execution.sources):
                    return True  # what its functions have computed for it remains unknown
            self._select(step, [*made, *arguments], execution.sources)
            return True
        sources = [*execution.sources, *_returned(returned, handed_back)]
        for k, given in enumerate(execution.arguments):
            if given:
                reexecution = reexecution_of_arguments(
                    execution.variables, calls[k], calls[:k], returned[:k]
                )
                before = [s for s in sources if s[1].number < given[0].number]
                # Other values are the defaults of a function.
                passed = [] if reexecution is None else _found_in(reexecution, given)
                if reexecution is None or not self._reexecute(step, reexecution, passed, before):
                    return False
        if made:
            reexecution = reexecution_of_statement(
                step.statement, execution.variables, calls, returned
            )
            if reexecution is not None:
                return self._reexecute(step, reexecution, made, sources)
            self._select(step, made, sources)
        return True

    def _select(
        self, step: Step, made: Sequence[Version], sources: Sequence[tuple[Path, Version]]
    ) -> None:
        """Find the entries of what was read in what is no more than a part of it.

        Headers of loops, and generators, cannot be executed again, but mostly take things apart.
        """
        others = [version for _, version in sources]
        for version in made:
            for read in dict.fromkeys([*version.direct, *version.indirect, *others]):
                matrix = selection(version, read) if read.identity in self._wanted else None
                if matrix is not None:
                    self._add(version, read, step, read.path.names, matrix)
                    break

    def _reexecute(
        self,
        step: Step,
        reexecution: Reexecution,
        made: list[Version],
        sources: Sequence[tuple[Path, Version]],
    ) -> bool:
        """Execute a step again for each entry of what it read; return whether that is possible."""
        if not made:
            return True
        started = time.thread_time()
        base = reexecution.run()
        seconds = time.thread_time() - started
        results = [] if base is None else reexecution.results(base)
        places = {
            version: path
            for version in made
            for path, value in reversed(results)
            if _is_value(value, version)
        }
        read = [
            (path, version)
            for path, version in sources
            if version.is_floating
            and version.identity in self._wanted
            and resolve(reexecution.variables, path) is not MISSING
        ]
        if len(places) < len(made):
            return False
        seconds = 0.0 if reexecution.is_numpy else seconds
        for path, source in read:
            matrices = self._jacobians(reexecution, seconds, path, source, places)
            if matrices is None:
                return False
            for version, matrix in matrices.items():
                if matrix.any():
                    self._add(version, source, step, path.names, matrix)
        return True

    def _jacobians(
        self,
        reexecution: Reexecution,
        seconds: float,
        path: Path,
        source: Version,
        places: Mapping[Version, Path],
    ) -> dict[Version, Floats] | None:
        """Return the Jacobians by what is at a path; None where they would take too long."""
        if _may_be_diagonal(source, places) and self._can_spend(2 * PROBES, seconds):
            diagonals = self._diagonals(reexecution, path, source, places)
            if diagonals is not None:
                return diagonals
        is_left = self._can_spend(2 * source.value.size, seconds)
        return self._matrices(reexecution, path, source, places) if is_left else None

    def _can_spend(self, count: int, seconds: float) -> bool:
        """Return whether re-executions are within the limits that take so many seconds each."""
        self._reexecutions += count
        self._seconds += count * seconds
        return (
            count <= MOST_REEXECUTIONS
            and self._reexecutions <= MOST_REEXECUTIONS_OF_ALL
            and self._seconds <= MOST_SECONDS
        )

    def _add(self, made: Version, read: Version, step: Step, name: str, matrix: Floats) -> None:
        self.jacobians.append(Jacobian(made.identity, read.identity, step, name, matrix))

    def _diagonals(
        self, reexecution: Reexecution, path: Path, source: Version, places: Mapping[Version, Path]
    ) -> dict[Version, Floats] | None:
        """Return the diagonals of Jacobians that have nothing else; None where one has more.

        All entries are changed together, twice by different amounts. Where the slopes are the same
        both times, each entry depends on no other one.
        """
        before = resolve(reexecution.variables, path)
        slopes: dict[Version, list[Floats]] = {version: [] for version in places}
        for seed in range(PROBES):
            shares = np.random.default_rng(seed).uniform(0.5, 1.0, source.value.size)
            changes = (self._change * _scales(source.value) * shares).reshape(source.value.shape)
            differences = _differences(reexecution, path, before, changes, places)
            if differences is None:
                return None
            for version, difference in differences.items():
                slopes[version].append((difference / (2 * changes)).reshape(-1))
        if not all(self._are_same(*found) for found in slopes.values()):
            return None
        return {version: one for version, (one, _) in slopes.items()}

    def _are_same(self, one: Floats, other: Floats) -> bool:
        """Return whether slopes differ by no more than what their entries are changed by."""
        smallest = self._change**2 * np.abs(one).max()
        bounds = self._change * np.abs(one) + smallest
        return bool((np.abs(one - other) <= bounds).all())

    def _matrices(
        self, reexecution: Reexecution, path: Path, source: Version, places: Mapping[Version, Path]
    ) -> dict[Version, Floats] | None:
        """Return the Jacobians by what is at a path; None where a reexecution raises."""
        before = resolve(reexecution.variables, path)
        columns: dict[Version, list[Floats]] = {version: [] for version in places}
        for k, change in enumerate(self._change * _scales(source.value)):
            changes = np.zeros(source.value.shape)
            changes.flat[k] = change
            differences = _differences(reexecution, path, before, changes, places)
            if differences is None:
                return None
            for version, difference in differences.items():
                columns[version].append(difference.reshape(-1) / (2 * change))
        return {
            version: np.array(found).T.reshape(version.value.size, source.value.size)
            for version, found in columns.items()
        }


def _may_be_diagonal(source: Version, made: Collection[Version]) -> bool:
    """Return whether it is worth a look at all entries of a value together."""
    is_large = source.value.size > PROBES
    return is_large and all(version.value.shape == source.value.shape for version in made)


def _differences(
    reexecution: Reexecution,
    path: Path,
    before: Any,
    changes: Floats,
    places: Mapping[Version, Path],
) -> dict[Version, Floats] | None:
    """Return how results differ where changes are added to a value, and subtracted from it.

    None where a reexecution raises, or makes something of another shape.
    """
    right = reexecution.run(path, _changed(before, changes))
    left = reexecution.run(path, _changed(before, -changes))
    if right is None or left is None:
        return None
    found = {}
    for version, place in places.items():
        ends = np.asarray(resolve(right, place)), np.asarray(resolve(left, place))
        if any(end.shape != version.value.shape for end in ends):
            return None
        found[version] = _difference(*ends)
    return found


def _returned(
    returned: Sequence[Any], handed_back: Sequence[Version]
) -> list[tuple[Path, Version]]:
    """Return what functions have returned, with the variables that stand for it."""
    found = []
    for k, value in enumerate(returned):
        for path, leaf in leaves(Path(returned_name(k)), value):
            versions = [version for version in handed_back if _is_value(leaf, version)]
            found += [(path, version) for version in versions[:1]]
    return found


def _found_in(reexecution: Reexecution, versions: Sequence[Version]) -> list[Version]:
    """Return those of some values that are results of a reexecution."""
    values = [
        value for _, value in reexecution.results(reexecution.run() or reexecution.variables)
    ]
    return [one for one in versions if any(_is_value(value, one) for value in values)]


def selection(made: Version, read: Version) -> Floats | None:
    """Return the Jacobian of entries of a value, if they are told apart by their values."""
    entries, wanted = read.value.reshape(-1), made.value.reshape(-1)
    order = np.argsort(entries)
    if not read.is_floating or not entries.size or not (np.diff(entries[order]) > 0).all():
        return None
    places = order[np.searchsorted(entries[order], wanted).clip(max=entries.size - 1)]
    if not np.array_equal(entries[places], wanted):
        return None
    matrix = np.zeros((wanted.size, entries.size))
    matrix[np.arange(wanted.size), places] = 1.0
    return matrix


def _scales(value: NDArray[Any]) -> Floats:
    """Return the scales on which entries are changed: between their size and the usual one."""
    sizes = np.abs(value.reshape(-1).astype(np.float64))
    # Masks are infinite, and remain so; entries that are not set may be any number.
    sizes[~np.isfinite(sizes) | (sizes < np.finfo(np.float64).tiny)] = 0.0
    usual = float(np.median(sizes[sizes > 0])) if sizes.any() else 1.0
    return np.asarray(np.where(sizes > 0, np.sqrt(sizes * usual), usual))


def _difference(one: NDArray[Any], other: NDArray[Any]) -> Floats:
    """Return the difference of two arrays; nothing between two infinite entries."""
    with np.errstate(all="ignore"):
        return np.where(one == other, 0.0, one.astype(np.float64) - other)


def _changed(value: Any, changes: Floats) -> Any:
    """Return a number, or a copy of an array, with something added."""
    if not is_array(value):
        return type(value)(value + float(changes))
    return (value + changes).astype(value.dtype)


def _is_value(value: Any, version: Version) -> bool:
    return np.shape(value) == version.value.shape and np.array_equal(
        value, version.value, equal_nan=True
    )
