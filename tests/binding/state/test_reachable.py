"""What functions can reach: through closures, objects, containers and globals, once each."""

import functools
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

from pytest_gradcheck.binding.state.reachable import reachable

GLOBAL = {"scale": np.ones(2)}


class Slotted:
    """An object with a private slot, one without a value, and an array of its class."""

    __slots__ = ("__state", "unset")
    shared = np.ones(3)

    def __init__(self) -> None:
        self.__state = np.zeros(1)

    def __call__(self, x: Any) -> Any:
        """Use a global."""
        return GLOBAL["scale"] * x


@dataclass(frozen=True)
class Node:
    """An object that may hold itself."""

    children: list[Any]


class Lazy(Mapping[str, Any]):
    """A mapping that must not be asked for anything."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    def __getitem__(self, key: str) -> Any:
        raise AssertionError(key)

    def __iter__(self) -> Any:
        raise AssertionError

    def __len__(self) -> int:
        raise AssertionError

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(name)


def arrays(*functions: Any, **arguments: Any) -> dict[str, Any]:
    """Return the arrays that functions can reach, by name."""
    found = reachable(functions, arguments.items())
    return {reached.name: reached.value for reached in found if type(reached.value) is np.ndarray}


def test_closures_defaults_globals_and_partials_are_followed() -> None:
    """Those of functions inside a function, too."""
    closed = np.zeros(4)

    def inner(x: Any, weights: Any = closed + 1, *, keyword: Any = closed + 2) -> Any:
        return [GLOBAL["scale"] * v for v in (weights, keyword, closed, x)]

    outer = functools.partial(lambda *rest: inner(*rest, keyword=1), closed + 3)
    assert list(arrays(outer)) == [
        "partial's argument",
        "default",
        "keyword (default)",
        "closed (closure)",
        "GLOBAL (global)['scale']",
    ]


def test_objects_are_followed_through_slots_classes_and_calls() -> None:
    """Private names and unset slots are no obstacle."""
    assert list(arrays(Slotted())) == [
        "Slotted._Slotted__state",
        "Slotted.shared",
        "GLOBAL (global)['scale']",
    ]


def test_containers_are_followed_at_any_depth() -> None:
    """Sets, queues, object arrays and namespaces, also 2,000 levels deep."""
    deep: Any = np.zeros(1)
    for _ in range(2000):
        deep = [deep]
    holder = SimpleNamespace(queue=deque([{"a": np.ones(2)}]), objects=np.array([None, {0: deep}]))
    assert len(arrays(lambda x: x, holder=holder)) == 3


def test_cycles_end() -> None:
    """Everything is found once, under the first name."""
    node = Node([np.ones(1)])
    node.children.append(node)
    assert list(arrays(x=node, y=node)) == ["x (argument).children[0]"]


def test_no_method_of_the_users_is_called() -> None:
    """A mapping is followed by its attributes, not by its items."""
    assert list(arrays(x=Lazy(np.ones(1)))) == ["x (argument).inner"]
