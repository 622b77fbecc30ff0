"""Attributes of bound objects: copying, reading and setting."""

import re
import threading
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pytest_gradcheck import GradcheckUsageError
from pytest_gradcheck.binding.call.attributes import (
    array_assigner,
    assigner,
    bound_object,
    copy_object,
    follow,
    rebind,
)


class Net:
    """A network with layers in a list and parameters in a dict."""

    def __init__(self) -> None:
        self.layers = [SimpleNamespace(W=np.ones(2)), SimpleNamespace(W=np.zeros(2))]
        self.params = {"a.b": 1.0, 3: 2.0}

    def forward(self) -> Any:
        """Return itself."""
        return self

    @classmethod
    def build(cls) -> Any:
        """Return the class."""
        return cls


@pytest.mark.parametrize(
    ("accessor", "value"), [(".params['a.b']", 1.0), ('.params["a.b"]', 1.0), (".params[3]", 2.0)]
)
def test_accessors_are_followed_and_assigned(accessor: str, value: float) -> None:
    """An accessor has attributes, keys and positions, as in Python."""
    net = Net()
    assert follow(net, accessor) == value
    assigner(net, accessor)(7.0)
    assert follow(net, accessor) == 7.0


@pytest.mark.parametrize("accessor", ["", ".", "params", ".params[x]", ".params['a'"])
def test_other_expressions_are_refused(accessor: str) -> None:
    """An accessor is not evaluated as code."""
    with pytest.raises(ValueError, match=f"^{re.escape(accessor)}$"):
        follow(Net(), accessor)


def test_methods_are_rebound_to_the_copy() -> None:
    """A method of the object becomes one of the copy; others stay as they are."""
    net, other = Net(), Net()
    copied = copy_object(net, "for a reason")
    assert rebind(net.forward, net, copied)() is copied
    assert rebind(other.forward, net, copied)() is other
    assert bound_object(net.forward) is net
    assert bound_object(Net.build) is None
    assert bound_object(len) is None


def test_object_that_cannot_be_copied_is_refused() -> None:
    """The message says what to do."""
    net = Net()
    net.lock = threading.Lock()  # type: ignore[attr-defined]  # as users do
    with pytest.raises(GradcheckUsageError) as error:
        copy_object(net, "for a reason")
    assert error.value.args[0] == (
        "for a reason, so a copy of the Net is used, but it cannot be copied: "
        "cannot pickle '_thread.lock' object. Give it a __deepcopy__, or pass the parameters as "
        "arguments of forward."
    )


@pytest.mark.parametrize("order", ["C", "F"])
def test_views_of_a_copy_are_views_of_what_is_copied(order: Any) -> None:
    """Parameters that are parts of a flat vector change with it in the copy, too."""
    flat = np.arange(6.0).reshape((3, 2), order=order)
    owner = SimpleNamespace(flat=flat, layers=[SimpleNamespace(W=flat[1:].T, last=flat[::-2, 1])])
    copied: Any = copy_object(owner, "for a reason")
    layer = copied.layers[0]
    assert layer.W.tolist() == owner.layers[0].W.tolist()
    copied.flat += 10
    assert layer.W.tolist() == (owner.layers[0].W + 10).tolist()
    assert layer.last.tolist() == (owner.layers[0].last + 10).tolist()
    assert flat.sum() == 15


def test_view_of_memory_that_nobody_holds_is_copied_alone() -> None:
    """The view itself is copied where its memory is not that of a plain array."""
    owner = SimpleNamespace(part=np.arange(6.0)[2:4], raw=np.frombuffer(b"12345678"))
    copied: Any = copy_object(owner, "for a reason")
    copied.part += 10
    assert owner.part.tolist() == [2.0, 3.0]
    assert copied.raw.tolist() == owner.raw.tolist()


class WithProperties:
    """Properties of one array that are set in several ways."""

    def __init__(self) -> None:
        self._plain = self.array = np.ones(2)
        self.sets = 0

    @property
    def plain(self) -> Any:
        """An array that cannot be set, but is an attribute of a similar name."""
        return self._plain

    @property
    def part(self) -> Any:
        """A part of an array, which cannot be set."""
        return self.array[:1]

    @property
    def converted(self) -> Any:
        """An array that is set to a copy."""
        return self.array

    @converted.setter
    def converted(self, value: Any) -> None:
        self.array = np.array(value)

    @property
    def clipped(self) -> Any:
        """An array that is not set to what it returns."""
        return self.array

    @clipped.setter
    def clipped(self, value: Any) -> None:
        self.array = np.clip(value, 0, 0.5)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("plain", [3, 3]), ("part", [1]), ("converted", [3, 3]), ("clipped", [1, 1])],
)
def test_array_is_set_where_it_can_be(name: str, expected: Any) -> None:
    """A property may have no setter, or one that changes what it is given."""
    owner = WithProperties()
    array_assigner(owner, f".{name}", getattr(owner, name))(np.full(2, 3.0))
    assert getattr(owner, name).tolist() == expected
