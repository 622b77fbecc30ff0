"""What backward says close to the point of a check: how its claims scatter, what they jump to.

It must not judge; it asks, and only when it is asked, since every answer costs a call of
forward and one of backward.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.binding.backward.claims import Claim
from pytest_gradcheck.binding.gradient_problem import Problem

__all__ = ["NearbyClaims", "NearbyEntryClaims"]

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

#: Points a rounding away at which claims are looked at: a few, and where these leave it open
#: the most. Claims that are rounded to one of few numbers are the same at several by chance.
FEW = 3
MOST = 8

#: Then at so many more, each so many times as far: claims that are rounded to multiples of one
#: number are multiples of it there, too.
FURTHEST = MOST + 4
FURTHER = 1024

#: Binary digits of a claim.
DIGITS = 53

#: Coordinates that are looked at to see how claims scatter at large, and how many tell.
MANY = 1024
ENOUGH = 8

#: Claims that differ by a larger share of themselves jump.
JUMPS = 0.1

#: Points around a kink, all coordinates moved, at which several kinks come apart.
AROUND = 6

#: How far these are, as a share of the step that showed the kink: so close that a derivative
#: changes only by the kink; and in roundings of the coordinate at least.
CLOSE = 1e-9
ROUNDINGS = 64.0

#: The point times these is where outputs may be larger by so many times, or more: then what
#: rounds terms of that size inside forward is large beside the outputs at the point.
SHARES = (0.1, 0.01)
LARGER = 1e6

#: Claims are right there when slopes over these relative steps, extrapolated, differ from them
#: by no more than this share of what they add up, along so many directions.
STEPS = np.array([1e-3, -1e-3, 5e-4, -5e-4])
AGREEING = 1e-4
DIRECTIONS = 2


class NearbyClaims:
    """Claims close to the point of a check.

    Parameters
    ----------
    problem : Problem
        Of which backward is asked.
    seed : int
        Draws the points.
    read : callable
        ``read(claim, coordinates)`` returns the claims that are looked at, shape (k, m).
    """

    def __init__(
        self,
        problem: Problem,
        seed: int,
        read: Callable[[Claim, Indices], Floats] = lambda claim, indices: claim.take(indices),
    ) -> None:
        self._read = read
        self._problem = problem
        self._seed = seed
        self._rounded: list[Claim | None] = []
        self._around: list[Claim] | None = None

    @cached_property
    def _rng(self) -> np.random.Generator:
        return np.random.default_rng(self._seed)

    @property
    def size(self) -> int:
        """How many coordinates the point has."""
        return self._problem.here.size

    def scatter(
        self,
        coordinates: Indices,
        is_enough: Callable[[Floats, float], bool],
        *,
        within: tuple[int, int],
    ) -> Floats:
        """Return how much claims about some coordinates differ a rounding away.

        Over a rounding or a few the derivative itself changes by its own condition times as
        many roundings, which no claim is better than. What is seen beyond is the rounding of
        terms that cancel inside backward. It may be the same at all of these points by chance;
        then what it is rounded to shows: it and others from further away are multiples of that.

        Parameters
        ----------
        coordinates : ndarray of int, shape (k,)
            Which; of a JVP the one row.
        is_enough : callable
            ``is_enough(scatter, largest) -> bool``, asked when a few points were looked at:
            whether more would tell nothing new. The largest is that of many coordinates,
            infinite where there are few.
        within : tuple of int
            Where those lie, from start to stop; where there are few all parameters are looked at.

        Returns
        -------
        ndarray, shape (k, m)
            Largest differences; zero where backward cannot be asked.
        """
        claims, many = self._problem.claim, _some(*within)
        if many.size < ENOUGH:
            many = _some(0, 1 if self._problem.tangent is not None else self._problem.here.size)
        here, there = self._read(claims, coordinates), self._read(claims, many)
        found, largest = np.zeros_like(here), 0.0
        for number in range(FURTHEST):
            if number >= FEW and is_enough(found, largest if many.size >= ENOUGH else np.inf):
                break
            claim = self._claimed_rounded(number)
            if claim is None:
                continue
            moved = self._read(claim, coordinates)
            if number < MOST:
                found = np.maximum(found, np.abs(moved - here))
                apart = np.abs(self._read(claim, many) - there)
                largest = max(largest, float(apart.max(initial=0.0)))
            else:
                grain = np.minimum(_grain(here), _grain(moved))
                found = np.where(moved == here, found, np.maximum(found, grain))
        return found

    def _claimed_rounded(self, number: int) -> Claim | None:
        """Return the claims at one of the points, asked about once."""
        if number == len(self._rounded):
            times = FURTHER ** max(0, number - MOST + 1)
            self._rounded.append(self._problem.claim_one_rounding_away(self._rng, times))
        return self._rounded[number]

    def share(self, start: int, stop: int) -> float:
        """Return how much claims about coordinates differ a rounding away, as a share of them.

        None, where that is so large that claims jump: to another branch, by no rounding.

        Parameters
        ----------
        start, stop : int
            Where they lie; of very many some are looked at.
        """
        many = _some(start, stop)
        size = float(np.abs(self._read(self._problem.claim, many)).max(initial=0.0))
        scatter = self.scatter(many, lambda *_: True, within=(start, stop)) / (size or 1.0)
        claims = self._read(self._problem.claim, many) / (size or 1.0)
        total = float(np.linalg.norm(claims))
        share = float(np.linalg.norm(scatter)) / total if total else 0.0
        return share if share <= JUMPS else 0.0

    def saturation(self, coordinates: Indices) -> Floats:
        """Return how many times larger outputs are closer to zero, where claims are right.

        Forward may saturate: the entropy of probabilities of which one is all but one is what
        terms of order one leave, and as wrong as their rounding, which no step shows. Where
        outputs are larger, claims of the same backward can be told.

        Parameters
        ----------
        coordinates : ndarray of int, shape (k,)
            Claims about which have to be right.

        Returns
        -------
        ndarray, shape (m,)
            Zero where outputs are not larger by far, or claims are not right. Costs an
            evaluation at each of two points, once, and where outputs are larger there eight more
            and a call of backward.
        """
        problem, base = self._problem, np.abs(self._problem.base)
        times = np.zeros(base.size)
        if problem.tangent is not None:
            return times
        for share, outputs in zip(SHARES, self._outputs_closer_to_zero, strict=True):
            size = np.abs(outputs)
            larger = np.isfinite(size) & (size > LARGER * base) & (base > 0)
            if larger.any():
                larger &= self._are_right(share * problem.here, coordinates)
                times[larger] = np.maximum(times[larger], size[larger] / base[larger])
        return times

    @cached_property
    def _outputs_closer_to_zero(self) -> Floats:
        return self._problem.evaluate([share * self._problem.here for share in SHARES])

    def _are_right(self, point: Floats, coordinates: Indices) -> NDArray[np.bool_]:
        """Tell for which outputs claims at another point are right, all together."""
        claim = self._problem.claim_at(point)
        right = np.ones(self._problem.base.size, dtype=bool)
        if claim is None:
            return ~right
        for _ in range(DIRECTIONS):
            direction = np.zeros_like(point)
            signs = self._rng.choice([-1.0, 1.0], coordinates.size)
            direction[coordinates] = signs * np.abs(point[coordinates])
            there = self._problem.evaluate(point + step * direction for step in STEPS)
            wide, narrow = (there[::2] - there[1::2]) / (2 * STEPS[::2, None])
            parts = self._read(claim, coordinates) * direction[coordinates, None]
            off = np.abs((4 * narrow - wide) / 3 - parts.sum(axis=0))
            right &= off <= AGREEING * np.abs(parts).sum(axis=0)
        return right

    def sides(self, coordinate: int, step: float) -> tuple[Floats, Floats] | None:
        """Return the claims about a coordinate a little to the left and to the right of it.

        Parameters
        ----------
        coordinate : int
            Which; of a JVP the one along its tangent.
        step : float
            That showed a kink in it.

        Returns
        -------
        tuple of ndarray, each of shape (m,), or None
            None where backward cannot be asked on both sides.
        """
        here, direction = self._problem.here, self._problem.tangent
        if direction is None:
            direction = np.zeros(here.size)
            direction[coordinate] = 1.0
        claims = []
        for sign in (-1, 1):
            claim = self._problem.claim_at(here + sign * _reach(here, step) * direction)
            if claim is None:
                return None
            claims.append(self._read(claim, np.array([coordinate]))[0])
        return claims[0], claims[1]

    def around(self, coordinate: int, step: float) -> Floats:
        """Return the claims about a coordinate where all have moved a little, at random.

        Parameters
        ----------
        coordinate : int
            Which.
        step : float
            That showed a kink in it.

        Returns
        -------
        ndarray, shape (k, m)
            At several points, the same whichever is asked first; fewer where backward cannot be
            asked.
        """
        here = self._problem.here
        if self._around is None:
            reach = _reach(here, step)
            points = (here + reach * self._rng.uniform(-1, 1, here.size) for _ in range(AROUND))
            asked = [self._problem.claim_at(point) for point in points]
            self._around = [claim for claim in asked if claim is not None]
        rows = [self._read(claim, np.array([coordinate]))[0] for claim in self._around]
        return np.array(rows).reshape(len(rows), -1)


def _grain(claims: Floats) -> Floats:
    """Return the largest powers of two that claims are multiples of; infinite for zero."""
    digits, exponent = np.frexp(claims)
    whole = np.ldexp(digits, DIGITS).astype(np.int64)
    return np.where(
        claims == 0, np.inf, np.ldexp((whole & -whole).astype(float), exponent - DIGITS)
    )


def _some(start: int, stop: int) -> Indices:
    return np.arange(start, stop, max(1, (stop - start) // MANY))


def _reach(here: Floats, step: float) -> Floats:
    return np.maximum(CLOSE * step, ROUNDINGS * np.abs(np.spacing(here)))


@dataclass(frozen=True, slots=True)
class NearbyEntryClaims:
    """Some coordinates, about which backward can be asked elsewhere.

    Attributes
    ----------
    elsewhere : NearbyClaims
        What asks.
    coordinates : ndarray of int, shape (k,)
        Their places in the point.
    within : tuple of int
        Start and stop of the parameter they are of.
    """

    elsewhere: NearbyClaims
    coordinates: Indices
    within: tuple[int, int]

    @property
    def is_alone(self) -> bool:
        """Whether there is one coordinate in all: several kinks in it cannot come apart."""
        return self.elsewhere.size == 1

    def scatter(self, is_enough: Callable[[Floats, float], bool]) -> Floats:
        """Return how much claims differ a rounding away, see `NearbyClaims.scatter`."""
        return self.elsewhere.scatter(self.coordinates, is_enough, within=self.within)

    def saturation(self, rows: Indices) -> Floats:
        """Return how many times larger outputs are elsewhere, see `NearbyClaims.saturation`."""
        return self.elsewhere.saturation(self.coordinates[rows])

    def sides(self, number: int, step: float) -> tuple[Floats, Floats] | None:
        """Return claims to both sides of one of them, see `NearbyClaims.sides`."""
        return self.elsewhere.sides(int(self.coordinates[number]), step)

    def around(self, number: int, step: float) -> Floats:
        """Return claims about one of them where all have moved, see `NearbyClaims.around`."""
        return self.elsewhere.around(int(self.coordinates[number]), step)
