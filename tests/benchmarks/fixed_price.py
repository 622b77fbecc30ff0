"""What the smallest check costs: of a function of two microseconds, beside other tools.

``python -m tests.benchmarks.fixed_price`` prints, for the correct gradient of ``x @ x`` at three
numbers, the calls of forward and the milliseconds of a check, warm, the fastest of many:
ours, and those of the tools in the dependency group ``rivals``, as far as they are installed.
With ``--write`` the table goes to the docs.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from pytest_gradcheck import check_gradient
from tests.benchmarks.call_counter import CallCounter
from tests.benchmarks.docs_page import markdown_table, replace_section, version_line
from tests.benchmarks.overhead import rivals
from tests.benchmarks.timing import least_seconds

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "cost.md"

POINT = np.arange(3.0)

#: Of so many checks, one by one, the fastest counts.
CHECKS = 300

#: What the tools come in.
PACKAGES = ("numpy", "pytest-gradcheck", "scipy", "torch", "jax")


def forward(x: Any) -> float:
    """Return the sum of squares."""
    return float(x @ x)


def backward(x: Any) -> Any:
    """Return its gradient."""
    return 2 * x


def ours(forward: Callable[..., Any], claim: Any, point: Any, **options: Any) -> bool:
    """Check as users do."""
    del claim
    return check_gradient(forward, backward, point, **options).passed


def checks() -> dict[str, Callable[..., bool]]:
    """Return our own check in both modes, and the tools that are installed, by name."""
    own: dict[str, Callable[..., bool]] = {
        "pytest-gradcheck": ours,
        "pytest-gradcheck, fast mode": partial(ours, mode="fast"),
    }
    return own | rivals()


def table_row(name: str, check: Callable[..., bool]) -> list[str]:
    """Return the cells of one tool."""
    claim, counted = backward(POINT), CallCounter(forward)
    if not check(counted, claim, POINT):
        raise ValueError(f"{name} does not accept the gradient of x @ x")
    seconds = least_seconds(partial(check, forward, claim, POINT), repeats=CHECKS)
    return [name, f"{counted.calls}", f"{seconds * 1e3:.2g}"]


def section_lines() -> Iterator[str]:
    """Yield the lines of the table."""
    bare = least_seconds(lambda: [forward(POINT) for _ in range(1000)]) / 1000
    yield f"One call of forward takes {bare * 1e6:.1f} us:"
    yield ""
    yield from markdown_table(
        ["tool", "calls of forward", "ms a check"],
        [table_row(name, check) for name, check in checks().items()],
    )
    yield ""
    yield version_line(PACKAGES)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="What the smallest check costs.")
    parser.add_argument("--write", action="store_true", help="into the docs, too")
    made = list(section_lines())
    print("\n".join(made))
    if parser.parse_args().write:
        replace_section(PAGE, "fixed_price", made)


if __name__ == "__main__":
    main()
