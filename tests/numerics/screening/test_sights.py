"""Looking along a direction until what is seen stands."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_gradcheck.numerics.measurement import Status
from pytest_gradcheck.numerics.screening.places import whole
from pytest_gradcheck.numerics.screening.projecting import Projection, Projector
from pytest_gradcheck.numerics.screening.sights import Sight, as_close, as_pair, settle, sight
from tests.numerics.functions import Floats
from tests.numerics.screening.builders import FEW, direction_of, linear, projector_of

RNG = np.random.default_rng(1)
POINT, SLOPES = RNG.normal(size=30), RNG.normal(size=30)

PAIR = Projection(1e-3, np.array([7.0]), np.array([4.0]), np.array([0.0]), np.array([1e-6]))


def look(
    function: Callable[[Floats], Any],
    claim: Any,
    point: Floats = POINT,
    *,
    step: float = 1e-3,
    noise: float | None = None,
) -> tuple[Sight, int, Projector]:
    """Look along direction 1; return what was seen, the calls, and the projector."""
    projector, counted = projector_of(function, claim, point, noise=noise)
    seen = sight(projector, 1, whole(projector.weights.segments), step)
    assert (projector.function.point == point).all()
    return seen, counted.calls, projector


def seen_as(claimed: float, measured: float, bound: float, status: Status) -> Sight:
    """Return a sight of one output."""
    return Sight(
        1,
        1e-3,
        np.array([claimed]),
        np.array([measured]),
        np.array([bound]),
        np.array([0.0]),
        np.array([status], dtype=np.int8),
        settled=True,
    )


def test_what_agrees_at_once_costs_two_evaluations() -> None:
    """And is known as well as the noise allows."""
    seen, calls, _ = look(linear(SLOPES), SLOPES, noise=1e-12)
    assert (calls, seen.settled, seen.step) == (2, True, 1e-3)
    assert seen.bound == pytest.approx([4e-9])
    assert seen.known.all()
    assert not seen.differs.any()


def test_error_is_seen_by_a_second_pair() -> None:
    """It stays where it is from closer by; nothing more is asked."""
    seen, calls, projector = look(linear(SLOPES), 1.01 * SLOPES)
    true = float(direction_of(projector, 1) @ SLOPES)
    assert (calls, seen.settled) == (4, True)
    assert seen.differs.all()
    assert seen.residual == pytest.approx([0.01 * true], rel=1e-6)
    assert np.abs(seen.measured - true) <= seen.bound


def test_first_pair_is_kept_where_it_is_the_better_one() -> None:
    """Under noise the wider step is, where there is no truncation."""
    seen, _, _ = look(linear(SLOPES), 2 * SLOPES, noise=1e-6)
    assert seen.step == 1e-3
    assert seen.bound == pytest.approx([4e-3], rel=1e-3)


def test_second_pair_is_kept_where_truncation_is_the_larger_error() -> None:
    """Here it is twelve times the noise of the first."""
    direction = direction_of(projector_of(linear(SLOPES), SLOPES, POINT)[0], 1)
    truncation = abs(float(direction**3 @ np.cos(POINT))) / 6 * 1e-6
    noise = truncation / 12 * 1e-3 / 4
    seen, calls, _ = look(lambda x: np.sin(x).sum(), 1.1 * np.cos(POINT), noise=noise)
    assert (calls, seen.settled, seen.step) == (4, True, 1e-3 / 8)
    assert seen.differs.all()
    assert np.abs(seen.measured - direction @ np.cos(POINT)) <= seen.bound
    assert seen.bound == pytest.approx([8 * truncation / 12 + truncation * 63 / 64], rel=0.01)


def test_truncation_is_made_smaller_up_to_three_times() -> None:
    """A right claim agrees in the end, by eight evaluations."""
    direction = direction_of(projector_of(linear(SLOPES), SLOPES, POINT)[0], 1)
    truncation = abs(float(direction**3 @ np.cos(POINT))) / 6 * 1e-6
    noise = truncation / 8**7 * 1e-3 / 4
    seen, calls, _ = look(lambda x: np.sin(x).sum(), np.cos(POINT), noise=noise)
    assert 4 < calls <= 8
    assert seen.settled
    assert not seen.differs.any()


@pytest.mark.parametrize("error", [1e-3, 0.3])
def test_truncation_that_falls_as_it_should_is_known(error: float) -> None:
    """It is far above the noise from near by as well, yet nothing like an error by then."""
    cubes, claim = np.sign(POINT) * 1e3, (1 + error) * SLOPES
    shifted = POINT.copy()
    seen, calls, projector = look(
        lambda x: x @ SLOPES + cubes @ (x - shifted) ** 3, claim, noise=1e-12
    )
    true = direction_of(projector, 1) @ SLOPES
    assert seen.settled
    assert calls <= 8
    assert seen.differs.all()
    assert np.abs(seen.measured - true) <= seen.bound
    assert seen.bound <= 0.02 * np.abs(seen.residual)


@pytest.mark.parametrize("step", [1e-2, 1e-3, 1e-4])
def test_curvature_is_no_error(step: float) -> None:
    """A step that is too wide is made narrower until it is not."""
    seen, _, projector = look(lambda x: np.sin(3 * x).sum(), 3 * np.cos(3 * POINT), step=step)
    true = direction_of(projector, 1) @ (3 * np.cos(3 * POINT))
    assert seen.known.all()
    assert not seen.differs.any()
    assert np.abs(seen.measured - true) <= seen.bound
    assert seen.bound < 1e-6


def test_kink_that_a_pair_crosses_is_no_error() -> None:
    """From closer by it is out of reach."""
    point = np.where(np.arange(30) == 7, 1e-4, POINT)
    seen, calls, _ = look(
        lambda x: np.abs(x - 1e-4 * 0.9 * (point == 1e-4)).sum(), np.sign(point), point, step=0.3
    )
    assert seen.known.all()
    assert not seen.differs.any()
    assert calls <= 8


def test_curvature_close_to_the_error_is_no_kink() -> None:
    """It falls with the step, however little that is made smaller since the error is slight."""
    noise, squares = 1e-9, 0.3 * np.ones(30)
    direction = direction_of(projector_of(linear(SLOPES), SLOPES, POINT)[0], 1)
    error = 5 * 4e-6 / np.abs(direction @ SLOPES)
    seen, calls, _ = look(
        lambda x: x @ SLOPES + squares @ (x - POINT) ** 2, (1 + error) * SLOPES, noise=noise
    )
    assert (calls, seen.settled) == (4, True)
    assert seen.differs.all()


def test_kink_at_the_point_has_no_one_derivative() -> None:
    """A ladder tells, and what was claimed is kept."""
    point = np.where(np.arange(30) == 7, 0.0, POINT)
    claim = np.sign(point) + 0.1
    seen, calls, projector = look(lambda x: np.abs(x).sum(), claim, point)
    assert not seen.settled
    assert seen.status.tolist() == [Status.KINK]
    assert not seen.known.any()
    assert 40 < calls <= 50
    assert seen.claimed == pytest.approx([direction_of(projector, 1) @ claim])


def test_function_that_is_undefined_around_the_point_is_not_known() -> None:
    """No bound is given."""
    seen, _, _ = look(lambda x: np.where((x == POINT).all(), 1.0, np.nan), SLOPES)
    assert not seen.known.any()
    assert np.isinf(seen.bound).all()


def test_each_output_must_stand() -> None:
    """One that agrees at once does not speak for the one beside it."""
    matrix = np.stack([SLOPES, 2 * SLOPES], axis=1)
    claim = matrix * [1.0, 1.01]
    seen, calls, _ = look(lambda x: x @ matrix, claim)
    assert seen.differs.tolist() == [False, True]
    assert calls == 4


@FEW
@given(st.floats(1e-6, 1.0), st.integers(0, 29), st.sampled_from([-1, 1]))
def test_error_that_is_clearly_above_the_noise_is_seen(
    size: float, coordinate: int, sign: int
) -> None:
    """Whatever its size and place."""
    claim = SLOPES.copy()
    claim[coordinate] += sign * size / POINT[coordinate]
    seen, _, projector = look(linear(SLOPES), claim)
    weight = projector.weights.weight(1, coordinate)
    error = sign * size / POINT[coordinate] * weight
    assert seen.differs.all()
    assert np.abs(seen.residual - error) <= 2 * seen.bound


def test_pair_along_another_direction_is_trusted_as_far_as_the_one_that_settled() -> None:
    """Twice the truncation that was seen there, beside its own noise."""
    settled = seen_as(3.0, 1.0, 5e-6, Status.SMOOTH)
    seen = as_close(settled, 2, PAIR)
    assert (seen.which, seen.step, seen.settled) == (2, 1e-3, True)
    assert seen.residual.tolist() == [3.0]
    assert seen.bound == pytest.approx([9e-6])
    assert seen.status.tolist() == [Status.SMOOTH]
    noisy = as_close(replace(settled, bound=np.array([1e-7])), 2, PAIR)
    assert noisy.bound == pytest.approx([1e-6])


def test_pair_shows_what_a_ladder_told_by_a_step_that_is_small_enough() -> None:
    """What is compared with it later is off by its truncation, not by none."""
    projector, counted = projector_of(
        lambda x: np.sin(30 * x).sum(), 31 * np.cos(30 * POINT), POINT, noise=1e-13
    )
    true = direction_of(projector, 1) @ (30 * np.cos(30 * POINT))
    everything, bound = whole(projector.weights.segments), np.array([1e-6])
    told = replace(seen_as(31 / 30 * true, true, 1e-6, Status.SMOOTH), settled=False)
    told = replace(told, claimed=np.array([told.claimed]), measured=np.array([true]), bound=bound)
    seen = as_pair(projector, told, everything, 0)
    assert (seen.settled, seen.which) == (True, 1)
    assert 2 < counted.calls <= 6
    assert seen.step < told.step
    assert np.abs(seen.measured - true) <= seen.bound <= 1e-5 * np.abs(true)
    counted.calls = 0
    assert as_pair(projector, seen, everything, 0) is seen
    assert counted.calls == 0


def test_difference_is_one_that_is_two_bounds_large() -> None:
    """In either direction."""
    assert seen_as(3.0, 1.0, 0.99, Status.SMOOTH).differs.all()
    assert seen_as(1.0, 3.0, 0.99, Status.SMOOTH).differs.all()
    assert not seen_as(3.0, 1.0, 1.01, Status.SMOOTH).differs.any()


def test_clearness_is_in_units_of_the_bound() -> None:
    """Without any bound everything is clear."""
    assert seen_as(1.0, 3.0, 0.5, Status.SMOOTH).clear(0) == 4.0
    assert seen_as(1.0, 3.0, 0.0, Status.SMOOTH).clear(0) == np.inf


@pytest.mark.parametrize("status", list(Status))
def test_only_a_plain_derivative_is_known(status: Status) -> None:
    """Measured from both sides, with a bound."""
    plain = status in {Status.SMOOTH, Status.BRIEF}
    assert seen_as(1.0, 1.0, 0.5, status).known.all() == plain
    assert not seen_as(1.0, 1.0, np.inf, status).known.any()
    assert not seen_as(1.0, np.nan, 0.5, status).known.any()


def test_pair_that_is_settled_is_given_back_as_it_is() -> None:
    """Without another evaluation."""
    projector, counted = projector_of(linear(SLOPES), SLOPES, POINT)
    everything = whole(projector.weights.segments)
    pair = projector.take(1, everything, 1e-2)
    counted.calls = 0
    seen = settle(projector, 1, everything, pair)
    assert counted.calls == 0
    assert (seen.step, seen.measured[0]) == (1e-2, pair.measured[0])


def test_pair_that_left_the_domain_is_outside() -> None:
    """Nothing is known then."""
    settled = seen_as(3.0, 1.0, 5e-6, Status.SMOOTH)
    seen = as_close(settled, 2, replace(PAIR, measured=np.array([np.nan])))
    assert seen.status.tolist() == [Status.OUTSIDE]
    assert not seen.known.any()
