"""The speed-up of a check by worker processes and by batches.

``python -m tests.benchmarks.workers`` prints how many times faster two processes check a forward
of 20 ms, and how many times faster batched evaluation checks a forward of many small operations.
Runs are paired, and the ratio of each pair is printed.
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
    """Return a sum of sines after 20 ms of processor time."""
    end = time.process_time() + SECONDS
    while time.process_time() < end:
        pass
    return np.sin(x).sum(-1)


def steps(x: Any) -> Any:
    """Return the sum after a hundred steps of a map, each a few operations on a small array."""
    u = x
    for _ in range(STEPS):
        u = u + RATE * np.sin(u)
    return u.sum(-1)


def steps_backward(x: Any) -> Any:
    """Return the gradient of `steps`."""
    u, gradient = x, np.ones_like(x)
    for _ in range(STEPS):
        gradient, u = gradient * (1 + RATE * np.cos(u)), u + RATE * np.sin(u)
    return gradient


def ratios(
    forward: Callable[[Any], Any],
    backward: Callable[[Any], Any],
    size: int,
    options: Mapping[str, Any],
) -> list[float]:
    """Return how many times faster a check is with some options, for each pair of runs."""
    point = np.random.default_rng(0).normal(size=size)

    def seconds(**given: Any) -> float:
        started = time.perf_counter()
        assert check_gradient(forward, backward, point, **given).verdict == "correct"
        return time.perf_counter() - started

    seconds(**options)  # workers start once
    return [seconds() / seconds(**options) for _ in range(PAIRS)]


def main() -> None:
    """Print the ratios."""
    workers = loky.get_reusable_executor(max_workers=2)
    processes = ratios(slow, np.cos, 200, {"executor": workers})
    batches = ratios(steps, steps_backward, 20, {"batched": True})
    for title, speedups in (
        ("two processes, 20 ms, 200 entries", processes),
        ("batched, 100 steps, 20 entries", batches),
    ):
        shown = ", ".join(f"{ratio:.2f}" for ratio in speedups)
        print(
            f"{title:40}{np.median(speedups):6.2f} times faster ({shown}); {os.cpu_count()} cores"
        )


if __name__ == "__main__":
    main()
