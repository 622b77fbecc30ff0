"""The sweep: every coordinate, as cheaply as agreement allows."""

# MERGED Which coordinates get a ladder.
# MERGED Sweeps over some coordinates.

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_gradcheck.numerics.coordinate_block import UNCLEAR
from pytest_gradcheck.numerics.coordinate_sweep import (
    SAMPLED,
    WORST,
    CoordinateSweep,
    ExtrapolationCandidates,
    sweep_coordinates,
)
from pytest_gradcheck.numerics.measurement import Measurement, Status
from tests.numerics.functions import Counted, Floats, function_at, jitter
from tests.numerics.screening.builders import Shapes, projector_of


def test_the_worst_come_first_and_a_sample_of_the_rest_after() -> None:
    """However many doubts there are, sixty are chosen, the worst of them for certain."""
    doubts = ExtrapolationCandidates(np.random.default_rng(0))
    excess = np.random.default_rng(1).permutation(1000).astype(float) + 1
    for start in range(0, 1000, 100):
        part = np.arange(start, start + 100)
        doubts.add(part, excess[part], part / 10)
    chosen = doubts.chosen()
    indices = [index for index, _ in chosen]
    assert indices[:WORST] == np.argsort(-excess)[:WORST].tolist()
    assert len(set(indices)) == WORST + SAMPLED
    assert min(excess[indices]) < 500
    assert [scale for _, scale in chosen] == [index / 10 for index in indices]


def test_few_doubts_are_all_chosen() -> None:
    """Coordinates without any doubt are not."""
    doubts = ExtrapolationCandidates(np.random.default_rng(0))
    doubts.add(np.array([3, 5, 7]), np.array([0.0, 2.0, np.inf]), np.ones(3))
    assert doubts.chosen() == [(7, 1.0), (5, 1.0)]


def test_sample_does_not_depend_on_the_order_of_excess() -> None:
    """Every doubt that is not among the worst has the same chance."""
    hits = np.zeros(200)
    for seed in range(300):
        doubts = ExtrapolationCandidates(np.random.default_rng(seed))
        for part in np.split(np.arange(200), 4):
            doubts.add(part, np.asarray(200.0 - part, dtype=np.float64), np.ones(50))
        hits[[index for index, _ in doubts.chosen()]] += 1
    assert (hits[:WORST] == 300).all()
    assert (hits[WORST:] > 10).all()
    assert (hits[WORST:] < 80).all()


def test_merely_unclear_coordinates_are_sampled() -> None:
    """A ladder for each would cost more than it could tell."""
    doubts = ExtrapolationCandidates(np.random.default_rng(0))
    doubts.add(np.arange(100), np.where(np.arange(100) < 3, 5.0, UNCLEAR), np.ones(100))
    chosen = [index for index, _ in doubts.chosen()]
    assert chosen[:3] == [0, 1, 2]
    assert len(chosen) == 3 + SAMPLED


RNG = np.random.default_rng(1)
POINT = RNG.normal(size=200)


def sweep(
    function: Callable[[Floats], Any], claim: Any, point: Floats = POINT
) -> tuple[Measurement, int]:
    """Sweep `function` with its noise known beforehand; return what was found and the calls."""
    counted, point = Counted(function), point.copy()
    at_point = function_at(counted, point)
    claims = np.asarray(claim, dtype=float).reshape(point.size, at_point.base.size)
    counted.calls = 0
    before = point.copy()
    rng = np.random.default_rng(0)
    found = CoordinateSweep(at_point, lambda start, stop: claims[start:stop], 1e-6, rng).measure()
    assert (point == before).all()
    return found, counted.calls


def test_correct_smooth_gradient_costs_two_evaluations_an_entry() -> None:
    """Agreement is its own evidence: nothing more is spent on it."""
    found, calls = sweep(lambda x: np.exp(x).sum(), np.exp(POINT))
    assert calls == 2 * POINT.size
    assert (np.abs(found.value[:, 0] - np.exp(POINT)) <= found.bound[:, 0]).all()


def test_single_wrong_entry_costs_one_ladder() -> None:
    """Two evaluations more for a narrower pair, the ladder of forty, and tables of wide stairs."""
    claim = np.exp(POINT)
    claim[7] *= 1.001
    found, calls = sweep(lambda x: np.exp(x).sum(), claim)
    assert calls <= 2 * POINT.size + 2 + 40 + 3 * 12
    assert found.value[7, 0] == pytest.approx(np.exp(POINT[7]), rel=1e-9)
    assert found.bound[7, 0] < 1e-6 * found.value[7, 0]


