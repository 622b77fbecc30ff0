"""Pytrees: nested containers with numbers and arrays as leaves.

As in `jax.tree_util`, but without a registry: mappings, lists, tuples, deques, named tuples,
dataclasses, namespaces and arrays of objects are containers, and a leaf is named by its Python
accessor, ``params['W1']``. A rectangular list of plain numbers is a leaf, not a container. It
does not know what is checked, and only reads: `rebuilding` makes containers with other children.
"""

from __future__ import annotations

import dataclasses
import types
from bisect import bisect_left
from collections import ChainMap, OrderedDict, UserDict, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any

import numpy as np

from pytest_gradcheck.binding.values.user_attributes import has_attribute
from pytest_gradcheck.errors import GradcheckUsageError
from pytest_gradcheck.integrations.array_libraries import array_library, as_numpy
from pytest_gradcheck.report.inert_text import shortened, told_apart
from pytest_gradcheck.report.representation import key_text, listed, shown_key, type_name

__all__ = [
    "SIMPLE",
    "EmptyContainer",
    "Leaf",
    "LeafNames",
    "Way",
    "accessors",
    "attribute_names",
    "contents",
    "counted",
    "describe_value",
    "dict_of",
    "empty_containers",
    "floating_leaves",
    "holds_only",
    "integer_leaves",
    "is_computed",
    "is_number_list",
    "is_same",
    "keys_of",
    "leaves",
    "named_children",
    "other_attributes",
    "places",
    "stored",
    "unsorted_mapping",
    "with_article",
]

#: Types of immutable values that hold no others.
SIMPLE: frozenset[type] = frozenset({int, float, complex, bool, str, bytes, types.NoneType})

#: A mapping of more items that is not a dict is taken for data that are read as they are needed.
MOST_ITEMS = 10_000

#: Containers may be entered so often, where most of these times are not the first one.
MOST_ENTERED = 1_000_000

#: Arrays have no more axes, and so have lists that are read as one.
MOST_AXES = 64

NUMBERS = (int, float, complex)

#: Simple types without a derivative, and those that are not integers.
NEVER_FLOATING = SIMPLE - {float, complex}
NEVER_INTEGER = SIMPLE - {int}


@dataclass(frozen=True, slots=True)
class Leaf:
    """A number or an array somewhere in an argument.

    Attributes
    ----------
    name : str
        Its Python accessor: ``parameters['W1']``.
    value : Any
        A number, a numpy scalar, an array of any library, or a rectangular list of numbers.
    """

    name: str
    value: Any

    @property
    def array(self) -> np.ndarray[Any, Any]:
        """The value as an array."""
        return as_numpy(self.value)

    @property
    def is_differentiable(self) -> bool:
        """Whether it is floating or complex."""
        return self.array.dtype.kind in "fc"

    @property
    def is_integer(self) -> bool:
        """Whether it holds integers."""
        return self.array.dtype.kind in "iu"


class EmptyContainer(Leaf):
    """A container without children: a leaf without entries, where it is what is to be checked."""

    @property
    def array(self) -> np.ndarray[Any, Any]:
        """An array without entries."""
        return np.empty(0)


def contents(value: Any) -> list[Any] | None:
    """Return the children of a container, in order; None where `value` is not a container.

    Children are read from where a container stores them: no method of a subclass is called. Only
    of a mapping of the user's own class there is no other way; see also `stored`.
    """
    kind = type(value)
    if kind in SIMPLE:
        return None
    if kind is np.ndarray:
        return list(value.flat) if value.dtype.hasobject and value.dtype.names is None else None
    if isinstance(value, Mapping):
        return _values(value)
    if isinstance(value, (list, tuple, deque)):
        base: Any = next(base for base in (list, tuple, deque) if isinstance(value, base))
        return None if is_number_list(value) else list(base.__iter__(value))
    names = attribute_names(value)
    return None if names is None else [getattr(value, name) for name in names]


def accessors(container: Any) -> Iterator[str]:
    """Return the accessors of the children of a container, in the order of `contents`.

    No two are equal: of keys with one repr, the second has ``(2)`` after it.
    """
    if isinstance(container, Mapping):
        return told_apart(f"[{shown_key(key)}]" for key in keys_of(container))
    if isinstance(container, np.ndarray):
        return (f"[{', '.join(map(str, index))}]" for index in np.ndindex(container.shape))
    names = attribute_names(container)
    if names is not None:
        return told_apart(f".{shortened(name)}" for name in names)
    return (f"[{k}]" for k in range(len(container)))


