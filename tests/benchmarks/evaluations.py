"""How often a check calls forward.

``python -m tests.benchmarks.evaluations`` prints for smooth functions of 10 to
10,000 entries what a correct gradient costs beyond two calls an entry (it may
cost 30), and what each wrong entry costs beyond that (60 while they are up to
20). A star stands where it is more. Where they are many, what they cost in all
is printed: few of them are then looked at closely. Verdicts other than the
right one are named.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pytest_gradcheck import check_gradient
from pytest_gradcheck.report.report import Report

SIZES = (10, 100, 1_000, 10_000)
WRONG = (1, 2, 5, 20, 50)

#: What is allowed: beyond two an entry, and for each of up to 20 wrong entries.
BEYOND = 30
EACH = 60
MANY = 20


def _sum(x: Any) -> Any:
    return np.sum(np.exp(np.sin(x)) + x**2)


def _sum_gradient(x: Any) -> Any:
    return np.exp(np.sin(x)) * np.cos(x) + 2 * x


def _chain(x: Any) -> Any:
    return np.sum((x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2) / x.size


def _chain_gradient(x: Any) -> Any:
    gradient, off = np.zeros_like(x), x[1:] - x[:-1] ** 2
    gradient[1:] += 2 * off
    gradient[:-1] -= 4 * x[:-1] * off + 2 * (1 - x[:-1])
    return gradient / x.size


def _norm(x: Any) -> Any:
    return np.sqrt(1 + x @ x)


def _norm_gradient(x: Any) -> Any:
    return x / np.sqrt(1 + x @ x)


def _softplus(x: Any) -> Any:
    return np.mean(np.logaddexp(0, 3 * x))


def _softplus_gradient(x: Any) -> Any:
    return 3 / (1 + np.exp(-3 * x)) / x.size


FUNCTIONS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "sum": (_sum, _sum_gradient),
    "chain": (_chain, _chain_gradient),
    "norm": (_norm, _norm_gradient),
    "softplus": (_softplus, _softplus_gradient),
}


def report(name: str, size: int, wrong: int) -> Report:
    """Check one of the functions, with so many entries 1% off."""
    forward, gradient = FUNCTIONS[name]
    rng = np.random.default_rng(size)
    point = rng.normal(size=size)
    claim = gradient(point)
    claim[rng.permutation(size)[:wrong]] *= 1.01
    return check_gradient(forward, lambda x: claim, point, max_evaluations=10**6, seed=0)


def correct(name: str, size: int) -> str:
    """Return what a correct gradient costs beyond two calls an entry."""
    found = report(name, size, 0)
    beyond = found.evaluations - 2 * size
    return _flagged(f"{beyond:,}", excessive=beyond > BEYOND, found=found, expected="correct")


def wrong(name: str, size: int, count: int) -> str:
    """Return what so many wrong entries cost beyond a correct gradient, each."""
    found = report(name, size, count)
    extra = found.evaluations - report(name, size, 0).evaluations
    excessive = count <= MANY and extra > EACH * count
    text = f"{extra / count:,.0f}" if count <= MANY else f"{extra:,} in all"
    return _flagged(text, excessive=excessive, found=found, expected="wrong")


def _flagged(text: str, *, excessive: bool, found: Report, expected: str) -> str:
    verdict = "" if found.verdict == expected else f" {found.verdict}"
    return f"{text}{'*' if excessive else ''}{verdict}"


def _row(name: str, cells: list[str]) -> str:
    return f"{name:<16}" + "".join(f"{cell:>21}" for cell in cells)


def main() -> None:
    """Print the tables."""
    print("correct gradients: calls beyond 2 an entry")
    print(_row("", [f"{size:,} entries" for size in SIZES]))
    for name in FUNCTIONS:
        print(_row(name, [correct(name, size) for size in SIZES]))
    for size in SIZES[1:3]:
        counts = (*WRONG, size)
        print(f"\nwrong entries of {size:,}: calls for each beyond those of a correct gradient")
        print(_row("", [f"{count:,} wrong" for count in counts]))
        for name in FUNCTIONS:
            print(_row(name, [wrong(name, size, count) for count in counts]))


if __name__ == "__main__":
    main()
