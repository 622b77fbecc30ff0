"""What is read from a report is what it tells people."""

from typing import Any

import numpy as np
import pytest

from tests.benchmarks.handwritten_networks import perceptron
from tests.benchmarks.screening.gradient_mistakes import MISTAKES, NOTHING
from tests.benchmarks.screening.mistake_results import (
    MistakeResult,
    check_in_fast_mode,
    compare_with_mistake,
)
from tests.benchmarks.screening.named_entries import named_entries

NETWORK = perceptron((30, 50, 20, 5), activation="tanh")


def named_after(change: Any) -> dict[str, Any]:
    """Return what is named of each parameter that is wrong."""
    claim = NETWORK.backward(NETWORK.parameters)
    change(claim)
    return {
        k: m
        for k, m in named_entries(check_in_fast_mode(NETWORK, claim, seed=0)).items()
        if m.any()
    }


def test_row_is_read_from_the_words() -> None:
    """Two of its entries are measured."""
    found = named_after(lambda gradient: gradient["W1"][3].fill(0.0))
    assert np.argwhere(found["W1"]).tolist() == [[3, k] for k in range(50)]


def test_parameter_off_by_a_factor_is_all_of_it() -> None:
    """Its report counts all entries, and names none."""
    found = named_after(lambda gradient: gradient["W2"].__imul__(2))
    assert list(found) == ["W2"]
    assert found["W2"].all()


def test_entry_is_read_from_the_list() -> None:
    """Its index says where."""
    found = named_after(lambda gradient: gradient["b1"].__setitem__(7, 1.0))
    assert np.argwhere(found["b1"]).tolist() == [[7]]


def tried(mistake: str, meddled: bool = True) -> MistakeResult:
    """Try a mistake, as if nobody had meddled where that is asked for."""
    gradient = NETWORK.backward(NETWORK.parameters)
    claim = {name: array.copy() for name, array in gradient.items()}
    place = MISTAKES[mistake](claim, np.random.default_rng(0))
    if not meddled:
        place = {name: np.zeros_like(mask) for name, mask in place.items()}
    return compare_with_mistake(
        ("small", "float64", mistake, 0),
        check_in_fast_mode(NETWORK, claim, 0),
        gradient,
        claim,
        place,
    )


@pytest.mark.parametrize("mistake", ["one entry 1% off", "a column zero", "an opposite pair"])
def test_mistake_is_named_exactly(mistake: str) -> None:
    """All that is wrong, and nothing else."""
    found = tried(mistake)
    assert (found.detected, found.exact) == (True, True)
    assert (found.missed, found.innocent, found.unsaid) == (0, 0, 0)


def test_correct_gradient_is_called_correct() -> None:
    """And nothing of it is named."""
    found = tried(NOTHING)
    assert (found.detected, found.exact, found.wrong) == (False, True, 0)


def test_what_nobody_meddled_with_is_innocent() -> None:
    """Whatever the check says of it."""
    found = tried("one entry 1% off", meddled=False)
    assert (found.innocent, found.exact) == (1, False)
