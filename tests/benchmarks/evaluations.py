"""The number of evaluations of a check, for correct and wrong gradients.

``python -m tests.benchmarks.evaluations`` prints for smooth functions of 10 to 10,000 entries how
many calls of forward a correct gradient takes beyond two for each entry (at most 30), and how
many each wrong entry takes beyond that (at most 60, for up to 20 of them). A star marks a larger
number. Of more than 20 wrong entries, few are measured closely, and the calls for all of them are
printed. Verdicts other than the right one are printed as well.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pytest_gradcheck import check_gradient
from pytest_gradcheck.report.report import Report

SIZES = (10, 100, 1_000, 10_000)
WRONG = (1, 2, 5, 20, 50)

#: Calls that a correct gradient may take beyond two for each entry.
ALLOWED_EXTRA = 30

#: Calls that each wrong entry may take beyond that, for up to `FEW_WRONG` of them.
ALLOWED_FOR_EACH_WRONG = 60
FEW_WRONG = 20


def _sum(x: Any) -> Any:
    return np.sum(np.exp(np.sin(x)) + x**2)


def _sum_gradient(x: Any) -> Any:
    return np.exp(np.sin(x)) * np.cos(x) + 2 * x


def _chain(x: Any) -> Any:
    return np.sum((x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2) / x.size


def _chain_gradient(x: Any) -> Any:
    gradient, residual = np.zeros_like(x), x[1:] - x[:-1] ** 2
    gradient[1:] += 2 * residual
    gradient[:-1] -= 4 * x[:-1] * residual + 2 * (1 - x[:-1])
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
    """Check one of the functions, with `wrong` entries 1% off."""
    forward, gradient = FUNCTIONS[name]
    rng = np.random.default_rng(size)
    point = rng.normal(size=size)
    claim = gradient(point)
    claim[rng.permutation(size)[:wrong]] *= 1.01
    return check_gradient(forward, lambda x: claim, point, max_evaluations=10**6, seed=0)


def correct(name: str, size: int) -> str:
    """Return the calls of a correct gradient beyond two for each entry."""
    checked = report(name, size, 0)
    extra = checked.evaluations - 2 * size
    return _flagged(
        f"{extra:,}", excessive=extra > ALLOWED_EXTRA, checked=checked, expected="correct"
    )


def wrong(name: str, size: int, count: int) -> str:
    """Return the calls for each of `count` wrong entries beyond those of a correct gradient."""
    checked = report(name, size, count)
    extra = checked.evaluations - report(name, size, 0).evaluations
    excessive = count <= FEW_WRONG and extra > ALLOWED_FOR_EACH_WRONG * count
    text = f"{extra / count:,.0f}" if count <= FEW_WRONG else f"{extra:,} in all"
    return _flagged(text, excessive=excessive, checked=checked, expected="wrong")


def _flagged(text: str, *, excessive: bool, checked: Report, expected: str) -> str:
    verdict = "" if checked.verdict == expected else f" {checked.verdict}"
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
