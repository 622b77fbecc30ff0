"""A function of some of its coordinates, the others left where they are.

It must not measure anything; it writes coordinates where they belong and takes them back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from pytest_gradcheck.numerics.claims import Claims
from pytest_gradcheck.numerics.function import Function
from pytest_gradcheck.numerics.measurement import Floats, Indices, Measurement
from pytest_gradcheck.numerics.scale import Scales
from pytest_gradcheck.numerics.sweep import Sweep

__all__ = ["sweep_some"]


@dataclass(frozen=True, slots=True)
class _Restricted:
    """Evaluates at values of some coordinates."""

    function: Function
    indices: Indices

    def evaluate(self, values: Iterable[Floats]) -> Floats:
        point, indices = self.function.point, self.indices
        kept = point[indices]

        def places() -> Iterator[Floats]:
            for value in values:
                point[indices] = value
                yield point

        try:
            return self.function.evaluate(places())
        finally:
            point[indices] = kept

    def claimed(self, values: Floats, direction: Floats) -> Floats | None:
        """Return the slopes along a direction that are claimed at values of some coordinates."""
        if self.function.claimed is None:
            return None
        point, along = self.function.point.copy(), np.zeros(self.function.point.size)
        point[self.indices], along[self.indices] = values, direction
        return self.function.claimed(point, along)


def sweep_some(
    function: Function,
    claims: Claims,
    indices: Indices,
    *,
    agreement: float,
    rng: np.random.Generator,
    suspected: bool = False,
) -> Measurement:
    """Sweep over some coordinates, in order, as `Sweep` does over all.

    Parameters
    ----------
    function : Function
        Of all coordinates.
    claims : Claims
        About all of them.
    indices : ndarray of int, shape (k,)
        Those to measure, ascending.
    agreement : float
        Relative difference at which claim and measurement agree.
    rng, suspected
        As for `Sweep`.

    Returns
    -------
    Measurement
        Of the k coordinates.
    """
    restricted, point = _Restricted(function, indices), function.point[indices]
    starts = function.scales.starts
    segments = np.searchsorted(starts, indices, side="right") - 1
    first = np.flatnonzero(np.diff(segments, prepend=-1))
    limits = function.scales.limits
    scales = Scales(
        point,
        first,
        function.scales.medians[segments[first]],
        limits=None if limits is None else limits[indices],
    )
    claimed = claims.take(indices)
    inner = replace(
        function,
        evaluate=restricted.evaluate,
        point=point,
        scales=scales,
        claimed=restricted.claimed,
    )
    sweep = Sweep(inner, lambda start, stop: claimed[start:stop], agreement, rng, suspected)
    return sweep.measure()