def named_children(value: Any) -> Mapping[Any, Any] | None:
    """Return the children of a container that names them; None for a sequence or an array.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> named_children(SimpleNamespace(W=1.0, b=2.0))
    {'W': 1.0, 'b': 2.0}
    >>> named_children([1.0, 2.0])
    """
    if type(value) in SIMPLE or has_attribute(value, "__array__"):
        return None
    if isinstance(value, Mapping):
        # A sparse matrix in the format dok is a dict of its entries.
        return None if hasattr(type(value), "toarray") else value
    names = attribute_names(value)
    return None if names is None else {name: getattr(value, name) for name in names}


def stored(value: Any) -> list[Any] | None:
    """Return the children of a container, as `contents`, but without running the user's code."""
    return None if _is_user_mapping(value) else contents(value)


def _is_user_mapping(value: Any) -> bool:
    """Return whether `value` is a mapping of the user's own class, which may hold no dict.

    Reading it may open files, take long, or never come to an end.
    """
    if type(value) in SIMPLE or not isinstance(value, Mapping):
        return False
    return type(value) not in (types.MappingProxyType, ChainMap) and dict_of(value) is None


def dict_of(mapping: Mapping[Any, Any]) -> dict[Any, Any] | None:
    """Return the dict that a mapping is, or that it holds as a `collections.UserDict` does."""
    if isinstance(mapping, dict):
        return mapping
    data = vars(mapping).get("data") if isinstance(mapping, UserDict) else None
    return data if isinstance(data, dict) else None


def keys_of(mapping: Mapping[Any, Any]) -> Iterable[Any]:
    """Return the keys of a mapping, those of a dict without a method of a subclass."""
    own = dict_of(mapping)
    if own is None:
        return mapping
    return OrderedDict.keys(own) if isinstance(own, OrderedDict) else dict.keys(own)


def _values(mapping: Mapping[Any, Any]) -> list[Any] | None:
    """Return the values of a mapping; None where it does not store them, but computes them."""
    own = dict_of(mapping)
    if own is not None:
        return list(OrderedDict.values(own) if isinstance(own, OrderedDict) else dict.values(own))
    found = []
    try:
        count = len(mapping)
        if count > MOST_ITEMS:
            return None
        for key in islice(mapping, count + 1):
            found.append(mapping[key])
            if len(found) == 1 and not is_same(found[0], mapping[key]):
                return None
    except Exception:  # noqa: BLE001  # the user's code, which the check could do without
        return None
    return found if len(found) == count else None


def is_same(first: Any, second: Any) -> bool:
    """Return whether two children are one object, one memory, or equal values that cannot change.

    A mapping that packs its arrays into one vector makes a view of it each time it is read.
    """
    if first is second:
        return True
    kind = type(first)
    if kind is np.ndarray and type(second) is np.ndarray:
        return bool(first.__array_interface__ == second.__array_interface__)
    if kind is not type(second) or not (kind in SIMPLE or issubclass(kind, np.generic)):
        return False
    return bool(first == second) or repr(first) == repr(second) == "nan"


def attribute_names(value: Any) -> Iterable[str] | None:
    """Return the attributes that are set of a named tuple, dataclass or namespace; else None."""
    if isinstance(value, tuple):
        fields = getattr(value, "_fields", ())
        return fields if fields and len(fields) == len(value) else None
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [f.name for f in dataclasses.fields(value) if hasattr(value, f.name)]
    return list(vars(value)) if isinstance(value, types.SimpleNamespace) else None


def is_computed(value: Any) -> bool:
    """Return whether a value is a mapping of the user's own class that stores no values."""
    return _is_user_mapping(value) and contents(value) is None


def other_attributes(container: Any) -> dict[str, Any]:
    """Return the attributes of a container that are not its children."""
    if type(container) in (dict, list, tuple, np.ndarray) or not has_attribute(
        container, "__dict__"
    ):
        return {}
    attributes = container.__dict__
    if not isinstance(attributes, dict) or attributes is container:
        return {}
    children = {"data"} if isinstance(container, UserDict) else attribute_names(container) or ()
    return {name: item for name, item in attributes.items() if name not in children}


def holds_only(inside: Iterable[Any], kinds: frozenset[type]) -> bool:
    """Return whether the type of every child is one of these, subclasses excluded.

    A million numbers are recognized in the time that a few thousand accessors take.
    """
    return set(map(type, inside)) <= kinds


