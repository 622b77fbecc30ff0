"""The arguments of forward by name."""

import functools
import gc
import inspect
import weakref
from typing import Any

import numpy as np
import pytest

from pytest_gradcheck import GradcheckUsageError
from pytest_gradcheck.binding.call.signature import bind_arguments, name_of, signature_of


def forward(x: Any, w: Any, *rest: Any, b: Any = 0.5, scale: Any = 1.0, **more: Any) -> None:
    """Take every kind of argument."""


def test_every_kind_of_argument_has_a_name() -> None:
    """Positional, variadic, keyword-only, extra and defaulted arguments have names."""
    arguments = bind_arguments(forward, (1, 2, 3, 4), {"b": 5, "extra": 6})
    assert arguments.names == ("x", "w", "rest[0]", "rest[1]", "b", "scale", "extra")
    assert arguments.values == (1, 2, 3, 4, 5, 1.0, 6)
    assert arguments.positional == ("x", "w", "rest[0]", "rest[1]")
    assert arguments.defaulted == {"scale"}


def test_packing_gives_back_the_call() -> None:
    """New values are passed as the old ones were; defaults are left to forward."""
    arguments = bind_arguments(forward, (1, 2, 3), {"b": 5, "extra": 6})
    new = [value * 10 for value in arguments.values]
    new[arguments.names.index("scale")] = arguments.values[arguments.names.index("scale")]
    assert arguments.pack(new) == ((10, 20, 30), {"b": 50, "extra": 60})


def test_replaced_default_is_passed() -> None:
    """A default whose value was replaced is passed by its keyword."""
    arguments = bind_arguments(lambda x, w=2.0: x * w, (1.0,), {})
    assert arguments.pack([1.0, 3.0]) == ((1.0,), {"w": 3.0})


@pytest.mark.parametrize("function", [np.sin, np.add, max])
def test_functions_without_a_signature_have_numbered_arguments(function: Any) -> None:
    """The arguments of universal functions and builtins are named by position."""
    assert bind_arguments(function, (1.0, 2.0), {}).names == ("args[0]", "args[1]")


def test_wrong_call_is_said_in_words() -> None:
    """A call that forward does not take is an error that shows both."""
    with pytest.raises(GradcheckUsageError) as error:
        bind_arguments(lambda x, w: x, (1.0,), {"v": 2.0})
    assert error.value.args[0] == (
        "forward, lambda(x, w), cannot be called as lambda(..., v=...): missing a required "
        "argument: 'w'. Positional arguments of forward follow backward in the call; keyword "
        "arguments go in kwargs={...}."
    )


@pytest.mark.parametrize("inputs", [3.0, (1.0,), (1.0, 2.0, 3.0)])
def test_one_argument_too_few_is_no_tuple_of_inputs(inputs: Any) -> None:
    """The hint to unpack a tuple is given only where forward would take it unpacked."""
    with pytest.raises(GradcheckUsageError) as error:
        bind_arguments(lambda x, w: x, (inputs,), {})
    assert error.value.args[0] == (
        "forward, lambda(x, w), cannot be called as lambda(...): missing a required argument: "
        "'w'. Positional arguments of forward follow backward in the call; keyword arguments go "
        "in kwargs={...}."
    )


class Layer:
    """A callable with a method."""

    def __call__(self, x: float) -> float:
        """Return x."""
        return x

    def forward(self, x: float) -> float:
        """Return x."""
        return x


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (forward, "forward"),
        (Layer.forward, "Layer.forward"),
        (Layer().forward, "Layer.forward"),
        (Layer(), "Layer"),
        (functools.partial(forward, 1), "forward"),
        (np.sin, "sin"),
        (lambda x: x, "lambda"),
    ],
)
def test_functions_have_readable_names(function: Any, name: str) -> None:
    """Names are short: no module, no `<locals>`."""
    assert name_of(function) == name


def test_a_signature_is_looked_up_once_for_functions_of_one_code(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A function that is defined again has the same signature object."""

    def defined() -> Any:
        return lambda x, w: x * w

    first = signature_of(defined())
    monkeypatch.setattr(inspect, "signature", None)
    assert signature_of(defined()) is first


def test_what_else_says_what_a_function_takes_is_read_each_time() -> None:
    """Defaults, annotations and attributes of a function are not in its code object."""

    def plain(x: Any, w: Any) -> None: ...

    del plain.__annotations__
    signature_of(plain)
    plain.__defaults__ = (2.0,)
    assert str(signature_of(plain)) == "(x, w=2.0)"
    plain.__annotations__ = {"x": "float"}
    signature = signature_of(plain)
    assert signature is not None
    assert signature.parameters["x"].annotation == "float"
    plain.__signature__ = inspect.Signature()  # type: ignore[attr-defined]  # as decorators set it
    assert str(signature_of(plain)) == "()"


def test_signatures_do_not_keep_code_alive() -> None:
    """They are released with the last function of their code."""
    function = eval("lambda x: x")  # noqa: S307  # a code of its own
    code = weakref.ref(function.__code__)
    signature_of(function)
    del function
    gc.collect()
    assert code() is None


class Misused:
    """A layer whose methods are passed in ways in which they cannot be called."""

    def forward(self, x: Any) -> Any:
        """Return the output."""
        return x


@pytest.mark.parametrize(
    ("forward", "advice"),
    [
        (Misused, "It is a class: pass a method of an object, Misused(...).forward."),
        (Misused.forward, "It is a function of a class: pass the method of an object of that"),
        (lambda ctx, x: x, "Its first argument is a context: pass an object in which forward can"),
        (lambda x, y: x, "Positional arguments of forward follow backward in the call;"),
    ],
)
def test_advice_for_a_call_that_lacks_an_argument(forward: Any, advice: str) -> None:
    """It says what newcomers forget."""
    with pytest.raises(GradcheckUsageError) as error:
        bind_arguments(forward, (1.0,), {})
    assert advice in error.value.args[0]
