"""Rebuilding: containers of any protocol with other children in them."""

import copy
from collections import ChainMap, Counter, OrderedDict, UserDict, defaultdict, deque
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from types import MappingProxyType, SimpleNamespace
from typing import Any, Self

import numpy as np
import pytest

from pytest_gradcheck.binding.values.pytree import LeafNames, accessors, contents
from pytest_gradcheck.binding.values.rebuilding import (
    RebuildError,
    Structure,
    around,
    rebuilt,
    replaced,
)
from pytest_gradcheck.errors import GradcheckUsageError
from tests.binding.values.containers import Immutable, Layer, Pair


@dataclass(frozen=True, slots=True)
class Slotted:
    """A dataclass without a ``__dict__``, with a field that is never set."""

    W: Any
    b: Any
    cache: Any = field(init=False, repr=False, compare=False)


@dataclass
class Copied:
    """A dataclass whose copy is itself."""

    W: Any
    b: Any

    def __copy__(self) -> "Copied":
        return self


class PairOfOne(Pair):
    """A named tuple with a constructor of its own."""

    def __new__(cls, both: Any) -> Self:
        """Make a pair of one thing."""
        return super().__new__(cls, both, both)


class Numbers(list[Any]):
    """A list with a constructor of its own, which calls no other list method."""

    def __init__(self, first: Any, second: Any) -> None:
        super().__init__([first, second])
        self.name = "numbers"

    def append(self, item: Any) -> None:
        """Raise."""
        raise AssertionError(item)

    extend = append


class Queue(deque[Any]):
    """A deque with a constructor of its own."""

    def __init__(self, first: Any, second: Any) -> None:
        super().__init__([first, second], maxlen=2)


class Frozen(dict[str, Any]):
    """A dict that cannot be changed."""

    def __setitem__(self, key: str, item: Any) -> None:
        raise TypeError("frozen")


class Converting(dict[str, Any]):
    """A dict that converts what is set."""

    def __setitem__(self, key: str, item: Any) -> None:
        super().__setitem__(key, np.asarray(item, np.float32))


class Named(dict[str, Any]):
    """A dict with a constructor of its own."""

    def __init__(self, name: str, items: Any) -> None:
        super().__init__(items)
        self.name = name


class Attributes(dict[str, Any]):
    """A dict whose items are its attributes."""

    def __init__(self, **items: Any) -> None:
        super().__init__(items)
        self.__dict__ = self


class Defaults(defaultdict[str, Any]):
    """A defaultdict with a constructor of its own."""

    def __init__(self, items: Any) -> None:
        super().__init__(list, items)


class Mutable(Immutable, MutableMapping[str, Any]):
    """A mapping whose shallow copy shares its items."""

    def __setitem__(self, key: str, item: Any) -> None:
        self._items[key] = item

    def __delitem__(self, key: str) -> None:
        del self._items[key]


class Shared(Mutable):
    """A mapping of which every copy shares the items, which are in no dict of its own."""

    def __init__(self, items: Any) -> None:
        self._holder = [dict(items)]

    @property
    def _items(self) -> dict[str, Any]:  # type: ignore[override]  # an attribute of the base
        return self._holder[0]

    def __deepcopy__(self, memo: Any) -> "Shared":
        return copy.copy(self)


def objects(*items: Any) -> Any:
    """Return an array of objects."""
    array = np.empty(len(items), object)
    for k, item in enumerate(items):
        array[k] = item
    return array


X, Y = np.array([1.0]), np.array([2.0])
CONTAINERS: list[Any] = [
    {"a": X, "b": Y},
    OrderedDict(b=X, a=Y),
    defaultdict(list, a=X, b=Y),
    Defaults({"a": X, "b": Y}),
    Counter(a=1, b=2),
    [X, Y],
    Numbers(X, Y),
    (X, Y),
    Pair(X, Y),
    PairOfOne(X),
    deque([X, Y], maxlen=3),
    Queue(X, Y),
    objects(X, Y),
    Layer(X, Y),
    Slotted(X, Y),
    Copied(X, Y),
    SimpleNamespace(a=X, b=Y),
    Frozen(a=X, b=Y),
    Converting(a=X, b=Y),
    Named("name", {"a": X, "b": Y}),
    Attributes(a=X, b=Y),
    MappingProxyType({"a": X, "b": Y}),
    UserDict(a=X, b=Y),
    ChainMap({"a": X}, {"b": Y}),
    Immutable({"a": X, "b": Y}),
    Mutable({"a": X, "b": Y}),
]


