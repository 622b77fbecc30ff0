"""Outputs of which a part moves in stairs with treads wider than the steps of a ladder.

A term that is rounded inside forward stands still between its jumps. Over small steps the
others are seen alone, as smooth as can be, and the slope is short of that term's: only wider
steps show that the function is rough.

It must not judge; it is told a claim, since what agrees with one needs no such look.
"""

from __future__ import annotations

import numpy as np

from pytest_gradcheck.numerics.ladder import LineMeasurement, climb
from pytest_gradcheck.numerics.levels import COARSE
from pytest_gradcheck.numerics.lines import Line
from pytest_gradcheck.numerics.measurement import EPS, Booleans, Floats, Indices
from pytest_gradcheck.numerics.rungs import RUNGS

__all__ = ["climb_past_stairs"]

#: Relative spacings of the tables in which stairs are looked for, so many values to each side.
SPACINGS: Floats = 0.1 * 4.0 ** -np.arange(12.0)
POINTS = 6
PLACES: Floats = np.arange(-POINTS, POINTS + 1.0)

#: Smooth values leave next to nothing in differences of this order, a jump so many times its
#: height.
ORDER = 6
SPREAD = 10.0

#: One that is as wide as the steps of a ladder is looked at where slopes over these, or the next
#: larger, are apart from what was measured by this share of what is to be explained.
MOVED = 0.25

#: Stairs are so many times as rough as the values that a ladder went by, and low: below this
#: share of what the function varies by along the line, or no more than rounding to whatever
#: type leaves of it, or of numbers of order one. Higher ones are what the function does.
ROUGHER = 8.0
TINY = 1e-2
OF_ONE = 8 * EPS

#: Between one spacing at which they show and one a quarter as wide, at which they do not, is
#: the width of a stair: the slopes that jumps make good are so many times their height over it.
EXPLAINED = 8.0

#: Looks closer, each into one of so many parts, where values change as they do not in the others;
#: first over so many spacings, into many, lest there be a jump in most of them. A jump is as high
#: from closer by.
REACH = 6
PARTS = (24, 6, 6, 6, 6)
AS_HIGH = 0.3


def climb_past_stairs(
    line: Line,
    base: Floats,
    noise: Floats,
    measured: LineMeasurement,
    *,
    claim: Floats,
    agreement: float,
) -> LineMeasurement:
    """Climb once more where a claim differs, and stairs would explain that.

    Parameters
    ----------
    line, base, noise
        See `climb`.
    measured : LineMeasurement
        What a ladder showed.
    claim : ndarray, shape (m,)
        Claimed derivatives per unit of absolute step.
    agreement : float
        Relative difference at which claim and measurement agree.

    Returns
    -------
    LineMeasurement
        The same where nothing differs, or slopes over larger steps are no other. Else it costs
        12 evaluations for each of up to twelve tables, 53 more for each output that looks as if
        it moved in stairs, and a ladder with these as noise where any does.
    """
    with np.errstate(all="ignore"):
        error = np.abs(claim - measured.value)
        differs = measured.differs(claim, agreement)
        if not differs.any():
            return measured
        error = np.where(differs, error, np.inf)
        quiet = measured.bound * measured.step
        apart = np.abs(measured.secants - measured.value)[: SPACINGS.size]
        steps = RUNGS[: SPACINGS.size, None] * line.unit
        moved = (apart >= MOVED * error) & (apart * steps >= ROUGHER * quiet / 2)
        wanted = np.asarray(moved.any(axis=1))
        wanted[1:] |= wanted[:-1].copy()
        if not wanted.any():
            return measured
        heights = _heights(line, base, quiet, error * line.unit, SPACINGS[wanted])
    return climb(line, base, noise, least=heights) if heights.any() else measured


def _heights(line: Line, base: Floats, quiet: Floats, error: Floats, spacings: Floats) -> Floats:
    """Return the heights of stairs that would explain errors per relative step, else 0."""
    steps = spacings[:, None] * PLACES
    outputs = np.broadcast_to(base, (*steps.shape, base.size)).copy()
    outputs[:, PLACES != 0] = line.at(steps[:, PLACES != 0].ravel())[1].reshape(
        spacings.size, -1, base.size
    )
    moves = np.abs(outputs - base)
    varies = np.max(moves, axis=(0, 1), initial=0.0, where=np.isfinite(moves))
    low = np.maximum(np.maximum(TINY * varies, COARSE * np.abs(base)), OF_ONE)
    rough = np.abs(np.diff(outputs, n=ORDER, axis=1))
    heights = rough.max(axis=1) / SPREAD
    least = ROUGHER * np.maximum(quiet, EPS * np.abs(outputs).max(axis=1))
    seen = (heights > least) & (heights <= low)
    seen &= error * spacings[:, None] <= EXPLAINED * heights
    found, columns = np.zeros_like(base), np.flatnonzero(seen.any(axis=0))
    if columns.size:
        narrowest = spacings.size - 1 - np.argmax(seen[::-1, columns], axis=0)
        spacing = spacings[narrowest]
        centre = (rough[narrowest, :, columns].argmax(axis=1) + ORDER / 2 - POINTS) * spacing
        found[columns] = _jumps(line, centre, spacing, columns)
    return found


def _jumps(line: Line, centre: Floats, spacing: Floats, columns: Indices) -> Floats:
    """Return how high outputs jump around a place, 0 where they change less from closer by."""
    highest, length = [], REACH * spacing
    for parts in PARTS:
        places = centre + length * (np.arange(parts + 1.0)[:, None] / parts - 0.5)
        changes = np.diff(np.stack([line.each(steps, columns) for steps in places]), axis=0)
        apart = np.abs(changes - np.median(changes, axis=0))
        highest.append(apart.max(axis=0))
        centre = centre + length * ((apart.argmax(axis=0) + 0.5) / parts - 0.5)
        length = length / parts
    is_jump: Booleans = highest[-1] > AS_HIGH * highest[-3]
    return np.where(is_jump, highest[-1], 0.0)
