"""Known values: which values of backward are derivatives by values of forward, or these.

All entries are compared. It does not know where backward goes wrong.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.fault_localization.adjoint_repair.forward_series import Kind, Series
from pytest_gradcheck.fault_localization.execution.recorded_values import Version
from pytest_gradcheck.fault_localization.measured_gradient import SAME

__all__ = ["Identity", "KnownValues"]

Floats = NDArray[np.float64]

#: What a value is, and the value of forward that it belongs to.
Identity = tuple[Kind, Version]


@dataclass(frozen=True, slots=True)
class _Table:
    """Values of one number of entries: what they are, and the entries, shape (values, entries)."""

    identities: list[Identity]
    entries: Floats


class KnownValues:
    """What series contain, by value.

    Parameters
    ----------
    series : iterable of Series
        All that is known of forward.
    """

    def __init__(self, series: Iterable[Series]) -> None:
        identities: dict[int, list[Identity]] = defaultdict(list)
        entries: dict[int, list[Floats]] = defaultdict(list)
        for one in series:
            for item in one.items:
                if item.owner is not None and item.value.any():
                    identities[item.value.size].append((one.kind, item.owner))
                    entries[item.value.size].append(item.value.reshape(-1))
        self._tables = {n: _Table(identities[n], np.array(entries[n])) for n in identities}
        self._found: dict[Version, list[Identity]] = {}

    def derivatives(self, name: str, size: int) -> list[Floats]:
        """Return the derivatives by values of a name that have so many entries, not all zero."""
        table = self._tables.get(size)
        if table is None:
            return []
        rows = zip(table.identities, table.entries, strict=True)
        return [row for (kind, owner), row in rows if kind == "total" and owner.path.last == name]

    def of(self, version: Version) -> list[Identity]:
        """Return what a value of backward is; nothing if that is not known, or it is zero."""
        if version not in self._found:
            self._found[version] = self.equal_to(version.value)
        return self._found[version]

    def equal_to(self, value: NDArray[Any]) -> list[Identity]:
        """Return what is equal to some value."""
        table = self._tables.get(value.size)
        if table is None or not value.any():
            return []
        differences = np.abs(table.entries - value.reshape(-1)).max(axis=1)
        scales = np.abs(table.entries).max(axis=1)
        return [table.identities[k] for k in np.flatnonzero(differences <= SAME * scales)]
