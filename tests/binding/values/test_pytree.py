"""Pytrees: nested containers with numbers and arrays as leaves."""

from collections import OrderedDict, namedtuple
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pytest_gradcheck.binding.values.pytree import (
    LeafNames,
    accessors,
    contents,
    is_number_list,
    leaves,
    replaced,
)

Pair = namedtuple("Pair", "left right")  # noqa: PYI024  # users have untyped ones


@dataclass(frozen=True)
class Layer:
    """Parameters of a layer."""

    W: Any
    b: Any


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
    ],
)
def test_leaves_are_named_as_python_reaches_them(value: Any, names: list[str]) -> None:
    """Numbers and arrays are found in every container, and only those."""
    assert [leaf.name for leaf in leaves("p", value)] == names


@pytest.mark.parametrize(
    "value",
    [
        {"a": 1.0, "b": 2.0},
        OrderedDict(b=1.0, a=2.0),
        [np.ones(1), 2.0],
        (1.0, 2.0),
        Pair(1.0, 2.0),
        Layer(1.0, 2.0),
        SimpleNamespace(a=1.0, b=2.0),
    ],
)
def test_replacing_children_keeps_the_kind_of_container(value: Any) -> None:
    """It returns a container of the same type, and leaves the first one unchanged."""
    before = list(zip(accessors(value), contents(value) or (), strict=True))
    new = replaced(value, ["x", "y"])
    assert type(new) is type(value)
    assert contents(new) == ["x", "y"]
    assert list(zip(accessors(value), contents(value) or (), strict=True)) == before


@pytest.mark.parametrize(
    ("value", "expected"),
    [([1.0, 2], True), ([[1], [2]], True), ((1.0, 2.0), False), ([1.0, "a"], False), ([], False),
     ([True], False), ([[1, 2], [3]], False), (([1.0], [2.0]), False)],
)  # fmt: skip
def test_rectangular_lists_of_numbers_are_one_parameter(value: Any, expected: bool) -> None:
    """A leaf is a list of numbers only, of one length at each depth."""
    assert is_number_list(value) is expected


def test_within_knows_where_a_name_ends() -> None:
    """`parameters2` is not within `parameters`."""
    assert LeafNames(["p['W']"]).any_within("p")
    assert LeafNames(["p"]).any_within("p")
    assert not LeafNames(["p2['W']"]).any_within("p")
