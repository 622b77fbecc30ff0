"""The arguments of backward, from the names of its parameters."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pytest_gradcheck import GradcheckUsageError
from pytest_gradcheck.binding.call.backward_arguments import BackwardPlan, invoke, plan_backward
from pytest_gradcheck.binding.call.signature import bind_arguments

Function = Callable[..., Any]


def plan(
    backward: Function,
    forward: Function = lambda x, w: x * w,
    args: tuple[Any, ...] = (1.0, 2.0),
    backward_args: tuple[str, ...] | None = None,
) -> BackwardPlan:
    """Plan the call of `backward` for a forward of two arguments."""
    arguments = bind_arguments(forward, args, {})
    return plan_backward(backward, arguments, forward_name="forward", backward_args=backward_args)


@pytest.mark.parametrize(
    ("backward", "call", "needs"),
    [
        (lambda w: 0, "lambda(w=w)", set()),
        (lambda w, x: 0, "lambda(w=w, x=x)", set()),
        (lambda cache: 0, "lambda(cache=<cache>)", {"cache"}),
        (
            lambda dout, cache: 0,
            "lambda(dout=<cotangent>, cache=<cache>)",
            {"cotangent", "cache"},
        ),
        (lambda grad_output, x: 0, "lambda(grad_output=<cotangent>, x=x)", {"cotangent"}),
        (lambda cotangent, output: 0, "lambda(cotangent=<cotangent>, output=<output>)",
         {"cotangent", "output"}),
        (lambda x, tangent: 0, "lambda(x=x, tangent=<tangent>)", {"tangent"}),
        (lambda cache, /, *, x: 0, "lambda(<cache>, x=x)", {"cache"}),
    ],
)  # fmt: skip
def test_known_names_are_bound(backward: Function, call: str, needs: set[str]) -> None:
    """Required parameters are forward's arguments or special names, positional-only respected."""
    planned = plan(backward)
    assert planned.describe() == call
    assert planned.needs == needs
    assert planned.note is None


def test_own_argument_wins_over_a_special_name() -> None:
    """An argument of forward that is called cache is that argument."""
    planned = plan(lambda cache: 0, lambda x, cache: x, (1.0, 2.0))
    assert planned.describe() == "lambda(cache=cache)"
    assert planned.needs == set()


@pytest.mark.parametrize("backward", [np.multiply, lambda *args: 0, lambda a, b: 0])
def test_unknown_functions_are_called_by_position(backward: Function) -> None:
    """Without a known name the arguments of forward are passed by position, with a note."""
    planned = plan(backward)
    assert planned.positional == ("x", "w")
    assert planned.note is not None
    assert planned.note.text == (
        f"backward was called with forward's arguments by position: {planned.name}(x, w)"
    )


def test_some_known_and_some_not_is_an_error() -> None:
    """It is never guessed; each plausible meaning is in the message, ready to paste."""
    with pytest.raises(GradcheckUsageError) as error:
        plan(lambda x, upstream: 0)
    assert error.value.args[0] == (
        "backward, lambda(x, upstream), asks for 'upstream', which is neither an argument of "
        "forward (x, w) nor one of cache, output, cotangent, dout, grad_output, tangent. Rename "
        "the parameter, or state the call: backward_args=('x', 'cotangent') or "
        "backward_args=('x', 'cache') or backward_args=('x', 'w')."
    )


def test_positions_that_cannot_fit_are_an_error() -> None:
    """A backward with another number of unknown parameters is not called by position."""
    with pytest.raises(GradcheckUsageError) as error:
        plan(lambda a, b, c: 0)
    assert error.value.args[0] == (
        "backward, lambda(a, b, c), names nothing that is known, and cannot take the arguments of "
        "forward by position either: x, w. Rename the parameter, or state the call: "
        "backward_args=('cotangent', 'cache', 'x')."
    )


def test_stated_call_overrides_names() -> None:
    """`backward_args` are the positional arguments, whatever the parameters are called."""
    planned = plan(lambda x: 0, backward_args=("cotangent", "w"))
    assert planned.describe() == "lambda(<cotangent>, w)"


def test_stated_name_that_does_not_exist_is_an_error() -> None:
    """A typo in `backward_args` gets a suggestion."""
    with pytest.raises(GradcheckUsageError) as error:
        plan(lambda x: 0, backward_args=("cotangnt",))
    assert error.value.args[0] == (
        "backward_args='cotangnt' for lambda: forward has no argument of that name. Did you mean "
        "'cotangent'? Known are x, w and cache, output, cotangent, dout, grad_output, tangent."
    )


def test_optional_parameters_that_are_known_are_filled() -> None:
    """A default is replaced by the argument of forward; an unknown parameter keeps its default."""
    assert plan(lambda x, w=0, eps=1e-5: 0).describe() == "lambda(x=x, w=w)"


def test_optional_cotangent_is_filled_for_arrays_only() -> None:
    """For a scalar loss the upstream gradient keeps its default of 1."""
    planned = plan(lambda x, dout=1.0: dout)
    sources = {"x": 2.0, "<cotangent>": 7.0}
    assert planned.wants_cotangent(scalar_output=False)
    assert invoke(planned, lambda x, dout=1.0: dout, sources, scalar_output=True) == 1.0
    assert invoke(planned, lambda x, dout=1.0: dout, sources, scalar_output=False) == 7.0


def test_optional_cache_is_filled_when_there_is_one() -> None:
    """A cache with a default is passed where forward returned one."""

    def backward(x: Any, cache: Any = None) -> Any:
        return cache

    planned = plan(backward)
    assert invoke(planned, backward, {"x": 1.0, "<cache>": "c"}, scalar_output=True) == "c"
    assert invoke(planned, backward, {"x": 1.0}, scalar_output=True) is None


def test_exception_of_backward_says_how_it_was_called() -> None:
    """The exception of backward propagates, with a note."""

    def backward(x: float) -> float:
        raise KeyError("gone")

    with pytest.raises(KeyError) as error:
        invoke(plan(backward), backward, {"x": 1.0}, scalar_output=True)
    (note,) = error.value.__notes__
    assert note.startswith("gradcheck called backward as ")
    assert note.endswith("backward(x=x)")
