"""Containers as users write them."""

from collections import namedtuple
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Pair = namedtuple("Pair", "left right")  # noqa: PYI024  # users have untyped ones


@dataclass(frozen=True)
class Layer:
    """Parameters of a layer."""

    W: Any
    b: Any


class Immutable(Mapping[str, Any]):
    """A mapping that cannot be changed."""

    def __init__(self, items: Any) -> None:
        self._items = dict(items)

    def __getitem__(self, key: str) -> Any:
        return self._items[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)
