"""Whole checks of backward functions that take upstream gradients, contexts and caches."""

from __future__ import annotations

import types
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from keyword import iskeyword
from types import FunctionType
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pytest_gradcheck import GradcheckError, GradcheckUsageError, check_gradient, gradcheck

Function = Callable[..., Any]

X = np.array([[0.5, -1.0, 2.0], [0.3, 1.5, -0.7]])
W = np.array([[0.2, -0.4], [1.1, 0.6], [-0.9, 0.8]])


class HalfSquare:
    """A layer whose derivative is its input."""

    def forward(self, x: Any) -> Any:
        """Return half of the square."""
        self.x = x
        return 0.5 * x**2


def backward_of(name: str, expression: str) -> Function:
    """Return a method with one parameter of that name."""
    namespace: dict[str, Any] = {}
    exec(f"def backward(self, {name}): return {expression}", namespace)  # noqa: S102  # its name is what is tested
    function: Function = namespace["backward"]
    return function


@pytest.mark.parametrize(
    "name", ["dy", "dz", "grad", "gy", "grad_out", "dnext_h", "delta", "dvalues", "upstream_grad"]
)
def test_layer_that_forgets_its_input_is_wrong(name: str) -> None:
    """An upstream gradient is passed, whatever it is called; the input would hide the error."""
    layer = HalfSquare()
    forgets = types.MethodType(backward_of(name, name), layer)
    right = types.MethodType(backward_of(name, f"{name} * self.x"), layer)
    assert check_gradient(layer.forward, forgets, X).verdict == "wrong"
    assert check_gradient(layer.forward, right, X).verdict == "correct"


AFFIXES = ["d{}", "d_{}", "grad_{}", "g{}", "{}_grad", "dL_d{}", "delta_{}", "{}_bar", "{}"]
STEMS = ["y", "out", "h", "next_h", "logits", "x2", "W", "input", "q", "loss", "state", "a_t"]
KNOWN_TO_MEAN_ELSE = {"x", "cache", "output", "tangent", "self"}


@given(
    st.one_of(
        st.builds(str.format, st.sampled_from(AFFIXES), st.sampled_from(STEMS)),
        st.from_regex(r"[a-z]{1,3}(_[a-z]{1,4})?", fullmatch=True),
    ).filter(lambda name: name.isidentifier() and not iskeyword(name)),
    st.booleans(),
)
def test_any_name_ends_in_a_true_verdict_or_a_refusal(name: str, is_method: bool) -> None:
    """A layer that forgets its input never passes, and a right one is never accused."""
    assume(name not in KNOWN_TO_MEAN_ELSE)
    layer = HalfSquare()
    for expression, verdict in ((name, "wrong"), (f"{name} * self.x", "correct")):
        function = backward_of(name, expression)
        backward = (
            types.MethodType(function, layer)
            if is_method
            else FunctionType(
                compile(f"lambda {name}: {expression}", "<test>", "eval").co_consts[0],
                {"self": layer},
            )
        )
        with suppress(GradcheckUsageError):
            assert check_gradient(layer.forward, backward, X).verdict == verdict


def refusal(forward: Function, backward: Function, *args: Any, **options: Any) -> str:
    """Return the message of a call that is refused, on one line."""
    with pytest.raises(GradcheckUsageError) as error:
        check_gradient(forward, backward, *args, **options)
    return " ".join(str(error.value).split())


def test_unknown_name_is_refused_with_each_reading() -> None:
    """Both calls that it may mean can be pasted."""
    layer = HalfSquare()
    backward = types.MethodType(backward_of("q", "q * self.x"), layer)
    message = refusal(layer.forward, backward, X)
    assert message == (
        "backward, backward(q), asks for 'q', which is no argument of HalfSquare.forward (x) and "
        "no special name (cache, output, cotangent, tangent, or a usual name of an upstream "
        "gradient, as dout, grad_output or dy). Rename the parameter, or state the call: "
        "backward_args=('cotangent',) if q is the upstream gradient; or backward_args=('x',) if q "
        "is x."
    )
    stated = check_gradient(layer.forward, backward, X, backward_args=("cotangent",))
    assert stated.verdict == "correct"


@pytest.mark.parametrize("output", [lambda x: 0.5 * x**2, lambda x: [0.5 * x**2]])
def test_functions_of_arrays_are_not_called_by_position(output: Function) -> None:
    """An upstream gradient may be meant wherever forward returns no number."""
    assert "backward_args=('cotangent',)" in refusal(output, lambda q: q, X)


