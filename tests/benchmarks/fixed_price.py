"""The costs of the smallest check, of a function that takes a microsecond, by several tools.

``python -m tests.benchmarks.fixed_price`` prints the calls of forward and the milliseconds of a
check of the gradient of ``x @ x`` at three numbers: by `check_gradient`, and by those tools of the
dependency group ``rivals`` that are installed. The time is that of the fastest of many checks.
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

#: Checks that are timed, of which the fastest counts.
CHECKS = 300

#: The packages of the tools.
PACKAGES = ("numpy", "pytest-gradcheck", "scipy", "torch", "jax")


def forward(x: Any) -> float:
    """Return the sum of squares."""
    return float(x @ x)


def backward(x: Any) -> Any:
    """Return the gradient of the sum of squares."""
    return 2 * x


def ours(forward: Callable[..., Any], claim: Any, point: Any, **options: Any) -> bool:
    """Check by `check_gradient`."""
    del claim
    return check_gradient(forward, backward, point, **options).passed


def checks() -> dict[str, Callable[..., bool]]:
    """Return `check_gradient` in both modes, and the tools that are installed, by name."""
    own: dict[str, Callable[..., bool]] = {
        "pytest-gradcheck": ours,
        "pytest-gradcheck, fast mode": partial(ours, mode="fast"),
    }
    return own | rivals()


def table_row(name: str, check: Callable[..., bool]) -> list[str]:
    """Return the row of one tool."""
    claim, counted = backward(POINT), CallCounter(forward)
    if not check(counted, claim, POINT):
        raise ValueError(f"{name} does not accept the gradient of x @ x")
    seconds = least_seconds(partial(check, forward, claim, POINT), repeats=CHECKS)
    return [name, f"{counted.calls}", f"{seconds * 1e3:.2g}"]


def section_lines() -> Iterator[str]:
    """Yield the lines of the section."""
    bare = least_seconds(lambda: [forward(POINT) for _ in range(1000)]) / 1000
    yield f"One call of forward takes {bare * 1e6:.1f} us:"
    yield ""
    yield from markdown_table(
        ["tool", "calls of forward", "ms per check"],
        [table_row(name, check) for name, check in checks().items()],
    )
    yield ""
    yield version_line(PACKAGES)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="The costs of the smallest check.")
    parser.add_argument("--write", action="store_true", help="write the docs, too")
    lines = list(section_lines())
    print("\n".join(lines))
    if parser.parse_args().write:
        replace_section(PAGE, "fixed_price", lines)


if __name__ == "__main__":
    main()
