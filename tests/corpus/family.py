"""Test problems of the corpus: families of functions with a known gradient.

A case is a function, its gradient and a point; a family draws cases at random. The module does
not know any tool that checks gradients.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Draw = Callable[[np.random.Generator], "Case"]


@dataclass(frozen=True)
class Case:
    """A function of one array, its gradient, and the point at which to check it.

    Attributes
    ----------
    forward : callable
        Maps an array to a number.
    gradient : callable
        The hand-written backward: maps an array to an array of the same shape.
    point : ndarray
        The point.
    low, high : callable or None
        At kinks, the smallest and the largest valid subgradient. None where the gradient is the
        only valid claim.
    truth : callable or None
        The derivative of what forward computes, where `gradient` is the derivative of what
        forward approximates (for example, by an iteration that stops early).
    precision : float
        The relative accuracy to which `truth` is known. Error bounds cannot be tested more
        closely.
    rounding : float or ndarray
        An additional absolute error that the gradient may have: rounding of terms that cancel in
        it, or the tolerance of a solver.
    length : float or ndarray or None
        The length scale of each entry, where that is not the entry's magnitude.
    isolated_kink : bool
        Whether, between the two slopes of a kink, only their mean is a valid claim. That is so
        where a single kink is at the point: no backward returns another value there.
    """

    forward: Callable[[Array], Any]
    gradient: Callable[[Array], Array]
    point: Array
    low: Callable[[Array], Array] | None = None
    high: Callable[[Array], Array] | None = None
    truth: Callable[[Array], Array] | None = None
    precision: float = 1e-11
    rounding: float | Array = 0.0
    length: float | Array | None = None
    isolated_kink: bool = False

    def subgradient_range(self) -> tuple[Array, Array]:
        """Return the smallest and the largest valid claim about each entry, in float64."""
        low, high = self.low or self.gradient, self.high or self.gradient
        return low(self._float64_point()), high(self._float64_point())

    def valid_intervals(self) -> list[tuple[Array, Array]]:
        """Return the intervals of valid claims about each entry, as pairs of their ends."""
        low, high = self.subgradient_range()
        if not self.isolated_kink:
            return [(low, high)]
        return [(slope, slope) for slope in (low, (low + high) / 2, high)]

    def derivative(self) -> tuple[Array, Array]:
        """Return the range of the true derivative of each entry, in float64."""
        if self.truth is None:
            return self.subgradient_range()
        return (self.truth(self._float64_point()),) * 2

    def _float64_point(self) -> Array:
        return self.point.astype(np.float64)


@dataclass(frozen=True)
class Family:
    """Functions of one kind, drawn at random.

    Attributes
    ----------
    name : str
        The name of the family. It seeds the cases.
    draw : callable
        Draws a case with a random generator.
    noisy : bool
        Whether the values carry more noise than float64 rounding, or have a derivative that no
        difference can resolve.
    tuned : bool
        Whether constants of the package may be tuned on the family. The others are held out:
        reports and comparisons use them alone.
    """

    name: str
    draw: Draw
    noisy: bool
    tuned: bool

    @property
    def module(self) -> str:
        """The name of the module that defines the family."""
        return self.draw.__module__.rpartition(".")[2]

    def case(self, seed: int) -> Case:
        """Return the case of a seed; the same seed always gives the same case."""
        return self.draw(np.random.default_rng([zlib.crc32(self.name.encode()), seed]))


class Collection:
    """The families of one module, filled by a decorator.

    Every second family is for tuning, unless it is declared otherwise.
    """

    def __init__(self) -> None:
        self.families: list[Family] = []

    def family(self, *, noisy: bool = False, tuned: bool | None = None) -> Callable[[Draw], Draw]:
        """Add the decorated function to the collection."""

        def add(draw: Draw) -> Draw:
            for_tuning = len(self.families) % 2 == 0 if tuned is None else tuned
            self.families.append(Family(draw.__name__, draw, noisy, for_tuning))
            return draw

        return add
