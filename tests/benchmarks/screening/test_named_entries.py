"""The entries that a report names are read from what it tells its readers."""

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
    """Return the named entries of each parameter that has any."""
    claim = NETWORK.backward(NETWORK.parameters)
    change(claim)
    named = named_entries(check_in_fast_mode(NETWORK, claim, seed=0))
    return {name: mask for name, mask in named.items() if mask.any()}


def test_row_is_read_from_the_diagnosis() -> None:
    """The whole row is named, although only two of its entries are measured."""
    found = named_after(lambda gradient: gradient["W1"][3].fill(0.0))
    assert np.argwhere(found["W1"]).tolist() == [[3, k] for k in range(50)]


def test_parameter_wrong_by_a_factor_is_named_as_a_whole() -> None:
    """Its report counts all entries and lists none."""
    found = named_after(lambda gradient: gradient["W2"].__imul__(2))
    assert list(found) == ["W2"]
    assert found["W2"].all()


def test_entry_is_read_from_the_worst_entries() -> None:
    """A single entry is named by its index."""
    found = named_after(lambda gradient: gradient["b1"].__setitem__(7, 1.0))
    assert np.argwhere(found["b1"]).tolist() == [[7]]


def result_of(mistake: str, touches: bool = True) -> MistakeResult:
    """Check a gradient with a mistake; `touches=False` pretends that it touched no entry."""
    gradient = NETWORK.backward(NETWORK.parameters)
    claim = {name: array.copy() for name, array in gradient.items()}
    touched = MISTAKES[mistake](claim, np.random.default_rng(0))
    if not touches:
        touched = {name: np.zeros_like(mask) for name, mask in touched.items()}
    return compare_with_mistake(
        ("small", "float64", mistake, 0),
        check_in_fast_mode(NETWORK, claim, 0),
        gradient,
        claim,
        touched,
    )


@pytest.mark.parametrize("mistake", ["one entry 1% off", "a column zero", "an opposite pair"])
def test_mistake_is_named_exactly(mistake: str) -> None:
    """The report names all that is wrong, and nothing else."""
    result = result_of(mistake)
    assert (result.detected, result.exact) == (True, True)
    assert (result.missed, result.others_named, result.missed_above_resolution) == (0, 0, 0)


def test_correct_gradient_is_called_correct() -> None:
    """The report names nothing."""
    result = result_of(NOTHING)
    assert (result.detected, result.exact, result.wrong) == (False, True, 0)


def test_entries_that_the_mistake_did_not_touch_count_as_others() -> None:
    """A report that names one is not exact."""
    result = result_of("one entry 1% off", touches=False)
    assert (result.others_named, result.exact) == (1, False)
