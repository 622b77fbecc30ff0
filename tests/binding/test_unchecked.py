"""Gradients of what is not checked because it holds whole numbers."""

from typing import Any

import numpy as np
import pytest

from pytest_gradcheck import GradcheckUsageError, check_gradient
from pytest_gradcheck.binding.unchecked import WholeNumbers, refuse_unread_gradient

INTEGERS = np.array([1, 2, 3])
W = np.array([0.5, -1.0, 2.0])


def product(x: Any, w: Any) -> Any:
    """Return the inner product of two vectors."""
    return x @ w


def test_gradient_of_an_integer_array_is_an_error() -> None:
    """It was meant to be checked, and would pass unseen."""
    with pytest.raises(GradcheckUsageError) as error:
        check_gradient(product, lambda x, w: (w, x), INTEGERS, W)
    assert error.value.args[0] == (
        "lambda returns a gradient of x, which holds whole numbers (int64 array of shape (3,)) "
        "and would not be checked. Pass x.astype(float), or name what is to be checked in wrt=."
    )


def test_gradient_of_a_python_int_is_an_error() -> None:
    """The float to write is said."""
    with pytest.raises(GradcheckUsageError) as error:
        check_gradient(lambda x, w: x * w, lambda x, w: {"dx": w, "dw": x}, 2, 0.5)
    assert error.value.args[0] == (
        "lambda returns a gradient of x, which holds whole numbers (int) and would not be "
        "checked. Pass 2.0, or name what is to be checked in wrt=."
    )


def test_gradient_of_integers_in_a_container_is_an_error() -> None:
    """Even where the container is named: its whole numbers are left out silently."""
    parameters = {"W": W, "b": INTEGERS}
    with pytest.raises(GradcheckUsageError) as error:
        check_gradient(
            lambda p: p["W"] @ p["b"], lambda p: {"W": p["b"], "b": p["W"]}, parameters, wrt="p"
        )
    assert error.value.args[0] == (
        "lambda returns a gradient of p['b'], which holds whole numbers (int64 array of shape "
        "(3,)) and would not be checked. Pass p['b'].astype(float), or name what is to be checked "
        "in wrt=."
    )


@pytest.mark.parametrize(
    "returned", [(None, INTEGERS), {"dw": INTEGERS}, {"dw": INTEGERS, "dx": None}]
)
def test_labels_need_no_gradient(returned: Any) -> None:
    """None, or nothing, is what backward says of whole numbers that are data."""
    assert check_gradient(product, lambda x, w: returned, INTEGERS, W)


def test_whoever_names_what_is_checked_may_return_more() -> None:
    """With wrt= it is plain that the others are not checked."""
    assert check_gradient(product, lambda x, w: (w, x), INTEGERS, W, wrt="w")


def test_gradients_of_layers_are_found_in_their_dicts() -> None:
    """A dict within a tuple counts like one by itself."""
    whole = WholeNumbers((), {"x": INTEGERS})
    refuse_unread_gradient([{"dw": W}, {"x_grad": None}], whole, ["x", "w", "b"], "backward")
    with pytest.raises(GradcheckUsageError, match="a gradient of x"):
        refuse_unread_gradient({"layer": {"grad_x": W}}, whole, ["x"], "backward")


def test_gradient_of_what_is_checked_is_not_one_of_a_number_of_that_name() -> None:
    """The gradient of x is read; a setting that is called x, too, needs none."""
    assert check_gradient(
        lambda x, settings: x @ x * settings["x"],
        lambda x, settings: {"x": 2 * x * settings["x"]},
        W,
        {"x": 3},
    )
