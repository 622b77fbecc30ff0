"""Times of work on a machine that runs other work as well."""

from __future__ import annotations

import time
from collections.abc import Callable

__all__ = ["least_seconds"]

REPEATS = 15


def least_seconds(work: Callable[[], object], repeats: int = REPEATS) -> float:
    """Return the seconds of the fastest of several runs: other work only slows a run down."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)