@pytest.mark.parametrize("value", CONTAINERS, ids=lambda value: type(value).__name__)
def test_replacing_children_keeps_the_kind_of_container(value: Any) -> None:
    """It returns a container of the same type, and leaves the first one unchanged."""
    before = list(zip(accessors(value), contents(value) or (), strict=True))
    new = [np.zeros(2), np.ones(3)]
    result = replaced(value, new)
    assert type(result) is type(value)
    assert all(a is b for a, b in zip(contents(result) or (), new, strict=True))
    assert list(accessors(result)) == [accessor for accessor, _ in before]
    after = list(zip(accessors(value), contents(value) or (), strict=True))
    assert all(a == b and x is y for (a, x), (b, y) in zip(before, after, strict=True))


def test_attributes_besides_the_children_are_kept() -> None:
    """A name, a default factory and a greatest length are those of the original."""
    assert replaced(Numbers(X, Y), [Y, X]).name == "numbers"
    assert replaced(Named("name", {"a": X}), [Y]).name == "name"
    assert replaced(Defaults({"a": X}), [Y])["new"] == []
    assert replaced(deque([X], maxlen=3), [Y]).maxlen == 3


def test_attributes_that_are_items_follow_them() -> None:
    """An attribute dict shares its items with the copy's attributes, not with the original's."""
    assert replaced(Attributes(a=X), [Y]).a is Y
    named = Named("name", {"a": X})
    vars(named)["first"] = X
    assert replaced(named, [Y]).first is Y


def test_copy_that_shares_its_items_is_refused_and_the_original_is_kept() -> None:
    """What was not made here is left as it was found."""
    value = Shared({"a": X})
    with pytest.raises(RebuildError, match="shares its items"):
        replaced(value, [1.0])
    assert value["a"] is X


def test_container_that_cannot_be_copied_says_what_to_pass_instead() -> None:
    """The message names the place and the reason."""
    value = [Shared({"a": X})]
    with pytest.raises(GradcheckUsageError) as error:
        rebuilt("p", value, {"p[0]['a']": 3.0})
    assert error.value.args[0] == (
        "p[0] is a Shared, of which no copy with other values can be made (a copy of it shares "
        "its items). Pass dict(p[0]), or name what else is to be checked in wrt=."
    )


def test_containers_without_a_new_leaf_are_passed_on_as_they_are() -> None:
    """Only the containers around what is replaced are copied."""
    value: dict[str, Any] = {"layers": [{"W": X}, {"W": Y}], "other": [X]}
    result = rebuilt("p", value, {"p['layers'][0]['W']": 3.0})
    assert result == {"layers": [{"W": 3.0}, {"W": Y}], "other": [X]}
    assert result["other"] is value["other"]
    assert result["layers"][1] is value["layers"][1]


def test_link_to_a_parent_leads_to_the_copy() -> None:
    """A container inside itself is rebuilt once, with links to the new one."""
    parent: dict[str, Any] = {"W": X, "aside": {"n": 1}}
    parent["child"] = SimpleNamespace(V=Y, parent=parent)
    parent["aside"]["parent"] = parent
    result = rebuilt("p", parent, {"p['W']": 3.0})
    assert result is not parent
    assert result["W"] == 3.0
    assert result["child"].parent is result
    assert result["child"].V is Y
    assert result["aside"]["parent"] is result
    assert parent["W"] is X


def test_link_to_a_parent_that_is_made_last_leads_to_the_copy() -> None:
    """A tuple is made after its children, which then get the link."""
    children: list[Any] = [{"V": Y}, deque(), []]
    parent = Pair(X, children)
    children[0]["parent"] = parent
    children[1].append(parent)
    children[2].append(parent)
    result = rebuilt("p", parent, {"p.left": 3.0})
    assert type(result) is Pair
    assert result.left == 3.0
    assert result.right[0]["parent"] is result
    assert result.right[1][0] is result
    assert result.right[2][0] is result


def test_tuple_inside_a_tuple_of_its_own_is_refused() -> None:
    """Neither can be made before the other; the message names both."""
    inner: list[Any] = [X]
    outer = (inner,)
    inner.append((outer,))
    with pytest.raises(GradcheckUsageError, match="holds it,\nand cannot be changed"):
        rebuilt("p", outer, {"p[0][0]": 3.0})


def test_structure_is_filled_many_times_at_any_depth() -> None:
    """The places are those of the leaves, in order; the depth has no limit."""
    value: Any = [X, Y]
    for _ in range(2000):
        value = {"n": value}
    name = "p" + 2000 * "['n']"
    structure = Structure("p", value, around(LeafNames([f"{name}[1]"]), value))
    assert [item for _, item in structure.places] == [X, Y]
    for new in (3.0, 4.0):
        result: Any = structure.filled([X, new])
        for _ in range(2000):
            result = result["n"]
        assert result == [X, new]