def test_methods_are_not_called_by_position() -> None:
    """Not even if the output is a number: the layer may have kept its input."""

    class Loss:
        def forward(self, x: Any) -> Any:
            return float((x**2).sum())

        def backward(self, q: Any) -> Any:
            return 2 * q

        def variadic(self, *args: Any) -> Any:
            return 2 * args[0]

    loss = Loss()
    assert "if q is the upstream gradient" in refusal(loss.forward, loss.backward, X)
    assert "backward_args=('x',)" in refusal(loss.forward, loss.variadic, X)


def test_call_by_position_is_said_first_in_a_failure() -> None:
    """It stands between the first line and the table."""
    with pytest.raises(GradcheckError) as error:
        gradcheck(lambda x: float((x**2).sum()), lambda q: q, X)
    _, said, table, *_ = str(error.value).split("\n\n")
    assert " ".join(said.split()) == (
        "backward was called with forward's arguments by position: lambda(x). If this is not what "
        "it takes, state the call with backward_args=(...)."
    )
    assert table.startswith("parameter")


@pytest.mark.parametrize("backward", [lambda x: 1 * np.cos(x), lambda z: 1 * np.cos(z), np.cos])
def test_universal_functions_have_operands(backward: Function) -> None:
    """They have no signature: their operands go by the names in numpy's documentation."""
    assert check_gradient(np.sin, backward, X).verdict == "correct"


def test_tangent_is_a_reading() -> None:
    """The name of an argument after a d may be a tangent: the message says how to state it."""
    message = refusal(lambda x: x**2, lambda x, dx: 2 * x * dx, X)
    assert "backward_args=('x', 'tangent') if dx is the direction" in message
    report = check_gradient(
        lambda x: x**2, lambda x, dx: 2 * x * dx, X, backward_args=("x", "tangent")
    )
    assert report.verdict == "correct"


@pytest.mark.parametrize("default", [None, 1, 1.0])
def test_optional_upstream_gradient_is_passed(default: Any) -> None:
    """Its usual defaults stand for the upstream gradient of a number."""

    def backward(x: Any, dy: Any = default) -> Any:
        return 2 * x * (1 if dy is None else dy)

    assert check_gradient(lambda x: x**2, backward, X).kind == "vjp"
    assert check_gradient(lambda x: float((x**2).sum()), backward, X).kind == "gradient"


@pytest.mark.parametrize("default", [0.5, True, "mean"])
def test_optional_setting_is_left_alone(default: Any) -> None:
    """A setting with such a name keeps its default."""

    def backward(x: Any, delta: Any = default) -> Any:
        assert delta is default
        return 2 * x

    assert check_gradient(lambda x: x**2, backward, X).kind == "elementwise"


class Context:
    """What torch.autograd.Function passes."""

    def save_for_backward(self, *values: Any) -> None:
        """Keep values."""
        self.saved_tensors = values


def into_dict(ctx: Any, x: Any) -> Any:
    """Keep the input in a dict."""
    ctx["x"] = x
    return x**2


def into_list(ctx: Any, x: Any) -> Any:
    """Keep the input in a list."""
    ctx.append(x)
    return x**2


def into_object(ctx: Any, x: Any) -> Any:
    """Keep the input in an attribute."""
    ctx.x = x
    return x**2


@pytest.mark.parametrize(
    ("forward", "backward", "context"),
    [
        (into_dict, lambda ctx, grad: 2 * ctx["x"] * grad, dict),
        (into_list, lambda ctx, grad: 2 * ctx[-1] * grad, list),
        (into_object, lambda ctx, grad: 2 * ctx.x * grad, types.SimpleNamespace),
        (into_object, lambda ctx, grad: 2 * ctx.x * grad, Context),
    ],
)
def test_context_is_passed_as_forward_left_it(
    forward: Function, backward: Function, context: Function
) -> None:
    """A container is copied for each evaluation, and the user's own stays as it was."""
    given = context()
    assert check_gradient(forward, backward, given, X).verdict == "correct"
    assert isinstance(given, Context) or given == context()


class Linear:
    """A function in the style of torch.autograd.Function."""

    @staticmethod
    def forward(ctx: Context, x: Any, weight: Any, scale: int, labels: Any) -> Any:
        """Multiply."""
        ctx.save_for_backward(x, weight)
        return x @ weight * scale

    @staticmethod
    def backward(ctx: Context, grad_output: Any) -> Any:
        """Return the gradients of the arguments after the context."""
        x, weight = ctx.saved_tensors
        return 2 * grad_output @ weight.T, 2 * x.T @ grad_output, None, None


@pytest.mark.parametrize("wrt", [None, "x", "weight", ["weight", "x"]])
def test_gradients_match_the_arguments_after_the_context(wrt: Any) -> None:
    """None stands for those that are not checked."""
    arguments = (Context(), X, W, 2, np.array([0, 1]))
    report = check_gradient(Linear.forward, Linear.backward, *arguments, wrt=wrt)
    assert report.verdict == "correct"


