"""Arguments as trees: containers inside, numbers and arrays at the leaves.

It must not know what is checked; it finds leaves, names them and puts others
in their place.
"""

from __future__ import annotations

import copy
import dataclasses
import types
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = [
    "Leaf",
    "children",
    "counted",
    "describe_value",
    "is_number_list",
    "leaves",
    "rebuilt",
    "replaced",
    "with_article",
    "within",
]


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
        """Whether it is floating or complex, so that a derivative by it means something."""
        return self.array.dtype.kind in "fc"

    @property
    def is_integer(self) -> bool:
        """Whether it holds whole numbers."""
        return self.array.dtype.kind in "iu"


def children(value: Any) -> list[tuple[str, Any]] | None:
    """Return accessor and value of everything directly inside a container.

    Returns
    -------
    list of (str, Any) or None
        None where `value` is no container: dicts, lists, tuples, named tuples,
        dataclasses and namespaces are; a rectangular list of plain numbers is a
        leaf.
    """
    if isinstance(value, Mapping):
        return [(f"[{key!r}]", item) for key, item in value.items()]
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return [(f".{name}", getattr(value, name)) for name in value._fields]
    if isinstance(value, (list, tuple)) and not is_number_list(value):
        return [(f"[{k}]", item) for k, item in enumerate(value)]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return [(f".{f.name}", getattr(value, f.name)) for f in dataclasses.fields(value)]
    if isinstance(value, types.SimpleNamespace):
        return [(f".{name}", item) for name, item in vars(value).items()]
    return None


def replaced(value: Any, new: Sequence[Any]) -> Any:
    """Return a container like `value` with `new` for its children, in their order."""
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
    for (accessor, _), item in zip(children(value) or (), new, strict=True):
        object.__setattr__(result, accessor[1:], item)
    return result


def rebuilt(name: str, value: Any, new: Mapping[str, Any]) -> Any:
    """Return `value`, called `name`, with what `new` has for the accessors of its leaves.

    Examples
    --------
    >>> rebuilt("p", {"W": [1.0], "b": {"c": 2.0}}, {"p['b']['c']": 3.0})
    {'W': [1.0], 'b': {'c': 3.0}}
    """
    if name in new:
        return new[name]
    inside = children(value)
    if inside is None:
        return value
    return replaced(value, [rebuilt(name + accessor, item, new) for accessor, item in inside])


def leaves(name: str, value: Any) -> Iterator[Leaf]:
    """Yield every number and array in `value`, depth first, in the order of the containers."""
    inside = children(value)
    if inside is not None:
        for accessor, item in inside:
            yield from leaves(name + accessor, item)
    elif is_number_list(value) or _is_numeric(value):
        yield Leaf(name, value)


def within(name: str, outer: str) -> bool:
    """Tell whether accessor `name` is `outer` or leads further into it."""
    return name == outer or name.startswith((f"{outer}[", f"{outer}."))


def is_number_list(value: Any) -> bool:
    """Tell a rectangular list of plain numbers, nested or not; an empty list is none."""
    if not isinstance(value, (list, tuple)) or hasattr(value, "_fields") or not value:
        return False
    if all(_is_plain_number(item) for item in value):
        return isinstance(value, list)
    if not all(is_number_list(item) for item in value):
        return False
    return len({np.shape(item) for item in value}) == 1


def describe_value(value: Any) -> str:
    """Say in a few words what `value` is: ``float64 array of shape (3, 4)``."""
    if isinstance(value, np.ndarray):
        return f"{value.dtype} array of shape {value.shape}"
    return "None" if value is None else type(value).__name__


def with_article(words: str) -> str:
    """Return words with the article before them; ``None`` has none.

    Examples
    --------
    >>> with_article("int64 array of shape (3,)"), with_article("None")
    ('an int64 array of shape (3,)', 'None')
    """
    return words if words == "None" else f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


def counted(value: Any) -> str:
    """Say what `value` is, of a container also what it holds: ``a tuple of 2``."""
    if isinstance(value, Mapping):
        return f"a {type(value).__name__} with the keys {', '.join(map(str, value))}"
    if isinstance(value, (tuple, list)):
        return f"a {type(value).__name__} of {len(value)}"
    return describe_value(value)


def _is_plain_number(value: Any) -> bool:
    return isinstance(value, (int, float, complex)) and not isinstance(value, bool)


def _is_numeric(value: Any) -> bool:
    if isinstance(value, (np.ndarray, np.generic)):
        return value.dtype.kind in "biufc"
    return _is_plain_number(value)