def test_ladders_are_bounded_when_everything_is_wrong() -> None:
    """The worst forty and a sample of twenty get a ladder; the others keep two pairs."""
    found, calls = sweep(lambda x: np.exp(x).sum(), 1.1 * np.exp(POINT))
    assert calls <= 4 * POINT.size + 60 * 40 + 20 + 2 * 2 * 12
    assert np.count_nonzero(found.status == Status.UNREFINED) >= POINT.size - 70
    assert (np.abs(found.value[:, 0] - np.exp(POINT)) <= found.bound[:, 0]).all()


def test_smooth_function_is_not_searched_for_breaks() -> None:
    """That a polynomial follows it costs a tenth of looking for tiny jumps."""
    _, calls = sweep(lambda x: np.exp(x).sum(), 1.01 * np.exp(POINT))
    assert calls <= 4 * POINT.size + 60 * 40 + 150


def test_kinks_are_seen_whether_or_not_a_ladder_is_spent() -> None:
    """Every entry of an l1 norm at 0 is a kink with slopes -1 and 1."""
    found, _ = sweep(lambda x: np.abs(x).sum(), np.zeros(200), np.zeros(200))
    assert (found.status == Status.KINK).all()
    assert sorted(found.kinks) == [(k, 0) for k in range(200)]
    lows, highs = np.array(list(found.kinks.values())).T
    assert lows == pytest.approx(np.full(200, -1), abs=1e-6)
    assert highs == pytest.approx(np.ones(200), abs=1e-6)


def test_curvature_does_not_cost_a_ladder() -> None:
    """A second pair and one extrapolation settle an entry that is only strongly curved."""
    _, calls = sweep(lambda x: np.sin(300 * x).sum(), 300 * np.cos(300 * POINT))
    assert calls <= 4 * POINT.size


def nearly_stationary(factor: float) -> tuple[Measurement, int]:
    """Sweep a sum of two hundred entries, one of which bends it by more than it moves it."""
    point = np.where(np.arange(POINT.size) == 7, 0.01, POINT)
    claim = np.sinh(point)
    claim[7] *= factor
    found, calls = sweep(lambda x: 1e3 + np.cosh(x).sum(), claim, point)
    assert found.bound[7, 0] <= 2e-4 * np.sinh(0.01)
    assert abs(found.value[7, 0] - np.sinh(0.01)) <= found.bound[7, 0]
    return found, calls


def test_nearly_stationary_entry_costs_no_ladder() -> None:
    """A narrower pair says what curvature does to a wide one."""
    _, calls = nearly_stationary(1.0)
    assert calls <= 2 * POINT.size + 6


def test_nearly_stationary_entry_that_is_off_costs_one_ladder() -> None:
    """No pairs bear out what is off by a thousandth; a ladder of wide steps is clear enough."""
    found, calls = nearly_stationary(1.001)
    assert calls <= 2 * POINT.size + 8 + 40
    assert found.bound[7, 0] <= 1e-5 * np.sinh(0.01)


def test_entries_under_an_offset_are_looked_at_with_a_larger_step() -> None:
    """Noise of a large constant hides the derivative at the balanced step only."""
    found, calls = sweep(lambda x: 1e6 + np.sin(x).sum(), np.cos(POINT))
    assert calls <= 6 * POINT.size
    assert np.median(found.bound) < 1e-4
    assert (np.abs(found.value[:, 0] - np.cos(POINT)) <= found.bound[:, 0]).all()


def test_entry_that_is_tiny_for_no_reason_is_measured_at_the_scale_of_its_array() -> None:
    """An entry of 1e-200 among ordinary ones does not move the function by its own steps."""
    point = np.array([1e-200, 0.5, -2.0])
    found, _ = sweep(lambda x: np.exp(x).sum(), np.exp(point), point)
    assert found.bound[0, 0] < 1e-6
    wrong, _ = sweep(lambda x: np.exp(x).sum(), np.exp(point) * [2, 1, 1], point)
    assert wrong.value[0, 0] == pytest.approx(1.0)
    assert wrong.bound[0, 0] < 1e-6


def test_entries_at_the_edge_of_the_domain_cost_one_evaluation_more() -> None:
    """Half of a hundred coordinates are at a bound that forward must not cross."""
    point = np.where(np.arange(100) < 50, 0.0, np.abs(POINT[:100]))

    def saturation(x: Floats) -> Any:
        return np.sum(x / (1 + x)) if (x >= 0).all() else np.nan

    true = 1 / (1 + point) ** 2
    found, calls = sweep(saturation, true, point)
    assert calls == 3 * 50 + 2 * 50
    assert (found.status[:50] == Status.EDGE).all()
    assert (np.abs(found.value[:, 0] - true) <= found.bound[:, 0]).all()
    assert (found.bound[:, 0] < 1e-6).all()
    wrong, _ = sweep(saturation, true * np.where(np.arange(100) == 7, 1.001, 1), point)
    assert wrong.value[7, 0] == pytest.approx(1.0, abs=1e-6)
    assert wrong.bound[7, 0] < 1e-6


