"""The names of upstream gradients, and of the outputs that they are about."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest

from pytest_gradcheck.binding.call.upstream_gradients import (
    known_outputs,
    match_outputs,
    may_return_tuple,
    output_names,
    upstream_parameters,
)

Function = Callable[..., Any]

USUAL = (
    "cotangent ct dout dy dz dh da dA dZ dY dOut dZ1 dA2 dL dloss dnext dnext_h dh_next dc_next "
    "dvalues dscores dlogits dprobs dy_pred dyhat dL_dy dLdy dL_dout dE_dY dLoss_dOut dl_dz d_out "
    "d_y dJdy grad grads gradient grad_out grad_output grad_outputs grad_y gradOutput gradOut "
    "out_grad output_grad output_gradient up_grad upstream upstream_grad upstream_gradient "
    "backwards_gradient "
    "incoming_gradient head_grads g_out gy gz gout ograd delta delta_next delta_out top_diff "
    "y_bar bar_y output_error adj_y y_adjoint ct_out dA_curr dh_t grad_from_above "
    "upstream_derivative"
)

OTHERS = (
    "x y z w W b X data dim dtype dropout depth decay degree density dt dx dW db dx_out_dx "
    "doutput_dx gamma gain gate graph grad_fn grad_clip grad_x grad_W dprev ctx cache mask lr eps "
    "learning_rate error residual output delta_t dinputs gravity g"
)


@pytest.mark.parametrize("name", USUAL.split())
def test_usual_names_are_known(name: str) -> None:
    """They are made of an affix of a derivative and a usual name of an output."""
    assert upstream_parameters([name], ["x"], tuple) == (name,)


@pytest.mark.parametrize("name", OTHERS.split())
def test_other_names_are_not(name: str) -> None:
    """Words that begin like a derivative, and derivatives by anything else, are not known."""
    assert upstream_parameters([name], ["x"], tuple) == ()


def test_derivative_by_an_argument_is_none() -> None:
    """With an argument y of forward, dy may be its tangent."""
    assert upstream_parameters(["dy"], ["y"], tuple) == ()


def test_derivative_by_what_forward_returns_is_one() -> None:
    """The name of an output may be any."""
    assert upstream_parameters(["dq", "grad_q"], ["x"], lambda: ["q"]) == ("dq", "grad_q")


def test_names_of_one_pattern_are_known_together() -> None:
    """A derivative by one letter is an upstream gradient beside another one of that pattern."""
    assert upstream_parameters(["dh", "dc"], ["x"], tuple) == ("dh", "dc")
    assert upstream_parameters(["dh", "dc"], ["x", "c"], tuple) == ("dh",)


@pytest.mark.parametrize(
    ("names", "outputs", "places"),
    [
        (["dh", "dc"], ["h", "c"], (0, 1)),
        (["dc_next", "dh_next"], ["next_h", "next_c"], (1, 0)),
        (["grad_loss", "grad_aux"], ["aux", "loss"], (1, 0)),
        (["dy2", "dy1"], ["y1", "y2"], (1, 0)),
        (["dh", "dc"], ["h2", "c2"], (0, 1)),
        (["dh", "dc"], ["", ""], (None, None)),
        (["dc", "dh"], ["h", ""], (None, 0)),
        (["dh_next", "dh_new"], ["h", "c"], (None, None)),
    ],
)
def test_outputs_are_matched_by_name(
    names: list[str], outputs: list[str], places: tuple[int | None, ...]
) -> None:
    """Names are matched exactly, or up to words that say that it is an output."""
    assert match_outputs(names, outputs) == places


class Layer:
    """A layer that returns its state."""

    def forward(self, x: float) -> float:
        """Keep the output."""
        self.activated = x * 2
        return self.activated

    def both(self, x: float) -> tuple[float, float]:
        """Return an attribute and a variable."""
        self.h = x
        return self.h, x

    def __call__(self, x: float) -> float:
        """Return a variable."""
        hidden_state = x + 1
        hidden_state += x
        return hidden_state


def step(x: float, w: float) -> Any:
    """Return two outputs and a cache."""
    h = x * w
    c = h + w
    cache = (x, w)
    return h, c, cache


def nested(x: float, w: float) -> Any:
    """Return outputs in a tuple of their own."""
    h = x * w
    return (h, x), (x, w)


class Named(NamedTuple):
    """Outputs with names."""

    mean: float
    spread: float


def named(x: float) -> Named:
    """Return a named tuple."""
    return Named(x * x, x + 1)


def mapping(x: float) -> dict[str, float]:
    """Return a dict."""
    return {"loss": x * x, "penalty": abs(x)}


@pytest.mark.parametrize(
    ("function", "names"),
    [
        (Layer().forward, {"activated"}),
        (Layer(), {"hidden_state"}),
        (step, {"h", "c", "cache"}),
        (mapping, {"loss", "penalty"}),
        (named, {"mean", "spread"}),
        (lambda x: x + 1, set()),
        (abs, set()),
    ],
)
def test_names_of_outputs_are_read_in_the_code(function: Function, names: set[str]) -> None:
    """They are variables, attributes and keys in return statements."""
    assert names <= known_outputs(function)


def test_names_of_outputs_in_a_tuple() -> None:
    """They are in order; a cache beside them is not one."""
    assert output_names(step, 2) == ("h", "c")
    assert output_names(nested, 2) == ("h", "x")
    assert output_names(Layer().both, 2) == ("h", "x")
    assert output_names(lambda x: (x * 2, x), 2) == ("", "x")
    assert output_names(abs, 2) == ("", "")


class Hostile:
    """An object that raises whatever it is asked for."""

    def __getattr__(self, name: str) -> Any:
        raise ValueError(name)


def test_objects_that_compute_their_attributes_have_no_names() -> None:
    """What they raise is not passed on."""
    hostile: Any = Hostile()
    assert known_outputs(hostile) == frozenset()
    assert not may_return_tuple(hostile)


def test_tuples_are_seen_in_the_code() -> None:
    """A return statement that makes a tuple is one; what a call returns is not known."""
    assert may_return_tuple(step)
    assert not may_return_tuple(Layer().forward)
    assert not may_return_tuple(abs)
