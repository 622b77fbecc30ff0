"""The arguments of backward, from the names of its parameters."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pytest_gradcheck import GradcheckUsageError, check_gradient
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
    return plan_backward(
        backward,
        arguments,
        forward=forward,
        forward_name="forward",
        backward_args=backward_args,
    )


@pytest.mark.parametrize(
    ("backward", "call", "needs"),
    [
        (lambda w: 0, "lambda(w=w)", set()),
        (lambda w, x: 0, "lambda(w=w, x=x)", set()),
        (lambda cache: 0, "lambda(cache=<cache>)", {"cache"}),
        (lambda caches: 0, "lambda(caches=<cache>)", {"cache"}),
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


NO_SPECIAL_NAME = (
    "of forward (x, w) and no special name (cache, output, cotangent, tangent, or a usual name of "
    "an upstream gradient, as dout, grad_output or dy)."
)


def returns_pair(x: float, w: float) -> tuple[float, float]:
    """Return what may be an output and a cache."""
    return x * w, x


@pytest.mark.parametrize(
    ("backward", "forward", "unclear", "advice"),
    [
        (
            lambda x, q: 0,
            lambda x, w: x * w,
            "asks for 'q', which is no argument",
            "Rename the parameter, or state the call: backward_args=('x', 'cotangent') if q is "
            "the upstream gradient; or backward_args=('x', 'w') if q is w.",
        ),
        (
            lambda dout, q: 0,
            returns_pair,
            "asks for 'q', which is no argument",
            "Rename the parameter, or state the call: backward_args=('cotangent', 'x') if q is x; "
            "or backward_args=('cotangent', 'w') if q is w; or backward_args=('cotangent', "
            "'cache') if q is the cache. If q is a setting, pass functools.partial(backward, "
            "q=...).",
        ),
        (
            lambda ctx, grad_output: 0,
            lambda x, w: x * w,
            "asks for 'ctx', which is no argument",
            "Rename the parameter, or state the call: backward_args=('cache', 'cotangent') if ctx "
            "is the cache; or backward_args=('x', 'cotangent') if ctx is x; or "
            "backward_args=('w', 'cotangent') if ctx is w.",
        ),
        (
            lambda x, w, *, q: 0,
            lambda x, w: x * w,
            "asks for 'q', which is no argument",
            "Rename q to cotangent.",
        ),
        (
            lambda a, b, c: 0,
            lambda x, w: x * w,
            "asks for 'a' and 'b' and 'c', which are no arguments",
            "Rename the parameters, or state the call: backward_args=('cotangent', 'x', 'w') if a "
            "is the upstream gradient and b is x and c is w.",
        ),
        (
            lambda a, b: 0,
            returns_pair,
            "asks for 'a' and 'b', which are no arguments",
            "Rename the parameters, or state the call: backward_args=('x', 'w') if a is x and b "
            "is w; or backward_args=('cotangent', 'x') if a is the upstream gradient and b is x; "
            "or backward_args=('cotangent', 'cache') if a is the upstream gradient and b is the "
            "cache; or backward_args=('cotangent[0]', 'cotangent[1]') if a is the upstream "
            "gradient of output 0 and b is the upstream gradient of output 1.",
        ),
        (
            lambda a, cache_b: 0,
            lambda x, w: x * w,
            "asks for 'a' and 'cache_b', which are no arguments",
            "Rename the parameters, or state the call: backward_args=('cotangent', 'cache') if a "
            "is the upstream gradient and cache_b is the cache; or backward_args=('x', 'w') if a "
            "is x and cache_b is w; or backward_args=('cotangent', 'x') if a is the upstream "
            "gradient and cache_b is x.",
        ),
        (
            lambda x, w, dout, a, b: 0,
            lambda x, w: x * w,
            "asks for 'a' and 'b', which are no arguments",
            "Rename the parameters, or wrap backward in a function that takes only what is known.",
        ),
    ],
)
def test_unclear_calls_are_refused(
    backward: Function, forward: Function, unclear: str, advice: str
) -> None:
    """It is never guessed; each plausible meaning is in the message, ready to paste."""
    with pytest.raises(GradcheckUsageError) as error:
        plan(backward, forward).for_outputs((), is_number=False)
    message = error.value.args[0]
    assert message.startswith("backward, lambda(")
    assert f", {unclear} {NO_SPECIAL_NAME} " in message
    assert message.endswith(f"{NO_SPECIAL_NAME} {advice}")


@pytest.mark.parametrize(
    ("backward", "stated"),
    [
        (lambda x, w, dweight: 0, ("x", "weight", "cotangent")),
        (lambda x, w, dw: 0, ("x", "weight", "cotangent")),
        (lambda dweight, x, w: 0, ("cotangent", "x", "weight")),
        (lambda inp, w, dz: 0, ("x", "weight", "cotangent")),
        (lambda dw, w, ctx: 0, ("cotangent", "weight", "cache")),
        (lambda p, q, dz: 0, ("x", "weight", "cotangent")),
        (lambda x, kernel, g: 0, ("x", "weight", "cotangent")),
        (lambda inp, kernel, dw: 0, ("x", "weight", "cotangent")),
    ],
)
def test_names_that_are_alike_go_together(backward: Function, stated: tuple[str, ...]) -> None:
    """An abbreviation is the argument, and what is called like its derivative is none."""
    with pytest.raises(GradcheckUsageError) as error:
        plan(backward, lambda x, weight: x @ weight).for_outputs((), is_number=False)
    assert f"state the call: backward_args={stated!r} if " in error.value.args[0]


@pytest.mark.parametrize(
    ("backward", "forward", "args"),
    [
        (lambda **kwargs: 0, lambda x, w: x * w, (1.0, 2.0)),
        (lambda **kwargs: 0, lambda *args: sum(args), (1.0,) * 20),
    ],
)
def test_call_that_the_signature_refuses_is_not_proposed(
    backward: Function, forward: Function, args: tuple[float, ...]
) -> None:
    """Nor is it made, where backward takes no positional arguments."""
    with pytest.raises(GradcheckUsageError) as error:
        plan(backward, forward, args)
    assert error.value.args[0].endswith(" Wrap backward in a function that names what it takes.")


def test_shadowed_special_is_stated_by_another_name() -> None:
    """An argument of forward that is called cotangent is that argument."""
    forward = lambda cotangent, dout: cotangent * dout  # noqa: E731
    with pytest.raises(GradcheckUsageError, match=re.escape("('grad_output', 'cotangent')")):
        plan(lambda q, cotangent: 0, forward)
    stated = plan(lambda q: 0, forward, backward_args=("<cotangent>", "cotangent", "grad_out"))
    assert stated.positional == ("<cotangent>", "cotangent", "<cotangent>")


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
        "'cotangent'? Known are x, w and cache, caches, output, cotangent, dout, grad_output, "
        "tangent."
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
    assert note.endswith("backward(x=<float>)")


def test_wrong_order_of_arguments_shows_in_the_note() -> None:
    """Their shapes are said, and what else is passed under a name."""

    def backward(dout: Any, x: Any, w: Any) -> Any:
        return w.T @ dout, np.outer(dout, x) @ w

    with pytest.raises(ValueError, match="matmul") as error:
        check_gradient(lambda x, w: w @ x, backward, np.ones((3, 2)), np.ones((4, 3)))
    assert error.value.__notes__[0] == (
        "gradcheck called backward as backward(dout=<cotangent, float64 array of shape (4, 2)>, "
        "x=<float64 array of shape (3, 2)>, w=<float64 array of shape (4, 3)>)"
    )
