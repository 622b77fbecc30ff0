"""Series: derivatives by values of forward, by the statements that make or read these.

A statement of backward that is executed many times makes the derivatives by what one of forward
makes or reads, mostly in the reverse order. Or it makes those through single uses, or the sums
that a reverse sweep holds after some uses.

It does not know what backward computes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.fault_localization.adjoint_repair.adjoints import Adjoints
from pytest_gradcheck.fault_localization.execution.execution_steps import Step
from pytest_gradcheck.fault_localization.execution.recorded_values import Version
from pytest_gradcheck.fault_localization.execution.statements import Statement

__all__ = ["Item", "Kind", "Series", "series_of"]

Floats = NDArray[np.float64]

#: The derivative by a value; that through one use; that through this use and all later ones; or
#: the value itself.
Kind = Literal["total", "part", "sum", "value"]

_Key = tuple[Kind, Literal["made", "read"], Statement | None, str, int]


@dataclass(frozen=True, slots=True)
class Item:
    """One value of a series, and the value of forward that it belongs to, if any does."""

    owner: Version | None
    value: Floats


@dataclass(frozen=True, slots=True)
class Series:
    """Values that belong to the executions of one statement of forward, in order.

    Attributes
    ----------
    kind : {"total", "part", "sum", "value"}
        What they are.
    name : str
        The variable that they belong to.
    items : tuple of Item
        One for each execution.
    """

    kind: Kind
    name: str
    items: tuple[Item, ...]

    @property
    def is_constant(self) -> bool:
        """Whether it is the same for all executions, as what belongs to a parameter."""
        owners = {item.owner for item in self.items}
        return self.kind in ("total", "value") and len(owners) == 1 < len(self.items)


def series_of(adjoints: Adjoints) -> list[Series]:
    """Return all series of one forward.

    Where a function is called, values belong to its statements and to that which calls it.
    """
    callers, executions = adjoints.trace.callers, adjoints.trace.executions
    found: dict[_Key, dict[int, Item]] = defaultdict(dict)
    for version in sorted(adjoints.totals, key=lambda v: v.number):
        if version.is_floating:
            for kind, role, step, name, item in _entries(version, adjoints):
                for place in _around(step, callers):
                    statement, number = (place.statement, place.occurrence) if place else (None, 0)
                    key = kind, role, statement, name, item.value.size
                    found[key].setdefault(number, item)
    all_series = (
        Series(key[0], key[3], tuple(_filled(key[0], items, executions[key[2]] if key[2] else 1)))
        for key, items in found.items()
    )
    return [series for series in all_series if not series.is_constant]


def _entries(
    version: Version, adjoints: Adjoints
) -> Iterator[tuple[Kind, Literal["made", "read"], Step | None, str, Item]]:
    """Yield what belongs to a value, with the steps that made or read it."""
    itself = Item(version, version.value.astype(np.float64))
    total, until = Item(version, adjoints.totals[version]), np.zeros(version.value.shape)
    steps = [version.step, version.place.step if version.place else None]
    for home in dict.fromkeys(steps):
        if home is not None or not any(steps):
            yield "total", "made", home, version.path.names, total
            yield "value", "made", home, version.path.names, itself
    for part in adjoints.parts[version]:
        until = until + part.value
        yield "total", "read", part.step, part.name, total
        yield "value", "read", part.step, part.name, itself
        yield "part", "read", part.step, part.name, Item(version, part.value)
        yield "sum", "read", part.step, part.name, Item(version, until)


def _filled(kind: Kind, items: Mapping[int, Item], count: int) -> Iterator[Item]:
    """Yield one item for each execution; where there is none, the derivative is zero."""
    some = next(iter(items.values()))
    nothing = Item(None, np.full(some.value.shape, np.nan if kind == "value" else 0.0))
    yield from (items.get(k, nothing) for k in range(count))


def _around(step: Step | None, callers: Mapping[Step, Step]) -> Iterator[Step | None]:
    """Yield a step, and those in which functions around it were called."""
    yield step
    while step is not None and (step := callers.get(step)) is not None:
        yield step
