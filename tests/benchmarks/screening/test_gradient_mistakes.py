"""Every mistake changes what it says, of entries that can show it."""

import numpy as np
import pytest

from tests.benchmarks.screening.coordinate_masks import count_set, differences
from tests.benchmarks.screening.entry_sampling import draw_scattered, eligible
from tests.benchmarks.screening.gradient_mistakes import MISTAKES, NOTHING, Gradient

#: How many entries of `gradient()` are wrong after each, where that does not vary.
COUNTS = {
    NOTHING: 0,
    "one entry 1% off": 1,
    "one entry 0.1% off": 1,
    "one entry's sign": 1,
    "a row x 1.5": 9,
    "a column zero": 7,
    "everything x 2": 72,
    "an opposite pair": 2,
    "8 entries x 1.5": 8,
    "30 entries x 1.5": 30,
}


def gradient() -> Gradient:
    """Return a matrix and a vector, none of whose entries is small."""
    rng = np.random.default_rng(0)
    return {"W": rng.uniform(1, 2, size=(7, 9)), "b": rng.uniform(1, 2, size=9)}


def made(mistake: str, seed: int) -> tuple[Gradient, Gradient, int]:
    """Make a mistake; return what was right, what is claimed, and how many were meddled with."""
    right, claim = gradient(), gradient()
    place = MISTAKES[mistake](claim, np.random.default_rng(seed))
    wrong = differences(right, claim)
    assert all(np.array_equal(place[name], wrong[name]) for name in right)
    return right, claim, count_set(place)


@pytest.mark.parametrize("mistake", MISTAKES)
@pytest.mark.parametrize("seed", range(5))
def test_place_is_what_is_wrong(mistake: str, seed: int) -> None:
    """No more and no less."""
    _, _, count = made(mistake, seed)
    assert count == COUNTS.get(mistake, count)


def test_parameter_is_wrong_as_a_whole() -> None:
    """Either of the two, each in its turn."""
    counts = {made("a parameter x 2", seed)[2] for seed in range(20)}
    assert counts == {63, 9}


def test_opposite_pair_leaves_the_sum() -> None:
    """That is what hides it from a check along the ones."""
    right, claim, _ = made("an opposite pair", 0)
    for name, array in right.items():
        assert claim[name].sum() == pytest.approx(array.sum())


def test_zeros_of_a_row_are_meddled_with_and_right() -> None:
    """A unit that is dead has no gradient to multiply."""
    right = {"W": np.ones((3, 4))}
    right["W"][:, 1] = 0.0
    claim = {"W": right["W"].copy()}
    place = MISTAKES["a row x 1.5"](claim, np.random.default_rng(0))
    assert (count_set(place), count_set(differences(right, claim))) == (4, 3)


def test_small_entries_are_not_chosen() -> None:
    """Nor those that vanish."""
    assert eligible(np.array([[0.0, 10.0], [0.9, -10.0]])).tolist() == [1, 3]
    assert eligible(np.zeros(3)).size == 0


def test_scattered_entries_are_of_any_parameter() -> None:
    """Drawing all of them, each is drawn once, from where it is."""
    right = {"W": np.ones((2, 3)), "none": np.zeros(2), "b": np.array([1.0, 0.0, 1.0])}
    places = draw_scattered(right, np.random.default_rng(0), 8)
    assert len(set(places)) == 8
    assert all(right[name][index] == 1.0 for name, index in places)
