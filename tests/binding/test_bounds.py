"""Bounds as they are written, and what is inside them."""

from typing import Any

import numpy as np
import pytest

from pytest_gradcheck import GradcheckUsageError
from pytest_gradcheck.binding.bounds import read_bounds
from pytest_gradcheck.binding.tree import Leaf

X = np.array([0.0, 0.5, 1.0])


def refused(written: object, value: Any = X) -> str:
    """Return the message for bounds that are refused."""
    with pytest.raises(GradcheckUsageError) as error:
        read_bounds(written, Leaf("x", value))
    return str(error.value.args[0])


@pytest.mark.parametrize(
    ("written", "low", "high"),
    [
        ((0, 1), [0, 0, 0], [1, 1, 1]),
        ([0, None], [0, 0, 0], [np.inf] * 3),
        ((None, X), [-np.inf] * 3, [0, 0.5, 1]),
        (([0, None, 0.5], 2.5), [0, -np.inf, 0.5], [2.5] * 3),
        ((-np.inf, np.inf), [-np.inf] * 3, [np.inf] * 3),
    ],
)
def test_numbers_none_and_arrays(written: object, low: list[float], high: list[float]) -> None:
    """Broadcast to the parameter; None is no bound."""
    box = read_bounds(written, Leaf("x", X))
    assert box.low.tolist() == low
    assert box.high.tolist() == high


def test_bounds_are_rounded_as_the_parameter_is() -> None:
    """A float32 parameter at 0.1 is not above a bound of 0.1."""
    x = np.full(2, 0.1, dtype=np.float32)
    assert float(x[0]) > 0.1
    box = read_bounds((0.1, 0.1), Leaf("x", x))
    assert box.holds(x)
    assert not box.is_open.any()


def test_box_holds_its_border_and_nothing_beyond() -> None:
    """Bounds are closed; NaN is nowhere."""
    box = read_bounds((0, 1), Leaf("x", X))
    assert box.holds(X)
    assert not box.holds(X + 1e-16 * (X > 0) - 5e-324)
    assert not box.holds(np.full(3, np.nan))


def test_directions_turn_away_from_near_bounds_alone() -> None:
    """Each entry by itself."""
    box = read_bounds((0, [1, 10, 1]), Leaf("x", np.array([0.01, 5.0, 0.9])))
    turned = box.inward(np.array([0.01, 5.0, 0.9]), np.array([-1.0, -1.0, 1.0]))
    assert turned.tolist() == [1, -1, -1]


PAIR = (
    "it must be a pair (low, high) of numbers, None or arrays, for example (0, None). From pairs "
    "for each entry: low, high = zip(*pairs)."
)
FITS = "a bound is a number, None or an array that broadcasts to the shape (3,) of x."
START = "a check starts inside the bounds. Pass another point, for example np.clip(x, low, high),"


@pytest.mark.parametrize(
    ("written", "message"),
    [
        (0, f"bounds of x is 0: {PAIR}"),
        ([(0, 1), (0, 1), (0, 1)], f"bounds of x is [(0, 1), (0, 1), (0, 1)]: {PAIR}"),
        (np.zeros(3), f"bounds of x is float64 array of shape (3,): {PAIR}"),
        (("a", 1), f"bounds of x hold 'a': {FITS}"),
        ((np.zeros(2), 1), f"bounds of x hold float64 array of shape (2,): {FITS}"),
        (
            (0, [1, -1, 1]),
            "bounds of x leave no room: the lower one of x[1] is 0, the upper one -1.",
        ),
        (
            (np.nan, 1),
            "bounds of x leave no room: the lower one of x[0] is nan, the upper one 1.",
        ),
        ((0.1, 1), f"x[0] is 0, below its bound 0.1: {START} or other bounds."),
        ((None, 0.9), f"x[2] is 1, above its bound 0.9: {START} or other bounds."),
    ],
)
def test_what_is_refused(written: object, message: str) -> None:
    """With the entry and what to write."""
    assert refused(written) == message


def test_number_beyond_its_bound() -> None:
    """It has no index."""
    message = refused((0, None), -1.0)
    assert message == f"x is -1, below its bound 0: {START} or other bounds."


def test_complex_parameters_have_no_bounds() -> None:
    """There is no order among complex numbers."""
    assert refused((0, 1), np.array([1j])) == (
        "bounds of x: it holds complex numbers, which have no order. Leave it out of bounds."
    )
