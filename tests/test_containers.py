"""Checks of parameters, and of other arguments, in containers of every protocol."""

import enum
import shelve
from array import array
from collections import ChainMap, OrderedDict, UserDict, defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from configparser import ConfigParser
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_gradcheck import GradcheckError, GradcheckUsageError, gradcheck
from tests.binding.values.containers import Closed, Computed, Immutable

W = np.array([[1.0, 2.0], [3.0, 4.0]])
B = np.array([0.5, 0.25])


class Validating(Immutable, MutableMapping[str, Any]):
    """A mapping that shares its items with a shallow copy, and refuses all but float64."""

    def __setitem__(self, key: str, item: Any) -> None:
        if np.asarray(item).dtype != np.float64:
            raise TypeError(item)
        self._items[key] = item

    def __delitem__(self, key: str) -> None:
        del self._items[key]


class Converting(dict[str, Any]):
    """A dict that stores something else than it is given."""

    def __setitem__(self, key: str, item: Any) -> None:
        super().__setitem__(key, np.asarray(item, np.float32).copy())


class Frozen(dict[str, Any]):
    """A dict that cannot be changed."""

    def __setitem__(self, key: str, item: Any) -> None:
        raise TypeError("frozen")


class Named(dict[str, Any]):
    """A dict with a constructor of its own."""

    def __init__(self, name: str, items: Any) -> None:
        super().__init__(items)
        self.name = name


class Attributes(dict[str, Any]):
    """A dict whose items are its attributes."""

    def __init__(self, items: Any) -> None:
        super().__init__(items)
        self.__dict__ = self


class Record(dict[str, Any]):
    """A dict that reads attributes as items, those that Python looks for as well."""

    __getattr__ = dict.__getitem__


class Pair(NamedTuple):
    """Two parameters."""

    W: Any
    b: Any


class PairOfDict(Pair):
    """A named tuple with a constructor of its own."""

    def __new__(cls, items: Any) -> Any:
        """Take the fields from a dict."""
        return super().__new__(cls, **items)


class Layers(list[Any]):
    """A list with a constructor of its own."""

    def __init__(self, first: Any, second: Any) -> None:
        super().__init__([first, second])


class Both(tuple[Any, ...]):
    """A tuple with a constructor of its own."""

    __slots__ = ()

    def __new__(cls, first: Any, second: Any) -> Any:
        """Take the items one by one."""
        return super().__new__(cls, (first, second))


@dataclass(frozen=True, slots=True)
class Slotted:
    """A frozen dataclass without a ``__dict__``."""

    W: Any
    b: Any
    cache: Any = field(init=False, default=None)


@dataclass
class Unset:
    """A dataclass with a field that has no value yet."""

    W: Any
    b: Any
    cache: Any = field(init=False, repr=False)


def objects(*items: Any) -> Any:
    """Return an array of objects."""
    result = np.empty(len(items), object)
    for k, item in enumerate(items):
        result[k] = item
    return result


def two(p: Any) -> tuple[Any, Any]:
    """Return the two parameters in a container, however they are reached."""
    if isinstance(p, Mapping) and not isinstance(p, Attributes):
        return p["W"], p["b"]
    return (p.W, p.b) if hasattr(p, "W") else (p[0], p[1])


def loss(p: Any) -> float:
    """Return a function of both."""
    first, second = two(p)
    return float((first**2).sum() + (second**3).sum())


def named_gradient(p: Any) -> Any:
    """Return its gradient in a dict."""
    first, second = two(p)
    return {"W": 2 * first, "b": 3 * second**2}


def gradients_in_order(p: Any) -> Any:
    """Return its gradient in a list."""
    first, second = two(p)
    return [2 * first, 3 * second**2]


def of_second(gradient: Any) -> Any:
    """Return the key of the second one."""
    return "b" if isinstance(gradient, dict) else 1


CONTAINERS: list[Any] = [
    MappingProxyType({"W": W, "b": B}),
    Immutable({"W": W, "b": B}),
    Validating({"W": W, "b": B}),
    Converting({"W": W, "b": B}),
    Frozen({"W": W, "b": B}),
    Named("name", {"W": W, "b": B}),
    Attributes({"W": W, "b": B}),
    Record({"W": W, "b": B}),
    OrderedDict({"b": B, "W": W}),
    defaultdict(list, {"W": W, "b": B}),
    UserDict({"W": W, "b": B}),
    ChainMap({"W": W}, {"b": B}),
    Slotted(W, B),
    Unset(W, B),
    SimpleNamespace(W=W, b=B),
    PairOfDict({"W": W, "b": B}),
    Pair(W, B),
    Layers(W, B),
    Both(W, B),
    deque([W, B], maxlen=2),
    objects(W, B),
]


