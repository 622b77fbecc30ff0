"""Arguments that decorators supply."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any
from unittest import mock

import numpy as np
import pytest

from pytest_gradcheck import check_gradient
from pytest_gradcheck.binding.call.decorators import (
    is_decorated,
    unsupplied_signature,
    wrapper_signature,
)

Function = Callable[..., Any]
X = np.array([0.5, -1.0, 2.0])


def first(f: Function) -> Function:
    """Supply the first argument."""

    @functools.wraps(f)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return f(2.0, *args, **kwargs)

    return wrapper


def last(f: Function) -> Function:
    """Supply the last argument by position, as `mock.patch` does."""

    @functools.wraps(f)
    def wrapper(*args: Any) -> Any:
        return f(*args, 2.0)

    return wrapper


def keyword(f: Function) -> Function:
    """Supply a keyword argument."""

    @functools.wraps(f)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return f(*args, scale=2.0, **kwargs)

    return wrapper


def assigned(f: Function) -> Function:
    """Supply keyword arguments in the dict of them."""

    @functools.wraps(f)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        kwargs["scale"] = 2.0
        kwargs.setdefault("shift", 0.0)
        return f(*args, **kwargs)

    return wrapper


class Supplier:
    """Supply the first argument, as an object."""

    def __init__(self, f: Function) -> None:
        functools.update_wrapper(self, f)
        self.f = f

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call with it."""
        return self.f(2.0, *args, **kwargs)


def logged(f: Function) -> Function:
    """Supply the first argument, and pass all others to another function as well."""

    @functools.wraps(f)
    def wrapper(*args: Any) -> Any:
        str.format("{}", *args)
        return f(2.0, *args)

    return wrapper


def of_method(f: Function) -> Function:
    """Supply the first argument of a method."""

    @functools.wraps(f)
    def wrapper(self: Any, *args: Any) -> Any:
        return f(self, 2.0, *args)

    return wrapper


def by_position(f: Function) -> Function:
    """Pass on positional arguments only."""

    @functools.wraps(f)
    def wrapper(*args: Any) -> Any:
        return f(*args)

    return wrapper


def harmless(f: Function) -> Function:
    """Supply nothing."""

    @functools.wraps(f)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return f(*args, **kwargs)

    return wrapper


def f(scale: float, x: Any, y: Any = 0.0) -> Any:
    """Take the scale first."""
    return scale * x


def g(x: Any, scale: float, shift: float = 0.0) -> Any:
    """Take the scale last."""
    return scale * x


class Layer:
    """Takes the scale from a decorator."""

    @of_method
    def forward(self, scale: float, x: Any) -> Any:
        """Scale."""
        return scale * x

    @of_method
    def backward(self, scale: float, dout: Any) -> Any:
        """Scale back."""
        return scale * dout


@pytest.mark.parametrize(
    ("decorated", "names"),
    [
        (first(f), ["x", "y"]),
        (last(lambda x, scale: 0), ["x"]),
        (keyword(g), ["x", "shift"]),
        (assigned(g), ["x"]),
        (harmless(first(f)), ["x", "y"]),
        (first(harmless(f)), ["x", "y"]),
        (Layer().forward, ["x"]),
        (Supplier(f), ["x", "y"]),
        (logged(f), ["x", "y"]),
        (functools.wraps(f)(functools.partial(f, 2.0)), ["x", "y"]),
        (functools.wraps(f)(lambda x: f(2.0, x)), ["x"]),
    ],
)
def test_supplied_arguments_are_left_out(decorated: Function, names: list[str]) -> None:
    """The signature is the one that callers see."""
    signature = unsupplied_signature(decorated)
    assert signature is not None
    assert list(signature.parameters) == names


@pytest.mark.parametrize("function", [f, np.sin])
def test_functions_without_a_wrapper_have_none(function: Function) -> None:
    """They are called as they are."""
    assert unsupplied_signature(function) is None


def test_source_that_cannot_be_read_gives_none() -> None:
    """Then the wrapper takes whatever it takes."""
    with mock.patch.object(inspect, "getsource", side_effect=OSError):
        assert unsupplied_signature(first(f)) is None


@pytest.mark.parametrize(
    ("forward", "backward"),
    [
        (first(lambda scale, x: scale * x**2), first(lambda scale, dout, x: scale * 2 * x * dout)),
        (last(lambda x, scale: scale * x**2), last(lambda dout, x, scale: scale * 2 * x * dout)),
        (keyword(lambda x, scale: scale * x**2), keyword(lambda dy, x, *, scale: 4 * x * dy)),
        (Layer().forward, Layer().backward),
        (Supplier(lambda scale, x: x**2), Supplier(lambda scale, dy, x: 2 * x * dy)),
        (lambda x: x**2, by_position(lambda dout, x: 2 * x * dout)),
    ],
)
def test_decorated_functions_are_checked(forward: Function, backward: Function) -> None:
    """Both are called without what their decorators supply."""
    assert check_gradient(forward, backward, X).verdict == "correct"


def test_wrapper_with_a_signature_of_its_own() -> None:
    """Where the arguments do not fit what is wrapped, the wrapper's own names are tried."""

    @functools.wraps(f)
    def wrapper(x: Any) -> Any:
        return f(2.0, x)

    assert check_gradient(wrapper, lambda dout, x: 2 * dout, X).verdict == "correct"


class Hostile:
    """An object that raises whatever it is asked for."""

    def __call__(self, x: Any) -> Any:
        """Double."""
        return 2 * x

    def __getattr__(self, name: str) -> Any:
        raise ValueError(name)


def test_objects_that_compute_their_attributes_are_not_decorated() -> None:
    """What they raise is not passed on."""
    assert not is_decorated(Hostile())
    assert wrapper_signature(Hostile()) is None


def test_wrappers_that_pass_arguments_on_in_two_ways_are_unclear() -> None:
    """As are wrappers that take an argument for themselves; their own names are used."""

    def twice(f: Function) -> Function:
        @functools.wraps(f)
        def wrapper(*args: Any) -> Any:
            return f(2.0, *args) if args else f(1.0, 2.0, *args)

        return wrapper

    def consumes(f: Function) -> Function:
        @functools.wraps(f)
        def wrapper(times: Any, *args: Any) -> Any:
            return times * f(2.0, *args)

        return wrapper

    assert unsupplied_signature(twice(f)) is None
    assert unsupplied_signature(consumes(f)) is None
    report = check_gradient(consumes(lambda s, x: s * x), lambda dout: 6 * dout, 3.0, X, wrt=1)
    assert report.verdict == "correct"
