"""The memory of a check beyond the user's own arrays, in vectors of the size of the parameters.

``python -m tests.benchmarks.memory`` prints the peak of the allocations of a sweep over all
entries, which may be four vectors; and of the check around it, which copies arguments and claims
and judges them: before, during and after the sweep. Then it prints which lines hold how much in
the middle of the last sweep. The gradients are correct, and forward and backward allocate nothing.
One forward depends on every entry; the other depends on a few only, so that a sweep over a million
entries is fast.
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from pytest_gradcheck import check_gradient
from pytest_gradcheck.numerics.coordinate_scales import Scales
from pytest_gradcheck.numerics.coordinatewise.coordinate_sweep import CoordinateSweep
from pytest_gradcheck.numerics.function import Function

ROOT = Path(__file__).parents[2]

#: Calls of forward before the sweep, at most: for noise, scales and edges of the domain.
CALLS_BEFORE_SWEEP = 24

#: The smallest allocation of a line that is listed, in vectors.
SMALLEST_LISTED = 0.05


class MemoryProbe:
    """A forward that reads the peak of allocated memory at each call.

    Parameters
    ----------
    function : callable
        A function of one array, which allocates nothing of its size.
    vector : int
        Bytes of that array.

    Attributes
    ----------
    before, during : int
        Peaks in bytes, before and during the sweep.
    holders : list of (str, float)
        Lines of code, and the vectors that they hold in the middle of the sweep.
    """

    def __init__(self, function: Callable[[Any], Any], vector: int) -> None:
        self._function = function
        self._vector = vector
        self._calls = 0
        self.before = self.during = 0
        self.holders: list[tuple[str, float]] = []

    def __call__(self, x: Any) -> Any:
        """Read the peak, then evaluate the function."""
        self._calls += 1
        peak = tracemalloc.get_traced_memory()[1]
        if self._calls <= CALLS_BEFORE_SWEEP:
            self.before = max(self.before, peak)
        else:
            self.during = max(self.during, peak)
        if self._calls == x.size:
            self.holders = self._largest_holders()
        tracemalloc.reset_peak()
        return self._function(x)

    def _largest_holders(self) -> list[tuple[str, float]]:
        statistics = tracemalloc.take_snapshot().statistics("lineno")
        return [
            (f"{_relative(line.traceback[0].filename)}:{line.traceback[0].lineno}", share)
            for line in statistics
            if (share := line.size / self._vector) >= SMALLEST_LISTED
        ]


def _relative(filename: str) -> str:
    path = Path(filename)
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else path.name


def _every(point: Any) -> tuple[Callable[[Any], Any], Any]:
    """Return a function of every entry, and its gradient at the point."""
    weights = np.random.default_rng(1).uniform(0.5, 1.5, size=point.size)
    return lambda x: np.tanh(weights @ x / x.size), _gradient(weights, point)


def _gradient(weights: Any, point: Any) -> Any:
    return weights / np.cosh(weights @ point / point.size) ** 2 / point.size


def _few(point: Any) -> tuple[Callable[[Any], Any], Any]:
    """Return a function of the first ten entries, and its gradient at the point."""
    gradient = np.zeros_like(point)
    gradient[:10] = np.cos(point[:10])
    return lambda x: np.sin(x[:10]).sum(), gradient


def measure(make: Callable[[Any], Any], size: int) -> tuple[list[float], MemoryProbe, str]:
    """Run a check; return the peaks of its three stages in vectors, forward and the verdict."""
    point = np.random.default_rng(0).normal(size=size)
    function, gradient = make(point)
    forward = MemoryProbe(function, point.nbytes)
    tracemalloc.start()
    report = check_gradient(forward, lambda x: gradient, point, max_evaluations=10**8, seed=0)
    after = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    peaks = [peak / point.nbytes for peak in (forward.before, forward.during, after)]
    return peaks, forward, report.verdict


def sweep_alone(size: int) -> float:
    """Return the peak of a sweep over correct claims by itself, in vectors."""
    point = np.random.default_rng(0).normal(size=size)
    function, gradient = _few(point)

    def evaluate(points: Any) -> Any:
        return np.array([[function(x)] for x in points])

    (base,) = evaluate([point])
    scales = Scales.of(point, [(0, size)])
    at_point = Function(evaluate, point, base, 1e-16 * np.abs(base), np.abs(base), scales)
    rng = np.random.default_rng(0)
    sweep = CoordinateSweep(at_point, lambda start, stop: gradient[start:stop, None], 1e-6, rng)
    tracemalloc.start()
    sweep.measure()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / point.nbytes


def main() -> None:
    """Print the tables."""
    sweep_alone(1000)  # what is imported at first use must not count
    print("vectors of the parameters' size that a sweep allocates, at the peak")
    for size in (10**4, 10**5, 10**6):
        print(f"{size:>16,}{sweep_alone(size):14.2f}")
    print("\nthe check around it, vectors of the parameters' size, at the peak")
    headings = ("entries", "before", "sweep", "after", "verdict")
    print(f"{'forward':<16}" + "".join(f"{heading:>14}" for heading in headings))
    cases = [("all entries", _every, 10**4), ("all entries", _every, 10**5)]
    cases += [("ten entries", _few, 10**5)]
    for name, make, size in cases:
        peaks, forward, verdict = measure(make, size)
        print(f"{name:<16}{size:>14,}{''.join(f'{p:14.1f}' for p in peaks)}{verdict:>14}")
    print("\nheld in the middle of the last sweep")
    for line, share in forward.holders:
        print(f"{share:6.2f}  {line}")


if __name__ == "__main__":
    main()
