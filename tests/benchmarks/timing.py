"""How long something takes on a machine that others use, too."""

from __future__ import annotations

import time
from collections.abc import Callable

__all__ = ["least_seconds"]

REPEATS = 15


def least_seconds(work: Callable[[], object], repeats: int = REPEATS) -> float:
    """Return the time of the fastest of some runs: others on the machine only slow one down."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)
