"""Pairs of gradients and intermediates: which value of backward is the derivative by what.

They are found by value. A local variable of backward that has the shape of a value of forward,
and agrees with its measured derivative along two random directions, is its gradient, whatever it
is called: that happens by chance once in a million. It may be its gradient up to a factor, where
backward multiplies by ``1 / m`` later.

A value of backward can also follow rightly from others that are wrong. A step of backward
multiplies by the transpose of a derivative of forward, so that the products of what it reads, and
of what it makes, with the responses to the same perturbation are equal. That is the dot-product
test of adjoint codes, made for one step.

It does not know which gradients are wrong.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.fault_localization.forward_graph import ForwardGraph
from pytest_gradcheck.fault_localization.intermediate_derivatives import (
    Directions,
    IntermediateDerivative,
    Slopes,
    Target,
)
from pytest_gradcheck.fault_localization.recorded_values import Version

__all__ = ["GradientPairs", "Pair", "fits"]

#: Claim and measurement differ when they are this many bounds apart.
SIGNIFICANT = 2.0

#: Digits that a measurement must have to identify a gradient, and one up to a factor.
DIGITS = 3.5
DIGITS_FOR_FACTOR = 4.5

#: Fewer entries are easily multiples of others.
FEW = 3

#: Factors that differ by less are the same; those that differ less from 1 are 1.
SAME_FACTOR = 1e-4
ONE = 1e-5

#: The largest number of gradients that a step reads, for it to be tested.
MOST_READ = 3

#: The number of ways to pair what a step reads that are tried, and of those of all steps, which
#: take about a second.
MOST_WAYS = 200
MOST_TESTS = 30_000


@dataclass(frozen=True, slots=True)
class Pair:
    """A value of backward, and the derivative that it is.

    Attributes
    ----------
    gradient : Version
        The value of backward.
    target : Target
        By what it is the derivative.
    factor : float
        How many times: 1 where it is the derivative itself.
    """

    gradient: Version
    target: Target
    factor: float


class GradientPairs:
    """The pairs that were found, by the derivatives that were measured.

    Parameters
    ----------
    gradients : collection of Version
        The values of backward.
    graph : ForwardGraph
        What the values of forward were computed from.
    directions : Directions
        Along which derivatives are measured.
    """

    def __init__(
        self, gradients: Collection[Version], graph: ForwardGraph, directions: Directions
    ) -> None:
        self._gradients = gradients
        self._originals = [version for version in gradients if not version.is_copy]
        self._graph, self._directions = graph, directions
        self._measured: list[IntermediateDerivative] = []
        self._pairs: dict[Version, list[Pair]] = {}
        self._partnered: set[Version] = set()
        self._tests = 0

    @property
    def is_exhausted(self) -> bool:
        """Whether the tests of steps took too long: what they do not show is not known then."""
        return self._tests >= MOST_TESTS

    def add(self, measured: IntermediateDerivative) -> None:
        """Find the values that are a derivative that was measured, or a multiple of it."""
        self._measured.append(measured)
        if measured.output.digits < DIGITS:
            return
        for gradient in self._originals:
            if not fits(gradient, measured.target.version):
                continue
            factor = _factor(self._claimed(gradient, measured), measured.output, gradient)
            if factor is not None:
                self._add(Pair(gradient, measured.target, factor))

    def _add(self, pair: Pair) -> None:
        known = self._pairs.setdefault(pair.gradient, [])
        if known and (known[0].factor == 1.0) is not (pair.factor == 1.0):
            if pair.factor != 1.0:
                return
            known.clear()  # it is one derivative, and a multiple of another by chance
        known.append(pair)
        if not pair.target.is_use:
            self._partnered.add(pair.target.version)

    def is_derivative(self, claim: NDArray[np.float64], parameter: str) -> bool:
        """Return whether a claim is the derivative by a parameter, if that was measured."""
        for measured in self._measured:
            version, step = measured.target.version, measured.target.step
            if step is None and str(version.path) == parameter:
                claimed = self._directions.along(claim.reshape(version.value.shape))
                return bool(
                    measured.output.digits >= DIGITS
                    and (
                        np.abs(claimed - measured.output.values)
                        <= SIGNIFICANT * measured.output.bounds
                    ).all()
                )
        return False

    def of(self, version: Version) -> list[Pair]:
        """Return the pairs of a value of backward, all with one factor; none if there are none."""
        return self._pairs.get(version, [])

    def factor(self, version: Version) -> float | None:
        """Return which multiple of a derivative a value is, None where that is not known."""
        pairs = self._pairs.get(version)
        return pairs[0].factor if pairs else None

    def is_multiple(self, version: Version, factors: Collection[float]) -> bool:
        """Return whether a value is one of some multiples of a derivative."""
        factor = self.factor(version)
        return factor is not None and bool(
            np.isclose(factor, list(factors), rtol=SAME_FACTOR, atol=0.0).any()
        )

    def exact(self) -> Iterator[Version]:
        """Yield the values that are derivatives themselves."""
        for version, pairs in self._pairs.items():
            if pairs[0].factor == 1.0:
                yield version

    def scaled(self) -> Iterator[Version]:
        """Yield the values that are multiples of derivatives."""
        for version, pairs in self._pairs.items():
            if pairs[0].factor != 1.0:
                yield version

    def follows(self, version: Version, read: list[Version], factors: Collection[float]) -> bool:
        """Return whether a value of backward follows rightly from others, right or wrong.

        Parameters
        ----------
        version : Version
            The value.
        read : list of Version
            The values of backward that it was computed from.
        factors : collection of float
            By which it may have been multiplied as well.
        """
        if not read or version.is_alias or self.is_exhausted:
            return False
        own, all_read = self.factor(version), [self.factor(v) for v in read]
        if own is not None and all(
            factor is not None and np.isclose(factor, own, rtol=SAME_FACTOR) for factor in all_read
        ):
            return True
        if all(factor == 1.0 for factor in all_read):
            return False
        return any(
            self._is_adjoint(version, some, measured, factors)
            or self._is_completed(version, some, measured)
            for size in range(1, min(MOST_READ, len(read)) + 1)
            for some in combinations(read, size)
            for measured in self._measured
            if fits(version, measured.target.version)
        )

    def _is_adjoint(
        self,
        version: Version,
        read: tuple[Version, ...],
        measured: IntermediateDerivative,
        factors: Collection[float],
    ) -> bool:
        """Make the dot-product test of a step, for all that its input may be the gradients of."""
        if self.is_exhausted:
            return False
        self._tests += 1
        claimed = self._claimed(version, measured)
        choices = [list(self._partners(v, measured)) for v in read]
        for count, partners in enumerate(product(*choices)):
            if count == MOST_WAYS or self.is_exhausted:
                return False
            self._tests += 1
            total = _sum(
                [self._product(v, p, measured) for v, p in zip(read, partners, strict=True)]
            )
            if total.digits < DIGITS or not any(
                (np.abs(claimed - f * total.values) <= SIGNIFICANT * f * total.bounds).all()
                for f in factors
            ):
                continue
            if self._graph.passes_through(measured.target, partners):
                return True
        return False

    def _is_completed(
        self, version: Version, read: tuple[Version, ...], measured: IntermediateDerivative
    ) -> bool:
        """Return whether a step adds what is missing to parts of a derivative, right or wrong.

        The parts are derivatives through some uses of the value, up to a factor. What is added
        must be the derivative through its other uses, as that of a penalty is.
        """
        slopes = {other.target.key: other.output for other in self._measured}
        value = measured.target.version.value
        parts, uses = [], []
        for one in read:
            for pair in self.of(one):
                other = pair.target.version.value
                if pair.target.is_use and other.shape == value.shape and (other == value).all():
                    parts.append(self._claimed(one, measured))
                    uses.append(slopes[pair.target.key])
                    break
        if len(parts) < len(read) or measured.output.digits < DIGITS:
            return False
        through = _sum(uses)
        added = self._claimed(version, measured) - np.sum(parts, axis=0)
        missing = measured.output.values - through.values
        bounds = SIGNIFICANT * (measured.output.bounds + through.bounds)
        return bool((np.abs(added - missing) <= bounds).all())

    def _partners(self, read: Version, measured: IntermediateDerivative) -> Iterator[Target]:
        """Yield what a value that was read is the gradient of, or may be."""
        own, later = measured.target.version, measured.responses
        pairs = self._pairs.get(read)
        if pairs:
            for pair in pairs:
                if pair.target.version in later or pair.target.version is own:
                    yield pair.target
            return
        if not measured.target.is_use and fits(read, own):
            yield from self._graph.uses(own)
        for version in later:
            if version not in self._partnered and fits(read, version):
                yield Target(version, version.path, version.step)

    def _product(self, read: Version, partner: Target, measured: IntermediateDerivative) -> Slopes:
        if partner.version is measured.target.version:
            values = self._claimed(read, measured)
            return Slopes(values, 1e-12 * np.abs(values))
        return measured.weighted(partner.version, read.value.astype(np.float64))

    def _claimed(self, gradient: Version, measured: IntermediateDerivative) -> NDArray[np.float64]:
        shape = measured.target.version.value.shape
        return self._directions.along(gradient.value.reshape(shape))


def fits(gradient: Version, intermediate: Version) -> bool:
    """Return whether a value may be the gradient of another one, by type and shape."""
    if not (gradient.is_floating and intermediate.is_floating):
        return False
    return _squeezed(gradient.value.shape) == _squeezed(intermediate.value.shape)


def _factor(claimed: NDArray[np.float64], measured: Slopes, gradient: Version) -> float | None:
    """Return which multiple of the derivative is claimed; None where it is no multiple."""
    if (np.abs(claimed - measured.values) <= SIGNIFICANT * measured.bounds).all():
        return 1.0
    if np.count_nonzero(gradient.value) < FEW or measured.digits < DIGITS_FOR_FACTOR:
        return None
    with np.errstate(all="ignore"):
        factors = claimed / measured.values
        bounds = SIGNIFICANT * np.abs(factors * measured.bounds / measured.values)
    if not (np.isfinite(factors).all() and np.ptp(factors) <= bounds.sum()) or not factors.all():
        return None
    factor = float(factors.mean())
    return 1.0 if abs(factor - 1) < ONE else factor


def _sum(parts: Iterable[Slopes]) -> Slopes:
    parts = list(parts)
    return Slopes(
        np.sum([part.values for part in parts], axis=0),
        np.sum([part.bounds for part in parts], axis=0),
    )


def _squeezed(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(length for length in shape if length != 1)
