"""What backward returned and no comparison would look at."""

from typing import Any

import numpy as np
import pytest

from pytest_gradcheck import GradcheckUsageError, check_gradient
from pytest_gradcheck.binding.backward.unread_gradients import refuse_integer_gradients
from pytest_gradcheck.binding.call.wrt import IntegerLeaves

INTEGERS = np.array([1, 2, 3])
W = np.array([0.5, -1.0, 2.0])


def product(x: Any, w: Any) -> Any:
    """Return the inner product of two vectors."""
    return x @ w


def test_gradient_of_an_integer_array_is_an_error() -> None:
    """It was meant to be checked, and an error in it would go unnoticed."""
    with pytest.raises(GradcheckUsageError) as error:
        check_gradient(product, lambda x, w: (w, x), INTEGERS, W)
    assert error.value.args[0] == (
        "lambda returns a gradient of x, which holds whole numbers (int64 array of shape (3,)) "
        "and would not be checked. If these are data, as labels are, return None for it or say "
        "wrt='w'; if they are to be checked, pass x.astype(float). An objective of a boosting "
        "library is checked by check_objective(product, backward, x, w, predictions=1), any other "
        "first and second derivative by a call each: gradcheck(product, lambda x, w: "
        "backward(x=x, w=w)[0], x, w) and gradcheck(lambda x, w: backward(x=x, w=w)[0], lambda "
        "x, w: backward(x=x, w=w)[1], x, w)."
    )


def test_gradient_of_a_python_int_is_an_error() -> None:
    """The message says which float to write."""
    with pytest.raises(GradcheckUsageError) as error:
        check_gradient(lambda x, w: x * w, lambda x, w: {"dx": w, "dw": x}, 2, 0.5)
    assert error.value.args[0] == (
        "lambda returns a gradient of x, which holds whole numbers (int) and would not be "
        "checked. If these are data, as labels are, return None for it or say wrt='w'; if they "
        "are to be checked, pass 2.0."
    )


def test_gradient_of_integers_in_a_container_is_an_error() -> None:
    """Even where the container is named, since its integers are left out silently."""
    parameters = {"W": W, "b": INTEGERS}
    with pytest.raises(GradcheckUsageError) as error:
        check_gradient(
            lambda p: p["W"] @ p["b"], lambda p: {"W": p["b"], "b": p["W"]}, parameters, wrt="p"
        )
    assert error.value.args[0] == (
        "lambda returns a gradient of p['b'], which holds whole numbers (int64 array of shape "
        "(3,)) and would not be checked. If these are data, as labels are, return None for it or "
        "say wrt=\"p['W']\"; if they are to be checked, pass p['b'].astype(float)."
    )


@pytest.mark.parametrize(
    "returned", [(None, INTEGERS), {"dw": INTEGERS}, {"dw": INTEGERS, "dx": None}]
)
def test_labels_need_no_gradient(returned: Any) -> None:
    """None, or no gradient, is what backward returns for integers that are data."""
    assert check_gradient(product, lambda x, w: returned, INTEGERS, W)


def test_whoever_names_what_is_checked_may_return_more() -> None:
    """With wrt= the user has said that the others are not checked."""
    assert check_gradient(product, lambda x, w: (w, x), INTEGERS, W, wrt="w")


def test_gradients_of_layers_are_found_in_their_dicts() -> None:
    """A dict in a tuple is read like a dict by itself."""
    whole = IntegerLeaves((), {"x": INTEGERS})

    def refuse(returned: Any) -> None:
        refuse_integer_gradients(
            returned, {}, whole, backward_name="backward", two_derivatives=str
        )

    refuse([{"dw": W}, {"x_grad": None}])
    with pytest.raises(GradcheckUsageError, match="a gradient of x"):
        refuse({"layer": {"grad_x": W}})


def test_gradient_of_what_is_checked_is_not_one_of_a_number_of_that_name() -> None:
    """The gradient of x is checked; an integer that is also called x needs none."""
    assert check_gradient(
        lambda x, settings: x @ x * settings["x"],
        lambda x, settings: {"x": 2 * x * settings["x"]},
        W,
        {"x": 3},
    )


def test_tuple_with_the_structure_of_an_argument_is_about_that_argument() -> None:
    """It is not one gradient for each argument, be it as long."""
    assert check_gradient(
        lambda p, labels: np.sum(p[0][labels] ** 2) + p[1],
        lambda p, labels: (2 * p[0] * (np.arange(3) == 1), 1.0),
        (W, 0.5),
        np.array([1]),
    )


