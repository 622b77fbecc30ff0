"""Builders for tests of the screen: functions with exact derivatives and counted calls."""

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

from pytest_gradcheck.binding.backward.claims import DenseClaim
from pytest_gradcheck.numerics.coordinate_scales import Scales
from pytest_gradcheck.numerics.function import Function
from pytest_gradcheck.numerics.measurement import EPS
from pytest_gradcheck.numerics.screening.direction_weights import CodedDirections
from pytest_gradcheck.numerics.screening.directional_derivative import (
    DirectionalDerivative,
    DirectionProbe,
)
from pytest_gradcheck.numerics.screening.subarrays import Box, Segment, whole_region
from tests.numerics.functions import Counted, Floats

Shapes = Sequence[tuple[int, ...]]

#: The settings of a property whose examples take long.
FEW_EXAMPLES = settings(max_examples=20)


def segments_of(shapes: Shapes, rounding: float = 0.0) -> tuple[Segment, ...]:
    """Return adjacent segments of some shapes."""
    starts = np.cumsum([0, *(prod(shape) for shape in shapes)]).tolist()
    return tuple(Segment(a, shape, rounding) for a, shape in zip(starts, shapes, strict=False))


def coded_directions(
    point: Floats, shapes: Shapes, *, seed: int = 0, gains: Sequence[float] | None = None
) -> CodedDirections:
    """Return directions over a point, without gains unless they are given."""
    segments = segments_of(shapes)
    scales = Scales.of(point, [(s.start, s.stop) for s in segments])
    return CodedDirections(scales, segments, np.array(gains or [1.0] * len(segments)), seed)


def probe_of(
    function: Callable[[Floats], Any],
    claim: Any,
    point: Floats,
    shapes: Shapes | None = None,
    *,
    noise: float | None = None,
    seed: int = 0,
    gains: Sequence[float] | None = None,
) -> tuple[DirectionProbe, Counted]:
    """Return a probe of a function, and the counter of its calls from then on."""
    counted, here, point = Counted(function), point.copy(), point.copy()
    base = counted.at(point)
    counted.calls = 0
    directions = coded_directions(here, shapes or [point.shape], seed=seed, gains=gains)
    noises = 4 * EPS * np.maximum(np.abs(base), 1.0) if noise is None else 0 * base + noise
    at_point = Function(counted, point, base, noises, np.abs(base), directions.scales)
    claims = DenseClaim(np.asarray(claim, dtype=float).reshape(point.size, base.size))
    roundings = np.zeros((len(directions.segments), base.size))
    return DirectionProbe(at_point, claims, directions, roundings, here), counted


def linear(slopes: Floats) -> Callable[[Floats], Any]:
    """Return the linear function with a gradient."""
    return lambda x: np.dot(x, slopes)


def draw_direction(probe: DirectionProbe, which: int) -> Floats:
    """Return a direction over everything."""
    directions = probe.directions
    direction = np.empty(probe.function.point.size)
    directions.draw(direction, which, whole_region(directions.segments))
    return direction


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    """Draw a box that is not empty, in a small segment."""
    shape = draw(st.lists(st.integers(1, 5), min_size=1, max_size=3))
    ranges = []
    for length in shape:
        start = draw(st.integers(0, length - 1))
        ranges.append((start, draw(st.integers(start + 1, length))))
    return Box(Segment(draw(st.integers(0, 50)), tuple(shape)), tuple(ranges))


def coordinates_of(box: Box) -> list[int]:
    """Return all coordinates of a box, by slicing."""
    segment = box.segment
    numbers = np.arange(segment.start, segment.stop).reshape(segment.shape)
    return [int(k) for k in numbers[tuple(slice(a, b) for a, b in box.ranges)].ravel()]


def derivative_with(
    residual: float, bound: float, *, step: float = 1e-2, outputs: int = 1
) -> DirectionalDerivative:
    """Return a derivative along direction 1, by a pair, with a residual and a bound."""
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
