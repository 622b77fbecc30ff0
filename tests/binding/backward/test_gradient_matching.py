"""Matching of what backward returned to what is checked."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest

from pytest_gradcheck import GradcheckUsageError, check_gradient
from pytest_gradcheck.binding.backward.gradient_matching import (
    match_gradients,
    two_derivatives_hint,
)
from pytest_gradcheck.binding.call.argument_types import read_wrt
from pytest_gradcheck.binding.call.signature import BoundArguments
from pytest_gradcheck.binding.call.wrt import Item, select_items

NESTED = {"x": 1.0, "params": {"W1": 2.0, "b1": 3.0}}


def items(values: dict[str, Any], wrt: Any) -> tuple[Item, ...]:
    """Select items among positional arguments."""
    arguments = BoundArguments(
        tuple(values), tuple(values.values()), (None,) * len(values), frozenset()
    )
    return select_items(read_wrt(wrt), arguments, bound=None, forward_name="forward")


def match(values: dict[str, Any], wrt: Any, returned: Any) -> dict[str, Any]:
    """Match a returned value."""
    return match_gradients(
        returned,
        items(values, wrt),
        positional=tuple(values),
        available=lambda: items(values, None),
        backward_name="backward",
    ).claims


def refused(values: dict[str, Any], wrt: Any, returned: Any) -> str:
    """Return the message of a value that cannot be matched."""
    with pytest.raises(GradcheckUsageError) as error:
        match(values, wrt, returned)
    return str(error.value.args[0])


@pytest.mark.parametrize("returned", [7.0, (7.0,), {"x": 7.0}, {"dx": 7.0, "dz": 8.0},
                                      {"grad_x": 7.0}, {"x_grad": 7.0}, (7.0, None)])  # fmt: skip
def test_one_argument(returned: Any) -> None:
    """Its gradient may be alone, in a tuple of one, in a dict, or among those of all arguments."""
    assert match({"x": 1.0, "y": 2.0}, "x", returned) == {"x": 7.0}


@pytest.mark.parametrize(
    "returned",
    [
        {"W1": 7.0, "b1": 8.0},
        {"dW1": 7.0, "db1": 8.0, "dZ1": 9.0},
        {"grad_W1": 7.0, "grad_b1": 8.0},
        {"W1_grad": 7.0, "b1_grad": 8.0},
        {"dparams": {"W1": 7.0, "b1": 8.0}},
        ({"dW1": 7.0, "db1": 8.0},),
        (None, {"W1": 7.0, "b1": 8.0}),
    ],
)
def test_container(returned: Any) -> None:
    """A container's gradient has its structure, or is a dict under one convention."""
    expected = {"params['W1']": 7.0, "params['b1']": 8.0}
    assert match(NESTED, "params", returned) == expected


@pytest.mark.parametrize(
    "returned",
    [
        (7.0, {"W1": 8.0, "b1": 9.0}),
        [7.0, {"dW1": 8.0, "db1": 9.0}],
        {"dx": 7.0, "dW1": 8.0, "db1": 9.0},
        {"x": 7.0, "params": {"W1": 8.0, "b1": 9.0}},
    ],
)
def test_several(returned: Any) -> None:
    """They are in the order of wrt, or in a dict."""
    expected = {"x": 7.0, "params['W1']": 8.0, "params['b1']": 9.0}
    assert match(NESTED, ["x", "params"], returned) == expected


def test_order_is_that_of_wrt() -> None:
    """A tuple of that length is in the order of wrt, not of the arguments."""
    values = {"x": 1.0, "y": 2.0, "z": 3.0}
    assert match(values, ["z", "x"], (7.0, 8.0)) == {"z": 7.0, "x": 8.0}


def test_one_for_each_positional_argument() -> None:
    """None stands for what is not checked."""
    values = {"x": 1.0, "y": 2.0, "z": 3.0}
    assert match(values, ["z", "x"], (8.0, None, 7.0)) == {"z": 7.0, "x": 8.0}


