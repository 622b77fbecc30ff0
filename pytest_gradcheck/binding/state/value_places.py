"""The places where objects and containers of the user's hold a value, to set them to another.

An array has several names where an object keeps its parameters in a list as well, or hands them to
its layers. What is to take its place has to do so everywhere. It runs no code of the user's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from pytest_gradcheck.binding.state.reachable import Reached, attributes_of, slot_value, slots_of

__all__ = ["places_of"]

#: Sets one place.
Setter = Callable[[Any], None]


def places_of(
    reached: Iterable[Reached], values: Collection[object]
) -> Mapping[int, Sequence[Setter]]:
    """Return what sets every place that holds one of some values.

    Parameters
    ----------
    reached : iterable of Reached
        Where to look.
    values : collection of object
        What to look for, by identity.

    Returns
    -------
    mapping of int to sequence of callable
        By the identity of a value. Elements of tuples and sets cannot be set.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> from pytest_gradcheck.binding.state.reachable import reachable
    >>> W = [1.0]
    >>> layer = SimpleNamespace(W=W, params={"W": W}, frozen=(W,))
    >>> for set_place in places_of(reachable([], [("layer", layer)]), [W])[id(W)]:
    ...     set_place(2.0)
    >>> layer
    namespace(W=2.0, params={'W': 2.0}, frozen=([1.0],))
    """
    wanted, found = set(map(id, values)), defaultdict[int, list[Setter]](list)
    for place in reached:
        for item, setter in _places(place.value):
            if id(item) in wanted:
                found[id(item)].append(setter)
    return found


def _places(value: Any) -> Iterator[tuple[Any, Setter]]:
    """Yield what something holds, each with what sets its place."""
    if isinstance(value, dict):
        yield from _items(value)
    elif isinstance(value, list):
        for k, item in enumerate(list.__iter__(value)):
            yield item, partial(list.__setitem__, value, k)
    yield from _items(attributes_of(value) or {})
    for _, slot in slots_of(type(value)):
        yield slot_value(value, slot), partial(slot.__set__, value)


def _items(mapping: dict[Any, Any]) -> Iterator[tuple[Any, Setter]]:
    for key, item in dict.items(mapping):
        yield item, partial(dict.__setitem__, mapping, key)
