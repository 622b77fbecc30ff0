"""Wrong entries: which statements can be why some entries of gradients are wrong, others right.

A gradient may be assembled from regions: entries, slices, the rows of two particles. The regions
are those that statements reach; the derivative is measured along each of them. A statement that
does not reach all that is wrong is not to blame, nor is one whose mistakes would show in what is
right. It does not know what the values of backward are.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.fault_localization.execution.recorded_values import Version
from pytest_gradcheck.fault_localization.execution.statements import Statement
from pytest_gradcheck.fault_localization.gradient_pairs import DIGITS, SIGNIFICANT
from pytest_gradcheck.fault_localization.intermediate_derivatives import (
    IntermediateDerivative,
    Measurements,
    Target,
)
from pytest_gradcheck.fault_localization.statement_reach import StatementReach, written

__all__ = ["Exclusions", "WrongEntries", "regions_of"]

Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]
Coordinates = NDArray[np.intp]

#: Parameters in more regions are not measured.
MOST_REGIONS = 12

#: More statements are not compared.
MOST_STATEMENTS = 32

#: A claim is wrong if it is so many bounds away from the derivative.
WRONG = 10.0

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
    unable : mapping of str to set of Statement
        They do not reach all that is wrong in the gradient of a parameter.
    """

    innocent: set[Statement] = field(default_factory=set)
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
        wrong: Collection[str],
        right: Collection[str],
        multiples: Collection[Statement],
        budget: int,
    ) -> Exclusions:
        """Return which of some statements are not to blame.

        Parameters
        ----------
        made : mapping of Statement to sequence of Version
            What they made.
        wrong, right : collection of str
            The parameters whose gradients are wrong, and right.
        multiples : collection of Statement
            Those that made multiples of gradients: then only a factor can be wrong.
        budget : int
            The most evaluations of forward.
        """
        if len(made) > MOST_STATEMENTS or PER_REACH * len(made) > budget:
            return Exclusions()
        before = self.evaluations
        reached = {statement: self.reach.of_mistakes(found) for statement, found in made.items()}
        known = {s: mask for s, mask in reached.items() if mask is not None}
        regions = {
            name: regions_of(known.values(), part)
            for name in wrong
            if (part := self.targets[name].part) is not None
        }
        count = sum(len(found) for found in regions.values() if len(found) > 1)
        if count > MOST_REGIONS or PER_REGION * count > budget - PER_REACH * len(made):
            regions = {name: [np.concatenate(found)] for name, found in regions.items()}
        is_right = np.zeros(len(self.reach.base), dtype=bool)
        for name in right:
            is_right[self.targets[name].part] = True
        unable: dict[str, set[Statement]] = {}
        for name, found in regions.items():
            verdicts = [self._verdict(name, r) if len(found) > 1 else "wrong" for r in found]
            pairs = list(zip(verdicts, found, strict=True))
            is_wrong = [region for verdict, region in pairs if verdict == "wrong"]
            for verdict, region in pairs:
                is_right[region] = verdict == "right"
            unable[name] = {
                s for s, mask in known.items() if not all(mask[r].any() for r in is_wrong)
            }
        is_right &= self.reach.base != 0
        innocent = set[Statement]()
        for statement, mask in known.items():
            is_able = not all(statement in found for found in unable.values())
            if is_able and (mask & is_right).any():
                spent = self.evaluations - before
                size = 1 if statement in multiples else _largest(made[statement])
                if spent + PER_REACH <= budget and self._shows(made[statement], is_right, size):
                    innocent.add(statement)
        return Exclusions(innocent, unable)

    @property
    def evaluations(self) -> int:
        """The calls of forward so far."""
        return self.reach.evaluations + self.measurements.evaluations

    def _shows(self, versions: Sequence[Version], right: Mask, size: int) -> bool:
        """Return whether some values change enough entries of what is right."""
        changed = self.reach.of_changes(versions)
        return changed is not None and bool(np.count_nonzero(changed & right) >= size)

    def _verdict(
        self, parameter: str, region: Coordinates
    ) -> Literal["right", "wrong", "unknown"]:
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


def _largest(versions: Sequence[Version]) -> int:
    """Return the most entries of a value: a sum with fewer ones hides an exchange of them."""
    return max(int(np.count_nonzero(written(version))) for version in versions)


def _verdict(
    measured: IntermediateDerivative, claim: Floats
) -> Literal["right", "wrong", "unknown"]:
    claimed = measured.directions.reshape(len(measured.directions), -1) @ claim
    differences = np.abs(claimed - measured.output.values)
    if (differences > WRONG * measured.output.bounds).any():
        return "wrong"
    is_right = (differences <= SIGNIFICANT * measured.output.bounds).all()
    return "right" if is_right and measured.output.digits >= DIGITS else "unknown"
