"""What the corpus is made of: families of functions whose gradient is known.

It must not know any tool: a case is a function, its gradient and a point.
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
    """A function of one array, at a point.

    Attributes
    ----------
    forward : callable
        From an array to a number.
    gradient : callable
        From an array to one of the same shape: the hand-written backward.
    point : ndarray
        Where.
    low, high : callable or None
        At kinks the smallest and the largest valid subgradient; where None the
        gradient is the only valid claim.
    truth : callable or None
        The derivative of what forward computes, where the gradient is that of
        what it means to compute (an iteration stopped early).
    precision : float
        How well the derivative of what forward computes is known, relatively:
        bounds cannot be tested closer than that.
    rounding : float or ndarray
        How far the gradient may be off besides, absolutely: by the rounding of terms
        that cancel in it, or by the tolerance of a solver.
    length : float or ndarray or None
        How far each entry may move before forward is another function, where
        that is not the entry's own size.
    apart : bool
        Whether nothing between the two slopes of a kink is valid but their mean: of
        one kink alone no backward returns anything else.
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
    apart: bool = False

    def slopes(self) -> tuple[Array, Array]:
        """Return the smallest and the largest valid claim about each entry."""
        low, high = self.low or self.gradient, self.high or self.gradient
        return low(self._wide()), high(self._wide())

    def valid(self) -> list[tuple[Array, Array]]:
        """Return the intervals of valid claims about each entry."""
        low, high = self.slopes()
        if not self.apart:
            return [(low, high)]
        return [(slope, slope) for slope in (low, (low + high) / 2, high)]

    def derivative(self) -> tuple[Array, Array]:
        """Return the true slopes, in float64."""
        return self.slopes() if self.truth is None else (self.truth(self._wide()),) * 2

    def _wide(self) -> Array:
        return self.point.astype(np.float64)


@dataclass(frozen=True)
class Family:
    """Functions of one kind.

    Attributes
    ----------
    name : str
        What they are.
    draw : callable
        From a generator of random numbers to a case.
    noisy : bool
        Whether their values carry more noise than float64 rounding, or hold a
        derivative that no difference can see.
    tuned : bool
        Whether constants may be tuned on them; the others only report.
    """

    name: str
    draw: Draw
    noisy: bool
    tuned: bool

    @property
    def module(self) -> str:
        """The name of the module that holds it."""
        return self.draw.__module__.rpartition(".")[2]

    def case(self, seed: int) -> Case:
        """Return the case of a seed, always the same."""
        return self.draw(np.random.default_rng([zlib.crc32(self.name.encode()), seed]))


class Collection:
    """The families of one module; every second one is for tuning, unless it says itself."""

    def __init__(self) -> None:
        self.families: list[Family] = []

    def family(self, *, noisy: bool = False, tuned: bool | None = None) -> Callable[[Draw], Draw]:
        """Add the decorated function to the collection."""

        def add(draw: Draw) -> Draw:
            half = len(self.families) % 2 == 0 if tuned is None else tuned
            self.families.append(Family(draw.__name__, draw, noisy, half))
            return draw

        return add
