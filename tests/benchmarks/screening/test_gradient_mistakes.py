"""Mistakes change the entries that they return, and only entries whose errors are visible."""

import numpy as np
import pytest

from tests.benchmarks.screening.coordinate_masks import count_set, differences
from tests.benchmarks.screening.entry_sampling import draw_scattered, eligible
from tests.benchmarks.screening.gradient_mistakes import MISTAKES, NOTHING, Gradient

#: The number of entries of `gradient` that each mistake makes wrong, where it is fixed.
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
    """Return a gradient of a matrix and a vector without small entries."""
    rng = np.random.default_rng(0)
    return {"W": rng.uniform(1, 2, size=(7, 9)), "b": rng.uniform(1, 2, size=9)}


def made(mistake: str, seed: int) -> tuple[Gradient, Gradient, int]:
    """Return the right gradient, the one with a mistake, and the number of touched entries."""
    right, claim = gradient(), gradient()
    touched = MISTAKES[mistake](claim, np.random.default_rng(seed))
    wrong = differences(right, claim)
    assert all(np.array_equal(touched[name], wrong[name]) for name in right)
    return right, claim, count_set(touched)


@pytest.mark.parametrize("mistake", MISTAKES)
@pytest.mark.parametrize("seed", range(5))
def test_touched_entries_are_the_wrong_ones(mistake: str, seed: int) -> None:
    """Their number is that of the mistake."""
    _, _, count = made(mistake, seed)
    assert count == COUNTS.get(mistake, count)


def test_parameter_is_wrong_as_a_whole() -> None:
    """Each of the two parameters is drawn."""
    counts = {made("a parameter x 2", seed)[2] for seed in range(20)}
    assert counts == {63, 9}


def test_opposite_pair_leaves_the_sum() -> None:
    """So a check along a direction of equal entries does not see it."""
    right, claim, _ = made("an opposite pair", 0)
    for name, array in right.items():
        assert claim[name].sum() == pytest.approx(array.sum())


def test_zeros_of_a_row_are_touched_and_stay_right() -> None:
    """The gradient of a dead unit stays zero."""
    right = {"W": np.ones((3, 4))}
    right["W"][:, 1] = 0.0
    claim = {"W": right["W"].copy()}
    touched = MISTAKES["a row x 1.5"](claim, np.random.default_rng(0))
    assert (count_set(touched), count_set(differences(right, claim))) == (4, 3)


def test_small_entries_are_not_drawn() -> None:
    """Neither are zeros."""
    assert eligible(np.array([[0.0, 10.0], [0.9, -10.0]])).tolist() == [1, 3]
    assert eligible(np.zeros(3)).size == 0


def test_scattered_entries_are_of_all_parameters() -> None:
    """As many draws as there are entries return each of them once."""
    right = {"W": np.ones((2, 3)), "none": np.zeros(2), "b": np.array([1.0, 0.0, 1.0])}
    entries = draw_scattered(right, np.random.default_rng(0), 8)
    assert len(set(entries)) == 8
    assert all(right[name][index] == 1.0 for name, index in entries)