def places(
    name: str,
    value: Any,
    *,
    inside_of: Callable[[Any], list[Any] | None] = contents,
    enters: Callable[[list[Any]], bool] = bool,
) -> Iterator[tuple[str, Any, list[Any] | None]]:
    """Yield everything in `value`, itself first and depth first.

    A container is not entered inside itself. Where one is, as by a link to a parent, each
    container is entered once: there may be more ways through a graph than can be followed.

    Parameters
    ----------
    name : str
        Its accessor.
    value : Any
        A container or a leaf.
    inside_of : callable
        Returns the children of a container, None for anything else.
    enters : callable
        Returns whether to enter a container with these children.

    Yields
    ------
    name : str
        An accessor, from `name` on.
    value : Any
        What is there.
    inside : list or None
        Its children, where it is a container.
    """
    inside = inside_of(value)
    yield name, value, inside
    if inside is None or not enters(inside):
        return
    way = Way(value, inside_of)
    stack = [zip(accessors(value), inside, strict=True)]
    names = [name]
    way.enter(value)
    while stack:
        for accessor, item in stack[-1]:
            inside = inside_of(item)
            if inside is not None and not way.may_enter(item):
                continue
            yield names[-1] + accessor, item, inside
            if inside is not None and enters(inside):
                way.enter(item)
                names.append(names[-1] + accessor)
                stack.append(zip(accessors(item), inside, strict=True))
                break
        else:
            stack.pop()
            names.pop()
            way.leave()


class Way:
    """The way of a depth-first search: the containers that it is in, and those it has been in.

    Parameters
    ----------
    root : Any
        Where it begins.
    inside_of : callable
        Returns the children of a container, None for anything else.
    once : bool
        Whether to enter each container once, even where it is in several others.
    """

    def __init__(
        self,
        root: Any,
        inside_of: Callable[[Any], list[Any] | None] = contents,
        *,
        once: bool = False,
    ) -> None:
        self._root, self._inside_of, self._once = root, inside_of, once
        self._count = 0
        self._path: list[int] = []
        # Holding the containers keeps their ids from being reused.
        self._seen: dict[int, Any] = {}
        self._on_path: set[int] = set()

    @cached_property
    def is_cyclic(self) -> bool:
        """Whether a container in the root is inside itself."""
        done, on_path = dict[int, Any](), {id(self._root)}
        stack = [(self._root, iter(self._inside_of(self._root) or ()))]
        while stack:
            for item in stack[-1][1]:
                if id(item) in on_path:
                    return True
                inside = None if id(item) in done else self._inside_of(item)
                if inside is not None:
                    on_path.add(id(item))
                    stack.append((item, iter(inside)))
                    break
            else:
                item, _ = stack.pop()
                on_path.discard(id(item))
                done[id(item)] = item
        return False

    def may_enter(self, container: Any) -> bool:
        """Return whether it is to be entered now."""
        if id(container) not in self._seen:
            return True
        return not (self._once or id(container) in self._on_path or self.is_cyclic)

    def is_inside(self, container: Any) -> bool:
        """Return whether the way is inside a container now."""
        return id(container) in self._on_path

    def enter(self, container: Any) -> None:
        """Go into a container.

        Raises
        ------
        GradcheckUsageError
            Where there are too many ways to the same few containers.
        """
        self._count += 1
        if self._count > max(MOST_ENTERED, 100 * len(self._seen)):
            raise GradcheckUsageError(
                f"an argument is not a tree: there are more than {MOST_ENTERED:,} ways to the "
                f"{len(self._seen):,} containers in it. Name what is to be checked in wrt=, or "
                "pass each container once."
            )
        self._seen[id(container)] = container
        self._path.append(id(container))
        self._on_path.add(id(container))

    def leave(self) -> None:
        """Leave the container that was entered last."""
        self._on_path.discard(self._path.pop())


def leaves(name: str, value: Any, *, skipped: frozenset[type] = frozenset()) -> Iterator[Leaf]:
    """Yield every number and array in `value`, depth first, in the order of the containers.

    Parameters
    ----------
    name : str
        Its accessor.
    value : Any
        A container or a leaf.
    skipped : frozenset of type
        Containers that hold these types only are skipped.

    Yields
    ------
    Leaf
        Named from `name` on.
    """
    if type(value) in SIMPLE or (type(value) is np.ndarray and not value.dtype.hasobject):
        if _is_numeric(value):
            yield Leaf(name, value)
        return
    found = places(
        name, value, enters=lambda inside: not (skipped and holds_only(inside, skipped))
    )
    for place, item, inside in found:
        if inside is None and (_is_numeric(item) or is_number_list(item)):
            yield Leaf(place, item)


def floating_leaves(name: str, value: Any) -> tuple[Leaf, ...]:
    """Return every floating or complex leaf in `value`."""
    found = leaves(name, value, skipped=NEVER_FLOATING)
    return tuple(leaf for leaf in found if leaf.is_differentiable)


