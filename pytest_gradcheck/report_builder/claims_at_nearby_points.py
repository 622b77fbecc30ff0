"""Claims of backward close to the point of a check.

They show the rounding error of backward (how its claims scatter one rounding away), claims on
both sides of a kink, and whether forward has lost its digits by cancellation (saturation).
Every answer costs a call of forward and one of backward, so it is computed on demand and once.
This module does not judge claims.
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

#: Numbers of points one rounding away at which claims are compared: first a few and, where
#: these are not conclusive, the most. Claims that are rounded to one of few numbers may by
#: chance be the same at several points.
FEW_POINTS = 3
MOST_POINTS = 8

#: Then claims are compared at this many points further away, each this many times as far as
#: the one before, up to three percent: claims that are multiples of one number near the point
#: are so there, too, and where they change by more than that they are another multiple.
MOST_POINTS_AND_FURTHER = MOST_POINTS + 4
DISTANCE_FACTOR = 4096

#: Binary digits of a float64.
SIGNIFICAND_BITS = 53

#: The number of coordinates whose claims show the largest scatter, and the fewest that do.
MOST_COORDINATES = 1024
FEWEST_COORDINATES = 8

#: Claims that differ by more than this share of themselves are discontinuous.
DISCONTINUOUS_SHARE = 0.1

#: The number of points around a kink, with all coordinates moved.
POINTS_AROUND_KINK = 6

#: The distance of these points, as a share of the step that showed the kink, and at least this
#: many roundings of the coordinate: so close that only the kink changes the derivative.
KINK_DISTANCE_SHARE = 1e-9
KINK_DISTANCE_ROUNDINGS = 64.0

#: The point is multiplied by these factors to find outputs that are larger by this ratio. The
#: rounding of terms of that magnitude inside forward is then large against the outputs.
SHRINK_FACTORS = (0.1, 0.01)
SATURATION_RATIO = 1e6

#: Claims at such a point are correct if slopes over these relative steps, extrapolated, differ
#: from them by at most this share of the sum of their terms, along this many directions.
RELATIVE_STEPS = np.array([1e-3, -1e-3, 5e-4, -5e-4])
AGREEMENT_SHARE = 1e-4
DIRECTIONS = 2


def take_claims(claim: Claim, coordinates: Indices) -> Floats:
    """Return the claims about some coordinates, shape (k, m)."""
    return claim.take(coordinates)


class NearbyClaims:
    """Claims close to the point of a check.

    Parameters
    ----------
    problem : Problem
        The problem that is checked.
    seed : int
        Seed of the random points.
    take : callable
        ``take(claim, coordinates)`` returns the claims to compare, shape (k, m).
    """

    def __init__(
        self,
        problem: Problem,
        seed: int,
        take: Callable[[Claim, Indices], Floats] = take_claims,
    ) -> None:
        self._take = take
        self._problem = problem
        self._seed = seed
        self._rounded: list[Claim | None] = []
        self._around_kink: list[Claim] | None = None

    @cached_property
    def _rng(self) -> np.random.Generator:
        return np.random.default_rng(self._seed)

    @property
    def size(self) -> int:
        """The number of coordinates of the point."""
        return self._problem.here.size

    def scatter(
        self,
        coordinates: Indices,
        is_conclusive: Callable[[Floats, float], bool],
        *,
        parameter_range: tuple[int, int],
    ) -> Floats:
        """Return the largest differences between claims at points one rounding apart.

        Over a few roundings, the derivative itself changes by its condition number times as
        many roundings, and no claim is more accurate. Larger differences are the rounding
        errors of terms that cancel inside backward. By chance these may be the same at all
        points; then the claims near and further away are multiples of the rounding unit of
        those terms, which is returned instead.

        Parameters
        ----------
        coordinates : ndarray of int, shape (k,)
            The coordinates; for a Jacobian-vector product (JVP) the single row.
        is_conclusive : callable
            ``is_conclusive(scatter, largest) -> bool`` returns, after a few points, whether
            more would not change the verdict. The second argument is the largest scatter of
            many coordinates; it is infinite if there are few.
        parameter_range : tuple of int
            Start and stop of the parameter of the coordinates. If it has few, many
            coordinates are taken from all parameters.

        Returns
        -------
        ndarray, shape (k, m)
            The differences; zero where backward cannot be called.
        """
        claims, many = self._problem.claim, _subsample(*parameter_range)
        if many.size < FEWEST_COORDINATES:
            stop = 1 if self._problem.tangent is not None else self._problem.here.size
            many = _subsample(0, stop)
        base, base_of_many = self._take(claims, coordinates), self._take(claims, many)
        scatter, largest = np.zeros_like(base), 0.0
        for number in range(MOST_POINTS_AND_FURTHER):
            if number >= FEW_POINTS and is_conclusive(
                scatter, largest if many.size >= FEWEST_COORDINATES else np.inf
            ):
                break
            claim = self._claim_one_rounding_away(number)
            if claim is None:
                continue
            moved = self._take(claim, coordinates)
            if number < MOST_POINTS:
                scatter = np.maximum(scatter, np.abs(moved - base))
                differences = np.abs(self._take(claim, many) - base_of_many)
                largest = max(largest, float(differences.max(initial=0.0)))
            else:
                unit = np.minimum(_largest_power_of_two(base), _largest_power_of_two(moved))
                scatter = np.where(moved == base, scatter, np.maximum(scatter, unit))
        return scatter

    def _claim_one_rounding_away(self, number: int) -> Claim | None:
        """Return the claim at one of the points; it is made once."""
        if number == len(self._rounded):
            times = DISTANCE_FACTOR ** max(0, number - MOST_POINTS + 1)
            self._rounded.append(self._problem.claim_one_rounding_away(self._rng, times))
        return self._rounded[number]

    def relative_scatter(self, start: int, stop: int) -> float:
        """Return the scatter of the claims about a parameter, relative to the claims.

        It is zero for claims that are discontinuous: no rounding error is that large.

        Parameters
        ----------
        start, stop : int
            The coordinates of the parameter, of which a subsample is compared.
        """
        many = _subsample(start, stop)
        size = float(np.abs(self._take(self._problem.claim, many)).max(initial=0.0))
        scatter = self.scatter(many, lambda *_: True, parameter_range=(start, stop))
        scatter = scatter / (size or 1.0)
        claims = self._take(self._problem.claim, many) / (size or 1.0)
        total = float(np.linalg.norm(claims))
        share = float(np.linalg.norm(scatter)) / total if total else 0.0
        return share if share <= DISCONTINUOUS_SHARE else 0.0

    def saturation(self, coordinates: Indices) -> Floats:
        """Return how many times larger outputs are closer to zero, where claims are correct.

        Forward may saturate: the entropy of probabilities one of which is almost 1 is a
        difference of terms of order one, with the rounding error of those terms. No step shows
        this, since the error is in every evaluation. Where outputs are larger, the claims of
        the same backward can be compared with differences.

        Parameters
        ----------
        coordinates : ndarray of int, shape (k,)
            The coordinates whose claims must be correct.

        Returns
        -------
        ndarray, shape (m,)
            Zero for outputs that are not larger by far, or whose claims are not correct. It
            costs an evaluation at each of two points, once, and where outputs are larger
            there eight more and a call of backward.
        """
        problem, base = self._problem, np.abs(self._problem.base)
        ratios = np.zeros(base.size)
        if problem.tangent is not None:
            return ratios
        for factor, outputs in zip(SHRINK_FACTORS, self._outputs_closer_to_zero, strict=True):
            size = np.abs(outputs)
            larger = np.isfinite(size) & (size > SATURATION_RATIO * base) & (base > 0)
            if larger.any():
                larger &= self._are_correct(factor * problem.here, coordinates)
                ratios[larger] = np.maximum(ratios[larger], size[larger] / base[larger])
        return ratios

    @cached_property
    def _outputs_closer_to_zero(self) -> Floats:
        here = self._problem.here
        return self._problem.evaluate([factor * here for factor in SHRINK_FACTORS])

    def _are_correct(self, point: Floats, coordinates: Indices) -> NDArray[np.bool_]:
        """Return for which outputs claims at another point agree with extrapolated slopes."""
        claim = self._problem.claim_at(point)
        correct = np.ones(self._problem.base.size, dtype=bool)
        if claim is None:
            return ~correct
        for _ in range(DIRECTIONS):
            direction = np.zeros_like(point)
            signs = self._rng.choice([-1.0, 1.0], coordinates.size)
            direction[coordinates] = signs * np.abs(point[coordinates])
            outputs = self._problem.evaluate(point + step * direction for step in RELATIVE_STEPS)
            wide, narrow = (outputs[::2] - outputs[1::2]) / (2 * RELATIVE_STEPS[::2, None])
            terms = self._take(claim, coordinates) * direction[coordinates, None]
            error = np.abs((4 * narrow - wide) / 3 - terms.sum(axis=0))
            correct &= error <= AGREEMENT_SHARE * np.abs(terms).sum(axis=0)
        return correct

    def on_both_sides(self, coordinate: int, step: float) -> tuple[Floats, Floats] | None:
        """Return the claims about a coordinate a little to the left and to the right of it.

        Parameters
        ----------
        coordinate : int
            The coordinate; for a JVP its single row, along the tangent.
        step : float
            The step that showed a kink.

        Returns
        -------
        tuple of ndarray, each of shape (m,), or None
            None if backward cannot be called on both sides.
        """
        here, direction = self._problem.here, self._problem.tangent
        if direction is None:
            direction = np.zeros(here.size)
            direction[coordinate] = 1.0
        claims = []
        for sign in (-1, 1):
            claim = self._problem.claim_at(here + sign * _kink_distance(here, step) * direction)
            if claim is None:
                return None
            claims.append(self._take(claim, np.array([coordinate]))[0])
        return claims[0], claims[1]

    def around_kink(self, coordinate: int, step: float) -> Floats:
        """Return the claims about a coordinate at points where all coordinates have moved.

        Parameters
        ----------
        coordinate : int
            The coordinate.
        step : float
            The step that showed a kink.

        Returns
        -------
        ndarray, shape (k, m)
            At random points, the same for all coordinates; fewer where backward cannot be
            called.
        """
        here = self._problem.here
        if self._around_kink is None:
            distance = _kink_distance(here, step)
            points = (
                here + distance * self._rng.uniform(-1, 1, here.size)
                for _ in range(POINTS_AROUND_KINK)
            )
            claims = [self._problem.claim_at(point) for point in points]
            self._around_kink = [claim for claim in claims if claim is not None]
        rows = [self._take(claim, np.array([coordinate]))[0] for claim in self._around_kink]
        return np.array(rows).reshape(len(rows), -1)


@dataclass(frozen=True, slots=True)
class NearbyEntryClaims:
    """Claims about some coordinates of one parameter, close to the point of a check.

    Attributes
    ----------
    claims : NearbyClaims
        The claims about all coordinates.
    coordinates : ndarray of int, shape (k,)
        Indices of the coordinates in the point.
    parameter_range : tuple of int
        Start and stop of their parameter.
    """

    claims: NearbyClaims
    coordinates: Indices
    parameter_range: tuple[int, int]

    @property
    def is_single_coordinate(self) -> bool:
        """Whether the point has one coordinate, so that several kinks cannot be separated."""
        return self.claims.size == 1

    def scatter(self, is_conclusive: Callable[[Floats, float], bool]) -> Floats:
        """Return the differences one rounding away, see `NearbyClaims.scatter`."""
        return self.claims.scatter(
            self.coordinates, is_conclusive, parameter_range=self.parameter_range
        )

    def saturation(self, rows: Indices) -> Floats:
        """Return how many times larger outputs are elsewhere, see `NearbyClaims.saturation`."""
        return self.claims.saturation(self.coordinates[rows])

    def on_both_sides(self, row: int, step: float) -> tuple[Floats, Floats] | None:
        """Return the claims on both sides, see `NearbyClaims.on_both_sides`."""
        return self.claims.on_both_sides(int(self.coordinates[row]), step)

    def around_kink(self, row: int, step: float) -> Floats:
        """Return the claims at points around a kink, see `NearbyClaims.around_kink`."""
        return self.claims.around_kink(int(self.coordinates[row]), step)


def _largest_power_of_two(claims: Floats) -> Floats:
    """Return the largest powers of two that claims are multiples of; infinite for zero."""
    significand, exponent = np.frexp(claims)
    integer = np.ldexp(significand, SIGNIFICAND_BITS).astype(np.int64)
    return np.where(
        claims == 0,
        np.inf,
        np.ldexp((integer & -integer).astype(float), exponent - SIGNIFICAND_BITS),
    )


def _subsample(start: int, stop: int) -> Indices:
    return np.arange(start, stop, max(1, (stop - start) // MOST_COORDINATES))


def _kink_distance(here: Floats, step: float) -> Floats:
    return np.maximum(
        KINK_DISTANCE_SHARE * step, KINK_DISTANCE_ROUNDINGS * np.abs(np.spacing(here))
    )