def test_many_zeros_are_verified_together() -> None:
    """A hundred dead coordinates cost twelve evaluations more, not two each."""
    used = np.arange(200) % 2 == 0
    found, calls = sweep(lambda x: np.exp(x[used]).sum(), np.exp(POINT) * used)
    assert calls == 2 * 200 + 12
    assert (found.bound[~used, 0] * np.abs(POINT[~used]) < 1e-10).all()


def test_stationary_entries_are_verified_together() -> None:
    """At the optimum of a loss slopes to both sides differ, as its curvature has it."""
    found, calls = sweep(lambda x: np.sum((x - POINT) ** 2) + 3, 0 * POINT)
    assert calls == 2 * 200 + 12
    assert (found.bound[:, 0] * np.abs(POINT) < 1e-10).all()


def test_one_missing_entry_among_many_zeros_is_found() -> None:
    """Halving tells the one that moves from those that do not."""
    used = np.arange(200) % 2 == 0
    claim = np.exp(POINT) * used
    function = lambda x: np.exp(x[used]).sum() + 1e-9 * x[17]  # noqa: E731  # two terms, one line
    found, calls = sweep(function, claim)
    assert found.value[17, 0] == pytest.approx(1e-9, rel=1e-2)
    assert calls < 2 * 200 + 200


def test_jacobian_is_swept_column_by_column() -> None:
    """One pair of evaluations serves all outputs."""
    matrix = RNG.normal(size=(5, 7))
    found, calls = sweep(lambda x: matrix @ x, matrix.T, RNG.normal(size=7))
    assert calls == 14
    assert found.value == pytest.approx(matrix.T, rel=1e-8)


@given(st.floats(1e-12, 1e-6), st.integers(0, 2**32))
def test_bound_holds_under_any_noise(size: float, seed: int) -> None:
    """Whatever the noise, the truth lies within twice the bound."""
    point = np.random.default_rng(seed).normal(size=3)
    found, _ = sweep(lambda x: np.sin(x).sum() + jitter(x.sum(), size), np.cos(point), point)
    assert (np.abs(found.value[:, 0] - np.cos(point)) <= 2 * found.bound[:, 0]).all()


def test_what_a_stopped_solver_leaves_is_small_beside_the_largest_derivative() -> None:
    """A derivative that nearly cancels is as far off as the others, not in proportion."""
    stiffness = np.array([1.0, 0.2])
    weights = np.array([[1.0, 0.7, 0.5, 0.9999], [0.4, -0.6, 0.3, -0.2]])

    def forward(x: Floats) -> Any:
        solution, target = np.zeros(2), weights @ x
        while np.linalg.norm(residual := stiffness * solution - target) >= 1e-8:
            solution = solution - residual
        return solution.sum()

    exact = (weights / stiffness[:, None]).sum(axis=0)
    assert abs(exact[3]) < 1e-3 * abs(exact).max()
    found, _ = sweep(forward, exact, np.array([0.8, 1.1, -0.6, 0.7]))
    error = np.abs(found.value[:, 0] - exact)
    assert error[3] > 1e-6 * abs(exact[3])
    assert found.status[3, 0] == Status.BRANCH
    assert error[3] <= found.bound[3, 0]


def test_an_array_that_drowns_in_noise_is_verified_by_regression() -> None:
    """Beside an offset of 1e12 no pair shows more than two digits of a slope."""
    point = np.array([0.3, -0.8, 1.1])
    found, _ = sweep(lambda x: 1e12 + np.sin(x).sum(), np.cos(point), point)
    clear = found.bound[:, 0] <= 3e-4 * np.cos(point)
    assert clear.any()
    assert (np.abs(found.value[:, 0] - np.cos(point)) <= found.bound[:, 0]).all()


def test_an_array_of_which_something_is_verified_is_left_at_that() -> None:
    """Regression is for checks that would fail: here one slope of two is plain."""
    point = np.array([0.3, -0.8])
    _, calls = sweep(lambda x: 1e12 + 1e9 * x[0] + np.sin(x[1]), [1e9, np.cos(0.8)], point)
    assert calls < 100


def test_a_wrong_claim_that_drowns_in_noise_is_not_verified_by_regression() -> None:
    """A slope that is off by 2% leaves all of its array inconclusive."""
    point = np.array([0.3, -0.8, 1.1])
    claim = np.cos(point) * [1.0, 1.02, 1.0]
    found, _ = sweep(lambda x: 1e12 + np.sin(x).sum(), claim, point)
    assert (found.bound[:, 0] > 3e-4 * claim).all()


