"""The full sweep, its selection of coordinates to extrapolate, and sweeps over some of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_gradcheck.numerics.coordinatewise.block_differences import UNCLEAR
from pytest_gradcheck.numerics.coordinatewise.coordinate_sweep import (
    SAMPLED,
    WORST,
    CoordinateSweep,
    ExtrapolationCandidates,
    sweep_coordinates,
)
from pytest_gradcheck.numerics.measurement import Measurement, Status
from tests.numerics.functions import Counted, Floats, function_at, jitter
from tests.numerics.screening.builders import Shapes, probe_of


def test_the_worst_come_first_and_a_sample_of_the_rest_after() -> None:
    """Of however many candidates sixty are selected, the worst of them always."""
    candidates = ExtrapolationCandidates(np.random.default_rng(0))
    excess = np.random.default_rng(1).permutation(1000).astype(float) + 1
    for start in range(0, 1000, 100):
        part = np.arange(start, start + 100)
        candidates.add(part, excess[part], part / 10)
    selected = candidates.selected()
    indices = [index for index, _ in selected]
    assert indices[:WORST] == np.argsort(-excess)[:WORST].tolist()
    assert len(set(indices)) == WORST + SAMPLED
    assert min(excess[indices]) < 500
    assert [scale for _, scale in selected] == [index / 10 for index in indices]


def test_few_candidates_are_all_selected() -> None:
    """Coordinates without an excess are not candidates."""
    candidates = ExtrapolationCandidates(np.random.default_rng(0))
    candidates.add(np.array([3, 5, 7]), np.array([0.0, 2.0, np.inf]), np.ones(3))
    assert candidates.selected() == [(7, 1.0), (5, 1.0)]


def test_sample_does_not_depend_on_the_excess() -> None:
    """Every candidate that is not among the worst has the same probability."""
    hits = np.zeros(200)
    for seed in range(300):
        candidates = ExtrapolationCandidates(np.random.default_rng(seed))
        for part in np.split(np.arange(200), 4):
            candidates.add(part, np.asarray(200.0 - part, dtype=np.float64), np.ones(50))
        hits[[index for index, _ in candidates.selected()]] += 1
    assert (hits[:WORST] == 300).all()
    assert (hits[WORST:] > 10).all()
    assert (hits[WORST:] < 80).all()


def test_merely_unclear_coordinates_are_sampled() -> None:
    """Extrapolating each of them would cost more than it could show."""
    candidates = ExtrapolationCandidates(np.random.default_rng(0))
    candidates.add(np.arange(100), np.where(np.arange(100) < 3, 5.0, UNCLEAR), np.ones(100))
    selected = [index for index, _ in candidates.selected()]
    assert selected[:3] == [0, 1, 2]
    assert len(selected) == 3 + SAMPLED


RNG = np.random.default_rng(1)
POINT = RNG.normal(size=200)


def sweep(
    function: Callable[[Floats], Any], claim: Any, point: Floats = POINT
) -> tuple[Measurement, int]:
    """Sweep over `function`; return the measurement and the calls without those for the noise."""
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


def test_single_wrong_entry_costs_one_extrapolation() -> None:
    """A second pair, forty evaluations, and tables that look for quantization noise."""
    claim = np.exp(POINT)
    claim[7] *= 1.001
    found, calls = sweep(lambda x: np.exp(x).sum(), claim)
    assert calls <= 2 * POINT.size + 2 + 40 + 3 * 12
    assert found.value[7, 0] == pytest.approx(np.exp(POINT[7]), rel=1e-9)
    assert found.bound[7, 0] < 1e-6 * found.value[7, 0]


def test_extrapolations_are_bounded_when_everything_is_wrong() -> None:
    """The worst forty and a sample of twenty are extrapolated; the others keep two pairs."""
    found, calls = sweep(lambda x: np.exp(x).sum(), 1.1 * np.exp(POINT))
    assert calls <= 4 * POINT.size + 60 * 40 + 20 + 2 * 2 * 12
    assert np.count_nonzero(found.status == Status.UNREFINED) >= POINT.size - 70
    assert (np.abs(found.value[:, 0] - np.exp(POINT)) <= found.bound[:, 0]).all()


def test_smooth_function_is_not_searched_for_discontinuities() -> None:
    """Fitting a polynomial to it costs a tenth of a search for tiny jumps."""
    _, calls = sweep(lambda x: np.exp(x).sum(), 1.01 * np.exp(POINT))
    assert calls <= 4 * POINT.size + 60 * 40 + 150


def test_kinks_are_found_with_and_without_extrapolation() -> None:
    """Every entry of an l1 norm at 0 is a kink with slopes -1 and 1."""
    found, _ = sweep(lambda x: np.abs(x).sum(), np.zeros(200), np.zeros(200))
    assert (found.status == Status.KINK).all()
    assert sorted(found.kinks) == [(k, 0) for k in range(200)]
    lows, highs = np.array(list(found.kinks.values())).T
    assert lows == pytest.approx(np.full(200, -1), abs=1e-6)
    assert highs == pytest.approx(np.ones(200), abs=1e-6)


def test_curvature_does_not_cost_an_extrapolation() -> None:
    """A second pair resolves an entry that is only strongly curved."""
    _, calls = sweep(lambda x: np.sin(300 * x).sum(), 300 * np.cos(300 * POINT))
    assert calls <= 4 * POINT.size


def nearly_stationary(factor: float) -> tuple[Measurement, int]:
    """Sweep over a sum of two hundred entries, one of which bends it more than it changes it."""
    point = np.where(np.arange(POINT.size) == 7, 0.01, POINT)
    claim = np.sinh(point)
    claim[7] *= factor
    found, calls = sweep(lambda x: 1e3 + np.cosh(x).sum(), claim, point)
    assert found.bound[7, 0] <= 2e-4 * np.sinh(0.01)
    assert abs(found.value[7, 0] - np.sinh(0.01)) <= found.bound[7, 0]
    return found, calls


def test_nearly_stationary_entry_costs_no_extrapolation() -> None:
    """A narrower pair shows the effect of curvature on a wide one."""
    _, calls = nearly_stationary(1.0)
    assert calls <= 2 * POINT.size + 6


def test_wrong_claim_of_a_nearly_stationary_entry_costs_one_extrapolation() -> None:
    """Pairs do not confirm a claim that is wrong by 0.1%; extrapolation with wide steps does."""
    found, calls = nearly_stationary(1.001)
    assert calls <= 2 * POINT.size + 8 + 40
    assert found.bound[7, 0] <= 1e-5 * np.sinh(0.01)


def test_entries_beside_an_offset_are_measured_with_a_larger_step() -> None:
    """The noise of a large constant hides the derivative at the balanced step only."""
    found, calls = sweep(lambda x: 1e6 + np.sin(x).sum(), np.cos(POINT))
    assert calls <= 6 * POINT.size
    assert np.median(found.bound) < 1e-4
    assert (np.abs(found.value[:, 0] - np.cos(POINT)) <= found.bound[:, 0]).all()


def test_entry_that_is_tiny_by_chance_is_measured_at_the_scale_of_its_array() -> None:
    """An entry of 1e-200 among ordinary ones does not change the function by its own steps."""
    point = np.array([1e-200, 0.5, -2.0])
    found, _ = sweep(lambda x: np.exp(x).sum(), np.exp(point), point)
    assert found.bound[0, 0] < 1e-6
    wrong, _ = sweep(lambda x: np.exp(x).sum(), np.exp(point) * [2, 1, 1], point)
    assert wrong.value[0, 0] == pytest.approx(1.0)
    assert wrong.bound[0, 0] < 1e-6


def test_entries_at_the_edge_of_the_domain_cost_one_evaluation_more() -> None:
    """Half of a hundred coordinates are at the edge of the domain."""
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


def test_many_zeros_are_verified_jointly() -> None:
    """A hundred coordinates without effect cost twelve more evaluations, not two each."""
    used = np.arange(200) % 2 == 0
    found, calls = sweep(lambda x: np.exp(x[used]).sum(), np.exp(POINT) * used)
    assert calls == 2 * 200 + 12
    assert (found.bound[~used, 0] * np.abs(POINT[~used]) < 1e-10).all()


def test_stationary_entries_are_verified_jointly() -> None:
    """At the optimum of a loss the one-sided slopes differ because of its curvature."""
    found, calls = sweep(lambda x: np.sum((x - POINT) ** 2) + 3, 0 * POINT)
    assert calls == 2 * 200 + 12
    assert (found.bound[:, 0] * np.abs(POINT) < 1e-10).all()


def test_one_missing_entry_among_many_zeros_is_found() -> None:
    """Bisection finds the one with an effect among those without."""
    used = np.arange(200) % 2 == 0
    claim = np.exp(POINT) * used
    function = lambda x: np.exp(x[used]).sum() + 1e-9 * x[17]  # noqa: E731  # two terms, one line
    found, calls = sweep(function, claim)
    assert found.value[17, 0] == pytest.approx(1e-9, rel=1e-2)
    assert calls < 2 * 200 + 200


def test_jacobian_is_measured_column_by_column() -> None:
    """One pair of evaluations serves all outputs."""
    matrix = RNG.normal(size=(5, 7))
    found, calls = sweep(lambda x: matrix @ x, matrix.T, RNG.normal(size=7))
    assert calls == 14
    assert found.value == pytest.approx(matrix.T, rel=1e-8)


@given(st.floats(1e-12, 1e-6), st.integers(0, 2**32))
def test_bound_holds_under_any_noise(size: float, seed: int) -> None:
    """Whatever the noise, the true derivative lies within twice the bound."""
    point = np.random.default_rng(seed).normal(size=3)
    found, _ = sweep(lambda x: np.sin(x).sum() + jitter(x.sum(), size), np.cos(point), point)
    assert (np.abs(found.value[:, 0] - np.cos(point)) <= 2 * found.bound[:, 0]).all()


def test_error_of_a_stopped_solver_is_compared_with_the_largest_derivative() -> None:
    """A derivative that nearly cancels has an error like the others, not in proportion."""
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


def test_noise_dominated_array_is_verified_by_regression() -> None:
    """Beside an offset of 1e12 no pair shows more than two digits of a slope."""
    point = np.array([0.3, -0.8, 1.1])
    found, _ = sweep(lambda x: 1e12 + np.sin(x).sum(), np.cos(point), point)
    clear = found.bound[:, 0] <= 3e-4 * np.cos(point)
    assert clear.any()
    assert (np.abs(found.value[:, 0] - np.cos(point)) <= found.bound[:, 0]).all()


def test_array_with_a_verified_entry_is_not_verified_by_regression() -> None:
    """Regression is for arrays without a verified entry: here one slope of two is."""
    point = np.array([0.3, -0.8])
    _, calls = sweep(lambda x: 1e12 + 1e9 * x[0] + np.sin(x[1]), [1e9, np.cos(0.8)], point)
    assert calls < 100


def test_wrong_claim_in_a_noise_dominated_array_is_not_verified() -> None:
    """One slope that is wrong by 2% leaves its whole array inconclusive."""
    point = np.array([0.3, -0.8, 1.1])
    claim = np.cos(point) * [1.0, 1.02, 1.0]
    found, _ = sweep(lambda x: 1e12 + np.sin(x).sum(), claim, point)
    assert (found.bound[:, 0] > 3e-4 * claim).all()


def test_slight_errors_of_all_claims_are_those_of_a_solver_if_there_are_jumps() -> None:
    """A common factor, an outlier and errors without any jump nearby are not."""
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
    """Sweep over some coordinates; the point is restored."""
    probe, counted = probe_of(function, claim, point, shapes)
    rng = np.random.default_rng(0)
    found = sweep_coordinates(probe.function, probe.claims, indices, agreement=1e-6, rng=rng)
    assert (probe.function.point == point).all()
    return found, counted


def test_some_coordinates_are_measured_in_their_order() -> None:
    """They cost two evaluations each, where claims are right, and the others none."""
    found, counted = sweep_part(lambda x: np.exp(x).sum(), TRUE)
    assert counted.calls == 8
    assert found.value[:, 0] == pytest.approx(TRUE[SOME], rel=1e-8)
    assert (np.abs(found.value[:, 0] - TRUE[SOME]) <= found.bound[:, 0]).all()


def test_claims_are_those_of_the_coordinates() -> None:
    """A wrong one is extrapolated; a wrong one of another coordinate costs nothing."""
    claim = TRUE.copy()
    claim[5] *= 1.1
    assert sweep_part(lambda x: np.exp(x).sum(), claim)[1].calls == 8
    claim[11] *= 1.1
    found, counted = sweep_part(lambda x: np.exp(x).sum(), claim)
    assert counted.calls > 40
    assert found.value[2, 0] == pytest.approx(TRUE[11], rel=1e-9)
    assert found.bound[2, 0] < 1e-8


def test_other_coordinates_are_fixed() -> None:
    """They have the values of the point in every evaluation."""
    seen = list[Floats]()

    def product(x: Floats) -> Any:
        seen.append(x.copy())
        return np.prod(x)

    found, _ = sweep_part(product, np.prod(WHOLE_POINT) / WHOLE_POINT)
    assert found.value[:, 0] == pytest.approx((np.prod(WHOLE_POINT) / WHOLE_POINT)[SOME], rel=1e-6)
    rest = np.setdiff1d(np.arange(20), SOME)
    assert all((x[rest] == WHOLE_POINT[rest]).all() for x in seen)
    assert sum((x[SOME] != WHOLE_POINT[SOME]).any() for x in seen) == 8


def test_zeros_have_the_scale_of_their_whole_segment() -> None:
    """The coordinates that are not measured count in its median."""
    point = np.array([3.0, 3.0, 0.0, 1e3, 1e3, 1e3, 0.0, 7.0])
    slopes = 1 / np.repeat([3.0, 1e3, 7.0], [3, 4, 1])
    shapes: Shapes = [(3,), (4,), (1,)]
    found, _ = sweep_part(lambda x: x @ slopes, slopes, point, shapes, np.array([2, 6, 7]))
    assert found.step[1:] / found.step[0] == pytest.approx([1e3 / 3, 7 / 3], rel=1e-6)


def test_exception_restores_the_point() -> None:
    """Whatever the function raises."""
    probe, counted = probe_of(lambda x: x.sum(), np.ones(20), WHOLE_POINT)

    def fails(x: Floats) -> Any:
        raise KeyError(float(x[0]))

    counted.function = fails
    with pytest.raises(KeyError):
        sweep_coordinates(
            probe.function,
            probe.claims,
            SOME,
            agreement=1e-6,
            rng=np.random.default_rng(0),
        )
    assert (probe.function.point == WHOLE_POINT).all()