def step(x: Any, prev_h: Any, prev_c: Any) -> Any:
    """Return two outputs and a cache, as a step of an LSTM."""
    next_h = x * np.tanh(prev_h)
    next_c = np.sin(prev_c) + x * prev_h
    return next_h, next_c, (x, prev_h, prev_c)


def step_backward(dnext_h: Any, dnext_c: Any, cache: Any) -> Any:
    """Return the gradients of all arguments."""
    x, h, c = cache
    return (
        dnext_h * np.tanh(h) + dnext_c * h,
        dnext_h * x / np.cosh(h) ** 2 + dnext_c * x,
        dnext_c * np.cos(c),
    )


class Named(NamedTuple):
    """Outputs with names."""

    h: Any
    c: Any


@dataclass
class Outputs:
    """Outputs with names."""

    h: Any
    c: Any


@pytest.mark.parametrize(
    ("forward", "backward"),
    [
        (step, step_backward),
        (step, lambda dc_next, dh_next, cache: step_backward(dh_next, dc_next, cache)),
        (lambda x, h, c: ((o := step(x, h, c))[:2], o[2]), step_backward),
        (lambda x, h, c: ((o := step(x, h, c))[:2], o[2]),
         lambda cache, *grads: step_backward(grads[0], grads[1], cache)),
    ],
)  # fmt: skip
def test_each_output_has_an_upstream_gradient(forward: Function, backward: Function) -> None:
    """They are matched by name, or go in order; the cache is the last that forward returns."""
    assert check_gradient(forward, backward, X, X + 1, X + 2).verdict == "correct"


@pytest.mark.parametrize("container", [Named, Outputs, lambda h, c: {"h": h, "c": c}])
def test_outputs_with_names_have_upstream_gradients_of_these_names(container: Function) -> None:
    """Their order does not matter."""
    forward = lambda x: container(x**2, x**3)  # noqa: E731
    backward = lambda grad_c, grad_h, x: grad_c * 3 * x**2 + grad_h * 2 * x  # noqa: E731
    report = check_gradient(forward, backward, X)
    assert report.verdict == "correct"
    assert not [note for note in report.notes if note.kind == "called"]


def test_order_of_upstream_gradients_is_noted() -> None:
    """Where outputs have no names, they go in order, and a failure says so."""
    report = check_gradient(
        lambda x: (x**2, x**3), lambda dy, dz, x: dz * 2 * x + dy * 3 * x**2, X
    )
    assert report.verdict == "wrong"
    (note,) = [note for note in report.notes if note.kind == "called"]
    assert note.text == (
        "upstream gradients were passed in the order of the outputs: "
        "lambda(dy=<cotangent[0]>, dz=<cotangent[1]>, x=x)"
    )
    stated = check_gradient(
        lambda x: (x**2, x**3),
        lambda dy, dz, x: dz * 2 * x + dy * 3 * x**2,
        X,
        backward_args=("cotangent[1]", "cotangent[0]", "x"),
    )
    assert stated.verdict == "correct"


def test_one_name_of_two_leaves_one_place() -> None:
    """An upstream gradient without a name goes to the output that is left."""

    def forward(x: Any) -> Any:
        h = x**2
        return h, x**3

    report = check_gradient(forward, lambda dy, dh, x: dh * 2 * x + dy * 3 * x**2, X)
    assert report.verdict == "correct"
    assert not [note for note in report.notes if note.kind == "called"]


@pytest.mark.parametrize(
    "backward",
    [
        lambda x, dy=None, dz=None: dy * 2 * x + dz * 3 * x**2,
        lambda x, dy, dz=None: dy * 2 * x + dz * 3 * x**2,
    ],
)
def test_optional_upstream_gradients_are_passed_where_there_are_as_many_outputs(
    backward: Function,
) -> None:
    """As of the state of a cell, which not every loss depends on."""
    assert check_gradient(lambda x: (x**2, x**3), backward, X).verdict == "correct"


def test_variadic_arguments_of_forward_are_passed_on() -> None:
    """To those of the same name."""
    report = check_gradient(
        lambda *xs: xs[0] * xs[1], lambda dout, *xs: (dout * xs[1], dout * xs[0]), X, X + 1
    )
    assert report.verdict == "correct"
    report = check_gradient(
        lambda x, **p: x * p["w"], lambda dout, **p: dout * p["w"], X, kwargs={"w": 2.0}, wrt="x"
    )
    assert report.verdict == "correct"


def test_upstream_gradient_with_the_name_of_an_argument() -> None:
    """A right product that is taken for an elementwise derivative is told how to be stated."""
    matrix = W[:2]
    with pytest.raises(GradcheckError) as error:
        gradcheck(lambda x: matrix.T @ x, lambda x: matrix @ x, X[0, :2])
    assert "backward_args=('cotangent',)" in str(error.value).split("\n\n")[1]
    gradcheck(lambda x: matrix.T @ x, lambda x: matrix @ x, X[0, :2], backward_args=("cotangent",))


