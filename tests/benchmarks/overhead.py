"""The time of a check beyond the calls of forward, by several tools.

``python -m tests.benchmarks.overhead`` prints, for a correct gradient of a forward of about 20
microseconds, the calls of forward, the milliseconds of the check, the microseconds for each call
beyond those of forward itself, and their ratio to those of `check_gradient`. It prints them for
`check_gradient` with 10, 1,000 and 10,000 entries, and with 1,000 entries for those tools of the
dependency group ``rivals`` that are installed. Tools that check along one direction make very few
calls, so that each call bears much of their fixed costs.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from typing import Any

import numpy as np

from pytest_gradcheck import check_gradient
from tests.benchmarks.call_counter import CallCounter
from tests.benchmarks.timing import least_seconds

CALLS = 1000


def forward(x: Any) -> Any:
    """Return a value; from 1,000 entries on, that takes about 20 microseconds."""
    return np.sum(np.exp(np.sin(x[:1_000]))) + np.sum(np.tanh(x[:1_000])) + np.dot(x, x)


def backward(x: Any) -> Any:
    """Return the gradient of `forward`."""
    gradient, first = 2 * x, x[:1_000]
    gradient[:1_000] += np.exp(np.sin(first)) * np.cos(first) + 1 / np.cosh(first) ** 2
    return gradient


def ours(forward: Callable[..., Any], claim: Any, point: Any) -> bool:
    """Check by `check_gradient`."""
    return check_gradient(forward, backward, point, max_evaluations=10**6).passed


def rivals() -> dict[str, Callable[..., bool]]:
    """Return the tools that are installed, by name."""
    installed: dict[str, Callable[..., bool]] = {}
    if find_spec("scipy"):
        from tests.benchmarks.rivals.with_scipy import ABSOLUTE

        installed["scipy check_grad"] = ABSOLUTE.accepts
    if find_spec("torch"):
        from tests.benchmarks.rivals.with_torch import FAST, SLOW

        installed |= {tool.name: tool.accepts for tool in (SLOW, FAST)}
    if find_spec("jax"):
        from tests.benchmarks.rivals.with_jax import JAX

        installed[JAX.name] = JAX.accepts
    return installed


def bare_seconds(point: Any) -> float:
    """Return the seconds of a call of forward by itself."""
    return least_seconds(lambda: [forward(point) for _ in range(CALLS)]) / CALLS


def measured(check: Callable[..., bool], size: int) -> tuple[int, float, float]:
    """Return calls of forward and seconds of a check, and its overhead for each call."""
    point = np.random.default_rng(0).normal(size=size)
    claim = backward(point)
    counted = CallCounter(forward)
    check(counted, claim, point)
    seconds = least_seconds(partial(check, forward, claim, point))
    return counted.calls, seconds, seconds / counted.calls - bare_seconds(point)


def main() -> None:
    """Print the table."""
    bare = bare_seconds(np.random.default_rng(0).normal(size=1_000))
    print(f"a bare call with 1,000 entries: {bare * 1e6:.1f} us")
    headings = ("calls", "ms in all", "us a call over bare", "of ours")
    print(f"{'':36}" + "".join(f"{heading:>21}" for heading in headings))
    checks = {f"pytest-gradcheck, {size:,} entries": (ours, size) for size in (10, 1_000, 10_000)}
    checks |= {f"{name}, 1,000 entries": (check, 1_000) for name, check in rivals().items()}
    unit = measured(ours, 1_000)[2]
    for name, (check, size) in checks.items():
        calls, seconds, over = measured(check, size)
        figures = f"{calls:21,}{seconds * 1e3:21.2f}{over * 1e6:21.2f}{over / unit:21.1f}"
        print(f"{name:36}{figures}")


if __name__ == "__main__":
    main()
