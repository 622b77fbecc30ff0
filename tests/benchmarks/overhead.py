"""What a check costs beyond the calls of forward, beside other tools.

``python -m tests.benchmarks.overhead`` prints, for a correct gradient of a
forward of about 20 microseconds, the calls of forward, the milliseconds in all,
the microseconds a call beyond a bare one, and those in units of ours: first our
own for 10, 1,000 and 10,000 entries, then for 1,000 entries those of the tools
in the dependency group ``rivals``, as far as they are installed. Tools that
look along one direction spread what they set up over very few calls.
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
    """Return a function of about 20 microseconds, if there are 1,000 entries or more."""
    return np.sum(np.exp(np.sin(x[:1_000]))) + np.sum(np.tanh(x[:1_000])) + np.dot(x, x)


def backward(x: Any) -> Any:
    """Return its gradient."""
    gradient, first = 2 * x, x[:1_000]
    gradient[:1_000] += np.exp(np.sin(first)) * np.cos(first) + 1 / np.cosh(first) ** 2
    return gradient


def ours(forward: Callable[..., Any], claim: Any, point: Any) -> bool:
    """Check as users do."""
    return check_gradient(forward, backward, point, max_evaluations=10**6).passed


def rivals() -> dict[str, Callable[..., bool]]:
    """Return the tools that are installed, by name."""
    found: dict[str, Callable[..., bool]] = {}
    if find_spec("scipy"):
        from tests.benchmarks.rivals.with_scipy import ABSOLUTE

        found["scipy check_grad"] = ABSOLUTE.accepts
    if find_spec("torch"):
        from tests.benchmarks.rivals.with_torch import FAST, SLOW

        found |= {tool.name: tool.accepts for tool in (SLOW, FAST)}
    if find_spec("jax"):
        from tests.benchmarks.rivals.with_jax import JAX

        found[JAX.name] = JAX.accepts
    return found


def bare_seconds(point: Any) -> float:
    """Return the time of a call of forward by itself."""
    return least_seconds(lambda: [forward(point) for _ in range(CALLS)]) / CALLS


def measured(check: Callable[..., bool], size: int) -> tuple[int, float, float]:
    """Return a check's calls of forward, its seconds, and those beyond bare calls a call."""
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
