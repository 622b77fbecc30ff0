"""What a sweep costs beyond the calls of forward.

``python tests/benchmarks/overhead.py`` prints, for 10, 1,000 and 10,000
entries of a correct gradient, the evaluations, the microseconds of a bare call
of forward and those that the check takes beyond it for each evaluation; for
comparison the same of `scipy.optimize.check_grad`, which takes half the
evaluations because it uses one-sided differences, without an error bound.
"""

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.optimize import check_grad

from pytest_gradcheck import check_gradient

REPEATS = 7


def forward(x: Any) -> Any:
    """Return a function of about a dozen microseconds."""
    return np.sum(np.sin(x[:500])) + np.dot(x, x)


def backward(x: Any) -> Any:
    """Return its gradient."""
    gradient = 2 * x
    gradient[:500] += np.cos(x[:500])
    return gradient


class Counted:
    """Forward, counting its calls."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, x: Any) -> Any:
        """Evaluate."""
        self.calls += 1
        return forward(x)


def median_seconds(work: Callable[[], object], repeats: int = REPEATS) -> float:
    """Return the median time of some runs."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main() -> None:
    """Print the table."""
    heading = ("entries", "evaluations", "bare us", "check us over it", "scipy us over it")
    print("".join(f"{cell:>18}" for cell in heading))
    for size in (10, 1_000, 10_000):
        point = np.random.default_rng(0).normal(size=size)
        bare = median_seconds(lambda p=point: [forward(p) for _ in range(1000)]) / 1000  # type: ignore[misc]  # a default binds the loop's value
        evaluations = check_gradient(forward, backward, point, max_evaluations=30_000).evaluations
        ours = median_seconds(
            lambda p=point: check_gradient(forward, backward, p, max_evaluations=30_000)  # type: ignore[misc]  # as above
        )
        counted = Counted()
        check_grad(counted, backward, point)
        theirs = median_seconds(lambda p=point: check_grad(forward, backward, p))  # type: ignore[misc]  # as above
        print(
            f"{size:18,}{evaluations:18,}{bare * 1e6:18.2f}"
            f"{(ours / evaluations - bare) * 1e6:18.2f}"
            f"{(theirs / counted.calls - bare) * 1e6:18.2f}"
        )


if __name__ == "__main__":
    main()