@pytest.mark.parametrize("container", CONTAINERS, ids=lambda c: type(c).__name__)
def test_parameters_in_any_container_are_checked(container: Any) -> None:
    """A right gradient passes, a wrong one fails, and the user's container stays as it was."""
    is_named = isinstance(container, Mapping) or hasattr(container, "W")
    right = named_gradient if is_named else gradients_in_order

    def wrong(p: Any) -> Any:
        gradient = right(p)
        gradient[of_second(gradient)] = gradient[of_second(gradient)] * 1.01
        return gradient

    assert gradcheck(loss, right, container).checked == 6
    with pytest.raises(GradcheckError, match="2 of 6 entries wrong"):
        gradcheck(loss, wrong, container)
    assert two(container)[0] is W
    assert two(container)[1] is B
    assert np.array_equal(W, [[1, 2], [3, 4]])
    assert np.array_equal(B, [0.5, 0.25])


def test_numbers_in_an_immutable_mapping_are_checked() -> None:
    """A number has no identity by which a deep copy could exchange it."""
    assert gradcheck(lambda p: p["a"] ** 2, lambda p: {"a": 2 * p["a"]}, Immutable({"a": 1.5}))
    with pytest.raises(GradcheckError):
        gradcheck(lambda p: p["a"] ** 2, lambda p: {"a": 3 * p["a"]}, Immutable({"a": 1.5}))


class Vector(list[float]):
    """A list of numbers with a method."""

    def squared(self) -> float:
        """Return the square of its length."""
        return sum(a * a for a in self)


def test_list_of_numbers_keeps_its_class() -> None:
    """Forward calls its methods."""
    assert gradcheck(Vector.squared, lambda p: [2 * a for a in p], Vector([1.0, 2.0])).passed
    with pytest.raises(GradcheckError):
        gradcheck(Vector.squared, lambda p: [3 * a for a in p], Vector([1.0, 2.0]))


def test_array_of_numbers_as_objects_needs_gradients_of_its_shape() -> None:
    """The gradient may be an array of objects or of numbers."""
    p = np.array([[1.0, 2.0], [3.0, 4.0]], object)

    def forward(p: Any) -> float:
        return float((p**2).sum())

    assert gradcheck(forward, lambda p: 2 * p, p).checked == 4
    with pytest.raises(GradcheckError):
        gradcheck(forward, lambda p: 2 * p.T, p)
    with pytest.raises(GradcheckUsageError, match=r"object array of shape \(1, 4\)"):
        gradcheck(forward, lambda p: (2 * p).reshape(1, 4), p)


class Constant(Mapping[str, Any]):
    """A mapping whose copies are itself."""

    def __init__(self, items: Any) -> None:
        self._items = tuple(items.items())

    def __getitem__(self, key: str) -> Any:
        return dict(self._items)[key]

    def __iter__(self) -> Iterator[str]:
        return iter(dict(self._items))

    def __len__(self) -> int:
        return len(self._items)

    def __deepcopy__(self, memo: Any) -> "Constant":
        return self


@pytest.mark.parametrize("container", [Constant({"W": W}), Constant({"W": 1.5})])
def test_container_that_cannot_hold_other_values_is_refused(container: Any) -> None:
    """Before anything is measured; the suggestion works when it is pasted."""
    with pytest.raises(GradcheckUsageError, match=r"Pass dict\(p\)"):
        gradcheck(lambda p: np.sum(p["W"] ** 2), lambda p: {"W": 2 * p["W"]}, container)
    p = container
    assert gradcheck(lambda p: np.sum(p["W"] ** 2), lambda p: {"W": 2 * p["W"]}, dict(p)).passed


class Key:
    """A key with the same repr as every other one."""

    def __repr__(self) -> str:
        return "Key"


class Colour(enum.Enum):
    """Keys that are members of an enumeration."""

    RED = 1
    BLUE = 2


