"""Outputs that are constant around the point, told from those that are merely rounded.

It must not estimate derivatives or judge a claim; it is told which are zero.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pytest_gradcheck.numerics.directions import along, signed_direction
from pytest_gradcheck.numerics.function import Function
from pytest_gradcheck.numerics.ladder import LineMeasurement
from pytest_gradcheck.numerics.measurement import EPS, Booleans, Floats, Measurement, Status
from pytest_gradcheck.numerics.parts import parts
from pytest_gradcheck.numerics.steps import Level

__all__ = ["COARSE", "Levels", "jumps_beyond"]

#: Relative steps up to this must not move an output that is constant around the point.
WIDE = 1e-9

#: A smooth output differs at all of a few places that are this relative step apart; one that
#: is rounded to fewer digits has one value there, or two where it happens to jump.
NARROW = 1e-8
PLACES = (-3, -2, -1, 1, 2, 3)

#: A jump by less than this share of the output is that of rounding: to float64 where the
#: output is smooth in others, to whatever type where nothing is known.
FINE = 1e-8
COARSE = 1e-5


def jumps_beyond(claim: Floats, level: Level, base: Floats, least: Floats | float) -> Booleans:
    """Tell which outputs, claimed not to move, do not close to the point, and jump beyond.

    By more than a share `least` of themselves; arrays of one shape.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        share = level.move / np.abs(base)
    jumps = (level.move > 0) & (share > least)
    return np.asarray((claim == 0) & (level.reach >= WIDE) & jumps)


@dataclass(slots=True)
class Levels:
    """Tells where outputs are piecewise constant.

    ``floor(x)`` and a smooth function that is rounded look alike along one coordinate:
    they do not move, then jump. The derivative of the first is zero; of the second people
    mean the slope that larger steps show. What is rounded is so whichever coordinate moves.

    Attributes
    ----------
    function : Function
        What is measured.
    claims : callable
        ``claims(start, stop)`` returns the claimed derivatives, shape (stop - start, m).
    rng : numpy.random.Generator
        Draws the direction to look along.
    """

    function: Function
    claims: Callable[[int, int], Floats]
    rng: np.random.Generator
    _smooth: Booleans | None = None
    _moves: Booleans | None = None

    def found(self, claim: Floats, level: Level) -> Booleans:
        """Tell which outputs are constant around the point, and jump further away.

        Parameters
        ----------
        claim : ndarray, shape (m,)
            Claimed derivatives by one coordinate; none but zeros are borne out.
        level : Level
            How far outputs keep their values along it.

        Returns
        -------
        ndarray of bool, shape (m,)
            Costs six evaluations, once.
        """
        if not jumps_beyond(claim, level, self.function.base, 0.0).any():
            return np.zeros(claim.shape, dtype=bool)
        claimed, smooth = self._look()
        least = np.where(claimed, FINE, COARSE)
        return (smooth | ~claimed) & jumps_beyond(claim, level, self.function.base, least)

    def keep(
        self, index: int, claim: Floats, measured: LineMeasurement, unit: float, found: Measurement
    ) -> None:
        """Note what of a coordinate does not move around the point.

        Parameters
        ----------
        index : int
            The coordinate.
        claim : ndarray, shape (m,)
            Claimed derivatives by it.
        measured : LineMeasurement
            What a ladder along it showed.
        unit : float
            The absolute length of a relative step of 1.
        found : Measurement
            Takes it.
        """
        level, base = measured.level, np.abs(self.function.base)
        found.status[index, (claim == 0) & (level.reach > 0) & (level.move == 0)] = Status.STILL
        for output in np.flatnonzero(self.found(claim, level)).tolist():
            bound = EPS * float(base[output] / (level.reach[output] * unit))
            found.keep_level(index, output, bound)

    def _look(self) -> tuple[Booleans, Booleans]:
        """Tell which outputs are claimed to move at all, and which do by every small step."""
        if self._smooth is None or self._moves is None:
            function, size = self.function, self.function.point.size
            moving = np.zeros(size, dtype=bool)
            claimed = np.zeros(function.base.shape, dtype=bool)
            for part in parts(0, size):
                some = self.claims(part.start, part.stop) != 0
                moving[part] = some.any(axis=1)
                claimed |= some.any(axis=0)
            direction = signed_direction(function.scales.own(slice(None)), self.rng)
            direction[~moving] = 0.0
            steps = [NARROW * place for place in PLACES]
            there = np.sort(along(function.evaluate, function.point, direction, steps), axis=0)
            self._moves, self._smooth = (
                claimed,
                np.asarray((np.diff(there, axis=0) > 0).all(axis=0)),
            )
        return self._moves, self._smooth
