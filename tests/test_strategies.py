"""Strategies for parameters that avoid degenerate points."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from pytest_gradcheck import GradcheckUsageError, check_gradient
from pytest_gradcheck.strategies import DISTANCE, parameters


@given(data=st.data())
def test_entries_differ_and_are_away_from_zero(data: st.DataObject) -> None:
    """In the interval, and in the shape that was asked for."""
    shape = data.draw(st.tuples(st.integers(1, 5), st.integers(0, 4)))
    low, high = sorted(data.draw(st.tuples(st.floats(-5, -1), st.floats(1, 5))))
    array = data.draw(parameters(shape, low=low, high=high))
    assert (array.shape, str(array.dtype)) == (shape, "float64")
    assert np.unique(array).size == array.size
    assert np.all((array >= low) & (array <= high))
    assert np.all(np.abs(array) > (high - low) * DISTANCE * 0.999)


@given(array=parameters(4, low=0.0, high=3.0, avoid=(1.0, 2.0), dtype=np.float32))
def test_other_numbers_are_avoided(array: Any) -> None:
    """Then zero is not."""
    assert array.dtype == np.float32
    assert np.all(np.abs(array[:, None] - [1.0, 2.0]) > 0.09)


@given(array=parameters(st.tuples(st.integers(1, 3), st.just(2))))
def test_a_shape_may_be_drawn(array: Any) -> None:
    """As in `hypothesis.extra.numpy.arrays`."""
    assert array.shape in {(1, 2), (2, 2), (3, 2)}


def test_examples_shrink_to_small_entries() -> None:
    """They are easy to read."""
    array = find(parameters(1, low=-8.0, high=8.0), lambda x: x[0] > 0)
    assert 0.5 <= array[0] <= 0.6


def test_large_arrays_have_a_finer_grid() -> None:
    """There is room for as many entries."""
    unshrunk = settings(phases=[Phase.generate], database=None)
    array = find(parameters(500, avoid=()), lambda x: True, settings=unshrunk)
    assert np.unique(array).size == 500


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"low": 1.0, "high": 1.0}, "low=1.0 must be less than high=1.0, both finite."),
        ({"low": 0.0, "high": np.inf}, "low=0.0 must be less than high=inf, both finite."),
        (
            {"low": 0.0, "high": 1.0, "avoid": list(np.linspace(0, 1, 40))},
            "leaves too little of the interval from 0.0 to 1.0 for 3 entries.",
        ),
    ],
)
def test_nothing_to_draw_from(options: dict[str, Any], message: str) -> None:
    """It is said at once."""
    with pytest.raises(GradcheckUsageError) as error:
        parameters(3, **options)
    assert " ".join(str(error.value).split()).endswith(message)


@given(x=parameters(3))
def test_a_kink_at_zero_is_not_met(x: Any) -> None:
    """No example is inconclusive."""
    report = check_gradient(lambda x: np.sum(np.abs(x)) + 3 * np.max(x), gradient, x)
    assert (report.verdict, report["x"].notes) == ("correct", ())


def gradient(x: Any) -> Any:
    """Return the gradient of the sum of absolute values and three times the maximum."""
    return np.sign(x) + 3 * (x == np.max(x))
