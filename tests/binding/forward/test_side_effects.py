"""Side effects of the user's functions: refused, or restored with a note."""

from collections.abc import Callable
from itertools import cycle
from typing import Any

import numpy as np
import pytest

from pytest_gradcheck import GradcheckUsageError, check_gradient

X = np.array([1.0, -2.0, 0.5])


def refused(forward: Callable[..., Any], backward: Any, *args: Any, **call: Any) -> str:
    """Return the unfolded message of the usage error that a check raises."""
    with pytest.raises(GradcheckUsageError) as error:
        check_gradient(forward, backward, *args, **call)
    return str(error.value.args[0])


def in_turn(*functions: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that is another one of these in each call."""
    order = cycle(functions)

    def taking_turns(x: Any) -> Any:
        return next(order)(x)

    return taking_turns


def squares(x: Any) -> Any:
    """Return the squares."""
    return x**2


DIFFERS = (
    " at the same point: names, shapes and dtypes of its outputs must not depend on what was "
    "called before."
)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (lambda x: squares(x)[None], "float64 of shape (3,) and then float64 of shape (1, 3)"),
        (
            lambda x: squares(x).astype(np.float32),
            "float64 of shape (3,) and then float32 of shape (3,)",
        ),
        (lambda x: squares(x) + 0j, "float64 of shape (3,) and then complex128 of shape (3,)"),
        (
            lambda x: {"loss": squares(x)},
            "float64 of shape (3,) and then float64 of shape (3,) as output['loss']",
        ),
    ],
)
def test_output_that_changes_its_kind_between_calls(other: Any, message: str) -> None:
    """Shape, dtype and structure must be the same in every call."""
    forward = in_turn(squares, other)
    assert (
        refused(forward, lambda x, dout: 2 * x * dout, X)
        == f"taking_turns returned {message}{DIFFERS}"
    )


def test_output_that_loses_a_part() -> None:
    """The message says that there are fewer outputs the second time."""
    forward = in_turn(lambda x: [squares(x), x], lambda x: [squares(x)])
    assert refused(forward, lambda x, dout: 2 * x * dout[0] + dout[1], X) == (
        "taking_turns returned float64 of shape (3,) as output[1] and then no more outputs"
        f"{DIFFERS}"
    )


def test_unchecked_argument_that_backward_changes_is_restored_and_noted() -> None:
    """Each call of backward gets the original argument, and so does forward."""

    def backward(w: Any, X: Any) -> Any:
        gradient = X.sum(axis=0)
        X *= 2
        return gradient

    report = check_gradient(lambda w, X: np.sum(X @ w), backward, X, np.ones((4, 3)), wrt="w")
    assert report.passed
    assert [note.text for note in report.notes] == ["changed by backward, restored each time: X"]


def test_state_beside_a_checked_number_is_restored_and_noted() -> None:
    """It is restored in a container that is made anew for each call, too."""

    def forward(p: Any) -> Any:
        p["calls"] += 1
        return p["gamma"] * float(p["calls"][0])

    report = check_gradient(
        forward, lambda p: {"gamma": 1.0}, {"gamma": 2.0, "calls": np.zeros(1, dtype=int)}
    )
    assert report.passed
    assert [note.text for note in report.notes] == [
        "changed by forward, restored each time: p['calls']"
    ]


def test_parameter_returned_as_its_own_gradient_is_right_where_it_is() -> None:
    """The gradient of w @ w / 2 is w: the claim is a copy, with a note."""
    report = check_gradient(lambda w: w @ w / 2, lambda w: w, X)
    assert report.passed
    assert [note.text for note in report.notes] == ["lambda returned w itself as its gradient"]


def test_view_of_a_parameter_counts_as_the_parameter() -> None:
    """The note names all of them; the array of another parameter gets none."""
    report = check_gradient(
        lambda v, w: np.sum(v**2) / 2 + np.sum(w**2) / 2,
        lambda v, w: (v[:], w.T),
        np.array([[1.0]]),
        np.array([[2.0, 3.0], [3.0, 4.0]]),
    )
    assert report.passed
    assert [note.text for note in report.notes] == ["lambda returned v, w as their own gradients"]
    assert not check_gradient(lambda v, w: v @ w, lambda v, w: (w, v), X, X + 1).notes


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (
            X > 0,
            "wrt='m': m of lambda is a bool array of shape (3,); there is no derivative by "
            "booleans. Pass m.astype(float) or leave it out of wrt, if it is data as labels are.",
        ),
        (
            True,
            "wrt='m': m of lambda is a bool, which holds no floating numbers to differentiate by.",
        ),
        (
            [1, 2, 3],
            "wrt='m': m of lambda is a list; there is no derivative by whole numbers. Pass "
            "np.array(m, dtype=float) or leave it out of wrt, if it is data as labels are.",
        ),
    ],
)
def test_parameter_that_does_not_float(value: Any, message: str) -> None:
    """The message says what it is, and what to write instead."""
    assert refused(lambda x, m: np.sum(x * m), lambda x, m: x, X, value, wrt="m") == message


def test_attribute_of_whole_numbers() -> None:
    """The message for an integer attribute is that for an argument."""

    class Layer:
        W = np.arange(3)

        def forward(self, x: Any) -> Any:
            return x @ self.W

    assert refused(Layer().forward, lambda x: x, X, wrt="self.W") == (
        "wrt='self.W': it is an int64 array of shape (3,); there is no derivative by whole "
        "numbers. Make it self.W.astype(float)."
    )


def relu(x: Any) -> Any:
    """Return the positive parts."""
    return np.maximum(x, 0.0)


def rectified(x: Any, dout: Any) -> Any:
    """Change the upstream gradient in place, as many layers do."""
    dout *= x > 0
    return dout


def notes_of(forward: Any, backward: Any, **call: Any) -> list[str]:
    """Return what is noted to be restored in a check that passes."""
    report = check_gradient(forward, backward, X, **call)
    assert report.passed
    return [note.text for note in report.notes if note.kind == "restored"]


def test_upstream_gradient_that_backward_changes_is_noted() -> None:
    """Under the name that backward has for it, or as the cotangent."""
    text = "rectified changes {} in place; each call was given a copy"
    assert notes_of(relu, rectified) == [text.format("dout")]
    stated = notes_of(relu, rectified, backward_args=("x", "dout"))
    assert stated == [text.format("cotangent")]
    assert notes_of(relu, lambda x, dout: dout * (x > 0)) == []


def test_one_of_several_upstream_gradients_that_backward_changes_is_noted() -> None:
    """The others are not."""

    def backward(x: Any, cotangent: Any) -> Any:
        cotangent["b"] *= 3
        return 2 * cotangent["a"] + cotangent["b"]

    found = notes_of(lambda x: {"a": 2 * x, "b": 3 * x}, backward)
    assert found == ["backward changes cotangent['b'] in place; each call was given a copy"]


@pytest.mark.parametrize("put", [None, "text", 1j])
def test_upstream_gradient_may_become_anything(put: Any) -> None:
    """Backward puts something else than a number into the list that it is given."""

    def backward(x: Any, dout: Any) -> Any:
        gradient = 2 * x * np.array(dout)
        dout[0] = put
        return gradient

    found = notes_of(lambda x: [float(entry) ** 2 for entry in x], backward)
    assert found == ["backward changes dout in place; each call was given a copy"]


def test_output_and_tangent_that_backward_changes_are_noted() -> None:
    """They are copies, too."""

    def by_output(output: Any, dout: Any) -> Any:
        output *= dout
        return output

    def along(tangent: Any) -> Any:
        tangent *= 2
        return tangent

    text = " in place; each call was given a copy"
    assert notes_of(np.exp, by_output) == [f"by_output changes output{text}"]
    assert notes_of(lambda x: 2 * x, along) == [f"along changes tangent{text}"]