def test_list_of_layers() -> None:
    """Nested containers are matched level by level, under any convention for their keys."""
    layers = {"layers": [{"W": 1.0, "b": 2.0}, {"W": 3.0, "b": 4.0}]}
    returned = [{"dW": 5.0, "db": 6.0}, {"dW": 7.0, "db": 8.0}]
    assert list(match(layers, None, returned).values()) == [5.0, 6.0, 7.0, 8.0]


@pytest.mark.parametrize(
    ("wrt", "returned", "message"),
    [
        (
            ["x", "params"],
            {"dW1": 1.0, "db1": 1.0},
            "backward gives no gradient for x; it returned a dict with the keys dW1, db1. Check "
            "what it does return with wrt='params'.",
        ),
        (
            "params",
            {"W1": 1.0, "dW1": 1.0, "b1": 1.0, "db1": 1.0},
            "backward returned a dict with the keys W1, dW1, b1, db1, which name the gradients in "
            "more than one way (the parameter's name and 'd' + name). Return each once.",
        ),
        (
            "params",
            {"dW1": 1.0, "grad_b1": 1.0},
            "backward returned a dict with the keys dW1, grad_b1, which follow no one convention. "
            "Name all gradients alike: the parameter's name, or 'd' + name, or 'grad_' + name, or "
            "name + '_grad'.",
        ),
        (
            ["x", "params"],
            5.0,
            "backward returned float for 2 checked arguments (x, params): return a tuple of 2 "
            "gradients in that order, or a dict, or check one of them, for example wrt='x'.",
        ),
        (
            ["x", "params"],
            None,
            "backward returned None, so there is no gradient for x, params: is its return "
            "statement missing?",
        ),
        (
            ["x", "params"],
            (1.0, 2.0, 3.0),
            "backward returned 3 gradients, but 2 are checked: x, params. Return one for each, in "
            "that order.",
        ),
        (
            ["x", "params"],
            (None, {"W1": 1.0, "b1": 1.0}),
            "backward gives no gradient for x. Check what it does return with wrt='params'.",
        ),
    ],
)
def test_what_cannot_be_matched(wrt: Any, returned: Any, message: str) -> None:
    """An error names the keys and what to write."""
    assert refused(NESTED, wrt, returned) == message


@dataclass
class Layer:
    """The parameters of a layer."""

    W: Any
    b: Any


class Pair(NamedTuple):
    """The same in a named tuple."""

    W: Any
    b: Any


class Reversed(NamedTuple):
    """Its gradients, the last parameter first, as backpropagation finds them."""

    db: Any
    dW: Any  # noqa: N815  # as users write it


NAMED = [Layer(1.0, 2.0), Pair(1.0, 2.0), SimpleNamespace(W=1.0, b=2.0)]


@pytest.mark.parametrize("parameters", NAMED)
@pytest.mark.parametrize(
    "returned",
    [
        {"b": 8.0, "W": 7.0},
        {"db": 8.0, "dW": 7.0, "dz": 9.0},
        Reversed(8.0, 7.0),
        SimpleNamespace(b_grad=8.0, W_grad=7.0),
        Layer(7.0, 8.0),
        (7.0, 8.0),
        [7.0, 8.0],
    ],
)
def test_fields_are_matched_by_name(parameters: Any, returned: Any) -> None:
    """The order of what is returned counts only where it has no names."""
    assert match({"p": parameters}, None, returned) == {"p.W": 7.0, "p.b": 8.0}


@pytest.mark.parametrize("parameters", NAMED)
def test_names_of_no_field_are_not_gone_over(parameters: Any) -> None:
    """They may mean anything: the order is no hint."""
    assert refused({"p": parameters}, None, {"u": 7.0, "v": 8.0}) == (
        "backward gives no gradient for p.W, p.b; it returned a dict with the keys u, v. That "
        "of p.W may be called W, dW, grad_W, W_grad. Return it, or leave the parameter out of "
        "wrt=."
    )


@pytest.mark.parametrize(
    "returned", [Reversed(8.0, 7.0), SimpleNamespace(b=8.0, W=7.0), Layer(7.0, 8.0)]
)
def test_fields_are_names_of_arguments(returned: Any) -> None:
    """As the keys of a dict are, whether one argument is checked or several."""
    values = {"W": 1.0, "b": 2.0}
    assert match(values, None, returned) == {"W": 7.0, "b": 8.0}
    assert match(values, "b", returned) == {"b": 8.0}
    assert match({"p": values}, None, returned) == {"p['W']": 7.0, "p['b']": 8.0}


