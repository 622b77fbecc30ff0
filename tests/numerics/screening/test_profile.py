"""How large claims are, and how far segments are moved."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_gradcheck.binding.claimed import DenseClaim
from pytest_gradcheck.numerics.scale import Scales
from pytest_gradcheck.numerics.screening.profile import Profile
from tests.numerics.functions import Floats
from tests.numerics.screening.builders import FEW, Shapes, segments_of


def profile_of(claim: Floats, point: Floats, shapes: Shapes) -> Profile:
    """Look at claims."""
    segments = segments_of(shapes)
    scales = Scales.of(point, [(s.start, s.stop) for s in segments])
    rng = np.random.default_rng(0)
    return Profile.of(DenseClaim(claim.reshape(point.size, -1)), segments, scales, rng)


def test_claims_are_seen_in_units_of_outputs() -> None:
    """Times the scale of their coordinate."""
    claim = np.array([1.0, -2.0, 0.0, 4.0, 10.0])
    profile = profile_of(claim, np.array([1.0, 2.0, 3.0, -0.5, 100.0]), [(2, 2), (1,)])
    assert profile.typical.ravel().tolist() == [2.0, 1000.0]
    assert profile.norm.ravel() == pytest.approx([np.sqrt(1 + 16 + 4), 1000.0])
    assert profile.total.ravel() == pytest.approx([7.0, 1000.0])
    assert profile.largest.tolist() == [1000.0]
    assert profile_of(claim[:4], np.ones(4), [(2, 2)]).largest.tolist() == [4.0]


def test_output_that_nothing_moves_has_no_typical_claim() -> None:
    """It does not hide what is typical of the others."""
    claim = np.array([[3.0, 0.0], [3.0, 0.0]])
    profile = profile_of(claim, np.ones(2), [(2,)])
    assert profile.typical.tolist() == [[3.0, 0.0]]
    assert profile.largest.tolist() == [3.0, 0.0]


def test_large_segment_is_known_by_a_sample() -> None:
    """Norm and sum are those of all its coordinates, not of the sample."""
    claim = np.where(np.arange(5000) < 2500, 1.0, 0.0)
    profile = profile_of(claim, np.ones(5000), [(5000,)])
    assert profile.typical.tolist() == [[1.0]]
    assert profile.norm[0, 0] == pytest.approx(np.sqrt(2500), rel=0.1)
    assert profile.total[0, 0] == pytest.approx(2500, rel=0.1)


def test_bias_that_shows_little_is_moved_further() -> None:
    """Until its typical claim shows like that of the weights beside it."""
    claim = np.concatenate([np.full(400, 1.0), np.full(2, 0.1)])
    profile = profile_of(claim, np.ones(402), [(20, 20), (2,)])
    assert profile.lifts() == pytest.approx([1.0, 10.0])


def test_no_segment_is_moved_more_than_thirtyfold() -> None:
    """However little it shows."""
    claim = np.concatenate([np.full(400, 1.0), np.full(2, 1e-6)])
    assert profile_of(claim, np.ones(402), [(20, 20), (2,)]).lifts() == pytest.approx([1.0, 30.0])


def test_segment_that_claims_nothing_is_left_where_it_is() -> None:
    """There is nothing to be shown."""
    claim = np.concatenate([np.full(400, 1.0), np.zeros(2)])
    assert profile_of(claim, np.ones(402), [(20, 20), (2,)]).lifts().tolist() == [1.0, 1.0]
    assert profile_of(0 * claim, np.ones(402), [(20, 20), (2,)]).lifts().tolist() == [1.0, 1.0]


@FEW
@given(st.lists(st.tuples(st.integers(1, 30), st.floats(1e-9, 1e9)), min_size=1, max_size=5))
def test_moving_further_costs_little(parts: list[tuple[int, float]]) -> None:
    """A segment that is moved further changes outputs by a third of the whole at most."""
    claim = np.concatenate([np.full(size, value) for size, value in parts])
    profile = profile_of(claim, np.ones(claim.size), [(size,) for size, _ in parts])
    lifts, norm = profile.lifts(), profile.norm[:, 0]
    assert ((lifts >= 1) & (lifts <= 30)).all()
    moved = lifts > 1
    assert (lifts[moved] * norm[moved] <= np.linalg.norm(norm) / 3 * (1 + 1e-12)).all()


@pytest.mark.parametrize(("claimed", "lift"), [(1.0, 4.0), (2.0, 2.0), (1e-2, 30.0)])
def test_segments_promise_nearly_the_same_where_rounding_hides_errors(
    claimed: float, lift: float
) -> None:
    """That of a segment of 64 times as many coordinates is twice as large, whatever it claims."""
    claim = np.concatenate([np.full(640, 1.0), np.full(10, claimed)])
    profile = profile_of(claim, np.ones(650), [(640,), (10,)])
    lifts = profile.lifts_where_rounded(segments_of([(640,), (10,)]))
    assert lifts == pytest.approx([1.0, lift])


def test_segment_that_claims_nothing_is_moved_like_the_one_that_claims_most() -> None:
    """Or like all others, where none claims anything."""
    claim = np.concatenate([np.full(400, 1.0), np.zeros(400)])
    segments = segments_of([(20, 20), (400,)])
    profile = profile_of(claim, np.ones(800), [(20, 20), (400,)])
    assert profile.lifts_where_rounded(segments).tolist() == [1.0, 1.0]
    nothing = profile_of(0 * claim, np.ones(800), [(20, 20), (400,)])
    assert nothing.lifts_where_rounded(segments).tolist() == [1.0, 1.0]
