"""What directions over everything tell of one parameter.

A screen measured derivatives along directions that move all parameters. The part of one parameter
follows if the claims about others are right, or have a relative error in common with its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pytest_gradcheck.binding.gradient_problem import Problem
from pytest_gradcheck.numerics.measurement import Booleans, Floats, Indices
from pytest_gradcheck.numerics.screening.screen_result import ScreenResult

__all__ = ["DirectionalProducts", "products_of"]

#: Claims along a direction that is drawn again agree with those when it was measured.
SAME = 1e-6

#: A product tells of other entries if they have this share of the squares of its terms.
OTHERS = 1e-2


@dataclass(frozen=True, slots=True, eq=False)
class DirectionalProducts:
    """Products of the gradient of one parameter with directions.

    Attributes
    ----------
    directions : tuple of ndarray, shape (n,)
        The parts of the directions.
    value, bound : ndarray, shape (k, m)
        The products, with bounds on their errors; infinite where a product does not follow.
    differs : ndarray of bool, shape (k, m)
        Where the derivatives along the whole directions are not those that are claimed.
    """

    directions: tuple[Floats, ...]
    value: Floats
    bound: Floats
    differs: Booleans

    def of_outputs(self, outputs: Sequence[int]) -> DirectionalProducts:
        """Return the products of some outputs."""
        return replace(
            self,
            value=self.value[:, outputs],
            bound=self.bound[:, outputs],
            differs=self.differs[:, outputs],
        )

    def of_one_entry(self, value: Floats, bound: Floats) -> tuple[Floats, Floats]:
        """Return the derivatives by the only entry of a parameter, as exactly as they are known.

        Parameters
        ----------
        value, bound : ndarray, shape (0 or 1, m)
            Its derivatives where it was measured by itself, with bounds on their errors.
        """
        weights = np.stack(self.directions)
        with np.errstate(all="ignore"):
            values = np.concatenate([value, self.value / weights])
            bounds = np.nan_to_num(
                np.concatenate([bound, self.bound / np.abs(weights)]), nan=np.inf
            )
        best = np.argmin(bounds, axis=0)[None]
        return np.take_along_axis(values, best, 0), np.take_along_axis(bounds, best, 0)

    def beyond(self, entries: Indices, claim: Floats) -> DirectionalProducts:
        """Return the products that tell more than the derivatives by some entries do.

        The others move hardly anything else, and would be the same evidence once more.

        Parameters
        ----------
        entries : ndarray of int
            The entries.
        claim : ndarray, shape (n, m)
            The claims about all entries of the parameter.
        """
        squares = [np.square(direction[:, None] * claim) for direction in self.directions]
        known = np.stack([square[entries].sum(axis=0) for square in squares])
        everything = np.stack([square.sum(axis=0) for square in squares])
        tells = everything - known > OTHERS * everything
        kept = np.flatnonzero(tells.any(axis=1))
        return DirectionalProducts(
            tuple(self.directions[k] for k in kept),
            self.value[kept],
            np.where(tells, self.bound, np.inf)[kept],
            self.differs[kept],
        )


def products_of(
    problem: Problem, screened: ScreenResult, own: slice, wrong: Sequence[slice]
) -> DirectionalProducts:
    """Return the products of the gradient of one parameter with the directions of a screen.

    Parameters
    ----------
    problem : Problem
        The problem.
    screened : ScreenResult
        The result of its screen, whose directions can be drawn again.
    own : slice
        The coordinates of the parameter.
    wrong : sequence of slice
        The coordinates of all parameters whose claims are wrong, this one included. If there are
        others, all have one relative error.
    """
    directions, values, bounds, differs = [], [], [], []
    for one in screened.directional_derivatives:
        direction = screened.direction(one.which)

        def claimed_in(part: slice, direction: Floats = direction) -> Floats:
            return np.asarray(problem.claim.along(part.start, direction[part]))

        total, share = problem.claim.along(0, direction), np.ones(1)
        together = np.sum([claimed_in(part) for part in wrong], axis=0)
        if len(wrong) > 1:
            with np.errstate(all="ignore"):
                share = claimed_in(own) / together
        is_same = np.abs(total - one.claimed) <= SAME * np.abs(one.claimed) + one.bound
        directions.append(direction[own])
        values.append(share * (one.measured - one.claimed + together))
        bounds.append(np.where(is_same & one.known, np.abs(share) * one.bound, np.inf))
        differs.append(one.differs)
    return DirectionalProducts(
        tuple(directions), np.stack(values), np.stack(bounds), np.stack(differs)
    )
