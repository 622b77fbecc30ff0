"""Wrong entries: which statements can be why some entries of gradients are wrong, others right.

A gradient may be assembled from regions: entries, slices, the rows of two particles. The regions
are those that statements reach; the derivative is measured along each of them. A statement that
does not reach all that is wrong is not to blame, nor is one whose mistakes would show in what is
right. It does not know what the values of backward are.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.fault_localization.execution.recorded_values import Version, ancestors
from pytest_gradcheck.fault_localization.execution.statements import Statement
from pytest_gradcheck.fault_localization.gradient_pairs import DIGITS, SIGNIFICANT
from pytest_gradcheck.fault_localization.intermediate_derivatives import (
    IntermediateDerivative,
    Measurements,
    Target,
)
from pytest_gradcheck.fault_localization.perturbed_backward.statement_reach import (
    StatementReach,
    blocks_of,
    written,
)

__all__ = ["Exclusions", "WrongEntries", "regions_of"]

Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]
Coordinates = NDArray[np.intp]
Verdict = Literal["right", "wrong", "unknown"]

#: Parameters in more regions are not measured.
MOST_REGIONS = 12

#: More statements are not compared.
MOST_STATEMENTS = 32

#: A claim is wrong if it is so many bounds away from the derivative.
WRONG = 10.0

#: Values are multiples of others if their entries are, to this share; but not few entries.
SAME = 1e-9
FEW = 3

#: The executions of a statement that are looked at for mistakes that would show.
MOST_EXECUTIONS = 3

#: The evaluations of one reach, and of one region.
PER_REACH = 1
PER_REGION = 2


@dataclass(frozen=True, slots=True)
class Exclusions:
    """Statements that are not to blame.

    Attributes
    ----------
    innocent : set of Statement
        Their mistakes would show in what is right.
    shown : set of Statement
        Those of them that were executed once: their values are right.
    unable : mapping of str to set of Statement
        They do not reach all that is wrong in the gradient of a parameter.
    """

    innocent: set[Statement] = field(default_factory=set)
    shown: set[Statement] = field(default_factory=set)
    unable: Mapping[str, set[Statement]] = field(default_factory=dict)


@dataclass(slots=True)
class WrongEntries:
    """Compares what statements reach with what is wrong.

    Attributes
    ----------
    reach : StatementReach
        Executes backward where the values of statements are changed.
    measurements : Measurements
        Measures derivatives.
    targets : mapping of str to Target
        The parameters.
    """

    reach: StatementReach
    measurements: Measurements
    targets: Mapping[str, Target]

    def exclusions(
        self,
        made: Mapping[Statement, Sequence[Version]],
        wrong: Mapping[str, Version],
        right: Mapping[str, Version],
        multiples: Collection[Statement],
        budget: int,
    ) -> Exclusions:
        """Return which of some statements are not to blame.

        Parameters
        ----------
        made : mapping of Statement to sequence of Version
            What they made.
        wrong, right : mapping of str to Version
            The gradients that are wrong, and right, by parameter.
        multiples : collection of Statement
            Those that made multiples of gradients: then only a factor can be wrong.
        budget : int
            The most evaluations of forward.
        """
        if len(made) > MOST_STATEMENTS or PER_REACH * len(made) > budget:
            return Exclusions()
        limit = self.evaluations + budget
        reached = self._reached(made, {**wrong, **right})
        verdicts = {
            name: list(self._verdicts(name, regions))
            for name, regions in self._regions(wrong, reached, budget).items()
        }
        is_right = np.zeros(len(self.reach.base), dtype=bool)
        for name in right:
            is_right[self.targets[name].part] = True
        for verdict, region in (pair for pairs in verdicts.values() for pair in pairs):
            is_right[region] = verdict == "right"
        scaling = {s for s in reached if _only_scales(made[s])}
        unable = {name: _unable(reached, pairs, scaling) for name, pairs in verdicts.items()}
        shown = {
            statement
            for statement, mask in reached.items()
            if not all(statement in found for found in unable.values())
            and (mask & is_right).any()
            and any(
                self._shows(version, is_right, limit, is_multiple=statement in multiples)
                for version in made[statement][:MOST_EXECUTIONS]
            )
        }
        telling = is_right & (self.reach.base != 0)
        uniform = {s for s in scaling if (reached[s] & telling).any()}
        once = {statement for statement in shown if len(made[statement]) == 1}
        return Exclusions(shown | uniform, once, unable)

    def _reached(
        self, made: Mapping[Statement, Sequence[Version]], claims: Mapping[str, Version]
    ) -> dict[Statement, Mask]:
        """Return the entries that may be wrong because of statements, where that is known.

        What a mask is computed from reaches what the mask does: a mask changes at once.
        """
        reached: dict[Statement, Mask | None] = {}
        nothing = np.zeros(len(self.reach.base), dtype=bool)
        for statement, versions in made.items():
            returned = {n: v for n, v in claims.items() if v in versions and v.place is None}
            others = [v for v in versions if v not in returned.values()]
            mask = self.reach.of_mistakes(others) if others else nothing.copy()
            for name in returned:
                if mask is not None:
                    mask[self.targets[name].part] = True
            reached[statement] = mask
        for statement, versions in made.items():
            if any(v.value.ndim and not v.is_floating for v in versions):
                before = {v.statement for v in ancestors(list(versions))}
                for other in made.keys() & before:
                    reached[other] = _union(reached[other], reached[statement])
        return {s: mask for s, mask in reached.items() if mask is not None}

    def _regions(
        self, wrong: Collection[str], reached: Mapping[Statement, Mask], budget: int
    ) -> dict[str, list[Coordinates]]:
        """Return the regions of wrong gradients; each as a whole where there are too many."""
        regions = {
            name: regions_of(reached.values(), part)
            for name in wrong
            if (part := self.targets[name].part) is not None
        }
        count = sum(len(found) for found in regions.values() if len(found) > 1)
        if count <= MOST_REGIONS and PER_REGION * count <= budget - PER_REACH * len(reached):
            return regions
        return {name: [np.concatenate(found)] for name, found in regions.items()}

    def _verdicts(
        self, parameter: str, regions: Sequence[Coordinates]
    ) -> Iterator[tuple[Verdict, Coordinates]]:
        """Yield whether a wrong gradient is right in each region."""
        for region in regions:
            yield (self._verdict(parameter, region) if len(regions) > 1 else "wrong"), region

    @property
    def evaluations(self) -> int:
        """The calls of forward so far."""
        return self.reach.evaluations + self.measurements.evaluations

    def _shows(self, version: Version, right: Mask, limit: int, *, is_multiple: bool) -> bool:
        """Return whether mistakes in a value would show in what is right.

        That must have as many entries as the value, since a sum hides an exchange of entries, and
        depend on each block of it: else the other blocks may be wrong.
        """
        mask = written(version)
        blocks = [] if is_multiple else list(blocks_of(version))
        if self.evaluations + PER_REACH * (1 + len(blocks)) > limit:
            return False
        changed = self.reach.of_changes(version, mask)
        size = 1 if is_multiple else np.count_nonzero(mask)
        if changed is None or np.count_nonzero(changed & right) < size:
            return False
        for block in blocks:
            changed = self.reach.of_changes(version, block)
            if changed is None or (changed.any() and not (changed & right).any()):
                return False
        return True

    def _verdict(self, parameter: str, region: Coordinates) -> Verdict:
        """Measure the derivative along one direction in a region: two evaluations."""
        target = self.targets[parameter]
        value = target.version.value
        start = 0 if target.part is None else target.part.start
        direction = np.zeros(value.size)
        direction[region - start] = self.measurements.directions.of(value.shape)[0].reshape(-1)[
            region - start
        ]
        measured = self.measurements.measure(target, direction.reshape(1, *value.shape))
        return _verdict(measured, self.reach.base[start : start + value.size])


def regions_of(reached: Collection[Mask], part: slice) -> list[Coordinates]:
    """Return the coordinates of a parameter in groups that the same statements reach."""
    groups: dict[bytes, list[int]] = {}
    for coordinate in range(part.start, part.stop):
        key = bytes(bool(mask[coordinate]) for mask in reached)
        groups.setdefault(key, []).append(coordinate)
    return [np.array(group) for group in groups.values()]


def _unable(
    reached: Mapping[Statement, Mask],
    verdicts: Sequence[tuple[Verdict, Coordinates]],
    scaling: Collection[Statement],
) -> set[Statement]:
    """Return the statements that do not reach all that is wrong.

    None if no others do but those that scale everything: an entry may never have been written.
    """
    wrong = [region for verdict, region in verdicts if verdict == "wrong"]
    able = {s for s, mask in reached.items() if all(mask[region].any() for region in wrong)}
    return set(reached) - able if able.difference(scaling) else set()


def _union(one: Mask | None, other: Mask | None) -> Mask | None:
    return None if one is None or other is None else one | other


def _only_scales(versions: Sequence[Version]) -> bool:
    """Return whether values are one multiple of what was read: right everywhere, or nowhere."""
    factors = [_factor(version) for version in versions]
    known = [factor for factor in factors if factor is not None]
    return len(known) == len(factors) and bool(np.ptp(known) <= SAME * abs(known[0]))


def _factor(version: Version) -> float | None:
    """Return which multiple a value is of the only one that was read for it."""
    read = [v for v in version.direct if v.is_floating]
    if len(read) != 1 or version.value.size != read[0].value.size or version.value.size < FEW:
        return None
    one, other = version.value.reshape(-1), read[0].value.reshape(-1)
    if not other.any():
        return None
    factor = float(one @ other) / float(other @ other)
    is_multiple = np.allclose(one, factor * other, rtol=SAME, atol=SAME * np.abs(one).max())
    return factor if is_multiple else None


def _verdict(measured: IntermediateDerivative, claim: Floats) -> Verdict:
    claimed = measured.directions.reshape(len(measured.directions), -1) @ claim
    differences = np.abs(claimed - measured.output.values)
    if (differences > WRONG * measured.output.bounds).any():
        return "wrong"
    is_right = (differences <= SIGNIFICANT * measured.output.bounds).all()
    return "right" if is_right and measured.output.digits >= DIGITS else "unknown"
