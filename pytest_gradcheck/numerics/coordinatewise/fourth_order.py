"""Derivatives by differences of fourth order: a guess that measurements can confirm.

A measurement is cheapest where it agrees with what is claimed, since no claim does so by luck. A
claim of low precision never does. Differences of another order and at other steps than those of
the measurement take its place: they have no error bound, and need none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from pytest_gradcheck.numerics.coordinate_scales import Scales
from pytest_gradcheck.numerics.coordinatewise.full_check import DerivativeTask
from pytest_gradcheck.numerics.measurement import Floats, Indices

__all__ = ["fourth_order_differences"]

#: The step, as a share of the scale of a coordinate: at this one truncation, with the fifth
#: derivative, is as small as rounding is in float64.
STEP = 1e-3

#: Multiples of the step, and the weights of the outputs there.
STENCIL = {-2: 1 / 12, -1: -8 / 12, 1: 8 / 12, 2: -1 / 12}


def fourth_order_differences(
    task: DerivativeTask, groups: Iterable[slice], output_indices: Indices | None = None
) -> Floats:
    """Return the derivatives with respect to every coordinate.

    Parameters
    ----------
    task : DerivativeTask
        The function and the point.
    groups : iterable of slice
        Coordinates to move together, no two of which move the same output.
    output_indices : ndarray of int, shape (n, w), or None
        The outputs of each coordinate; None for all of them.

    Returns
    -------
    ndarray, shape (n, w)
        NaN where the function is not defined. Costs four evaluations for each group.
    """
    steps = STEP * Scales.of(task.here, task.segments).own(slice(None))
    width = task.base.size if output_indices is None else output_indices.shape[1]
    found = np.empty((task.here.size, width))
    with np.errstate(all="ignore"):
        for group in groups:
            outputs = task.evaluate(_moved(task.point, group, steps[group]))
            change = np.array(list(STENCIL.values())) @ outputs
            of_each = change if output_indices is None else change[output_indices[group]]
            found[group] = of_each / steps[group][:, None]
    return found


def _moved(point: Floats, group: slice, steps: Floats) -> Iterator[Floats]:
    """Yield the point with a group of coordinates moved by each multiple of their steps."""
    original = point[group].copy()
    for multiple in STENCIL:
        point[group] = original + multiple * steps
        try:
            yield point
        finally:
            point[group] = original