@pytest.mark.parametrize(
    "keys",
    [
        (Key(), Key()),
        (float("nan"), float("nan")),
        ((0, 1), None),
        (Colour.RED, Colour.BLUE),
        (b"W", 1),
    ],
    ids=["one repr", "nan", "tuple and None", "enum", "bytes and int"],
)
def test_keys_may_be_anything(keys: tuple[Any, Any]) -> None:
    """Two parameters are two, whatever their keys look like."""
    first, second = keys

    def forward(p: Any) -> float:
        return float((p[first] ** 2).sum() + (p[second] ** 3).sum())

    def backward(p: Any) -> Any:
        return {first: 2 * p[first], second: 3 * p[second] ** 2}

    def wrong(p: Any) -> Any:
        return {first: 2 * p[first], second: 2 * p[second] ** 2}

    report = gradcheck(forward, backward, {first: W, second: B})
    assert len({parameter.name for parameter in report.parameters}) == 2
    with pytest.raises(GradcheckError, match="2 of 6 entries wrong"):
        gradcheck(forward, wrong, {first: W, second: B})


@pytest.mark.parametrize("value", [B, 1.5], ids=["array", "number"])
@pytest.mark.parametrize("levels", [500, 1500])
def test_parameters_may_be_hundreds_of_levels_deep(levels: int, value: Any) -> None:
    """Python's stack does not limit the depth of what is passed."""

    def wrapped(value: Any) -> Any:
        for _ in range(levels):
            value = {"n": value}
        return value

    def bottom(p: Any) -> Any:
        for _ in range(levels):
            p = p["n"]
        return p

    def forward(p: Any) -> float:
        return float(np.sum(bottom(p) ** 2))

    assert gradcheck(forward, lambda p: wrapped(2 * bottom(p)), wrapped(value)).passed
    with pytest.raises(GradcheckError):
        gradcheck(forward, lambda p: wrapped(3 * bottom(p)), wrapped(value))
    assert gradcheck(lambda x, d: x @ x, lambda x: 2 * x, B, wrapped(value), wrt="x").passed


def test_link_to_a_parent_leads_to_the_perturbed_parent() -> None:
    """The parameter is measured whichever way forward takes to it."""
    tree: dict[str, Any] = {"W": 1.5}
    tree["child"] = SimpleNamespace(b=B, parent=tree)

    def forward(p: Any) -> float:
        return float(p["child"].parent["W"] ** 2 * p["child"].b.sum())

    def gradient(p: Any, factor: float) -> Any:
        child = {"b": np.full(2, p["W"] ** 2)}
        return {"W": factor * p["W"] * p["child"].b.sum(), "child": child}

    assert gradcheck(forward, lambda p: gradient(p, 2), tree).checked == 3
    with pytest.raises(GradcheckError, match="W: backward"):
        gradcheck(forward, lambda p: gradient(p, 3), tree)
    assert tree["child"].parent is tree


def test_nodes_of_a_graph_are_checked_once() -> None:
    """Each node is in the list of neighbours of every other one."""
    nodes: list[Any] = [{"w": float(k + 1)} for k in range(20)]
    for node in nodes:
        node["neighbours"] = nodes

    def forward(p: Any) -> float:
        return float(sum(node["w"] ** 2 for node in p[0]["neighbours"]))

    report = gradcheck(forward, lambda p: [{"w": 2 * node["w"]} for node in p], nodes)
    assert report.checked == 20


def test_data_with_many_ways_to_one_container_are_copied_once() -> None:
    """Thirty levels of pairs of the same pair are no billion containers."""
    data: Any = [B]
    for _ in range(30):
        data = [data, data]
    assert gradcheck(lambda x, data: x @ x, lambda x: 2 * x, B, data, wrt="x").passed


def squared(x: Any, data: Any) -> Any:
    """Return the square of the length of a vector, and ignore the data."""
    return x @ x


@pytest.mark.parametrize("kind", [Computed, Closed])
def test_data_that_are_made_when_they_are_read_are_not_checked(kind: Callable[[], Any]) -> None:
    """The report lists them; `wrt` names them in vain, and without them nothing is read."""
    data = kind()
    assert gradcheck(squared, lambda x: 2 * x, B, data, wrt="x").not_checked == (
        f"data ({type(data).__name__})",
    )
    assert data.reads == 0
    assert gradcheck(squared, lambda x: 2 * x, B, data).not_checked
    assert data.reads < 10
    with pytest.raises(GradcheckUsageError, match=r"made anew when they\s+are\s+read"):
        gradcheck(squared, lambda x: 2 * x, B, data, wrt="data")
    with pytest.raises(GradcheckUsageError, match=r"pass\s+dict\(data\)"):
        gradcheck(lambda data: 1.0, lambda data: data, data)


