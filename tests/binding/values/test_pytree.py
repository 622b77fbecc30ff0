"""Pytrees: nested containers with numbers and arrays as leaves."""

import sys
from collections import ChainMap, UserDict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import MappingProxyType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pytest_gradcheck.binding.values import pytree
from pytest_gradcheck.binding.values.pytree import (
    LeafNames,
    accessors,
    contents,
    is_number_list,
    leaves,
    places,
    stored,
)
from pytest_gradcheck.errors import GradcheckUsageError
from tests.binding.values.containers import Closed, Computed, Layer, Pair


class Key:
    """A key with the same repr as every other one."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __repr__(self) -> str:
        return "Key"


@dataclass
class WithUnsetField:
    """A dataclass with a field that is set later, if at all."""

    W: Any
    cache: Any = field(init=False)


def objects(items: list[Any], shape: tuple[int, ...]) -> Any:
    """Return an array of objects."""
    array = np.empty(shape, object)
    for k, item in enumerate(items):
        array.reshape(-1)[k] = item
    return array


class Loud(dict[str, Any]):
    """A dict none of whose own methods may be called."""

    def __getitem__(self, key: str) -> Any:
        raise AssertionError(key)

    def __iter__(self) -> Iterator[str]:
        raise AssertionError

    def items(self) -> Any:
        """Raise."""
        raise AssertionError


@pytest.mark.parametrize(
    ("value", "names"),
    [
        (1.5, ["p"]),
        (np.ones(2), ["p"]),
        ({"W": 1.0, 3: 2.0}, ["p['W']", "p[3]"]),
        ([np.ones(2), {"b": 1.0}], ["p[0]", "p[1]['b']"]),
        ((1.0, np.ones(1)), ["p[0]", "p[1]"]),
        (Pair(1.0, [np.ones(1)]), ["p.left", "p.right[0]"]),
        (Layer(np.ones(1), 0.0), ["p.W", "p.b"]),
        (SimpleNamespace(W=1.0), ["p.W"]),
        ([1.0, 2.0], ["p"]),
        ([[1, 2], [3, 4]], ["p"]),
        ([[1, 2], [3]], ["p[0]", "p[1]"]),
        ("text", []),
        (None, []),
        (True, []),
        ([], []),
        (np.array(["a"]), []),
        (deque([1.0, np.ones(1)]), ["p[0]", "p[1]"]),
        (MappingProxyType({"W": 1.0}), ["p['W']"]),
        (UserDict(W=1.0), ["p['W']"]),
        (ChainMap({"W": 1.0}, {"b": 2.0}), ["p['b']", "p['W']"]),
        (objects([np.ones(2), 1.0], (2,)), ["p[0]", "p[1]"]),
        (objects([1.0, np.ones(2)], (1, 2)), ["p[0, 0]", "p[0, 1]"]),
        ({float("nan"): 1.0, float("nan"): 2.0}, ["p[nan]", "p[nan](2)"]),
        ({Key(1): 1.0, Key(2): {"b": 2.0}}, ["p[<Key>]", "p[<Key>](2)['b']"]),
        (WithUnsetField(1.0), ["p.W"]),
    ],
)
def test_leaves_are_named_as_python_reaches_them(value: Any, names: list[str]) -> None:
    """Numbers and arrays are found in every container, and only those."""
    assert [leaf.name for leaf in leaves("p", value)] == names


@pytest.mark.parametrize(
    ("value", "expected"),
    [([1.0, 2], True), ([[1], [2]], True), ((1.0, 2.0), False), ([1.0, "a"], False), ([], False),
     ([True], False), ([[1, 2], [3]], False), (([1.0], [2.0]), False)],
)  # fmt: skip
def test_rectangular_lists_of_numbers_are_one_parameter(value: Any, expected: bool) -> None:
    """A leaf is a list of numbers only, of one length at each depth."""
    assert is_number_list(value) is expected


@pytest.mark.parametrize("length", [sys.maxsize, 2, 1])
def test_mapping_that_computes_its_values_is_no_container(length: int) -> None:
    """Of values that are made anew with each read, or that have no end, at most two are read."""
    mapping = Computed(length)
    assert list(leaves("p", mapping)) == []
    assert mapping.reads <= 2


def test_mapping_that_raises_is_no_container() -> None:
    """An error of a mapping that nobody asked for is not the user's concern."""
    assert contents(Closed()) is None


def test_stored_children_are_read_without_the_users_code() -> None:
    """No method of a subclass is called, and no mapping of the user's own class is read."""
    assert contents(Loud(W=1.0)) == [1.0]
    assert list(accessors(Loud(W=1.0))) == ["['W']"]
    mapping = Computed(1)
    assert stored(mapping) is None
    assert mapping.reads == 0


def test_container_inside_itself_is_not_entered_again() -> None:
    """A link to a parent has no leaves, and each container of a graph is entered once."""
    parent: dict[str, Any] = {"W": 1.0}
    parent["child"] = {"V": 2.0, "parent": parent}
    assert [leaf.name for leaf in leaves("p", parent)] == ["p['W']", "p['child']['V']"]
    nodes: list[dict[str, Any]] = [{"W": float(k)} for k in range(30)]
    for node in nodes:
        node["neighbours"] = nodes
    assert len(list(leaves("p", nodes))) == 30


def test_container_that_occurs_twice_is_entered_twice() -> None:
    """Only a graph with cycles is not a tree: of tied layers each has its own accessor."""
    layer = {"W": 1.0}
    assert [leaf.name for leaf in leaves("p", [layer, layer])] == ["p[0]['W']", "p[1]['W']"]


def test_too_many_ways_to_the_same_containers_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Thirty levels of pairs of the same pair would be a billion leaves."""
    monkeypatch.setattr(pytree, "MOST_ENTERED", 10_000)
    value: list[Any] = [np.ones(2)]
    for _ in range(30):
        value = [value, value]
    with pytest.raises(GradcheckUsageError, match="an argument is not a tree"):
        list(leaves("p", value))


@pytest.mark.parametrize("kind", [list, tuple, dict])
def test_containers_may_be_nested_deeply(kind: type) -> None:
    """The depth is not limited by Python's stack."""
    value: Any = np.ones(2)
    for _ in range(2000):
        value = {"n": value} if kind is dict else kind([value])
    (leaf,) = leaves("p", value)
    assert leaf.value.size == 2
    assert sum(1 for _ in places("p", value)) == 2001


def test_list_deeper_than_arrays_is_a_container() -> None:
    """NumPy arrays have at most 64 axes."""
    value: list[Any] = [1.0, 2.0]
    for _ in range(500):
        value = [value]
    assert not is_number_list(value)
    value[0] = value
    assert not is_number_list(value)


def test_within_knows_where_a_name_ends() -> None:
    """`parameters2` is not within `parameters`."""
    assert LeafNames(["p['W']"]).any_within("p")
    assert LeafNames(["p"]).any_within("p")
    assert not LeafNames(["p2['W']"]).any_within("p")
