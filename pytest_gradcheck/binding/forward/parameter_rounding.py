"""The rounding of parameters that forward is given in a coarser type than it returns.

Forward gets the point as it is rounded to the types of its parameters. An output of the same type
is rounded as coarsely itself, and a measurement of its noise shows that. An output in float64 of a
parameter in float32 hides it: close to the point it is a smooth function of everything else, and
this parameter does not move at all. So forward is evaluated where the parameter is rounded to the
next numbers of its type. What that changes is noise.

It does not estimate noise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from pytest_gradcheck.binding.forward.outputs import Output, named_outputs
from pytest_gradcheck.binding.forward.working_copy import FULL_PRECISION, WorkingCopy
from pytest_gradcheck.binding.values.parameters import Vector, rounding_of

__all__ = ["repeat_one_rounding_away"]

#: The number of points a rounding away. At one of them changes may cancel by chance.
POINTS = 4

#: Rounding moves a coordinate by up to half a unit, and noise is twice a difference.
SHARE = 0.25


def repeat_one_rounding_away(
    evaluate: Callable[[Iterable[Vector]], Vector],
    working_copy: WorkingCopy,
    output: Output,
    *,
    base: Vector,
    repeat: Vector,
    seed: int,
) -> Vector:
    """Return a second evaluation at the point, which differs from the first by all its noise.

    Parameters
    ----------
    evaluate : callable
        ``evaluate(points) -> outputs, shape (k, m)``.
    working_copy : WorkingCopy
        The parameters as they are passed to forward.
    output : Output
        What forward returned at the point.
    base, repeat : ndarray, shape (m,)
        Two evaluations at the very same point.
    seed : int
        Draws points.

    Returns
    -------
    ndarray, shape (m,)
        `repeat` at no cost where no parameter is coarser than the output. Else it costs four
        evaluations, and is of each output the one that differs most.
    """
    units = _units(working_copy, output)
    if units is None:
        return repeat
    rng = np.random.default_rng(seed)
    point = working_copy.base
    steps = [rng.choice([-1.0, 1.0], point.size) * units for _ in range(POINTS)]
    again = np.vstack([repeat, base + SHARE * (evaluate(point + step for step in steps) - base)])
    with np.errstate(invalid="ignore"):
        change = np.abs(again - base)
    change[~np.isfinite(change)] = 0.0
    return np.asarray(again[np.argmax(change, axis=0), np.arange(base.size)])


def _units(working_copy: WorkingCopy, output: Output) -> Vector | None:
    """Return the units in the last place of coordinates that are coarser than an output.

    Those of others are 0; None where no coordinate is.
    """
    roundings = [working_copy.rounding(parameter) for parameter in working_copy.parameters]
    if max(roundings, default=0.0) <= FULL_PRECISION:
        return None
    raw = dict(named_outputs("output", output.raw))
    finest = min((rounding_of(b.dtype, raw[b.name]) for b in output.blocks), default=np.inf)
    units = np.zeros(working_copy.base.size)
    for parameter, rounding in zip(working_copy.parameters, roundings, strict=True):
        if rounding > max(finest, FULL_PRECISION):
            part = slice(parameter.start, parameter.stop)
            mantissa, exponent = np.frexp(working_copy.base[part])
            units[part] = np.where(mantissa != 0, np.ldexp(rounding, exponent - 1), 0.0)
    return units if units.any() else None