def test_shelf_is_neither_checked_nor_closed(tmp_path: Path) -> None:
    """A copy of a shelf closes the file of the first one when it is deleted."""
    with shelve.open(str(tmp_path / "shelf")) as shelf:  # noqa: S301  # the test wrote it
        shelf["x"] = B
        assert gradcheck(squared, lambda x: 2 * x, B, shelf).passed
        assert np.array_equal(shelf["x"], B)


def test_settings_are_passed_on_as_they_are() -> None:
    """A section that is set in a copy of a parser is set in the first one."""
    settings = ConfigParser()
    settings.read_string("[first]\na = 1\nb = 2\n")

    def forward(x: Any, settings: Any) -> Any:
        return x @ x * settings.getint("first", "b")

    assert gradcheck(forward, lambda x: 4 * x, B, settings).passed
    assert dict(settings["first"]) == {"a": "1", "b": "2"}


def changed_array(d: Any) -> None:
    """Add to an array in a container."""
    item = d["W"] if isinstance(d, Mapping) else d[0]
    item += 1.0


@pytest.mark.parametrize(
    ("data", "change"),
    [
        (deque(["a"]), lambda d: d.append("b")),
        ({"a"}, lambda d: d.add("b")),
        (bytearray(b"a"), lambda d: d.append(1)),
        (array("d", [1.0]), lambda d: d.append(2.0)),
        ({}, lambda d: d.update(n=len(d))),
        (objects(np.zeros(2), "a"), changed_array),
        (UserDict({"W": np.zeros(2)}), changed_array),
        (PairOfDict({"W": np.zeros(2), "b": 0}), changed_array),
        (Layers(np.zeros(2), "a"), changed_array),
        (MappingProxyType({"W": np.zeros(2)}), changed_array),
        (Named("name", {"W": np.zeros(2)}), changed_array),
        (Named("name", {}), lambda d: setattr(d, "name", d.name + "!")),
    ],
    ids=lambda value: type(value).__name__,
)
def test_unchecked_data_that_forward_changes_are_restored(
    data: Any, change: Callable[[Any], Any]
) -> None:
    """Each evaluation begins with what the user passed, and so does the rest of the test."""
    seen = []

    def forward(x: Any, data: Any) -> Any:
        seen.append(repr(data))
        change(data)
        return x @ x

    before = repr(data)
    report = gradcheck(forward, lambda x: 2 * x, B, data, wrt="x")
    assert [note.kind for note in report.notes] == ["restored"]
    assert len(set(seen)) == 1
    assert repr(data) == before


@dataclass
class WithCachedProperty:
    """A container that computes something once."""

    W: Any

    @cached_property
    def square(self) -> Any:
        """Return the square, computed at most once."""
        return self.W**2


@dataclass
class WithMemo:
    """A container that keeps what it has computed in a dict of its own."""

    W: Any

    def __post_init__(self) -> None:
        self.memo: dict[str, Any] = {}

    @property
    def square(self) -> Any:
        """Return the square, computed at most once."""
        if "square" not in self.memo:
            self.memo["square"] = self.W**2
        return self.memo["square"]


@pytest.mark.parametrize("container", [WithCachedProperty(W), WithMemo(W)])
def test_container_that_keeps_what_it_computed_is_made_anew(container: Any) -> None:
    """Each evaluation has a container of its own, without the results of the others."""

    def forward(p: Any) -> float:
        return float(p.square.sum())

    assert gradcheck(forward, lambda p: {"W": 2 * p.W}, container).passed
    with pytest.raises(GradcheckError):
        gradcheck(forward, lambda p: {"W": 3 * p.W}, container)
    assert "square" not in vars(container)
    assert not vars(container).get("memo")


def test_attribute_that_is_also_an_item_is_perturbed_with_it() -> None:
    """A container may hold its parameters a second time, by a shorter name or in a list."""

    class Net(dict[str, Any]):
        def __init__(self, W: Any) -> None:
            super().__init__(W=W)
            self.first = W
            self.all = [W]

    assert gradcheck(lambda p: np.sum(p.first**2), lambda p: {"W": 2 * p["W"]}, Net(W)).passed
    assert gradcheck(lambda p: np.sum(p.all[0] ** 2), lambda p: {"W": 2 * p["W"]}, Net(W)).passed


