"""The screen, from a task to its result."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_gradcheck.binding.backward.claims import DenseClaim
from pytest_gradcheck.numerics.coordinate_scales import Scales
from pytest_gradcheck.numerics.coordinatewise.full_check import DerivativeTask
from pytest_gradcheck.numerics.screening import screen as module
from pytest_gradcheck.numerics.screening.directional_step_size import ClaimMagnitudes
from pytest_gradcheck.numerics.screening.screen import EvaluationCounter, screen
from pytest_gradcheck.numerics.screening.screen_result import ScreenResult
from tests.numerics.functions import Counted, Floats, jitter
from tests.numerics.screening.builders import FEW_EXAMPLES, Shapes, segments_of

SHAPES: Shapes = [(20, 30), (30,), (5, 5)]
SIZE = 655
RNG = np.random.default_rng(1)
POINT, SLOPES = RNG.normal(size=SIZE), RNG.normal(size=SIZE) / 25
TRUE = SLOPES * np.cos(POINT)


def sines(x: Floats) -> Any:
    """Return a smooth function whose gradient is `TRUE` at the point."""
    return SLOPES @ np.sin(x)


def screen_of(
    claim: Any,
    function: Callable[[Floats], Any] = sines,
    *,
    point: Floats = POINT,
    shapes: Shapes = SHAPES,
    budget: int = 300,
    seed: int = 0,
    rounding: float = 0.0,
) -> tuple[ScreenResult, int]:
    """Screen claims; return the result and the number of evaluations."""
    counted, there = Counted(function), point.copy()
    base = counted.at(there)
    segments = segments_of(shapes, rounding)
    task = DerivativeTask(
        evaluate=counted,
        point=there,
        here=point,
        segments=[(s.start, s.stop) for s in segments],
        base=base,
        repeat=counted.at(there),
        claims=DenseClaim(np.asarray(claim, dtype=float).reshape(point.size, base.size)),
        tangent=None,
    )
    counted.calls = 0
    found = screen(task, segments, agreement=1e-6, budget=budget, seed=seed)
    assert (there == point).all()
    return found, counted.calls


def claim_with_factor(coordinate: int, factor: float) -> Floats:
    """Return claims of which one is wrong by a factor."""
    return TRUE * np.where(np.arange(SIZE) == coordinate, factor, 1.0)


@pytest.mark.parametrize("seed", range(5))
def test_right_claims_cost_a_dozen_evaluations(seed: int) -> None:
    """An error of a thousandth of a typical claim would have been detected."""
    found, calls = screen_of(TRUE, seed=seed)
    assert calls <= 14
    assert not found.findings
    assert not found.unexplained.any()
    assert not found.swept
    assert (found.relative_detection_limit < 1e-3).all()
    assert [s.which for s in found.directional_derivatives] in ([1, 2], [2, 1])


@FEW_EXAMPLES
@given(st.integers(0, SIZE - 1), st.floats(0.05, 0.9) | st.floats(1.1, 20) | st.floats(-5, -1))
def test_one_wrong_claim_is_found(coordinate: int, factor: float) -> None:
    """It is measured as well, for a few more evaluations."""
    found, calls = screen_of(claim_with_factor(coordinate, factor))
    (finding,) = found.findings
    ((where, measured),) = finding.measured
    assert (finding.box.start, finding.box.size, where) == (coordinate, 1, coordinate)
    assert np.abs(measured.value[0, 0] - TRUE[coordinate]) <= measured.bound[0, 0]
    assert not found.unexplained.any()
    assert (found.relative_detection_limit < 1e-3).all()
    assert calls <= 40


@pytest.mark.parametrize(
    ("seed", "multiple"),
    [(0, 4), (1, 4), (2, 4), (3, 1e4), (4, 1e4)],
)
def test_error_that_is_not_found_is_below_the_detection_limit(seed: int, multiple: float) -> None:
    """That holds in every segment. An error far above the limit is found."""
    right, _ = screen_of(TRUE, seed=seed)
    for number, coordinate in enumerate((33, 611, 644)):
        claim, error = TRUE.copy(), multiple * right.detection_limit[number, 0]
        claim[coordinate] += error / abs(POINT[coordinate])
        found, _ = screen_of(claim, seed=seed)
        named = [f.box.start for f in found.findings]
        assert any(s.differs.any() for s in found.directional_derivatives)
        assert named in ([], [coordinate])
        is_below_limit = found.detection_limit[number, 0] >= error and multiple < 1e4
        assert named or number in found.swept or is_below_limit


def test_factor_of_everything_is_a_common_relative_error() -> None:
    """Nothing is searched."""
    found, calls = screen_of(2 * TRUE)
    assert [f.relative_error for f in found.findings] == [pytest.approx(0.5)] * 3
    assert calls <= 30


def test_each_output_is_searched() -> None:
    """Errors of one output are not found for another."""
    claim = np.stack([claim_with_factor(33, 2.0), TRUE, claim_with_factor(640, 3.0)], axis=1)
    found, _ = screen_of(claim, lambda x: np.ones(3) * sines(x))
    assert [(f.output, f.box.start) for f in found.findings] == [(0, 33), (2, 640)]
    assert found.detection_limit.shape == (3, 3)


def test_factor_of_many_outputs_is_found_for_all() -> None:
    """It costs next to nothing. Other errors are searched for a few outputs only."""
    factors = np.linspace(1.5, 2.5, 30)
    found, calls = screen_of(factors * TRUE[:, None], lambda x: np.ones(30) * sines(x))
    assert len(found.findings) == 30 * len(SHAPES)
    assert [f.relative_error for f in found.findings[:: len(SHAPES)]] == pytest.approx(
        1 - 1 / factors
    )
    assert not found.unexplained.any()
    assert calls <= 30 * len(SHAPES) * 2 + 30


def test_unresolved_segment_is_measured_separately() -> None:
    """Noise hides a bias from directions over everything."""
    slopes = np.concatenate([np.full(600, 1.0), np.full(55, 1e-5)])
    function = lambda x: slopes @ x + jitter(x.sum(), 1e-9)  # noqa: E731  # two terms, one line
    found, calls = screen_of(slopes, function, budget=100)
    undivided, _ = screen_of(slopes, function, shapes=[(655,)], budget=100)
    assert (found.relative_detection_limit < 0.1).all()
    assert calls <= 40
    assert not found.findings
    assert undivided.detection_limit[0, 0] > 2 * found.detection_limit[1, 0]


def test_findings_do_not_move_in_a_separate_measurement() -> None:
    """Their errors would hide smaller ones."""
    slopes = np.concatenate([np.full(600, 1.0), np.full(55, 1e-5)])
    claim = np.where(np.arange(SIZE) == 610, 5e-3, slopes)
    found, _ = screen_of(claim, lambda x: slopes @ x + jitter(x.sum(), 1e-9), budget=100)
    assert [finding.box.start for finding in found.findings] == [610]
    assert (found.relative_detection_limit < 0.1).all()


def test_unresolved_segment_is_swept_within_the_budget() -> None:
    """Two evaluations measure each coordinate. Sizes are the same without a sweep."""
    point = np.where(np.arange(SIZE) == 640, 0.0, POINT)
    claim = np.where(np.arange(SIZE) < 630, TRUE, point > 0)

    def kinked(x: Floats) -> Any:
        return SLOPES[:630] @ np.sin(x[:630]) + np.maximum(x[630:], 0).sum()

    found, calls = screen_of(claim, kinked, point=point, budget=400)
    assert list(found.swept) == [2]
    assert calls <= 500
    assert found.swept[2].kinks.keys() == {(10, 0)}
    assert found.swept[2].value[:10, 0] == pytest.approx(claim[630:640], abs=1e-6)
    assert np.isfinite(found.detection_limit).all()
    nothing, calls = screen_of(claim, kinked, point=point, budget=20)
    assert not nothing.swept
    assert found.sizes.tolist() == nothing.sizes.tolist()


def test_kink_in_one_segment_does_not_hide_errors_in_others() -> None:
    """The other segments are measured separately."""
    at = np.where(np.arange(SIZE) == 640, POINT, 0.0)
    claim = np.where(np.arange(SIZE) < 630, TRUE, at < POINT)

    def kinked(x: Floats) -> Any:
        return SLOPES[:630] @ np.sin(x[:630]) + np.maximum((x - at)[630:], 0).sum()

    found, _ = screen_of(claim, kinked, budget=20)
    assert not any(s.known.all() for s in found.directional_derivatives)
    assert (found.relative_detection_limit[:2] < 1e-2).all()
    assert np.isinf(found.relative_detection_limit[2, 0])


@pytest.mark.parametrize("wrong", [[], [33], [606]])
def test_zeros_with_a_kink_are_fixed(wrong: list[int]) -> None:
    """Such zeros are those of a penalty. Other coordinates are resolved as usual."""
    zeros = [5, 100, 620]
    point = POINT.copy()
    point[zeros] = 0.0
    claim = SLOPES * np.cos(point) + 0.1 * np.sign(point)
    claim[zeros] = SLOPES[zeros] + 0.1
    claim[wrong] *= 1.5
    found, calls = screen_of(
        claim, lambda x: sines(x) + 0.1 * np.abs(x).sum(), point=point, budget=150
    )
    assert [f.box.start for f in found.findings] == wrong
    assert found.fixed.tolist() == zeros
    assert (found.relative_detection_limit < 1e-3).all()
    assert not found.unexplained.any()
    assert calls <= 200


def test_segment_of_zeros_with_a_kink_has_no_detection_limit() -> None:
    """It can only be swept."""
    point = np.where(np.arange(SIZE) < 630, POINT, 0.0)
    claim = np.where(point == 0, 0.05, SLOPES * np.cos(point))

    def kinked(x: Floats) -> Any:
        return SLOPES[:630] @ np.sin(x[:630]) + 0.1 * np.abs(x[630:]).sum()

    found, _ = screen_of(claim, kinked, point=point, budget=20)
    assert np.isinf(found.detection_limit).ravel().tolist() == [False, False, True]
    found, _ = screen_of(claim, kinked, point=point, budget=400)
    assert list(found.swept) == [2]
    assert len(found.swept[2].kinks) == 25


def test_zeros_without_a_kink_move() -> None:
    """Zero is a value like others."""
    point = np.where(np.arange(SIZE) % 3, POINT, 0.0)
    found, calls = screen_of(SLOPES * np.cos(point), point=point)
    assert calls <= 14
    assert not found.fixed.size


def test_many_differences_that_agree_one_by_one_are_no_finding() -> None:
    """A gradient in single precision has such differences."""
    rounded = TRUE * (1 + 5e-7 * np.random.default_rng(2).uniform(-1, 1, SIZE))
    found, _ = screen_of(rounded)
    assert not found.findings
    assert not found.unexplained.any()


def test_rounding_of_claims_is_no_difference() -> None:
    """It is a part of the bound where it is known, and costs nothing."""
    claim = TRUE.astype(np.float32).astype(float)
    found, calls = screen_of(claim, rounding=float(np.finfo(np.float32).eps))
    assert calls <= 14
    assert not any(s.differs.any() for s in found.directional_derivatives)
    assert (found.relative_detection_limit < 1e-2).all()


def test_several_errors_among_rounded_claims_are_found() -> None:
    """The rounding of excluded claims does not add to the bound."""
    rounded = TRUE.astype(np.float32).astype(float)
    wrong = [7, 133, 222, 420, 605, 650]
    rounded[wrong] *= 1.5
    found, calls = screen_of(rounded, rounding=8 * float(np.finfo(np.float32).eps), budget=2000)
    assert sorted(f.box.start for f in found.findings) == wrong
    assert not found.unexplained.any()
    assert calls <= 150


def test_slight_differences_of_a_solver_are_no_finding() -> None:
    """Its result is smooth between jumps, with slopes that are not those of the whole."""

    def solver(x: Floats) -> Any:
        total = float(SLOPES @ x)
        return total + 2e-6 * (total % 0.05)

    found, _ = screen_of(SLOPES, solver, budget=2000)
    assert not found.findings


def test_search_beyond_the_budget_leaves_segments_unexplained() -> None:
    """Segments that are right by themselves, or swept, are explained."""
    errors = np.random.default_rng(3).choice(600, 12, replace=False)
    claim = TRUE.copy()
    claim[errors] *= 1.5
    found, calls = screen_of(claim, budget=30)
    assert found.unexplained[:, 0].tolist() == [True, False, False]
    assert calls <= 60


def test_noise_is_no_error() -> None:
    """It only raises the detection limit."""
    for size in (1e-9, 1e-6, 1e-4):
        function = lambda x, size=size: sines(x) + jitter(x.sum(), size)  # noqa: E731  # one line
        found, _ = screen_of(TRUE, function, budget=100)
        assert not found.findings
        assert (found.detection_limit > size).all()


def test_undefined_function_has_no_detection_limit() -> None:
    """That costs a few extrapolations at most."""
    found, calls = screen_of(TRUE, lambda x: 1.0 if (x == POINT).all() else np.nan, budget=100)
    assert np.isinf(found.relative_detection_limit).all()
    assert not found.findings
    assert calls <= 600


def test_sizes_and_scales_are_those_of_the_function() -> None:
    """Sizes are estimated from claims before a sweep, and scales are at least the median."""
    found, _ = screen_of(TRUE)
    typical = found.scales.typical(np.arange(SIZE))
    assert found.scales.own(np.arange(SIZE)).tolist() == np.fmax(np.abs(POINT), typical).tolist()
    assert found.smallest_scale.tolist() == found.scales.medians.tolist()
    norm = np.linalg.norm(TRUE * POINT)
    assert norm <= found.sizes[0] <= 5 * norm


def test_detection_limit_is_that_of_the_better_direction() -> None:
    """The weight of a coordinate is at least half of its scale multiple the gain."""
    found, _ = screen_of(TRUE)
    segments = segments_of(SHAPES)
    scales = replace(Scales.of(POINT, [(s.start, s.stop) for s in segments]), floor=1.0)
    claims = DenseClaim(TRUE[:, None])
    gains = ClaimMagnitudes.of(claims, segments, scales, np.random.default_rng(0)).gains()
    undetected = min(
        float((np.abs(s.residual) + 2 * s.bound)[0]) for s in found.directional_derivatives
    )
    assert found.detection_limit[:, 0] == pytest.approx(undetected / (0.5 * gains))
    assert gains.max() > 1


def test_several_wrong_claims_are_found() -> None:
    """All are, within the budget."""
    wrong = [7, 133, 222, 420, 605, 650]
    claim = TRUE.copy()
    claim[wrong] *= np.array([1.5, 2.0, 0.5, -1.0, 3.0, 1.2])
    found, calls = screen_of(claim)
    assert sorted(f.box.start for f in found.findings) == wrong
    assert not found.unexplained.any()
    assert calls <= 200


def test_unexplained_segment_is_swept_within_the_budget(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing remains unexplained there."""
    monkeypatch.setattr(module, "SEARCH_BUDGET", 20)
    claim = TRUE.copy()
    claim[600:630:3] *= 1.5
    found, calls = screen_of(claim, budget=300)
    assert 1 in found.swept
    assert not found.unexplained[1:].any()
    assert calls <= 300 + 10 * 42


def test_evaluations_are_counted() -> None:
    """The outputs are those of the function."""
    counter = EvaluationCounter(Counted(lambda point: 2 * point))
    outputs = [counter([np.array([k])] * 2).tolist() for k in (1.0, 3.0)]
    assert outputs == [[[2.0]] * 2, [[6.0]] * 2]
    assert counter.calls == 4