def test_slight_errors_everywhere_are_a_solvers_where_the_function_breaks() -> None:
    """Not a factor, nor one that is far further off than the others, nor without breaks."""
    point = np.array([0.8, 1.1, -0.6, 0.7])
    share = np.array([1.004, 0.997, 1.006, 0.99])

    def forward(x: Floats) -> Any:
        return np.exp(x).sum() + 1e-5 * ((7 * x.sum() + 0.3) % 1.0) ** 2

    def statuses(function: Any, factors: Floats) -> list[int]:
        return [
            int(one) for one in sweep(function, factors * np.exp(point), point)[0].status[:, 0]
        ]

    assert statuses(forward, share) == [Status.BRANCH] * 4
    assert statuses(lambda x: np.exp(x).sum(), share) == [Status.SMOOTH] * 4
    assert statuses(forward, np.full(4, 1.01)) == [Status.SMOOTH] * 4
    outlier = 1 + np.array([1e-5, 3e-5, -2e-5, 0.05])
    assert statuses(forward, outlier)[3] == Status.SMOOTH


WHOLE_POINT = np.random.default_rng(1).normal(size=20)
TRUE = np.exp(WHOLE_POINT)
SOME = np.array([2, 3, 11, 17])


def sweep_part(
    function: Callable[[Floats], Any],
    claim: Any,
    point: Floats = WHOLE_POINT,
    shapes: Shapes | None = None,
    indices: Any = SOME,
) -> tuple[Measurement, Counted]:
    """Sweep over some coordinates; the point is left as it is."""
    projector, counted = projector_of(function, claim, point, shapes)
    rng = np.random.default_rng(0)
    found = sweep_coordinates(
        projector.function, projector.claims, indices, agreement=1e-6, rng=rng
    )
    assert (projector.function.point == point).all()
    return found, counted


def test_some_coordinates_are_measured_in_their_order() -> None:
    """Two evaluations each, where claims are right, and none of the others."""
    found, counted = sweep_part(lambda x: np.exp(x).sum(), TRUE)
    assert counted.calls == 8
    assert found.value[:, 0] == pytest.approx(TRUE[SOME], rel=1e-8)
    assert (np.abs(found.value[:, 0] - TRUE[SOME]) <= found.bound[:, 0]).all()


def test_claims_are_those_of_the_coordinates() -> None:
    """One that is wrong gets its ladder; one that is not asked about does not."""
    claim = TRUE.copy()
    claim[5] *= 1.1
    assert sweep_part(lambda x: np.exp(x).sum(), claim)[1].calls == 8
    claim[11] *= 1.1
    found, counted = sweep_part(lambda x: np.exp(x).sum(), claim)
    assert counted.calls > 40
    assert found.value[2, 0] == pytest.approx(TRUE[11], rel=1e-9)
    assert found.bound[2, 0] < 1e-8


def test_others_stay_where_they_are() -> None:
    """Their values are those of the point in every evaluation."""
    seen = list[Floats]()

    def product(x: Floats) -> Any:
        seen.append(x.copy())
        return np.prod(x)

    found, _ = sweep_part(product, np.prod(WHOLE_POINT) / WHOLE_POINT)
    assert found.value[:, 0] == pytest.approx((np.prod(WHOLE_POINT) / WHOLE_POINT)[SOME], rel=1e-6)
    rest = np.setdiff1d(np.arange(20), SOME)
    assert all((x[rest] == WHOLE_POINT[rest]).all() for x in seen)
    assert sum((x[SOME] != WHOLE_POINT[SOME]).any() for x in seen) == 8


def test_zeros_are_moved_by_the_scale_of_all_of_their_segment() -> None:
    """Not by that of the coordinates that are measured with them."""
    point = np.array([3.0, 3.0, 0.0, 1e3, 1e3, 1e3, 0.0, 7.0])
    slopes = 1 / np.repeat([3.0, 1e3, 7.0], [3, 4, 1])
    shapes: Shapes = [(3,), (4,), (1,)]
    found, _ = sweep_part(lambda x: x @ slopes, slopes, point, shapes, np.array([2, 6, 7]))
    assert found.step[1:] / found.step[0] == pytest.approx([1e3 / 3, 7 / 3], rel=1e-6)


def test_exception_leaves_the_point_as_it_was() -> None:
    """Whatever the function raises."""
    projector, counted = projector_of(lambda x: x.sum(), np.ones(20), WHOLE_POINT)

    def fails(x: Floats) -> Any:
        raise KeyError(float(x[0]))

    counted.function = fails
    with pytest.raises(KeyError):
        sweep_coordinates(
            projector.function,
            projector.claims,
            SOME,
            agreement=1e-6,
            rng=np.random.default_rng(0),
        )
    assert (projector.function.point == WHOLE_POINT).all()
