"""What workers and batches gain.

``python -m tests.benchmarks.workers`` prints how many times faster two processes sweep a
forward of 20 ms than none, and batches one of many small steps than single calls; runs are
paired, and the ratios of each pair are shown.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from typing import Any

import loky
import numpy as np

from pytest_gradcheck import check_gradient

PAIRS = 5
SECONDS = 0.02
STEPS, RATE = 100, 0.01


def slow(x: Any) -> Any:
    """Return a sum of sines after 20 ms of work, by the processor's own clock."""
    end = time.process_time() + SECONDS
    while time.process_time() < end:
        pass
    return np.sin(x).sum(-1)


def steps(x: Any) -> Any:
    """Return what a hundred steps of a map lead to, each a few operations on little."""
    u = x
    for _ in range(STEPS):
        u = u + RATE * np.sin(u)
    return u.sum(-1)


def steps_backward(x: Any) -> Any:
    """Return its gradient."""
    u, gradient = x, np.ones_like(x)
    for _ in range(STEPS):
        gradient, u = gradient * (1 + RATE * np.cos(u)), u + RATE * np.sin(u)
    return gradient


def ratios(
    forward: Callable[[Any], Any],
    backward: Callable[[Any], Any],
    size: int,
    ways: Mapping[str, Any],
) -> list[float]:
    """Return how many times faster a sweep is in these ways, for each pair of runs."""
    point = np.random.default_rng(0).normal(size=size)

    def seconds(**options: Any) -> float:
        started = time.perf_counter()
        assert check_gradient(forward, backward, point, **options).verdict == "correct"
        return time.perf_counter() - started

    seconds(**ways)  # workers start once
    return [seconds() / seconds(**ways) for _ in range(PAIRS)]


def main() -> None:
    """Print the ratios."""
    workers = loky.get_reusable_executor(max_workers=2)
    processes = ratios(slow, np.cos, 200, {"executor": workers})
    batches = ratios(steps, steps_backward, 20, {"batched": True})
    for title, found in (
        ("two processes, 20 ms, 200 entries", processes),
        ("batched, 100 steps, 20 entries", batches),
    ):
        shown = ", ".join(f"{ratio:.2f}" for ratio in found)
        print(f"{title:40}{np.median(found):6.2f} times faster ({shown}); {os.cpu_count()} cores")


if __name__ == "__main__":
    main()
