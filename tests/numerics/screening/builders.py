"""Functions under a screen: their derivatives are known exactly, their calls are counted."""

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

from pytest_gradcheck.binding.backward.claims import DenseClaim
from pytest_gradcheck.numerics.function import Function
from pytest_gradcheck.numerics.measurement import EPS
from pytest_gradcheck.numerics.screening.array_regions import Box, Segment
from pytest_gradcheck.numerics.screening.direction_weights import CodedDirections
from pytest_gradcheck.numerics.screening.directional_derivative import (
    DirectionalDerivative,
    DirectionProbe,
)
from pytest_gradcheck.numerics.step_size import Scales
from tests.numerics.functions import Counted, Floats

Shapes = Sequence[tuple[int, ...]]

#: Examples of a property that holds for any of them.
FEW = settings(max_examples=20, deadline=None)


def segments_of(shapes: Shapes, rounding: float = 0.0) -> tuple[Segment, ...]:
    """Return segments of these shapes, one after the other."""
    starts = np.cumsum([0, *(prod(shape) for shape in shapes)]).tolist()
    return tuple(Segment(a, shape, rounding) for a, shape in zip(starts, shapes, strict=False))


def weights_of(
    point: Floats, shapes: Shapes, *, seed: int = 0, lifts: Sequence[float] | None = None
) -> CodedDirections:
    """Return directions over a point, that lift no segment unless told so."""
    segments = segments_of(shapes)
    scales = Scales.of(point, [(s.start, s.stop) for s in segments])
    return CodedDirections(scales, segments, np.array(lifts or [1.0] * len(segments)), seed)


def projector_of(
    function: Callable[[Floats], Any],
    claim: Any,
    point: Floats,
    shapes: Shapes | None = None,
    *,
    noise: float | None = None,
    seed: int = 0,
    lifts: Sequence[float] | None = None,
) -> tuple[DirectionProbe, Counted]:
    """Return a probe of `function`, and the counter of its calls from now on."""
    counted, here, point = Counted(function), point.copy(), point.copy()
    base = counted.at(point)
    counted.calls = 0
    weights = weights_of(here, shapes or [point.shape], seed=seed, lifts=lifts)
    known = 4 * EPS * np.maximum(np.abs(base), 1.0) if noise is None else 0 * base + noise
    at_point = Function(counted, point, base, known, np.abs(base), weights.scales)
    claims = DenseClaim(np.asarray(claim, dtype=float).reshape(point.size, base.size))
    roundings = np.zeros((len(weights.segments), base.size))
    return DirectionProbe(at_point, claims, weights, roundings, here), counted


def linear(slopes: Floats) -> Callable[[Floats], Any]:
    """Return the function whose gradient is `slopes` everywhere."""
    return lambda x: np.dot(x, slopes)


def direction_of(probe: DirectionProbe, which: int) -> Floats:
    """Return a direction over everything."""
    weights = probe.directions
    out = np.empty(probe.function.point.size)
    weights.draw(out, which, tuple(segment.box() for segment in weights.segments))
    return out


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    """Any box that is not empty, in any small segment."""
    shape = draw(st.lists(st.integers(1, 5), min_size=1, max_size=3))
    ranges = []
    for length in shape:
        start = draw(st.integers(0, length - 1))
        ranges.append((start, draw(st.integers(start + 1, length))))
    return Box(Segment(draw(st.integers(0, 50)), tuple(shape)), tuple(ranges))


def coordinates_of(box: Box) -> list[int]:
    """Return all coordinates of a box, told by slicing."""
    segment = box.segment
    numbers = np.arange(segment.start, segment.stop).reshape(segment.shape)
    return [int(k) for k in numbers[tuple(slice(a, b) for a, b in box.ranges)].ravel()]


def sight_of(
    residual: float, bound: float, *, step: float = 1e-2, outputs: int = 1
) -> DirectionalDerivative:
    """Return a settled sight along direction 1 that bends as it likes."""
    residuals = np.full(outputs, residual)
    return DirectionalDerivative(
        which=1,
        step=step,
        claimed=residuals,
        measured=np.zeros(outputs),
        bound=np.full(outputs, bound),
        bend=np.full(outputs, np.inf),
        status=np.zeros(outputs, dtype=np.int8),
        from_pairs=True,
    )