def empty_containers(name: str, value: Any) -> tuple[EmptyContainer, ...]:
    """Return every empty container in a value that holds nothing else.

    Examples
    --------
    >>> [leaf.name for leaf in empty_containers("p", {"W": [], "b": {}})]
    ["p['W']", "p['b']"]
    >>> empty_containers("p", {"W": [], "bias": True})
    ()
    """
    found = list(places(name, value))
    if any(inside is None for _, _, inside in found):
        return ()
    return tuple(EmptyContainer(place, item) for place, item, inside in found if not inside)


def integer_leaves(name: str, value: Any) -> Iterator[Leaf]:
    """Yield every leaf in `value` that holds integers."""
    return (leaf for leaf in leaves(name, value, skipped=NEVER_INTEGER) if leaf.is_integer)


def unsorted_mapping(name: str, value: Any) -> str | None:
    """Return the accessor of a mapping in `value` whose keys are not sorted, None if all are.

    Flattened by JAX, a dict has its keys in sorted order; by its values, in their own order.

    Examples
    --------
    >>> unsorted_mapping("p", [{"W": 1.0, "b": 2.0}, {"b": 2.0, "W": 1.0}])
    'p[1]'
    """
    for place, item, _ in places(name, value):
        keys = [key_text(key) for key in keys_of(item)] if isinstance(item, Mapping) else []
        if keys != sorted(keys):
            return place
    return None


class LeafNames(Collection[str]):
    """Accessors of leaves, sorted: those inside a container are found by bisection.

    Examples
    --------
    >>> names = LeafNames(["p['W']", "q"])
    >>> names.any_within("p"), names.any_within("q"), names.any_within("p['W'][0]")
    (True, True, False)
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._sorted = sorted(names)
        self._names = frozenset(self._sorted)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._sorted)

    def __len__(self) -> int:
        return len(self._sorted)

    def any_within(self, outer: str) -> bool:
        """Return whether `outer` is the accessor of a leaf, or of a container with one inside."""
        return (
            outer in self._names or self._any_begins(f"{outer}[") or self._any_begins(f"{outer}.")
        )

    def _any_begins(self, start: str) -> bool:
        place = bisect_left(self._sorted, start)
        return place < len(self._sorted) and self._sorted[place].startswith(start)


def is_number_list(value: Any) -> bool:
    """Return whether `value` is a rectangular list of plain numbers, nested or not.

    An empty list is not, and a tuple is a container.
    """
    return _begins_with_number(value) and _number_shape(value) is not None


def _begins_with_number(value: Any) -> bool:
    """Return whether the first item of the first item, and so on, is a number at some depth."""
    for _ in range(MOST_AXES + 1):
        if not isinstance(value, list) or not value:
            return False
        value = value[0]
        if isinstance(value, NUMBERS):
            return True
    return False


def _number_shape(value: Any, depth: int = 0) -> tuple[int, ...] | None:
    """Return the shape of a rectangular list of plain numbers, None for anything else."""
    if not isinstance(value, list) or not value or depth > MOST_AXES:
        return None
    kinds = set(map(type, value))
    if all(issubclass(kind, NUMBERS) and kind is not bool for kind in kinds):
        return (len(value),)
    first = _number_shape(value[0], depth + 1)
    if first is None or any(_number_shape(item, depth + 1) != first for item in value):
        return None
    return (len(value), *first)


def describe_value(value: Any) -> str:
    """Return what `value` is, in words: ``float64 array of shape (3, 4)``."""
    if isinstance(value, np.ndarray):
        return f"{shortened(str(value.dtype))} array of shape {value.shape}"
    library = array_library(value)
    if library is not None:
        array = library.to_numpy(value)
        return f"{array.dtype} {library.noun} of shape {array.shape}"
    return "None" if value is None else type_name(value)


def with_article(words: str) -> str:
    """Return words with an indefinite article; ``None`` gets none.

    Examples
    --------
    >>> with_article("int64 array of shape (3,)"), with_article("None")
    ('an int64 array of shape (3,)', 'None')
    """
    return words if words == "None" else f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


def counted(value: Any) -> str:
    """Return what `value` is, in words, with the size of a container: ``a tuple of 2``."""
    names = named_children(value)
    if names is not None and contents(value) is not None:
        kind = "keys" if isinstance(value, Mapping) else "fields"
        return f"a {type_name(value)} with the {kind} {listed(names)}"
    if isinstance(value, (tuple, list)):
        return f"a {type_name(value)} of {len(value)}"
    return describe_value(value)


def _is_numeric(value: Any) -> bool:
    if array_library(value) is not None:
        return as_numpy(value).dtype.kind in "biufc"
    if isinstance(value, (np.ndarray, np.generic)):
        return value.dtype.kind in "biufc"
    return isinstance(value, NUMBERS) and not isinstance(value, bool)
