"""Checks of the adjoints of linear operators, compared with PyLops' dot-product test.

``python -m tests.benchmarks.linear_operators`` prints, for operators of a hundred, ten thousand
and a hundred thousand entries, the products with the operator and its adjoint that a check takes,
and its time; and the same for ``pylops.utils.dottest`` with its defaults. It also prints which
wrong adjoints each of them accepts: one entry 1% off, one entry zero, shifted by one place, scaled
by 1.001. It needs PyLops (dependency group ``suites``). With ``--write`` the table goes to the
docs.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from pytest_gradcheck import check_gradient
from tests.benchmarks.call_counter import CallCounter
from tests.benchmarks.docs_page import markdown_table, replace_section, version_line
from tests.benchmarks.number_format import format_short_time
from tests.benchmarks.timing import least_seconds

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "scale.md"

SIZES = (100, 10_000, 100_000)

POINTS = {size: np.random.default_rng(1).normal(size=size) for size in SIZES}

PACKAGES = ("numpy", "pytest-gradcheck", "pylops")

Product = Callable[[Any], Any]


@dataclass(frozen=True)
class Operator:
    """An operator and the claimed adjoint, both as functions of a vector."""

    size: int
    matvec: Product
    rmatvec: Product


def operators(size: int) -> Iterator[tuple[str, Operator]]:
    """Yield names and operators of PyLops, with their right adjoints."""
    import pylops

    rng = np.random.default_rng(0)
    kernel = rng.normal(size=15)
    made = {
        "first derivative": pylops.FirstDerivative(size, sampling=0.01),
        "convolution": pylops.signalprocessing.Convolve1D(size, kernel, offset=7),
        "integral": pylops.CausalIntegration(size, sampling=0.1),
        "permutation": pylops.Restriction(size, rng.permutation(size)),
    }
    for name, operator in made.items():
        yield name, Operator(size, operator.matvec, operator.rmatvec)


def with_wrong_adjoints(operator: Operator) -> dict[str, Operator]:
    """Return the operator with wrong adjoints, by the name of the mistake."""
    index, adjoint = operator.size // 3, operator.rmatvec

    def changed(change: Callable[[Any], Any]) -> Operator:
        return Operator(operator.size, operator.matvec, lambda c: change(adjoint(c).copy()))

    def multiplied(claim: Any, factor: float) -> Any:
        claim[index] *= factor
        return claim

    return {
        "one entry 1% off": changed(lambda claim: multiplied(claim, 1.01)),
        "one entry zero": changed(lambda claim: multiplied(claim, 0.0)),
        "shifted": changed(lambda claim: np.roll(claim, 1)),
        "x 1.001": changed(lambda claim: 1.001 * claim),
    }


def gradcheck_accepts(operator: Operator) -> tuple[bool, int]:
    """Return whether `check_gradient` with its defaults passes, and the number of products."""

    def forward(x: Any) -> Any:
        return operator.matvec(x)

    def backward(dout: Any) -> Any:
        return operator.rmatvec(dout)

    report = check_gradient(forward, backward, POINTS[operator.size])
    return report.passed, report.evaluations + report.backward_calls


def dottest_accepts(operator: Operator) -> tuple[bool, int]:
    """Return whether the dot-product test of PyLops passes, and the number of products."""
    import pylops
    from pylops.utils import dottest

    forward, adjoint = CallCounter(operator.matvec), CallCounter(operator.rmatvec)

    class Wrapped(pylops.LinearOperator):
        """The operator as a class of PyLops."""

        def _matvec(self, x: Any) -> Any:
            return forward(x)

        def _rmatvec(self, x: Any) -> Any:
            return adjoint(x)

    np.random.seed(1)  # noqa: NPY002  # the generator that dottest draws from
    shape = (operator.size, operator.size)
    passed = dottest(Wrapped(dtype=np.float64, shape=shape), raiseerror=False)
    return bool(passed), forward.calls + adjoint.calls


def table_rows() -> Iterator[list[str]]:
    """Yield a row of the table for each operator and size."""
    for size in SIZES:
        for name, operator in operators(size):
            cells = [f"{size:,}", name]
            for check in (gradcheck_accepts, dottest_accepts):
                accepted, products = check(operator)
                if not accepted:
                    raise ValueError(f"{check.__name__} does not accept {name}")
                seconds = least_seconds(partial(check, operator), repeats=3)
                passed = [
                    mistake
                    for mistake, wrong in with_wrong_adjoints(operator).items()
                    if check(wrong)[0]
                ]
                cells += [f"{products}", format_short_time(seconds), ", ".join(passed) or "none"]
            yield cells


def section_lines() -> Iterator[str]:
    """Yield the lines of the section."""
    both = ["products", "time", "wrong ones passed"]
    headings = ["entries", "operator", *both, *(f"dottest: {heading}" for heading in both)]
    yield from markdown_table(headings, list(table_rows()))
    yield ""
    yield version_line(PACKAGES)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Adjoints of linear operators.")
    parser.add_argument("--write", action="store_true", help="write the docs, too")
    lines = list(section_lines())
    print("\n".join(lines))
    if parser.parse_args().write:
        replace_section(PAGE, "linear_operators", lines)


if __name__ == "__main__":
    main()