def test_upstream_gradient_of_a_number_in_the_place_of_an_argument_is_refused() -> None:
    """Backward of a loss is often called with the predictions as ``dvalues``."""

    def loss(predicted: Any, target: Any) -> float:
        return float(((predicted - target) ** 2).sum())

    def backward(dvalues: Any, target: Any) -> Any:
        return 2 * (dvalues - target)

    message = refusal(loss, backward, X, X + 1, wrt="predicted")
    assert "by its name an upstream gradient, by its place an argument of loss" in message
    assert "backward_args=('predicted', 'target') if dvalues is predicted" in message
    report = check_gradient(
        loss, backward, X, X + 1, wrt="predicted", backward_args=("predicted", "target")
    )
    assert report.verdict == "correct"


def test_output_that_forward_names_is_a_reading() -> None:
    """The message says so, and how to bind a setting."""

    def forward(x: Any) -> Any:
        y = x * 2
        y += 1
        return y

    message = refusal(forward, lambda dout, y: dout * (1 - y**2), X)
    assert "backward_args=('cotangent', 'output') if y is the output of forward" in message
    assert message.endswith("If y is a setting, pass functools.partial(backward, y=...).")


def test_method_of_a_callable_object_is_not_called_by_position() -> None:
    """Forward is the object itself."""

    class Loss:
        def __call__(self, x: Any) -> float:
            return float((x**2).sum())

        def backward(self, q: Any) -> Any:
            return 2 * q

    loss = Loss()
    assert "asks for 'q'" in refusal(loss, loss.backward, X)


@pytest.mark.parametrize("returns_cache", [False, True])
def test_output_without_upstream_gradient_is_not_checked(returns_cache: bool) -> None:
    """Its cotangent is zero, and a note says so."""

    def forward(x: Any) -> Any:
        h, c, square = x**2, x**3, x * x
        return (h, square, c, x) if returns_cache else (h, square, c)

    def backward(dc: Any, dh: Any, x: Any) -> Any:
        return dh * 2 * x + dc * 3 * x**2

    def with_cache(dc: Any, dh: Any, cache: Any) -> Any:
        return dh * 2 * cache + dc * 3 * cache**2

    report = check_gradient(forward, with_cache if returns_cache else backward, X)
    assert report.verdict == "correct"
    (note,) = [note for note in report.notes if note.kind == "cotangent"]
    assert note.text.endswith("; backward takes none of output 1, which is not checked")


def test_stated_part_of_the_upstream_gradient() -> None:
    """A nested output is one, with all that is in it."""
    report = check_gradient(
        lambda x: {"a": {"p": x**2, "q": x}, "b": x**3},
        lambda given, x: given["p"] * 2 * x + given["q"],
        X,
        backward_args=("cotangent[0]", "x"),
    )
    assert report.verdict == "correct"


def test_upstream_gradients_of_other_outputs_are_refused() -> None:
    """There are no more of them than outputs; without names there are as many."""
    message = refusal(lambda x: x**2, lambda dy, dz, x: dy * 2 * x, X)
    assert "asks for the upstream gradients dy, dz, but forward returns one output" in message
    assert "backward_args=('cotangent', 'output', 'x')" in message
    message = refusal(lambda x: (x * 1, x * 2, x * 3), lambda dy, dz, x: dy + dz, X)
    assert "but forward returns 3 outputs" in message
    assert "backward_args=('cotangent[0]', 'cotangent[1]', 'x')" in message
    message = refusal(lambda x: (x, x * 2), lambda dy, dz, dh, x: dy + dz, X)
    assert "backward_args=('cotangent[0]', 'cotangent[1]', 'output', 'x')" in message
    message = refusal(lambda x: x * 1, lambda *, dy, dz, x: dy + dz, X)
    assert "Rename what is no upstream gradient, or wrap backward in a function" in message
    message = refusal(lambda x: (x, x), lambda dy, x: dy, X, backward_args=("cotangent[2]", "x"))
    assert "asks for the upstream gradients cotangent[2], but forward returns 2 outputs" in message


def test_gradient_stored_under_another_capital_is_asked_for() -> None:
    """A layer stores ``dw`` for its ``W``."""

    class Layer:
        def __init__(self) -> None:
            self.W = W.copy()

        def forward(self, x: Any) -> Any:
            self.x = x
            return x @ self.W

        def backward(self, dout: Any) -> Any:
            self.dw = self.x.T @ dout
            return dout @ self.W.T

    layer = Layer()
    message = refusal(layer.forward, layer.backward, X, wrt=["x", "self.W"])
    assert message.endswith("Did you mean self.dW by self.dw?")
