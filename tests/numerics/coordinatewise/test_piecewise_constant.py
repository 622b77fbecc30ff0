"""Piecewise constant outputs as opposed to rounded ones, and quantization noise of a term."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pytest_gradcheck import check_gradient
from pytest_gradcheck.numerics.coordinate_scales import Scales
from pytest_gradcheck.numerics.coordinatewise.coordinate_sweep import CoordinateSweep
from pytest_gradcheck.numerics.coordinatewise.piecewise_constant import (
    PlateauDetector,
    extrapolate_with_quantization_noise,
)
from pytest_gradcheck.numerics.line_restriction import CoordinateLine
from pytest_gradcheck.numerics.measurement import Status
from pytest_gradcheck.numerics.quantization import Plateau, find_plateau
from pytest_gradcheck.numerics.richardson import LineMeasurement, extrapolate
from tests.corpus.corpus_runner import choose_families
from tests.numerics.functions import Counted, function_at

STEPS = 0.3 * 4.0 ** -np.arange(20.0)

POINT = np.array([3.3, 1.7])


def plateau_by_first(function: Any, claim: list[float]) -> tuple[bool, int]:
    """Return whether a function is piecewise constant in its first coordinate, and the calls."""
    counted, point = Counted(function), POINT.copy()
    inner, claims = function_at(counted, point), np.array(claim)[:, None]
    line = CoordinateLine(counted, point, 0, 1.0)
    _, right = line.at(STEPS)
    _, left = line.at(-STEPS)
    plateau = find_plateau(inner.base, right=right, left=left, steps=STEPS)
    detector = PlateauDetector(inner, lambda a, b: claims[a:b], np.random.default_rng(0))
    before = counted.calls
    row = Plateau(plateau.half_width[None], plateau.jump[None])
    first = detector.detect(np.array([0]), claims[:1], row)
    assert detector.detect(np.array([0]), claims[:1], row).tolist() == first.tolist()
    assert (point == POINT).all()
    return bool(first[0, 0]), counted.calls - before


@pytest.mark.parametrize(
    ("function", "claim", "expected"),
    [
        (lambda x: np.floor(4 * x[0]), [0.0, 0.0], True),
        (lambda x: np.round(x[0] / 1e-3) * 1e-3, [0.0, 0.0], True),
        (lambda x: np.floor(4 * x[0]) * np.sin(x[1]), [0.0, 1.0], True),
        (lambda x: np.float32(x[0] + 50), [0.0, 0.0], False),
        (lambda x: np.float32(x[0] * 1e-3 + x[1]), [0.0, 1.0], False),
        (lambda x: np.round((x[0] + x[1]) / 1e-3) * 1e-3, [0.0, 1.0], False),
    ],
)
def test_constant_output_is_detected(function: Any, claim: list[float], expected: bool) -> None:
    """A floor is; an output that is rounded along other coordinates, or finely, is not."""
    assert plateau_by_first(function, claim) == (expected, 6)


@pytest.mark.parametrize(
    ("function", "claim"),
    [
        (lambda x: np.floor(4 * x[0]), [1.0, 0.0]),
        (lambda x: np.sin(x[0]), [0.0, 0.0]),
        (lambda x: np.sin(x[1]), [0.0, 1.0]),
        (lambda x: np.round(x[0] / 1e-9) * 1e-9, [0.0, 0.0]),
    ],
)
def test_no_candidate_costs_nothing(function: Any, claim: list[float]) -> None:
    """The claim is not zero, or the output changes at once, or never."""
    assert plateau_by_first(function, claim) == (False, 0)


def test_rounding_of_a_small_term_is_not_a_plateau() -> None:
    """The sum is rounded to float64, too."""
    assert not plateau_by_first(lambda x: 1e-9 * x[0] + 100 * np.exp(x[1]), [0.0, 1.0])[0]


def test_entries_of_one_array_are_rounded_alike() -> None:
    """A missing entry of an array in half precision is not one in which forward is constant.

    That forward is smooth in another array is no evidence.
    """
    point = np.array([0.3, 1.7, -0.6, 0.9])

    def half(x: Any) -> Any:
        return np.sum(np.float64(np.float16(x[:2])) ** 2) + np.sum(x[2:] ** 2)

    claims = np.where(np.arange(4) == 1, 0.0, 2 * point)[:, None]
    inner = replace(function_at(Counted(half), point), scales=Scales.of(point, [(0, 2), (2, 4)]))
    detector = PlateauDetector(inner, lambda a, b: claims[a:b], np.random.default_rng(0))
    plateau = Plateau(np.full((1, 1), 1e-6), np.full((1, 1), 1e-3))
    assert not detector.detect(np.array([1]), claims[1:2], plateau).any()


def test_rounding_of_terms_that_cancel_is_not_a_jump() -> None:
    """A sum in single precision that nearly cancels has a large relative rounding, and no jump."""
    point = np.linspace(-1, 1, 6) + 1e-7

    def single(x: Any) -> Any:
        return np.sum(np.float64(np.float32(x)))

    claim = np.zeros((6, 1))
    function = function_at(Counted(single), point)
    found = CoordinateSweep(
        function, lambda a, b: claim[a:b], 1e-6, np.random.default_rng(0)
    ).measure()
    assert not (found.status == Status.PLATEAU).any()


def test_plateaus_of_many_entries_cost_no_extrapolation() -> None:
    """Two evaluations for a pair, at most two for a closer one, and six for a direction."""
    point = np.random.default_rng(0).uniform(-9, 9, 400)
    counted, claim = Counted(lambda x: np.sum(np.ceil(x))), np.zeros((400, 1))
    function = function_at(counted, point)
    counted.calls = 0
    found = CoordinateSweep(
        function, lambda a, b: claim[a:b], 1e-6, np.random.default_rng(0)
    ).measure()
    assert (found.status == Status.PLATEAU).all()
    assert (found.bound[:, 0] * np.abs(point) < 1e-4).all()
    assert counted.calls <= 4 * 400 + 6


def test_rounded_output_that_happens_to_jump_nearby_is_not_smooth() -> None:
    """Two different values at six close points are no evidence of a smooth output."""
    for shift in np.linspace(-3e-8, 3e-8, 13):

        def rounded(x: Any, edge: float = POINT.sum() + shift) -> Any:
            return np.round((x.sum() - edge) / 1e-4 + 0.5) * 1e-4 + 5

        assert not plateau_by_first(rounded, [0.0, 1.0])[0]


def test_sweep_records_the_plateau_of_a_floor() -> None:
    """Its derivative is zero up to rounding, however large the jump beyond."""
    counted = Counted(lambda x: np.floor(4 * x[0]) * np.sin(x[1]))
    claim = np.array([[0.0], [13 * np.cos(1.7)]])
    function = function_at(counted, POINT.copy())
    found = CoordinateSweep(
        function, lambda a, b: claim[a:b], 1e-6, np.random.default_rng(0)
    ).measure()
    assert found.status[0] == Status.PLATEAU
    assert (found.value[0], found.bound[0] < 1e-12) == (0.0, True)


def extrapolated(
    function: Callable[[Any], Any], at: float, slope: float
) -> tuple[LineMeasurement, LineMeasurement, int]:
    """Return an extrapolation, the one with quantization noise, and the calls of the latter."""
    counted = Counted(function)
    line = CoordinateLine(counted, np.array([at]), 0, abs(at))
    base = counted.at(np.array([at]))
    noise, claim = 2e-16 * np.abs(base), np.array([slope])
    with np.errstate(all="ignore"):
        small = extrapolate(line, base, noise)
    before = counted.calls
    wide = extrapolate_with_quantization_noise(
        line, base, noise, small, claim=claim, agreement=1e-6
    )
    return small, wide, counted.calls - before


def gelu(x: Any) -> Any:
    """Return GELU as it is usually written: far below zero one factor takes few values."""
    return 0.5 * x[0] * (1 + math.erf(x[0] / math.sqrt(2)))


def gelu_slope(x: float) -> float:
    """Return its exact derivative."""
    density = math.exp(-x * x / 2) / math.sqrt(2 * math.pi)
    return 0.5 * math.erfc(-x / math.sqrt(2)) + x * density


@pytest.mark.parametrize("at", [-7.7, -7.844, -7.98, -8.12, -8.257])
def test_quantised_factor_is_noise_of_wide_steps(at: float) -> None:
    """One plus the error function is constant between its jumps; only the other factor varies."""
    claim = gelu_slope(at)
    small, wide, _ = extrapolated(gelu, at, claim)
    assert abs(wide.value[0] - claim) <= 2 * wide.bound[0]
    assert wide.bound[0] >= small.bound[0]


def test_quantised_term_is_found_beside_a_curved_one() -> None:
    """The logarithm of one plus little is quantized, beside a term twenty times as steep."""

    def entropy(x: Any) -> Any:
        e = np.exp(x[0] - 31.0)
        total = 1 + e
        return e / total * (31.0 - x[0]) + np.log(total)

    claim = math.exp(-30.0) * 30
    small, wide, _ = extrapolated(entropy, 1.0, claim)
    assert abs(small.value[0] - claim) > 0.01 * claim > 2 * small.bound[0]
    assert abs(wide.value[0] - claim) <= 2 * wide.bound[0]


@pytest.mark.parametrize(
    ("function", "at", "claim"),
    [
        (lambda x: np.exp(x[0]), 0.7, 1.01 * math.exp(0.7)),
        (lambda x: np.exp(x[0]), 0.7, 1.001 * math.exp(0.7)),
        (lambda x: np.mod(x[0], 1.0), 5.3, 0.0),
        (lambda x: x[0] + 1e-3 * np.sin(100 * x[0]), 1.3, 1.0),
        (lambda x: x[0] + 1e-2 * np.tanh(50 * (x[0] - 1.25)), 1.3, 1.0),
        (lambda x: np.sin(x[0]) + 0.1 * np.abs(x[0] - 1.2), 1.3, math.cos(1.3)),
    ],
)
def test_features_of_the_function_are_not_quantisation_noise(
    function: Callable[[Any], Any], at: float, claim: float
) -> None:
    """Curvature, large jumps, ripples, a steep part and a kink nearby are features."""
    small, wide, calls = extrapolated(function, at, claim)
    assert (wide.value[0], wide.bound[0]) == (small.value[0], small.bound[0])
    assert abs(wide.value[0] - claim) > 2 * wide.bound[0]
    assert calls <= 12 * 12 + 42


def test_nothing_is_evaluated_where_nothing_differs_or_slopes_are_alike() -> None:
    """A claim that agrees; a wrong claim about a straight line."""
    assert extrapolated(lambda x: 3 * x[0], 0.7, 3.0)[2] == 0
    assert extrapolated(lambda x: 3 * x[0], 0.7, 3.3)[2] == 0


@pytest.mark.parametrize("seed", [18, 22, 23])
def test_point_between_two_close_jumps_gives_no_wrong_verdict(seed: int) -> None:
    """Small steps stay between two jumps of ``1 - cos x``, which a smooth square divides."""
    (family,) = choose_families("all", ["cancellation"], [])
    case = family.case(seed)
    assert check_gradient(case.forward, case.gradient, case.point, seed=seed).wrong == 0
