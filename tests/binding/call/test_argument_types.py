"""The types of the arguments of a check, with whole messages."""

from collections.abc import Callable
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

from pytest_gradcheck import GradcheckUsageError, check_gradient
from pytest_gradcheck.binding.call.argument_types import (
    read_backward,
    read_backward_args,
    read_forward,
    read_has_cache,
    read_kwargs,
    read_wrt,
)

WRT = "wrt takes the names or positions of arguments of forward, one of them or a list."
HAS_CACHE = "it must be True where forward returns (output, cache), else False, or left out."
NAMES = "it must be a tuple of the names of what backward is given, in order, as in backward_args="
KWARGS = "it must be a dict of keyword arguments of forward, as in kwargs={'alpha': 0.5}."


class Name(StrEnum):
    """Names of parameters."""

    X = "x"


@pytest.mark.parametrize(
    ("read", "value", "found"),
    [
        (read_wrt, None, None),
        (read_wrt, "x", ("x",)),
        (read_wrt, 0, (0,)),
        (read_wrt, ["x", -1], ("x", -1)),
        (read_wrt, np.int64(1), (1,)),
        (read_wrt, np.array(["x", "w"]), ("x", "w")),
        (read_wrt, np.arange(2), (0, 1)),
        (read_wrt, (n for n in "xw"), ("x", "w")),
        (read_wrt, {"x"}, ("x",)),
        (read_wrt, {"x": 1}.keys(), ("x",)),
        (read_wrt, Name.X, ("x",)),
        (read_wrt, [np.str_("x")], ("x",)),
        (read_wrt, [], ()),
        (read_backward_args, None, None),
        (read_backward_args, ["x", Name.X, np.str_("x")], ("x", "x", "x")),
        (read_backward_args, (), ()),
        (read_has_cache, None, None),
        (read_has_cache, np.True_, True),
        (read_has_cache, False, False),
        (read_kwargs, None, {}),
        (read_kwargs, MappingProxyType({Name.X: 1}), {"x": 1}),
        (read_backward, np.True_, True),
        (read_forward, len, len),
    ],
)
def test_values_become_those_of_python(read: Callable[[Any], Any], value: Any, found: Any) -> None:
    """Names are strings of no subclass, which another process can read."""
    result = read(value)
    assert result == found
    assert type(result) is type(found)
    if isinstance(found, tuple):
        assert list(map(type, result)) == list(map(type, found))
    if isinstance(found, dict):
        assert list(map(type, result)) == list(map(type, found))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"wrt": 1.5}, f"wrt=1.5: {WRT}"),
        ({"wrt": True}, f"wrt=True: {WRT}"),
        ({"wrt": ["x", None]}, f"wrt=['x', None]: {WRT}"),
        ({"wrt": {"x": 1}}, f"wrt={{'x': 1}}: {WRT}"),
        ({"wrt": b"x"}, f"wrt=b'x': {WRT}"),
        ({"wrt": np.array("x")}, f"wrt=<<U1 array of shape ()>: {WRT}"),
        ({"wrt": len}, f"wrt=len: {WRT}"),
        (
            {"wrt": 10**400},
            "wrt=<int of 1329 bits>: f was given 1 positional arguments.",
        ),
        ({"backward_args": 5}, f"backward_args=5: {NAMES}('cotangent', 'x')."),
        ({"backward_args": "x"}, f"backward_args='x': {NAMES}('x',)."),
        ({"backward_args": [1]}, f"backward_args=[1]: {NAMES}('cotangent', 'x')."),
        ({"kwargs": [1]}, f"kwargs=[1]: {KWARGS}"),
        ({"kwargs": 0}, f"kwargs=0: {KWARGS}"),
        ({"kwargs": "n"}, f"kwargs='n': {KWARGS}"),
        (
            {"kwargs": {1: 2}},
            "kwargs has the key 1: its keys are names of arguments of forward.",
        ),
        ({"has_cache": "yes"}, f"has_cache='yes': {HAS_CACHE}"),
        ({"has_cache": 1}, f"has_cache=1: {HAS_CACHE}"),
    ],
)
def test_other_types_are_refused(given: dict[str, Any], message: str) -> None:
    """The message says what is expected."""

    def f(x: Any) -> Any:
        return np.sum(x**2)

    with pytest.raises(GradcheckUsageError) as error:
        check_gradient(f, lambda x: 2 * x, np.ones(2), **given)
    assert error.value.args[0] == message


def test_set_of_several_names_is_refused() -> None:
    """Their order is that of hashes, and gradients come in an order."""
    with pytest.raises(GradcheckUsageError, match=r"^wrt={.*: wrt takes the names"):
        read_wrt({"x", "w"})


@pytest.mark.parametrize(
    ("forward", "backward", "message"),
    [
        (5, len, "forward is an int, not a function: the call is gradcheck(forward, backward, "
                 "*arguments)."),
        (len, None, "backward is None, not a function: the call is gradcheck(forward, backward, "
                    "*arguments), with backward=True where forward returns (value, gradients)."),
    ],
)  # fmt: skip
def test_functions_are_functions(forward: Any, backward: Any, message: str) -> None:
    """The arguments may be in another order."""
    with pytest.raises(GradcheckUsageError) as error:
        check_gradient(forward, backward, np.ones(2))
    assert error.value.args[0] == message


def test_names_that_can_be_read_once_are_read_once() -> None:
    """A check may be made twice, where random numbers are drawn."""
    rng = np.random.default_rng(0)

    def f(x: Any, w: Any) -> Any:
        return np.sum(x * w) + 0 * rng.random()

    names: Any = (name for name in ["x"])
    report = check_gradient(f, lambda x, w: w, np.ones(2), np.ones(2), wrt=names)
    assert [p.name for p in report.parameters] == ["x"]


def test_an_object_with_methods_is_no_function() -> None:
    """The message says which methods to pass."""

    class Layer:
        def forward(self, x: float) -> float:
            return x

        def backward(self, dout: float) -> float:
            return dout

    with pytest.raises(GradcheckUsageError) as error:
        read_forward(Layer())
    assert error.value.args[0].endswith(
        " It has methods: pass object.forward and object.backward."
    )
