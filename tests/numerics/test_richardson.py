"""Richardson extrapolation: a derivative with an error bound that holds."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from pytest_gradcheck.numerics.line_restriction import CoordinateLine
from pytest_gradcheck.numerics.measurement import EPS, Status
from pytest_gradcheck.numerics.richardson import LineMeasurement, extrapolate
from tests.numerics.functions import Counted, function_at, jitter


def measure_at(function: Callable[[float], object], x: float) -> LineMeasurement:
    """Extrapolate along the only coordinate of `function`, as the sweep does."""
    point = np.array([x])
    at_point = function_at(Counted(lambda p: function(float(p[0]))), point)
    scale = float(at_point.scales.own(slice(None))[0])
    line = CoordinateLine(at_point.evaluate, point, 0, scale)
    return extrapolate(line, at_point.base, at_point.noise)


#: Name, function, point, true derivative, relative accuracy that is expected.
SMOOTH = [
    ("square", lambda x: x * x, 1.3, 2.6, 1e-12),
    ("sine", np.sin, 1.3, np.cos(1.3), 1e-11),
    ("fast sine", lambda x: np.sin(300 * x), 1.3, 300 * np.cos(390), 1e-9),
    ("steep exponential", lambda x: np.exp(30 * x), 1.3, 30 * np.exp(39), 1e-10),
    ("offset 1e6", lambda x: 1e6 + np.sin(x), 1.3, np.cos(1.3), 1e-6),
    ("root near its edge", np.sqrt, 1e-8, 0.5e4, 1e-10),
    ("logarithm near its edge", np.log, 1e-3, 1e3, 1e-9),
    ("narrow bell", lambda x: np.exp(-((x - 1) ** 2) * 1e6), 1.001, -2000 * np.exp(-1), 1e-8),
    ("rectifier near its kink", lambda x: max(x - 1, 0.0), 1 + 1e-6, 1.0, 1e-8),
    ("rectifier very near its kink", lambda x: max(x - 1, 0.0), 1 + 1e-10, 1.0, 1e-4),
    ("leaky near its kink", lambda x: x + 0.1 * max(x - 1, 0.0), 1 + 1e-6, 1.1, 1e-7),
    ("rectifier below its threshold", lambda x: max(x, 0.0), -0.1, 0.0, 0.0),
    ("huge", lambda x: 1e300 * x, 4.0, 1e300, 1e-12),
    ("tiny", lambda x: 1e-300 * x, 4.0, 1e-300, 1e-12),
    ("linear", lambda x: 2 * x, 4.0, 2.0, 1e-13),
    ("constant", lambda x: 3.0 + 0 * x, 1.3, 0.0, 1e-12),
    ("stationary", lambda x: (x - 1) ** 2, 1.0, 0.0, 1e-12),
    ("cubic at 0", lambda x: x**3, 0.0, 0.0, 1e-12),
    ("noise 1e-9", lambda x: np.sin(x) + jitter(x, 1e-9), 1.3, np.cos(1.3), 1e-5),
    ("noise 1e-5", lambda x: np.sin(x) + jitter(x, 1e-5), 1.3, np.cos(1.3), 1e-2),
    ("rounded to 1e-7", lambda x: np.round(np.sin(x), 7), 1.3, np.cos(1.3), 1e-4),
    ("float32 result", lambda x: np.float32(np.sin(x)), 1.3, np.cos(1.3), 1e-4),
    ("float32 all through", lambda x: np.sin(np.float32(x)), 1.3, np.cos(1.3), 1e-4),
]


@pytest.mark.parametrize(
    ("function", "x", "true", "accuracy"), [pytest.param(*case[1:], id=case[0]) for case in SMOOTH]
)
def test_bound_holds_and_is_sharp(
    function: Callable[[float], object], x: float, true: float, accuracy: float
) -> None:
    """The true derivative lies within the bound, which is as tight as the function allows."""
    measured = measure_at(function, x)
    assert measured.status[0] == Status.SMOOTH
    assert abs(measured.value[0] - true) <= measured.bound[0] + 4e-16 * abs(true)
    assert measured.bound[0] <= accuracy * (abs(true) or 1.0)


#: Name, function, point, true derivative, accuracy: far larger arguments than lengths.
FAR_OUT = [
    ("sine at a million", np.sin, 1e6, np.cos(1e6), 1e-8),
    ("sine at a billion", np.sin, 1e9, np.cos(1e9), 1e-4),
    ("bell of width 0.01 at 6562.75", lambda x: np.exp(-((x - 6562.75) ** 2) * 1e4),
     6562.75 + 2**-8, -2e4 * 2**-8 * np.exp(-1e4 * 2**-16), 1e-7),
    ("step of width 3 at 1e6", lambda x: np.tanh((x - 1e6) / 3), 1e6 + 1,
     (1 - np.tanh(1 / 3) ** 2) / 3, 1e-7),
    ("resonance of width 1e3 at 1e9", lambda x: 1 / (1 + ((x - 1e9) / 1e3) ** 2), 1e9 + 300,
     -6e-4 / 1.09**2, 1e-6),
]  # fmt: skip


@pytest.mark.parametrize(
    ("function", "x", "true", "accuracy"),
    [pytest.param(*case[1:], id=case[0]) for case in FAR_OUT],
)
@pytest.mark.parametrize("noise", [1e-16, 0.5], ids=["noise known", "noise overestimated"])
def test_length_far_below_the_magnitude(
    function: Callable[[float], object], x: float, true: float, accuracy: float, noise: float
) -> None:
    """Slopes over steps beyond the length scale of the function are not selected.

    Nor is the noise that was estimated beyond it kept: the samples bend by less.
    """
    point = np.array([x])
    counted = Counted(lambda p: function(float(p[0])))
    measured = extrapolate(
        CoordinateLine(counted, point, 0, x), counted.at(point), np.array([noise])
    )
    assert abs(measured.value[0] - true) <= measured.bound[0]
    assert measured.bound[0] <= accuracy * abs(true)


def test_slopes_between_jumps_do_not_exclude_those_across_them() -> None:
    """A sawtooth that falls between its jumps keeps the noise of these jumps."""
    counted = Counted(lambda p: p[0] - 2 * ((p[0] - 1.3) % 1e-6))
    point = np.array([1.3 + 4e-7])
    line = CoordinateLine(counted, point, 0, 1.3)
    measured = extrapolate(line, counted.at(point), np.array([1e-6]))
    assert measured.value[0] == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize(
    ("function", "left", "right"),
    [
        pytest.param(lambda x: max(x, 0.0), 0.0, 1.0, id="rectifier"),
        pytest.param(lambda x: abs(x) + 5, -1.0, 1.0, id="absolute value on an offset"),
        pytest.param(lambda x: -abs(x) + np.sin(x), 2.0, 0.0, id="concave"),
        pytest.param(lambda x: max(3 * x, x) + x**2, 1.0, 3.0, id="curved on both sides"),
        pytest.param(lambda x: abs(x) + jitter(x, 1e-9), -1.0, 1.0, id="noisy"),
    ],
)
def test_kink_at_the_point_gives_both_slopes(
    function: Callable[[float], object], left: float, right: float
) -> None:
    """At a kink the measurement is the interval between the one-sided derivatives."""
    measured = measure_at(function, 0.0)
    low, high = measured.slopes(0)
    assert measured.status[0] == Status.KINK
    assert low == pytest.approx(min(left, right), abs=1e-3)
    assert high == pytest.approx(max(left, right), abs=1e-3)
    assert low <= min(left, right)
    assert high >= max(left, right)


@pytest.mark.parametrize("x", [0.0, 1.0, -2.5])
def test_jump_at_the_point_has_no_derivative(x: float) -> None:
    """A threshold exactly at the point is reported as a jump, without a value."""
    measured = measure_at(lambda t: float(t >= x), x)
    assert measured.status[0] == Status.JUMP
    assert np.isnan(measured.value[0])
    assert measured.bound[0] == np.inf


@pytest.mark.parametrize(
    ("function", "x", "true"),
    [
        pytest.param(lambda x: np.sqrt(x) * x + 3 * x, 0.0, 3.0, id="left edge"),
        pytest.param(lambda x: np.sqrt(1 - x) * (1 - x) + 3 * x, 1.0, 3.0, id="right edge"),
        pytest.param(
            lambda x: np.exp(x) if x >= 2 else np.nan, 2.0, np.exp(2), id="smooth inside"
        ),
    ],
)
def test_edge_of_the_domain_is_measured_from_inside(
    function: Callable[[float], object], x: float, true: float
) -> None:
    """One-sided formulas take over where the function is undefined on one side."""
    measured = measure_at(function, x)
    assert measured.status[0] == Status.EDGE
    assert abs(measured.value[0] - true) <= measured.bound[0] <= 1e-5 * abs(true)


def test_isolated_point_has_no_derivative() -> None:
    """A function undefined on both sides is said to be."""
    measured = measure_at(lambda x: 1.0 if x == 2 else np.nan, 2.0)
    assert measured.status[0] == Status.UNDEFINED
    assert measured.bound[0] == np.inf


def test_extrapolation_costs_forty_evaluations() -> None:
    """Twenty steps to either side, and no more for a function without plateaus."""
    counted = Counted(lambda p: np.sin(p[0]))
    point = np.array([1.3])
    extrapolate(CoordinateLine(counted, point, 0, 1.3), np.sin(point), np.array([1e-16]))
    assert counted.calls == 40


def test_outputs_are_measured_independently() -> None:
    """A kink in one output does not touch the others."""
    measured = measure_at(lambda x: [np.sin(x), abs(x), 3 * x], 0.0)
    assert measured.status.tolist() == [Status.SMOOTH, Status.KINK, Status.SMOOTH]
    assert measured.value[[0, 2]] == pytest.approx([1.0, 3.0], rel=1e-10)


def test_single_coordinate_as_a_measurement() -> None:
    """A single line has the form of a sweep over one coordinate."""
    found = measure_at(lambda x: [np.sin(x), abs(x)], 0.0).as_measurement()
    assert found.value.shape == found.bound.shape == found.status.shape == (1, 2)
    assert found.step.shape == (1,)
    assert list(found.kinks) == [(0, 1)]


def test_tiny_jumps_of_terms_that_cancel_are_noise() -> None:
    """Between the jumps the line is smooth, but its slope is not that of the function."""
    x = -6.3
    counted = Counted(lambda p: 0.5 * p[0] * (1 + math.erf(p[0] / math.sqrt(2))))
    true = 0.5 * math.erfc(-x / math.sqrt(2)) + x * math.exp(-x * x / 2) / math.sqrt(2 * math.pi)
    point = np.array([x])
    base = counted.at(point)
    measured = extrapolate(CoordinateLine(counted, point, 0, abs(x)), base, EPS * np.abs(base))
    assert abs(measured.value[0] - true) <= measured.bound[0] < 1e-2 * abs(true)


def test_small_steps_exclude_what_steps_beyond_the_period_agree_on() -> None:
    """For a period of 0.1 days at a Julian date the phase itself is rounded to 1e-8."""
    t, rate = 2459000.3, 2 * math.pi / 0.1
    measured = measure_with_scale(lambda x: math.sin(rate * x), t, scale=t)
    true = rate * math.cos(rate * t)
    assert abs(measured.value[0] - true) <= measured.bound[0] < 1e-3 * rate


@pytest.mark.parametrize(
    "function",
    [
        pytest.param(lambda x: x * math.log(x), id="logarithm"),
        pytest.param(math.sqrt, id="root"),
    ],
)
def test_slopes_that_grow_without_end_give_no_derivative(
    function: Callable[[float], float],
) -> None:
    """At a singularity no one-sided formula gives a finite bound."""

    def defined(x: float) -> float:
        return 0.0 if x == 0 else function(x) if x > 0 else math.nan

    measured = measure_with_scale(defined, 0.0, scale=1.0)
    assert not np.isfinite(measured.bound[0])


def measure_with_scale(
    function: Callable[[float], float], x: float, *, scale: float
) -> LineMeasurement:
    """Extrapolate with steps in units of `scale`; the noise is the rounding of the value."""
    counted, point = Counted(lambda p: function(float(p[0]))), np.array([x])
    base = counted.at(point)
    return extrapolate(CoordinateLine(counted, point, 0, scale), base, EPS * np.abs(base))


@pytest.mark.parametrize("noise", [0.0, 1e-12], ids=["visible", "hidden by noise"])
def test_slopes_that_diverge_on_both_sides_give_no_derivative(noise: float) -> None:
    """``x log |x|`` closer to its singularity than any step: slopes grow by log 4 per step."""
    point = np.array([1e-300])
    function = Counted(lambda p: p[0] * np.log(abs(p[0])) + 1)
    measured = extrapolate(
        CoordinateLine(function, point, 0, 1.0), np.ones(1), np.array([noise + EPS])
    )
    assert measured.status[0] == Status.DIVERGENT
    assert measured.bound[0] == np.inf


def test_kink_closer_than_the_smallest_step_is_not_a_jump() -> None:
    """The rectifier at 1e-300 has slopes of 0 and 1 at all steps, and a gap of 1e-300."""
    measured = measure_at(lambda x: max(x, 0.0), 1e-300)
    assert measured.status[0] == Status.KINK
    assert measured.slopes(0) == pytest.approx((0.0, 1.0), abs=1e-12)


def test_variation_between_neighbouring_floats_is_not_resolved() -> None:
    """The spacing of floats at 1e16 is 2: small slopes of a sine refute no claim."""
    measured = measure_at(np.sin, 1e16)
    assert measured.status[0] == Status.DIVERGENT
    assert measured.reaching(np.ones(1)).bound[0] > 0.99
    assert measured.reaching(np.zeros(1)).bound[0] < 1e-10
