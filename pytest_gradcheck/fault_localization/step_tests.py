"""Tests of the steps of backward: whether one follows rightly from others, which may be wrong.

A step of backward multiplies by the transpose of a derivative of forward, so that the products of
what it reads, and of what it makes, with the responses to the same perturbation are equal. That
is the dot-product test of adjoint codes, made for one step. Where it is not known what a value
that was read is the gradient of, everything that it may be is tried. It may be that of no value
of forward; then the test is made for several steps at once, from what was read for that value on.

It does not measure anything, and does not know which gradients are wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from math import prod

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.fault_localization.execution.recorded_values import Version
from pytest_gradcheck.fault_localization.forward_graph import ForwardGraph
from pytest_gradcheck.fault_localization.gradient_pairs import (
    DIGITS,
    SAME_FACTOR,
    SIGNIFICANT,
    GradientPairs,
    fits,
)
from pytest_gradcheck.fault_localization.intermediate_derivatives import (
    IntermediateDerivative,
    Slopes,
    Target,
)

__all__ = ["StepTests"]

Floats = NDArray[np.float64]

#: The largest number of ways to pair what a step reads that are tried, and of those of all steps,
#: which take about a second. A test costs as much as many ways, however few it has.
MOST_WAYS = 20_000
MOST_WAYS_OF_ALL = 2_500_000
WAYS_OF_A_TEST = 1_000

#: The number of origins that the test of a step is made from, and of values in each.
MOST_ORIGINS = 16
MOST_VALUES = 6

#: The number of parts of a derivative that a step completes.
MOST_PARTS = 2

#: Ways in which the products are equal, of which it is seen whether they make sense.
MOST_EQUAL = 20

#: Rounding of the product of a value with the direction along which its own was perturbed.
ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class _Origin:
    """Values that another one was computed from.

    Attributes
    ----------
    values : frozenset of Version
        The values: those that a step read, or what was read for these instead.
    through : frozenset of Version
        What was computed from them on the way.
    """

    values: frozenset[Version]
    through: frozenset[Version] = frozenset()


@dataclass(frozen=True, slots=True)
class _Products:
    """The products of a value that was read with the responses of all that it may belong to.

    Attributes
    ----------
    partners : tuple of Target or None
        What it may be the gradient of; None where it is no gradient.
    values, bounds : ndarray of float64, shape (partners, directions)
        The products, and bounds on their errors.
    """

    partners: tuple[Target | None, ...]
    values: Floats
    bounds: Floats


@dataclass(slots=True)
class _Test:
    """The test of a step.

    Attributes
    ----------
    read, factors : object
        What it was made for.
    count : int
        The number of pairs that were known; where that changes, it has to be made again.
    origins : tuple of _Origin
        From where on it is made.
    tested : int
        The number of measurements that it was made with.
    passed : set of Version
        What followed rightly from others: the value, and those that were computed on the way to
        it; empty where the test did not pass.
    partners : tuple of Target
        What those others are taken for the gradients of.
    """

    read: tuple[Version, ...]
    factors: frozenset[float]
    count: int
    origins: tuple[_Origin, ...]
    tested: int = 0
    passed: set[Version] = field(default_factory=set)
    partners: tuple[Target, ...] = ()


class StepTests:
    """Tests of the steps of one backward, with all derivatives that were measured.

    Parameters
    ----------
    pairs : GradientPairs
        The pairs that were found, and the derivatives.
    graph : ForwardGraph
        What the values of forward were computed from.
    read : callable
        ``read(version) -> list of Version`` returns the gradients that a value was computed from.
    cotangents : mapping of Version to Version
        The upstream gradients that backward was given, with the outputs that they belong to.
    """

    def __init__(
        self,
        pairs: GradientPairs,
        graph: ForwardGraph,
        read: Callable[[Version], list[Version]],
        cotangents: Mapping[Version, Version],
    ) -> None:
        self._pairs, self._graph, self._read = pairs, graph, read
        self._cotangents = cotangents
        self._tests: dict[Version, _Test] = {}
        self._between: set[Version] = set()
        self._between_count = 0
        self._products: dict[tuple[Version, int, int], _Products] = {}
        self._ways = 0

    @property
    def is_exhausted(self) -> bool:
        """Whether the tests took too long: what they do not show is not known then."""
        return self._ways >= MOST_WAYS_OF_ALL

    def follows(
        self,
        version: Version,
        read: Sequence[Version],
        factors: frozenset[float],
        parameters: Collection[str] = (),
    ) -> bool:
        """Return whether a value of backward follows rightly from others, right or wrong.

        Parameters
        ----------
        version : Version
            The value.
        read : sequence of Version
            The values of backward that it was computed from, which may be gradients.
        factors : frozenset of float
            By which it may have been multiplied as well.
        parameters : collection of str
            The parameters whose gradients it has to be; none where it may be that of anything.
        """
        if self.has_passed(version):
            return True
        if not read or version.is_alias or self.is_exhausted:
            return False
        all_read = [self._pairs.factor(v) for v in read]
        if all(factor == 1.0 for factor in all_read) and not any(map(self._pairs.is_part, read)):
            return False
        return self._passes(version, tuple(read), factors, parameters)

    def has_passed(self, version: Version) -> bool:
        """Return whether it is known that a value follows rightly from others."""
        return version in self._between_multiples() or any(
            version in test.passed and test.count == self._pairs.count
            for test in self._tests.values()
        )

    def forget(self) -> None:
        """Forget what passed, since more is known of the values that were read."""
        self._tests.clear()

    def _between_multiples(self) -> set[Version]:
        """Return the steps from multiples of gradients to others that are the same multiple."""
        if self._between_count != self._pairs.count:
            self._between_count = self._pairs.count
            self._between = {
                step for version in self._pairs.scaled() for step in self._steps_to(version)
            }
        return self._between

    def _steps_to(self, version: Version) -> set[Version]:
        """Return the steps to a multiple of a gradient, none where others begin elsewhere."""
        steps, factors, pending = {version}, [self._pairs.factor(version)], [version]
        while pending:
            for read in self._read(pending.pop()):
                factor = 1.0 if read in self._cotangents else self._pairs.factor(read)
                if factor is not None and not self._pairs.is_convention(read):
                    factors.append(factor)
                elif read not in steps:
                    steps.add(read)
                    pending.append(read)
        known = [factor for factor in factors if factor is not None]
        is_kept = len(known) > 1 and np.allclose(known, known[0], rtol=SAME_FACTOR, atol=0.0)
        return steps if is_kept else set()

    def taken_for(self) -> Collection[Target]:
        """Return what values had to be taken for the gradients of, for tests to pass."""
        return {
            partner
            for test in self._tests.values()
            if test.count == self._pairs.count
            for partner in test.partners
        }

    def _passes(
        self,
        version: Version,
        read: tuple[Version, ...],
        factors: frozenset[float],
        parameters: Collection[str],
    ) -> bool:
        """Make the tests with those measurements that were not used for the step before."""
        measured, test = self._pairs.measured, self._tests.get(version)
        made_for = read, factors, self._pairs.count
        if test is None or (test.read, test.factors, test.count) != made_for:
            test = self._tests[version] = _Test(*made_for, tuple(self._origins(version, read)))
        while not test.passed and test.tested < len(measured) and not self.is_exhausted:
            number = test.tested
            test.tested += 1
            target = measured[number].target
            is_own = target.step is None and str(target.path) in parameters
            if not fits(version, target.version) or (parameters and not is_own):
                continue
            for origin in test.origins:
                found = self._adjoint_partners(version, origin, number, factors)
                if found is not None:
                    test.partners, test.passed = found[0], {version, *found[1]}
                    break
            if not test.passed and self._is_completed(version, read, measured[number]):
                test.passed = {version}
        return bool(test.passed)

    def _origins(self, version: Version, read: Sequence[Version]) -> Iterator[_Origin]:
        """Yield what a step read, and what was read before for some of that, the nearest first.

        For a copy, what was read before shows something of the original only. Only what is not
        known to be a gradient is traced back. What a function was given that the step called need
        not be read beside what that has returned.
        """
        if version.is_copy:
            yield _Origin(frozenset(read))
            return
        last = frozenset(v for v in read if not any(v in other.direct for other in read))
        pending, seen = [_Origin(frozenset(read)), _Origin(last)], set[frozenset[Version]]()
        while pending and len(seen) < MOST_ORIGINS:
            origin = min(pending, key=lambda one: len(one.values) + len(one.through))
            pending.remove(origin)
            if origin.values in seen or len(origin.values) > MOST_VALUES:
                continue
            seen.add(origin.values)
            yield origin
            for value in sorted(origin.values, key=lambda v: v.number):
                before = self._read(value)
                if before and value not in self._cotangents and not self._pairs.of(value):
                    values = (origin.values - {value}) | frozenset(before)
                    pending.append(_Origin(values, origin.through | {value}))

    def _adjoint_partners(
        self, version: Version, origin: _Origin, number: int, factors: frozenset[float]
    ) -> tuple[tuple[Target, ...], set[Version]] | None:
        """Make the dot-product test from some values on, for all that these may belong to.

        Returns what they have to be the gradients of, and what was computed on the way; None
        where the test fails.
        """
        measured = self._pairs.measured[number]
        values_in_order = sorted(origin.values, key=lambda v: v.number)
        choices = [self._products_of(v, number) for v in values_in_order]
        count = prod(len(choice.partners) for choice in choices)
        self._ways += WAYS_OF_A_TEST
        if count > MOST_WAYS:
            return None
        self._ways += count
        values = _outer_sum([choice.values for choice in choices])
        bounds = _outer_sum([choice.bounds for choice in choices])
        claimed = self._pairs.claimed(version, measured)
        # Products that are zero on both sides show nothing.
        is_known = (np.abs(values) > 10**DIGITS * bounds).all(axis=-1)
        is_equal = np.any(
            [
                (np.abs(claimed - f * values) <= SIGNIFICANT * abs(f) * bounds).all(axis=-1)
                for f in factors
            ],
            axis=0,
        )
        for indices in np.argwhere(is_known & is_equal)[:MOST_EQUAL]:
            chosen = {
                value: choice.partners[k]
                for value, choice, k in zip(values_in_order, choices, indices, strict=True)
            }
            partners = tuple(partner for partner in chosen.values() if partner is not None)
            if version.is_copy and all(measured.is_identity(p.version) for p in partners):
                continue  # then it shows nothing that the products are equal
            if partners and self._graph.passes_through(
                measured.target, partners, measured.unmoved
            ):
                paired = {v for v, partner in chosen.items() if partner is not None}
                others = self._on_the_way(paired, set(chosen) - paired)
                return partners, others | origin.through
        return None

    def _on_the_way(self, known: set[Version], others: set[Version]) -> set[Version]:
        """Return those of some values that were computed from others only."""
        return {v for v in others if (read := self._read(v)) and known.issuperset(read)}

    def _products_of(self, read: Version, number: int) -> _Products:
        """Return what a value that was read may be the gradient of, with the products."""
        key = read, number, self._pairs.count
        known = self._products.get(key)
        if known is None:
            measured = self._pairs.measured[number]
            partners = tuple(self._partners(read, measured))
            slopes = [self._product(read, partner, measured) for partner in partners]
            nothing = np.zeros_like(measured.output.values)
            known = self._products[key] = _Products(
                (None, *partners),
                np.array([nothing, *(s.values for s in slopes)]),
                np.array([nothing, *(s.bounds for s in slopes)]),
            )
        return known

    def _is_completed(
        self, version: Version, read: tuple[Version, ...], measured: IntermediateDerivative
    ) -> bool:
        """Return whether a step adds what is missing to parts of a derivative, right or wrong.

        The parts are derivatives through some uses of the value, or are taken for them. What is
        added must be the derivative through its other uses, as that of a penalty is.
        """
        if measured.output.digits < DIGITS:
            return False
        claimed = self._pairs.claimed(version, measured)
        uses = self._uses_of(measured.target.version)
        for size in range(1, min(len(read), MOST_PARTS) + 1):
            for parts in combinations(read[:MOST_VALUES], size):
                if not all(fits(part, measured.target.version) for part in parts):
                    continue
                added = claimed - np.sum([self._pairs.claimed(v, measured) for v in parts], axis=0)
                if any(
                    (np.abs(added - slopes.values) <= SIGNIFICANT * slopes.bounds).all()
                    for slopes in self._missing(parts, uses, measured.output)
                ):
                    return True
        return False

    def _uses_of(self, version: Version) -> dict[object, Slopes]:
        """Return the derivatives through uses of a value that were measured."""
        return {
            other.target.key: other.output
            for other in self._pairs.measured
            if other.target.is_use
            and other.target.version.value.shape == version.value.shape
            and (other.target.version.value == version.value).all()
        }

    def _missing(
        self, parts: Sequence[Version], uses: Mapping[object, Slopes], total: Slopes
    ) -> Iterator[Slopes]:
        """Yield what may be missing in parts of a derivative: all other uses, or one of them."""
        own = [
            next((uses[p.target.key] for p in self._pairs.of(v) if p.target.key in uses), None)
            for v in parts
        ]
        known = [slopes for slopes in own if slopes is not None]
        if len(known) == len(parts):
            yield Slopes(
                total.values - np.sum([s.values for s in known], axis=0),
                total.bounds + np.sum([s.bounds for s in known], axis=0),
            )
        elif not known and not any(self._is_of_another(v) for v in parts):
            yield from (slopes for slopes in uses.values() if slopes.digits >= DIGITS)

    def _is_of_another(self, version: Version) -> bool:
        """Return whether it is known what a value is the gradient of."""
        return version in self._cotangents or self._pairs.factor(version) == 1.0

    def _partners(self, read: Version, measured: IntermediateDerivative) -> Iterator[Target]:
        """Yield what a value that was read is the gradient of, or may be."""
        own, later = measured.target.version, measured.responses
        if read in self._cotangents:
            output = self._cotangents[read]
            if output in later or output is own:
                yield Target(output, output.path, None, "during")
            return
        pairs = self._pairs.of(read)
        for pair in pairs:
            version = pair.target.version
            if version in later or version is own:
                yield pair.target
                is_part = pair.target.is_use and not self._pairs.is_partnered(version)
                if is_part and version is not own:
                    yield Target(version, version.path, version.step)  # if it lacks other parts
        if pairs:
            return
        if not measured.target.is_use and fits(read, own):
            yield from self._graph.uses(own)
        changed = {pair.target.version for v in read.direct for pair in self._pairs.of(v)}
        for version in later:
            is_free = version in changed or not self._pairs.is_partnered(version)
            if is_free and fits(read, version):
                yield Target(version, version.path, version.step)
                yield from self._graph.branches(version)

    def _product(self, read: Version, partner: Target, measured: IntermediateDerivative) -> Slopes:
        if partner.version is measured.target.version:
            values = self._pairs.claimed(read, measured)
            return Slopes(values, ROUNDING * np.abs(values))
        weights = read.value.astype(np.float64)
        if self._pairs.is_convention(read):
            weights /= self._pairs.factor(read) or 1.0  # a later step does so
        return measured.weighted(partner.version, weights)


def _outer_sum(arrays: Collection[Floats]) -> Floats:
    """Return all sums of one row of each array, shape (*lengths, directions)."""
    total: Floats = np.zeros(1)
    for array in arrays:
        total = total[..., np.newaxis, :] + array
    return total
