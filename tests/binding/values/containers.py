"""Containers as users write them."""

import itertools
import sys
from collections import namedtuple
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

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


class Computed(Mapping[int, Any]):
    """A mapping without end that makes its values when they are read, and counts how many."""

    def __init__(self, length: int = sys.maxsize) -> None:
        self.length = length
        self.reads = 0

    def __getitem__(self, key: int) -> Any:
        self.reads += 1
        return np.full(3, float(key))

    def __iter__(self) -> Iterator[int]:
        return itertools.count()

    def __len__(self) -> int:
        return self.length


class Closed(Computed):
    """A mapping that cannot be read."""

    def __len__(self) -> int:
        raise OSError("closed")
