"""Values that the user's objects have computed from their attributes, and cache.

They are cached properties, and results of methods under `functools.lru_cache`. While a check
perturbs attributes, they belong to one evaluation alone, as everything else that is computed.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property, partial
from itertools import chain
from typing import Any

from pytest_gradcheck.binding.state.reachable import Reached, attributes_of, is_own

__all__ = ["forgetters"]


def forgetters(reached: Iterable[Reached]) -> list[Callable[[], None]]:
    """Return functions that let objects forget what they have computed.

    Parameters
    ----------
    reached : iterable of Reached
        Everything that can be reached, the classes of objects included.

    Examples
    --------
    >>> from pytest_gradcheck.binding.state.reachable import reachable
    >>> from types import SimpleNamespace
    >>> class Layer(SimpleNamespace):
    ...     @cached_property
    ...     def doubled(self):
    ...         return 2 * self.scale
    >>> layer = Layer(scale=2)
    >>> layer.doubled, vars(layer)
    (4, {'scale': 2, 'doubled': 4})
    >>> for forget in forgetters(reachable([], [("layer", layer)])):
    ...     forget()
    >>> vars(layer)
    {'scale': 2}
    """
    return [forget for found in reached for forget in _of_class_or_object(found.value)]


def _of_class_or_object(value: Any) -> Iterator[Callable[[], None]]:
    if isinstance(value, type):
        if is_own(value):
            yield from (
                item.cache_clear
                for item in vars(value).values()
                if isinstance(item, functools._lru_cache_wrapper)
            )
        return
    attributes = attributes_of(value)
    if attributes is None:
        return
    members = chain.from_iterable(vars(cls).items() for cls in type(value).__mro__)
    names = [name for name, member in members if isinstance(member, cached_property)]
    if names:
        yield partial(_remove, attributes, names)


def _remove(attributes: dict[str, Any], names: Iterable[str]) -> None:
    for name in names:
        attributes.pop(name, None)