def test_gradients_of_a_container_with_options_in_it_need_none_for_these() -> None:
    """Only what is checked needs a gradient, at every level."""

    @dataclass(frozen=True)
    class Net:
        layers: tuple[Any, ...]
        size: int = 3

    def forward(p: Any) -> float:
        return float(sum((layer["W"] ** 2).sum() for layer in p.layers))

    def backward(p: Any) -> Any:
        return {"layers": tuple({"W": 2 * layer["W"]} for layer in p.layers)}

    assert gradcheck(forward, backward, Net(({"W": W}, {"W": B}))).checked == 6


def test_container_as_output_is_copied_for_backward() -> None:
    """A class whose objects `copy.deepcopy` cannot copy is no reason to fail."""

    def forward(x: Any) -> Any:
        return Record({"value": 2 * x})

    def backward(x: Any, dout: Any, output: Any) -> Any:
        return 2 * dout["value"] + 0 * output["value"]

    assert gradcheck(forward, backward, B).passed


def items_of(container: Any) -> list[Any]:
    """Return what is in a container, in order, and nothing for a leaf."""
    if isinstance(container, Mapping):
        return [container[key] for key in container]
    if isinstance(container, Slotted):
        return [container.W, container.b]
    if isinstance(container, SimpleNamespace):
        return list(vars(container).values())
    if isinstance(container, (list, tuple, deque)):
        return list(container)
    is_objects = isinstance(container, np.ndarray) and container.dtype == object
    return list(container) if is_objects else []


def leaves_of(value: Any) -> list[Any]:
    """Return the numbers and arrays in a container, at any depth."""
    if isinstance(value, (float, np.ndarray)) and not items_of(value):
        return [value]
    return [leaf for item in items_of(value) for leaf in leaves_of(item)]


def gradients_of(value: Any, gradients: Iterator[Any]) -> Any:
    """Return gradients in plain containers, by name where the containers of `value` have names."""
    if isinstance(value, (float, np.ndarray)) and not items_of(value):
        return next(gradients)
    found = [gradients_of(item, gradients) for item in items_of(value)]
    if isinstance(value, Mapping):
        return dict(zip(value, found, strict=True))
    if isinstance(value, SimpleNamespace):
        return dict(zip(vars(value), found, strict=True))
    return {"W": found[0], "b": found[1]} if isinstance(value, (Pair, Slotted)) else found


def containers_of(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Draw a container of any protocol with one to three children."""
    several = st.lists(children, min_size=1, max_size=3)
    mapping = several.map(lambda items: dict(zip(("one", "two", "three"), items, strict=False)))
    of_mapping = (dict, Frozen, Attributes, Record, Immutable, UserDict, MappingProxyType)
    return st.one_of(
        several,
        several.map(tuple),
        several.map(deque),
        several.map(lambda items: objects(*items)),
        *(mapping.map(kind) for kind in of_mapping),
        mapping.map(lambda items: Named("name", items)),
        mapping.map(lambda items: SimpleNamespace(**items)),
        *(st.builds(kind, children, children) for kind in (Pair, Slotted, Layers)),
    )


LEAVES = st.one_of(
    st.floats(0.5, 1.5),
    st.lists(st.floats(0.5, 1.5), min_size=1, max_size=2).map(np.array),
)


@given(container=containers_of(st.recursive(LEAVES, containers_of, max_leaves=6)), data=st.data())
@settings(max_examples=25, deadline=None)
def test_nested_containers_of_any_protocol_are_checked(container: Any, data: Any) -> None:
    """A right gradient passes; one that is wrong in any one leaf fails, and names no other.

    A list of lists that may be a Jacobian is refused.
    """

    def forward(p: Any) -> float:
        return float(sum((k + 1) * np.sum(np.sin(leaf)) for k, leaf in enumerate(leaves_of(p))))

    def gradients(p: Any, wrong: int | None) -> Any:
        found = [
            (k + 1) * np.cos(leaf) + 0.1 * (k == wrong) for k, leaf in enumerate(leaves_of(p))
        ]
        return gradients_of(p, iter(found))

    before = leaves_of(container)
    try:
        assert gradcheck(forward, lambda p: gradients(p, None), container).passed
    except GradcheckUsageError as refusal:
        assert "Jacobian" in str(refusal)  # noqa: PT017  # most examples are not refused
        return
    wrong = data.draw(st.integers(0, len(before) - 1))
    with pytest.raises(GradcheckError) as error:
        gradcheck(forward, lambda p: gradients(p, wrong), container)
    assert error.value.report is not None
    assert sum(p.verdict == "wrong" for p in error.value.report.parameters) == 1
    assert all(a is b for a, b in zip(leaves_of(container), before, strict=True))
