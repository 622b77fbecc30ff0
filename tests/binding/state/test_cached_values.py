"""Values that objects have computed from their attributes, and how they forget them."""

from functools import cache, cached_property
from typing import Any
from unittest.mock import Mock

from pytest_gradcheck.binding.state.cached_values import forgetters
from pytest_gradcheck.binding.state.reachable import reachable


class Counting:
    """It counts how often it computes something."""

    mock: Any = Mock()

    def __init__(self) -> None:
        self.count = 0

    @cached_property
    def value(self) -> int:
        """What is computed once."""
        self.count += 1
        return self.count

    @cache  # noqa: B019  # as in the user's code
    def method(self) -> int:
        """Return what is computed once."""
        self.count += 1
        return self.count


class Derived(Counting):
    """It has both from its base class."""


def forget(value: object) -> None:
    """Let everything within a value forget."""
    for forget_one in forgetters(reachable([], [("value", value)])):
        forget_one()


def test_object_computes_anew_what_it_has_forgotten() -> None:
    """A property and a method, also of a base class and of an object within another."""
    counting = Derived()
    for k in range(3):
        assert (counting.value, counting.method()) == (2 * k + 1, 2 * k + 2)
        assert (counting.value, counting.method()) == (2 * k + 1, 2 * k + 2)
        forget([{"counting": counting}])


def test_nothing_else_is_forgotten() -> None:
    """What has a method of the same name is no cache of results."""
    counting = Counting()
    forget(counting)
    assert vars(counting) == {"count": 0}
    assert not Counting.mock.mock_calls
