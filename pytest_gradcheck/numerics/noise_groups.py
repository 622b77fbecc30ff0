"""Noise of groups of coordinates, where the noise along all of them at once is large.

A label held as a number, or a coordinate that an iteration depends on, makes the joint line
noisy; forward may be smooth by all others.

It must not know derivatives; it moves coordinates, and reads noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pytest_gradcheck.numerics.directions import along
from pytest_gradcheck.numerics.measurement import Booleans, Evaluate, Floats, Indices
from pytest_gradcheck.numerics.noise import estimate_noise, least_noise

__all__ = ["NoiseGroup", "noise_groups"]

#: Noise of more than so many roundings is looked at group by group.
ODD = 1e4

#: So many segments are looked at by themselves; more are halved as long as one half is quieter.
FEW = 8

#: A group has a noise of its own where it is this much less than that of all.
QUIETER = 0.1

#: Relative steps to the places where a jump at the point shows, so many times the noise that
#: values to one side differ by, or the rounding; and up to how many coordinates are tried.
NEAR = (1e-11, 3e-11)
JUMPS = 100.0
MOST = 2500


@dataclass(frozen=True, slots=True)
class NoiseGroup:
    """Coordinates with a noise of their own.

    Attributes
    ----------
    indices : ndarray of int, shape (k,)
        The coordinates, ascending.
    noise : ndarray, shape (m,)
        Noise of each output when these are moved.
    """

    indices: Indices
    noise: Floats


@dataclass(frozen=True, slots=True)
class _Lines:
    """Lines through the point along which some coordinates move."""

    evaluate: Evaluate
    point: Floats
    base: Floats
    repeat: Floats
    direction: Floats

    def noise(self, indices: Indices) -> Floats:
        """Estimate the noise along some coordinates."""
        return estimate_noise(
            self.evaluate,
            self.point,
            base=self.base,
            repeat=self.repeat,
            direction=self._of(indices),
        )

    def jumps(self, indices: Indices) -> bool:
        """Tell whether an output jumps at the point when some coordinates move, two a side."""
        steps = [side * step for side in (1.0, -1.0) for step in NEAR]
        values = along(self.evaluate, self.point, self._of(indices), steps)
        with np.errstate(all="ignore"):
            gap = np.abs(values - self.base).reshape(2, len(NEAR), -1)
            spread = np.ptp(values.reshape(2, len(NEAR), -1), axis=1)
            least = least_noise(self.base, self.repeat)
            return bool((gap.min(axis=1) > JUMPS * np.maximum(spread, least)).any())

    def _of(self, indices: Indices) -> Floats:
        direction = np.zeros_like(self.direction)
        direction[indices] = self.direction[indices]
        return direction


def noise_groups(
    evaluate: Evaluate,
    point: Floats,
    *,
    base: Floats,
    repeat: Floats,
    direction: Floats,
    noise: Floats,
    segments: Sequence[tuple[int, int]],
    most: int = MOST,
) -> list[NoiseGroup]:
    """Tell which coordinates have a noise of their own.

    Parameters
    ----------
    evaluate, point, base, repeat, direction
        As for `estimate_noise`; the direction moves all coordinates.
    noise : ndarray, shape (m,)
        The noise along it.
    segments : sequence of (start, stop)
        Coordinates that belong together.
    most : int
        Coordinates of a segment up to which each is looked at by itself, where it jumps.

    Returns
    -------
    list of NoiseGroup
        Together all coordinates; none, at no cost, where the noise along all is that of
        rounding. Else one estimate for each segment, up to eight, or for halves of them, and
        where a segment jumps at the point two evaluations for each of its coordinates.
    """
    if point.size < 2 or not (noise > ODD * least_noise(base, repeat)).any():
        return []
    lines = _Lines(evaluate, point, base, repeat, direction)
    parts = [np.arange(start, stop) for start, stop in segments if stop > start]
    whole = NoiseGroup(np.arange(point.size), noise)
    groups = [
        part
        for group in (_split(lines, parts, noise) if len(parts) > 1 else [whole])
        for part in _without_jumps(lines, group, most)
    ]
    quieter = [group for group in groups if _is_quieter(group, noise)]
    loud = [group.indices for group in groups if not _is_quieter(group, noise)]
    rest = [NoiseGroup(np.sort(np.concatenate(loud)), noise)] if loud else []
    return [*quieter, *rest]


def _split(lines: _Lines, parts: Sequence[Indices], noise: Floats) -> list[NoiseGroup]:
    """Estimate the noise of parts, of few each by itself, of many in halves."""
    if len(parts) <= FEW:
        return [NoiseGroup(part, lines.noise(part)) for part in parts]
    middle = len(parts) // 2
    halves = [(half, np.concatenate(half)) for half in (parts[:middle], parts[middle:])]
    found = [(half, NoiseGroup(joined, lines.noise(joined))) for half, joined in halves]
    if not any(_is_quieter(group, noise) for _, group in found):
        return [group for _, group in found]
    return [
        group
        for half, whole in found
        for group in ([whole] if _is_quieter(whole, noise) else _split(lines, half, noise))
    ]


def _is_quieter(group: NoiseGroup, noise: Floats) -> bool:
    return bool(np.any(group.noise < QUIETER * noise))


def _without_jumps(lines: _Lines, group: NoiseGroup, most: int) -> list[NoiseGroup]:
    """Part the coordinates at which an output jumps from the others of a group."""
    indices = group.indices
    least = ODD * least_noise(lines.base, lines.repeat)
    if not 1 < indices.size <= most or not np.any(group.noise > least):
        return [group]
    if not lines.jumps(indices):
        return [group]
    jumpy: Booleans = np.array([lines.jumps(indices[k : k + 1]) for k in range(indices.size)])
    if jumpy.all():
        return [group]
    quiet = indices[~jumpy]
    return [NoiseGroup(indices[jumpy], group.noise), NoiseGroup(quiet, lines.noise(quiet))]
