"""Pytrees: nested containers with numbers and arrays as leaves.

As in `jax.tree_util`, but without a registry: dicts, lists, tuples, named tuples, dataclasses and
namespaces are containers, and a leaf is named by its Python accessor, ``params['W1']``. A
rectangular list of plain numbers is a leaf, not a container. It does not know what is checked.
"""

from __future__ import annotations

import copy
import dataclasses
import types
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = [
    "SIMPLE",
    "Leaf",
    "LeafNames",
    "accessors",
    "contents",
    "counted",
    "describe_value",
    "floating_leaves",
    "holds_only",
    "integer_leaves",
    "is_number_list",
    "leaves",
    "named_children",
    "rebuilt",
    "replaced",
    "with_article",
]

#: Types of immutable values that hold no others.
SIMPLE: frozenset[type] = frozenset({int, float, complex, bool, str, bytes, types.NoneType})

#: The most common types that are not containers.
ATOMS = SIMPLE | {np.ndarray}

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
        A number, a numpy scalar or array, or a rectangular list of numbers.
    """

    name: str
    value: Any

    @property
    def array(self) -> np.ndarray[Any, Any]:
        """The value as an array."""
        return np.asarray(self.value)

    @property
    def is_differentiable(self) -> bool:
        """Whether it is floating or complex."""
        return self.array.dtype.kind in "fc"

    @property
    def is_integer(self) -> bool:
        """Whether it holds integers."""
        return self.array.dtype.kind in "iu"


def contents(value: Any) -> list[Any] | None:
    """Return the children of a container, in order; None where `value` is not a container."""
    if type(value) in ATOMS:
        return None
    if isinstance(value, Mapping):
        return [item for _, item in value.items()]
    names = _attributes(value)
    if names is not None:
        return [getattr(value, name) for name in names]
    return list(value) if isinstance(value, (list, tuple)) and not is_number_list(value) else None


def accessors(container: Any) -> Iterator[str]:
    """Return the accessors of the children of a container, in the order of `contents`."""
    if isinstance(container, Mapping):
        return (f"[{key!r}]" for key, _ in container.items())
    names = _attributes(container)
    if names is not None:
        return (f".{name}" for name in names)
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
    if type(value) in ATOMS or hasattr(value, "__array__"):
        return None
    if isinstance(value, Mapping):
        return value
    names = _attributes(value)
    return None if names is None else {name: getattr(value, name) for name in names}


def _attributes(value: Any) -> Iterable[str] | None:
    """Return the attributes of a named tuple, a dataclass or a namespace; else None."""
    if isinstance(value, (list, tuple)):
        return getattr(value, "_fields", None)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [field.name for field in dataclasses.fields(value)]
    return list(vars(value)) if isinstance(value, types.SimpleNamespace) else None


def holds_only(inside: Iterable[Any], kinds: frozenset[type]) -> bool:
    """Return whether the type of every child is one of these, subclasses excluded.

    A million numbers are recognised in the time that a few thousand accessors take.
    """
    return set(map(type, inside)) <= kinds


def replaced(value: Any, new: Sequence[Any]) -> Any:
    """Return a copy of a container with `new` for its children, in order."""
    if isinstance(value, Mapping):
        result: Any = copy.copy(value)
        for key, item in zip(value, new, strict=True):
            result[key] = item
        return result
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*new)
    if isinstance(value, (list, tuple)):
        return type(value)(new)
    result = copy.copy(value)
    for accessor, item in zip(accessors(value), new, strict=True):
        object.__setattr__(result, accessor[1:], item)
    return result


def rebuilt(name: str, value: Any, new: Mapping[str, Any]) -> Any:
    """Return a copy of `value`, called `name`, with the values that `new` has for accessors.

    Examples
    --------
    >>> rebuilt("p", {"W": [1.0], "b": {"c": 2.0}}, {"p['b']['c']": 3.0})
    {'W': [1.0], 'b': {'c': 3.0}}
    """
    if name in new:
        return new[name]
    inside = contents(value)
    if inside is None:
        return value
    named = zip(accessors(value), inside, strict=True)
    return replaced(value, [rebuilt(name + accessor, item, new) for accessor, item in named])


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
    inside = contents(value)
    if inside is None:
        if _is_numeric(value) or is_number_list(value):
            yield Leaf(name, value)
    elif not (skipped and holds_only(inside, skipped)):
        for accessor, item in zip(accessors(value), inside, strict=True):
            yield from leaves(name + accessor, item, skipped=skipped)


def floating_leaves(name: str, value: Any) -> tuple[Leaf, ...]:
    """Return every floating or complex leaf in `value`."""
    found = leaves(name, value, skipped=NEVER_FLOATING)
    return tuple(leaf for leaf in found if leaf.is_differentiable)


def integer_leaves(name: str, value: Any) -> Iterator[Leaf]:
    """Yield every leaf in `value` that holds integers."""
    return (leaf for leaf in leaves(name, value, skipped=NEVER_INTEGER) if leaf.is_integer)


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
    return _number_shape(value) is not None


def _number_shape(value: Any) -> tuple[int, ...] | None:
    """Return the shape of a rectangular list of plain numbers, None for anything else."""
    if not isinstance(value, list) or not value:
        return None
    kinds = set(map(type, value))
    if all(issubclass(kind, (int, float, complex)) and kind is not bool for kind in kinds):
        return (len(value),)
    first = _number_shape(value[0])
    if first is None or any(_number_shape(item) != first for item in value):
        return None
    return (len(value), *first)


def describe_value(value: Any) -> str:
    """Return what `value` is, in words: ``float64 array of shape (3, 4)``."""
    if isinstance(value, np.ndarray):
        return f"{value.dtype} array of shape {value.shape}"
    return "None" if value is None else type(value).__name__


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
    if names is not None:
        kind = "keys" if isinstance(value, Mapping) else "fields"
        return f"a {type(value).__name__} with the {kind} {', '.join(map(str, names))}"
    if isinstance(value, (tuple, list)):
        return f"a {type(value).__name__} of {len(value)}"
    return describe_value(value)


def _is_numeric(value: Any) -> bool:
    if isinstance(value, (np.ndarray, np.generic)):
        return value.dtype.kind in "biufc"
    return isinstance(value, (int, float, complex)) and not isinstance(value, bool)
