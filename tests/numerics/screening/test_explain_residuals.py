"""Explanation of the residuals along two directions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_gradcheck.numerics.screening.confirm_entries import SingleEntries
from pytest_gradcheck.numerics.screening.directional_derivative import directional_derivative
from pytest_gradcheck.numerics.screening.explain_residuals import (
    Explanation,
    Remainder,
    common_relative_error,
)
from pytest_gradcheck.numerics.screening.screen_result import Suspect
from pytest_gradcheck.numerics.screening.subarrays import whole_region
from tests.numerics.functions import Counted, Floats
from tests.numerics.screening.builders import (
    FEW_EXAMPLES,
    coordinates_of,
    derivative_with,
    probe_of,
)

CLAIMED = np.array([[1.0, 2.0, -0.7], [3.0, -1.0, 0.4]])
BOUNDS = np.full(2, 1e-9)


@FEW_EXAMPLES
@given(st.floats(0.01, 3).flatmap(lambda x: st.sampled_from([x, -x])))
def test_common_relative_error_of_everything_is_found(relative_error: float) -> None:
    """It is that of all segments, with its bound."""
    found = common_relative_error(relative_error * CLAIMED.sum(axis=1), BOUNDS, CLAIMED)
    assert found is not None
    assert found.segments == (0, 1, 2)
    assert found.relative_error == pytest.approx(relative_error)
    assert found.bound == pytest.approx(1e-9 / 2.3)


@pytest.mark.parametrize("segment", [0, 1, 2])
def test_common_relative_error_of_one_segment_is_found(segment: int) -> None:
    """The other segments are right."""
    found = common_relative_error(-0.5 * CLAIMED[:, segment], BOUNDS, CLAIMED)
    assert found is not None
    assert found.segments == (segment,)
    assert found.relative_error == pytest.approx(-0.5)


def test_relative_error_must_explain_both_directions() -> None:
    """One residual alone is a multiple of any claim."""
    assert common_relative_error(np.array([0.5, 0.9]), BOUNDS, CLAIMED) is None


def test_relative_error_must_explain_within_the_bounds() -> None:
    """The bounds of both directions count."""
    residuals = 0.5 * CLAIMED[:, 0]
    near, far = (residuals + np.array([1e-6, error]) for error in (5e-6, 7e-6))
    bounds = np.array([1e-6, 0.0])
    assert common_relative_error(near, bounds, CLAIMED) is not None
    assert common_relative_error(far, bounds, CLAIMED) is None


def test_relative_error_that_may_be_chance_is_none() -> None:
    """A prediction that is uncertain by a tenth of itself is often met by chance."""
    residuals = 0.5 * CLAIMED[:, 0]
    assert common_relative_error(residuals, np.array([0.0, 0.1 * residuals[1]]), CLAIMED) is None
    assert (
        common_relative_error(residuals, np.array([0.0, 0.02 * residuals[1]]), CLAIMED) is not None
    )


def test_segments_without_finite_claims_are_skipped() -> None:
    """Zero and infinite claims have no relative error."""
    claimed = np.array([[0.0, np.inf, 2.0], [1.0, 1.0, -1.0]])
    found = common_relative_error(0.5 * claimed[:, 2], BOUNDS, claimed)
    assert found is not None
    assert found.segments == (2,)


SHAPES = [(8, 25), (3, 40), (7,)]
SIZE = 327
POINT = np.random.default_rng(1).normal(size=SIZE)
SLOPES = np.random.default_rng(2).uniform(1, 2, size=SIZE)


def explain(
    errors: Mapping[int, float] | Floats, *, budget: int = 1000, **options: Any
) -> tuple[bool, Explanation, Counted]:
    """Explain errors in claims about a linear function of two outputs, the second right."""
    claim: Floats = SLOPES.copy()
    if isinstance(errors, np.ndarray):
        claim += errors
    else:
        for coordinate, error in errors.items():
            claim[coordinate] += error
    both = np.stack([claim, 3 * SLOPES], axis=1)
    probe, counted = probe_of(
        lambda x: np.array([1.0, 3.0]) * (x @ SLOPES), both, POINT, SHAPES, noise=1e-12, **options
    )
    everything = whole_region(probe.directions.segments)
    derivatives = [directional_derivative(probe, which, everything, 1e-2) for which in (1, 2)]
    rng = np.random.default_rng(0)
    entries = SingleEntries(probe, 1e-6, rng)
    counted.calls = 0
    explanation = Explanation(probe, entries, 0, 4, lambda: counted.calls < budget, rng)
    explained = explanation.run(*derivatives)
    assert (probe.function.point == POINT).all()
    return explained, explanation, counted


def errors_of_coordinates(explanation: Explanation) -> dict[int, float]:
    """Return the errors of single coordinates that were found."""
    entries = explanation.entries
    return {
        k: float(entries.claim(k)[0] - found.value[0, 0])
        for finding in explanation.findings
        if finding.box.size == 1
        for k, found in finding.measured
    }


@FEW_EXAMPLES
@given(st.integers(0, SIZE - 1), st.floats(0.01, 100), st.sampled_from([-1, 1]))
def test_one_error_explains_both_directions(coordinate: int, size: float, sign: int) -> None:
    """It is decoded from one, confirmed by the other and measured: twelve evaluations."""
    explained, explanation, counted = explain({coordinate: sign * size})
    assert explained
    assert errors_of_coordinates(explanation) == {coordinate: pytest.approx(sign * size, rel=1e-3)}
    (finding,) = explanation.findings
    assert (finding.output, finding.wrong, finding.relative_error) == (0, 1, None)
    assert counted.calls <= 12


def test_several_errors_are_each_measured() -> None:
    """They may be anywhere."""
    errors = {3: 0.5, 57: -0.3, 250: 0.7, 325: 0.2}
    explained, explanation, _ = explain(errors)
    assert explained
    assert errors_of_coordinates(explanation) == {
        k: pytest.approx(e, rel=1e-3) for k, e in errors.items()
    }


def test_slight_errors_are_found_beside_large_ones() -> None:
    """The residuals that remain without the large ones are searched again."""
    errors = {3: 1e-3, 250: 10.0, 325: 1e-2}
    explained, explanation, _ = explain(errors)
    assert explained
    assert errors_of_coordinates(explanation) == {
        k: pytest.approx(e, rel=1e-2) for k, e in errors.items()
    }


def test_suspects_after_the_largest_four_are_trusted() -> None:
    """The other direction must confirm all. Derivatives of other outputs are not known then."""
    chosen = np.random.default_rng(3).choice(SIZE, 8, replace=False).tolist()
    sizes = [10.0] * 2 + [0.5] * 4 + [8.0] * 2
    errors = {k: size / abs(POINT[k]) for k, size in zip(chosen, sizes, strict=True)}
    explained, explanation, _ = explain(errors)
    assert explained
    assert errors_of_coordinates(explanation) == {
        k: pytest.approx(e, rel=1e-3) for k, e in errors.items()
    }
    bounds = {f.box.start: f.measured[0][1].bound[0] for f in explanation.findings}
    assert all(np.isfinite(bound[0]) for bound in bounds.values())
    trusted = [k for k, bound in bounds.items() if not np.isfinite(bound[1])]
    assert sorted(trusted) == sorted(chosen[2:6])


def test_no_suspect_is_trusted_beside_a_right_one() -> None:
    """The other direction seemed to confirm all."""
    _, explanation, _ = explain({})
    segment = explanation.probe.directions.segments[0]
    suspects = [Suspect(segment.element(k), 1.0, 1e-9, 1e-2) for k in range(6)]
    other = derivative_with(0.0, 1e-9, outputs=2)
    assert explanation._confirm_suspects(suspects, other, Remainder(0.0, 1e-9, 0.0)) == (
        False,
        None,
    )
    assert explanation.findings == []
    assert explanation.cleared == [suspect.box for suspect in suspects]


@pytest.mark.parametrize("missing", [False, True])
def test_suspects_are_trusted_where_a_third_direction_without_them_agrees(
    missing: bool,
) -> None:
    """A right coordinate instead of a wrong one may explain the other direction by chance."""
    errors = dict.fromkeys([3, 40, 90, 150, 210, 300], 5.0)
    _, explanation, counted = explain(errors)
    directions = explanation.probe.directions
    explanation.probe = replace(explanation.probe, directions=replace(directions, excluded=()))
    explanation.findings.clear()
    named = [3, 40, 90, 150, 210, 299 if missing else 300]
    segments = {k: next(s for s in directions.segments if s.contains(k)) for k in named}
    suspects = [Suspect(segments[k].element(k), 5.0 - k / 1000, 1e-9, 1e-2) for k in named]
    counted.calls = 0
    other, remainder = derivative_with(0.0, 1e-9, outputs=2), Remainder(0.0, 1e-9, 0.0)
    all_confirmed, clean = explanation._confirm_suspects(suspects, other, remainder)
    assert (all_confirmed, clean is None) == (not missing, missing)
    assert [f.box.start for f in explanation.findings] == [k for k in named if k in errors]
    assert counted.calls == 4 * 2 + 2 or missing


def test_remainder_confirms_suspects_with_a_visible_effect() -> None:
    """It must be explained, and its uncertainty at most half of the effect."""
    assert Remainder(3.0, 1.0, 1.0).is_explained
    assert not Remainder(-3.1, 1.0, 1.0).is_explained
    assert Remainder(0.0, 1.0, 1.0).confirms(-4.0)
    assert not Remainder(0.0, 1.0, 1.0).confirms(3.9)
    assert not Remainder(3.1, 1.0, 1.0).confirms(100.0)


def test_remainder_has_the_bounds_of_the_suspects() -> None:
    """Where the direction itself is not known, neither is the remainder."""
    _, explanation, _ = explain({})
    segment = explanation.probe.directions.segments[0]
    suspects = [Suspect(segment.element(k), 0.5, 1e-3, 1e-2) for k in (3, 40)]
    weights = [explanation.probe.directions.weight(2, k) for k in (3, 40)]
    other = replace(derivative_with(1.0, 1e-9, outputs=2), which=2)
    remainder = explanation._remainder(other, suspects)
    assert remainder.residual == pytest.approx(1.0 - 0.5 * sum(weights))
    assert remainder.suspects_bound == pytest.approx(1e-3 * sum(map(abs, weights)))
    assert remainder.bound == 1e-9
    unknown = replace(other, measured=np.full(2, np.nan))
    assert explanation._remainder(unknown, suspects).bound == np.inf


@pytest.mark.parametrize(
    "errors",
    [
        {3: 0.5},
        dict.fromkeys([3, 40, 90, 150, 210, 300], 0.5),
        {3: 1e-3, 250: 10.0, 325: 1e-2},
        0.5 * SLOPES,
    ],
    ids=["one", "several", "slight and large", "common relative error"],
)
def test_undetected_change_is_little_more_than_noise(errors: Any) -> None:
    """It is two bounds of a direction at least, and a millionth of the errors at most."""
    explained, explanation, _ = explain(errors)
    everything = whole_region(explanation.probe.directions.segments)
    bound = float(directional_derivative(explanation.probe, 7, everything, 1e-2).bound[0])
    assert explained
    assert 1.9 * bound <= explanation.undetected <= 1e-6


def test_factor_of_everything_is_a_common_relative_error() -> None:
    """One coordinate of each segment is measured, and nothing is searched."""
    explained, explanation, counted = explain(0.5 * SLOPES)
    assert explained
    assert [f.box.is_whole for f in explanation.findings] == [True] * 3
    assert [f.relative_error for f in explanation.findings] == [pytest.approx(1 / 3)] * 3
    assert [(f.wrong, len(f.measured)) for f in explanation.findings] == [(1, 1)] * 3
    assert all(0 < f.relative_error_bound < 1e-6 for f in explanation.findings)
    assert counted.calls == 6


def test_flipped_sign_of_a_segment_is_a_common_relative_error() -> None:
    """The relative error is 2."""
    inside = (np.arange(SIZE) >= 200) & (np.arange(SIZE) < 320)
    explained, explanation, counted = explain(-2 * SLOPES * inside)
    assert explained
    (finding,) = explanation.findings
    assert (finding.box.start, finding.box.is_whole) == (200, True)
    assert finding.relative_error == pytest.approx(2.0)
    assert counted.calls == 2


def test_relative_error_within_the_agreement_is_no_finding() -> None:
    """It explains the residuals nevertheless."""
    explained, explanation, counted = explain(5e-7 * SLOPES)
    assert explained
    assert explanation.findings == []
    assert counted.calls == 0


def test_wrong_row_is_excluded_from_the_next_search() -> None:
    """An error elsewhere is found then."""
    errors = {k: 0.1 + k % 7 for k in range(200, 240)} | {57: 0.4}
    explained, explanation, _ = explain(errors)
    assert explained
    assert errors_of_coordinates(explanation) == {57: pytest.approx(0.4, rel=1e-3)}
    (row,) = (f for f in explanation.findings if f.box.size > 1)
    assert row.box.ranges == ((0, 1), (0, 40))


def test_errors_everywhere_are_found_by_segment() -> None:
    """Findings do not move any more, and nothing else is wrong."""
    errors = np.random.default_rng(4).uniform(0.5, 2, SIZE)
    explained, explanation, _ = explain(errors)
    assert explained
    found_wrong = [k for f in explanation.findings for k in coordinates_of(f.box)]
    assert set(found_wrong) == set(range(SIZE))
    assert sum(f.box.is_whole for f in explanation.findings) == 3


def test_search_without_budget_explains_nothing_more() -> None:
    """The explanation says so."""
    explained, _, counted = explain({3: 0.5, 57: -0.3, 90: 0.7, 180: 0.2}, budget=4)
    assert not explained
    assert counted.calls <= 40


def test_only_wrong_coordinates_are_findings() -> None:
    """Every finding was measured or confirmed."""
    for seed in range(10):
        rng = np.random.default_rng(seed)
        errors = {int(k): float(rng.normal()) for k in rng.choice(SIZE, 6, replace=False)}
        _, explanation, _ = explain(errors)
        assert set(errors_of_coordinates(explanation)) == set(errors)
