"""A block of coordinates under examination: their claims, and when enough is known of them.

It must not judge a claim, and decides no step; it compares.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pytest_gradcheck.numerics.central_difference import CentralPairs, measure_pairs
from pytest_gradcheck.numerics.function import Function
from pytest_gradcheck.numerics.measurement import Booleans, Floats, Indices, Measurement, Status
from pytest_gradcheck.numerics.output_magnitude import VARIATION_STEP

__all__ = ["CALM", "CLEAR", "UNCLEAR", "Block", "curvature"]

#: The doubt about a coordinate that differs from its claim by nothing that can be told.
UNCLEAR = 1e-300

#: A derivative is resolved when its bound is below this share of it: an error of
#: five times the share is then seen, whatever the signs ...
CLEAR = 2e-4

#: ... or as far as the function shows anything at all: when the bound, over a step
#: of the coordinate's scale, is this many times the noise; one that is zero, beside
#: others that are not, when it is below this share of the output.
FLOOR = 200.0
SHARE = 1e-9

#: Coordinates below this may be small for no reason: 1 is a scale that many mean.
UNITY = 1e-3

#: A pair is calm when its slopes left and right differ by less than this share.
CALM = 1e-2

#: What curvature may do to a difference over a relative step of 1: so much, relatively.
CURVED = 3.0

#: How much more a function may bend than it seems to vary along one direction.
BENT = 30.0

#: A bend by this share of what is natural is that of a kink.
KINKED = 1e-2


@dataclass(frozen=True, slots=True)
class Block:
    """Coordinates that are looked at together: their claims, and where results go.

    Attributes
    ----------
    function : Function
        What is measured.
    indices : ndarray of int, shape (k,)
        The coordinates.
    claim : ndarray, shape (k, m)
        Their claimed derivatives.
    scale : ndarray, shape (k,)
        Their scales.
    meaningful : ndarray, shape (k,)
        What people mean by their scales, see `Scales.meaningful`.
    agreement : float
        Relative difference at which claim and measurement agree.
    found : Measurement
        Results by coordinate of the whole point, written to.
    """

    function: Function
    indices: Indices
    claim: Floats
    scale: Floats
    meaningful: Floats
    agreement: float
    found: Measurement

    def take(self, rows: Booleans | Indices | slice) -> Block:
        """Return some of the coordinates."""
        return Block(
            self.function.restricted_to(rows),
            self.indices[rows],
            self.claim[rows],
            self.scale[rows],
            self.meaningful[rows],
            self.agreement,
            self.found,
        )

    def pairs(self, steps: Floats) -> CentralPairs:
        """Measure central pairs at absolute steps."""
        return measure_pairs(self.function, self.indices, steps)

    def size(self, pairs: CentralPairs) -> Floats:
        """Return how large derivatives are, as claimed or measured."""
        return np.asarray(np.maximum(np.abs(self.claim), np.abs(pairs.value)))

    def curved(self, pairs: CentralPairs, reach: Floats) -> Floats:
        """Estimate what curvature does to pairs, relatively: from step and reach, and the bend."""
        return curvature(pairs.step, reach, pairs.bend, self.size(pairs))

    def hidden(self, pairs: CentralPairs, curved: Floats) -> Floats:
        """Bound the error that a pair and a claim that agree may share, so that it does not show.

        That a claim is off just as curvature puts a pair off is hardly chance where it is
        more than the allowed agreement; where slopes to both sides differ that much it is.
        """
        size = self.size(pairs)
        bent = _bent(pairs.bend, size)
        return np.asarray(np.maximum(np.minimum(self.agreement, curved), bent) * size)

    def bends(self, step: Floats) -> Floats:
        """Return by how much slopes to both sides may differ where a function is stationary.

        It varies by its size over `VARIATION_STEP`; a kink bends it by much of its slope.
        """
        size = self.function.sizes / self.scale[:, None]
        curved = BENT * (step / self.scale)[:, None] * size / VARIATION_STEP**2
        return np.asarray(np.minimum(curved, KINKED * size))

    def agrees(self, pairs: CentralPairs) -> Booleans:
        """Tell where pairs agree with the claim and show neither noise nor a bend."""
        size = self.size(pairs)
        near = np.abs(pairs.value - self.claim) <= self.agreement * size
        calm = np.abs(pairs.bend) <= CALM * size + pairs.noise
        return np.asarray(near & calm & (pairs.noise <= CLEAR * size))

    def negligible(self) -> Booleans:
        """Tell which coordinates are claimed to do nothing that could be told from noise."""
        moves = np.abs(self.claim) * self.meaningful[:, None]
        return np.asarray((moves <= FLOOR * self.function.noise_floor).all(axis=1))

    def unresolved(self, negligible: Booleans) -> Booleans:
        """Tell which coordinates have a derivative that is not known well enough yet."""
        return np.asarray(~self.resolved(negligible).all(axis=1))

    def resolved(self, negligible: Booleans) -> Booleans:
        """Tell which derivatives are known well enough, shape (k, m)."""
        value, bound = self.found.value[self.indices], self.found.bound[self.indices]
        size = np.maximum(np.abs(self.claim), np.abs(value))
        scale, zero = self.meaningful[:, None], self.claim == 0
        # A claim that is not zero, and yet moves nothing over its scale, has another scale.
        shown = bound * np.where(zero, scale, np.maximum(scale, UNITY))
        zero &= ~negligible[:, None]
        beside = np.where(zero, SHARE * np.abs(self.function.base), 0.0)
        least = np.maximum(FLOOR * self.function.noise_floor, beside)
        return np.asarray((bound <= CLEAR * size) | (shown <= least))

    def put(self, value: Floats, bound: Floats, step: Floats) -> None:
        """Write what was found of all of them."""
        found, indices = self.found, self.indices
        found.value[indices], found.bound[indices], found.step[indices] = value, bound, step

    def write(self, where: Booleans, value: Floats, bound: Floats, step: Floats) -> None:
        """Replace what was found, where told; the step of a coordinate is that of its last."""
        found, indices = self.found, self.indices
        found.value[indices] = np.where(where, value, found.value[indices])
        found.bound[indices] = np.where(where, bound, found.bound[indices])
        found.step[indices] = np.where(where.any(axis=1), step, found.step[indices])

    def move(self, where: Booleans) -> None:
        """Take back that the function stands still, where told."""
        found, indices = self.found, self.indices
        still = found.status[indices] == Status.UNCHANGED.value
        found.status[indices] = np.where(where & still, Status.SMOOTH.value, found.status[indices])


def curvature(step: Floats, reach: Floats, bend: Floats, size: Floats) -> Floats:
    """Estimate what curvature does to a difference, relatively.

    From the step over the reach of the function's features, shape (k,), and from how
    much slopes on both sides differ, over the size of the derivative, shape (k, m).
    """
    return np.asarray(CURVED * (step / reach)[:, None] ** 2 + _bent(bend, size))


def _bent(bend: Floats, size: Floats) -> Floats:
    """Return what a bend does to a difference, relatively."""
    return np.asarray((bend / np.where(size > 0, size, np.inf)) ** 2)
