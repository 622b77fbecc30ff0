"""Pairs of gradients and intermediates: which value of backward is the derivative by what.

They are found by value. A local variable of backward that has the shape of a value of forward,
and agrees with its measured derivative along two random directions, is its gradient, whatever it
is called: that happens by chance once in a million. It may be its gradient up to a factor, where
backward multiplies by ``1 / m`` later.

It does not know which gradients are wrong.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.fault_localization.execution.recorded_values import Version
from pytest_gradcheck.fault_localization.intermediate_derivatives import (
    Directions,
    IntermediateDerivative,
    Slopes,
    Target,
    is_symmetric,
)

__all__ = ["GradientPairs", "Pair", "fits"]

#: Claim and measurement differ when they are this many bounds apart.
SIGNIFICANT = 2.0

#: Digits that a measurement must have to identify a gradient, and one up to a factor.
DIGITS = 3.5
DIGITS_FOR_FACTOR = 4.5

#: Fewer entries are easily multiples of others.
FEW = 3

#: Multiples of a gradient by a symmetric matrix that formulas have.
CONVENTIONS = (2.0, 0.5)

#: A gradient is no multiple of another one if their ratios are so many bounds apart.
UNEVEN = 10.0

#: Factors that differ by less are the same; those that differ less from 1 are 1.
SAME_FACTOR = 1e-4
ONE = 1e-5


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
    directions : Directions
        Along which derivatives are measured.

    Attributes
    ----------
    measured : list of IntermediateDerivative
        In order.
    """

    def __init__(self, gradients: Collection[Version], directions: Directions) -> None:
        self._gradients = gradients
        self._originals = [version for version in gradients if not version.is_copy]
        self._directions = directions
        self.measured: list[IntermediateDerivative] = []
        self._pairs: dict[Version, list[Pair]] = {}
        self._parameters: dict[str, IntermediateDerivative] = {}
        self._partnered: set[Version] = set()

    def add(self, measured: IntermediateDerivative) -> None:
        """Find the values that are a derivative that was measured, or a multiple of it."""
        self.measured.append(measured)
        if measured.target.step is None:
            self._parameters.setdefault(str(measured.target.version.path), measured)
        if measured.output.digits < DIGITS:
            return
        for gradient in self._originals:
            if not fits(gradient, measured.target.version):
                continue
            factor = _factor(self.claimed(gradient, measured), measured.output, gradient)
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

    @property
    def count(self) -> int:
        """The number of pairs."""
        return sum(map(len, self._pairs.values()))

    def is_derivative(self, claim: NDArray[np.float64], parameter: str) -> bool:
        """Return whether a claim is the derivative by a parameter, if that was measured."""
        measured = self.measured_parameter(parameter)
        if measured is None or measured.output.digits < DIGITS:
            return False
        claimed = self._directions.along(claim.reshape(measured.target.version.value.shape))
        bounds = SIGNIFICANT * measured.output.bounds
        return bool((np.abs(claimed - measured.output.values) <= bounds).all())

    def is_uneven(self, parameter: str, claim: Version) -> bool:
        """Return whether a wrong gradient of a parameter is known to be no multiple of it."""
        measured = self.measured_parameter(parameter)
        if measured is None or measured.output.digits < DIGITS_FOR_FACTOR:
            return False
        if not fits(claim, measured.target.version):
            return False
        factors = self.claimed(claim, measured) / measured.output.values
        bounds = np.abs(factors * measured.output.bounds / measured.output.values)
        return bool(np.ptp(factors) > UNEVEN * bounds.sum())

    def measured_parameter(self, parameter: str) -> IntermediateDerivative | None:
        """Return the derivative by a parameter, if that was measured."""
        return self._parameters.get(parameter)

    def of(self, version: Version) -> list[Pair]:
        """Return the pairs of a value of backward, all with one factor; none if there are none."""
        return self._pairs.get(version, [])

    def factor(self, version: Version) -> float | None:
        """Return which multiple of a derivative a value is, None where that is not known."""
        pairs = self._pairs.get(version)
        return pairs[0].factor if pairs else None

    def is_part(self, version: Version) -> bool:
        """Return whether a value is known as the derivative through some uses only."""
        pairs = self._pairs.get(version)
        return pairs is not None and all(pair.target.is_use for pair in pairs)

    def is_multiple(self, version: Version, factors: Collection[float]) -> bool:
        """Return whether a value is one of some multiples of a derivative."""
        factor = self.factor(version)
        return factor is not None and bool(
            np.isclose(factor, list(factors), rtol=SAME_FACTOR, atol=0.0).any()
        )

    def is_convention(self, version: Version) -> bool:
        """Return whether a value is twice a gradient by a symmetric matrix, or half of it.

        Formulas have such ones on the way: an entry is there twice, and forward may read one.
        """
        return self.is_multiple(version, CONVENTIONS) and all(
            is_symmetric(pair.target.version.value) for pair in self.of(version)
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

    def is_partnered(self, version: Version) -> bool:
        """Return whether the derivative by a value of forward, or a multiple of it, was found."""
        return version in self._partnered

    def claimed(self, gradient: Version, measured: IntermediateDerivative) -> NDArray[np.float64]:
        """Return the products of a value of backward with the directions of a measurement."""
        directions = measured.directions.reshape(len(measured.directions), -1)
        return np.asarray(directions @ gradient.value.reshape(-1).astype(np.float64))


def fits(gradient: Version, intermediate: Version) -> bool:
    """Return whether a value may be the gradient of another one, by type and shape."""
    if not (gradient.is_gradient_like and intermediate.is_floating):
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


def _squeezed(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(length for length in shape if length != 1)