def test_named_tuple_with_other_names_is_not_gone_over_by_position() -> None:
    """A plain tuple would be."""
    assert refused({"x": 1.0, "y": 2.0}, None, Pair(1.0, 2.0)) == (
        "backward gives no gradient for x, y; it returned a Pair with the fields W, b. Only a "
        "plain tuple goes by position. That of x may be called x, dx, grad_x, x_grad. Return it, "
        "or leave the parameter out of wrt=."
    )


def test_items_of_a_sequence_have_positions_for_names() -> None:
    """A dict of their positions is matched; other keys name none of them."""
    layers = {"p": (1.0, 2.0)}
    assert match(layers, None, {1: 8.0, 0: 7.0}) == {"p[0]": 7.0, "p[1]": 8.0}
    assert match(layers, None, Pair(7.0, 8.0)) == {"p[0]": 7.0, "p[1]": 8.0}
    assert "gives no gradient for p[0], p[1]" in refused(layers, None, {"a": 7.0, "b": 8.0})


def test_gradient_under_the_name_of_two_parameters_is_refused() -> None:
    """It can be that of one of them only."""
    layers = {"p": {"one": {"W": 1.0}, "two": {"W": 2.0}}}
    assert refused(layers, None, {"dW": 7.0}) == (
        "backward returned a gradient called dW, which may be that of p['one']['W'] or of "
        "p['two']['W']: return the structure of the arguments."
    )


def test_name_in_other_letters_is_asked_about() -> None:
    """Names are case-sensitive; the question has the name as it would be read."""
    assert refused({"W": 1.0, "b": 2.0}, None, {"dw": 7.0, "db": 8.0}) == (
        "backward gives no gradient for W; it returned a dict with the keys dw, db. Did you mean "
        "'dW' by 'dw'? Check what it does return with wrt='b'."
    )


def test_two_gradients_of_one_argument_may_be_two_derivatives() -> None:
    """The message has the calls that check both; not where backward is given more than x."""

    def both(x: Any) -> Any:
        return 2 * x, 2.0

    def message(forward: Any, backward: Any) -> str:
        with pytest.raises(GradcheckUsageError) as error:
            check_gradient(forward, backward, 0.5)
        return str(error.value.args[0])

    count = "returned 2 gradients, but 1 is checked: x. Return one for each, in that order."
    assert message(lambda x: x**2, both) == (
        f"both {count} A first and a second derivative are checked by a call each: "
        "gradcheck(forward, lambda x: both(x=x)[0], x) and gradcheck(lambda x: both(x=x)[0], "
        "lambda x: both(x=x)[1], x)."
    )
    assert message(lambda x: x**2, lambda x, dout: both(x)) == f"lambda {count}"
    assert message(lambda x: (x**2, *both(x)), True) == f"lambda {count}"


def test_a_value_and_its_gradient_are_no_two_gradients() -> None:
    """The message has the call for a function that returns both."""

    def both(x: Any, a: float) -> Any:
        return a * x @ x, 2 * a * x

    x = np.array([0.5, -1.0])
    with pytest.raises(GradcheckUsageError) as error:
        check_gradient(lambda x, a: a * x @ x, both, x, 3.0, wrt="x")
    call = "gradcheck(both, True, x, a, wrt='x')"
    assert error.value.args[0] == (
        "both returned two results, and the first is what forward returns, no gradient. A "
        f"function that returns its value and the gradient is checked by {call}."
    )
    assert eval(call, {"gradcheck": check_gradient, "both": both, "x": x, "a": 3.0})  # noqa: S307  # our own message


def test_functions_without_a_name_are_called_by_what_they_are() -> None:
    """A lambda cannot be pasted."""
    assert two_derivatives_hint("lambda(x)", ["x"], "lambda") == two_derivatives_hint(
        "backward(x)", ["x"], "forward"
    )
