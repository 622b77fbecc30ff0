"""What the search for causes costs in a screen of very many parameters.

``python -m tests.benchmarks.causes.pattern_cost`` screens a function of a million parameters with
several bugs in its backward. It prints the milliseconds that likely causes take, as a multiple of
the time of one elementwise product of the parameters' size, and of the time of one forward; then
the evaluations. Options: ``--size 1000`` (of a square matrix), ``--bug NAME``, ``--repeat 3``.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any
from unittest import mock

import numpy as np

from pytest_gradcheck import check_gradient
from pytest_gradcheck.check import run_check
from pytest_gradcheck.report.report import Report
from pytest_gradcheck.report_builder.failing_checks.likely_causes import with_diagnoses
from pytest_gradcheck.report_builder.parameter_report import ParameterReports
from tests.corpus.family import Array

__all__ = ["BUGS", "cost_of"]

#: ``change(claim, parameter)`` returns the wrong claim.
BUGS: dict[str, Callable[[Array, Array], Array]] = {
    "factor": lambda g, w: 2 * g,
    "by log W": lambda g, w: g * w,
    "by sqrt W": lambda g, w: 2 * g * np.sqrt(w),
    "penalty": lambda g, w: g - 0.1 * w,
    "transpose": lambda g, w: g.T.copy(),
    "rolled": lambda g, w: np.roll(g, 1, axis=0),
    "row": lambda g, w: _in_row(g, g[3] ** 2 + 1),
    "row doubled": lambda g, w: _in_row(g, 2 * g[3]),
    "half zero": lambda g, w: np.where(np.arange(len(g))[:, None] < len(g) // 2, g, 0.0),
    "noise": lambda g, w: g * np.random.default_rng(5).normal(size=g.shape),
}


def _in_row(claim: Array, row: Array) -> Array:
    claim = claim.copy()
    claim[3] = row
    return claim


def cost_of(bug: str, size: int) -> tuple[float, float, Report]:
    """Return the seconds of likely causes and of one forward, and the report of a screen."""
    rng = np.random.default_rng(2)
    parameter, weights = rng.uniform(0.5, 2, (size, size)), rng.normal(size=(size, size))
    change = BUGS[bug]

    def forward(W: Array, weights: Array) -> Any:
        return np.sum(weights * np.tanh(W)) / len(W)

    def backward(W: Array, weights: Array) -> Array:
        return change(weights * (1 - np.tanh(W) ** 2) / len(W), W)

    seconds = list[float]()

    def timed(*args: Any, **kwargs: Any) -> ParameterReports:
        started = time.process_time()
        found = with_diagnoses(*args, **kwargs)
        seconds.append(time.process_time() - started)
        return found

    with mock.patch.object(run_check, "with_diagnoses", timed):
        report = check_gradient(forward, backward, parameter, weights, wrt="W", mode="fast")
    return seconds[0], shortest(lambda: forward(parameter, weights)), report


def shortest(call: Callable[[], Any]) -> float:
    """Return the fewest seconds of several calls."""
    found = []
    for _ in range(5):
        started = time.process_time()
        call()
        found.append(time.process_time() - started)
    return min(found)


def main() -> None:
    """Print a line for each bug."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--size", type=int, default=1000)
    parser.add_argument("--bug", choices=BUGS, action="append")
    parser.add_argument("--repeat", type=int, default=3)
    given = parser.parse_args()
    vector = np.random.default_rng(1).normal(size=given.size**2)
    product = shortest(lambda: np.sum(vector * vector))
    print(f"{given.size**2:,} parameters, one product and its sum: {1e3 * product:.1f} ms")
    print(f"{'bug':<12}{'ms':>8}{'products':>10}{'forwards':>10}{'evaluations':>13}  said")
    for bug in given.bug or BUGS:
        runs = [cost_of(bug, given.size) for _ in range(given.repeat)]
        seconds, forward, report = min(runs, key=lambda run: run[0])
        said = [d.kind for p in report.parameters for d in p.diagnosis] or ["nothing"]
        said = [d.kind for d in report.diagnosis] or said
        print(
            f"{bug:<12}{1e3 * seconds:>8.0f}{seconds / product:>10.0f}"
            f"{seconds / forward:>10.1f}{report.evaluations:>13}  {', '.join(said)}"
        )


if __name__ == "__main__":
    main()