class Rows:
    """Data in a class of another library."""

    labels = np.array([0.0, 1.0, 1.0])


def loss(predictions: Any, rows: Any) -> Any:
    """Return half the sum of squared errors."""
    return np.sum((predictions - rows.labels) ** 2) / 2


def objective(predictions: Any, rows: Any) -> Any:
    """Return its gradient, and a second derivative that is wrong."""
    return predictions - rows.labels, np.nan * predictions


@pytest.mark.parametrize("wrt", [None, "predictions"])
def test_second_derivative_in_the_place_of_data_is_an_error(wrt: Any) -> None:
    """The message has the two calls that check both."""
    with pytest.raises(GradcheckUsageError) as error:
        check_gradient(loss, objective, W, Rows(), wrt=wrt)
    call = "objective(predictions=predictions, rows=rows)"
    first, second = (f"lambda predictions, rows: {call}[{k}]" for k in (0, 1))
    calls = (
        f"gradcheck(loss, {first}, predictions, rows)",
        f"gradcheck({first}, {second}, predictions, rows)",
    )
    assert error.value.args[0] == (
        "objective returned a float64 array of shape (3,) in the place of rows (Rows), in which "
        "nothing is checked: nobody would look at it. Return None there. An objective of a "
        "boosting library is checked by check_objective(loss, objective, predictions, rows), any "
        f"other first and second derivative by a call each: {' and '.join(calls)}."
    )
    names: dict[str, Any] = {"gradcheck": check_gradient, "loss": loss, "objective": objective}
    names |= {"predictions": W, "rows": Rows()}
    assert eval(calls[0], names)  # noqa: S307  # what the message says
    with pytest.raises(GradcheckUsageError, match="not finite"):
        eval(calls[1], names)  # noqa: S307


def test_nothing_is_claimed_by_none_or_zero() -> None:
    """These may be in the place of data."""
    for nothing in (None, 0, 0.0):
        report = check_gradient(
            loss,
            lambda predictions, rows, n=nothing: (objective(predictions, rows)[0], n),
            W,
            Rows(),
        )
        assert report
        assert "unread" not in [note.kind for note in report.notes]


@pytest.mark.parametrize("wrap", [tuple, lambda parts: dict(zip("xw", parts, strict=True))])
def test_gradient_of_another_argument_is_noted(wrap: Any) -> None:
    """Another check may look at it."""
    report = check_gradient(product, lambda x, w: wrap([w, x]), W, 2 * W, wrt="x")
    assert report
    assert [note.text for note in report.notes if note.kind == "unread"] == [
        "lambda also returned a float64 array of shape (3,) for w; it was not looked at"
    ]
    assert not check_gradient(product, lambda x, w: wrap([w, x]), W, 2 * W).notes


def test_gradient_of_another_argument_is_finite() -> None:
    """Whoever looks at it or not, it is wrong."""
    with pytest.raises(GradcheckUsageError, match="in the place of w"):
        check_gradient(product, lambda x, w: (w, np.inf * x), W, 2 * W, wrt="x")


def test_names_of_intermediate_values_are_nothing_of_interest() -> None:
    """Backpropagation leaves more in its dict than gradients of parameters."""
    report = check_gradient(product, lambda x, w: {"dx": w, "dw": x, "dz": np.nan}, W, 2 * W)
    assert report
    assert not report.notes


def test_gradient_of_the_input_of_a_layer_is_noted() -> None:
    """What is checked is an attribute, and its gradient beside it."""

    class Scale:
        def __init__(self) -> None:
            self.w = 2 * W

        def forward(self, x: Any) -> Any:
            self.x = x
            return x * self.w

        def backward(self, dout: Any) -> Any:
            self.dw = dout @ self.x
            return dout * self.w

    layer = Scale()
    layer.w = np.array(2.0)
    report = check_gradient(layer.forward, layer.backward, W, wrt="self.w")
    assert report
    assert [note.text for note in report.notes if note.kind == "unread"] == [
        "Scale.backward also returned a float64 array of shape (3,); it was not looked at"
    ]
    assert "unread" not in [
        note.kind
        for note in check_gradient(layer.forward, layer.backward, W, wrt=["x", "self.w"]).notes
    ]
