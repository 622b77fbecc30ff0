"""The places where objects hold a value, to set them to another."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import numpy as np

from pytest_gradcheck.binding.state.reachable import reachable
from pytest_gradcheck.binding.state.value_places import places_of


class Slotted:
    """An object without a dict."""

    __slots__ = ("empty", "held")

    def __init__(self, held: Any) -> None:
        self.held = held


class Layer:
    """An object that holds an array in several places."""

    def __init__(self, array: Any) -> None:
        self.array = array
        self.params = OrderedDict(array=array, nested={"list": [1.0, array, None]})
        self.slotted = Slotted(array)
        self.fixed = (array,)
        self.other = array.copy()


def test_every_place_is_set() -> None:
    """Attributes, items of dicts and lists, and slots; not what is equal, or in a tuple."""
    array = np.ones(2)
    layer = Layer(array)
    setters = places_of(reachable([], [("self", layer)]), [array])[id(array)]
    for set_place in setters:
        set_place("new")
    assert layer.array == layer.slotted.held == layer.params["array"] == "new"
    assert layer.params["nested"]["list"] == [1.0, "new", None]
    assert layer.fixed[0] is array
    assert layer.other.tolist() == [1.0, 1.0]


def test_nothing_else_is_listed() -> None:
    """A value that is not looked for has no places."""
    layer = Layer(np.ones(2))
    assert dict(places_of(reachable([], [("self", layer)]), [np.ones(2)])) == {}
