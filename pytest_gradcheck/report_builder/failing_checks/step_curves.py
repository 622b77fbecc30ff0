"""The differences at the worst entries over many steps, measured again for people to look at.

A measurement keeps the step that it chose and a bound. To show why that step was chosen, the
function is sampled once more along the coordinate of an entry, as `sample` does for Richardson
extrapolation. This module decides nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pytest_gradcheck.binding.gradient_problem import Problem
from pytest_gradcheck.numerics.coordinate_scales import Scales
from pytest_gradcheck.numerics.line_restriction import (
    RELATIVE_STEPS,
    CoordinateLine,
    DirectionLine,
    Line,
    sample,
)
from pytest_gradcheck.numerics.measurement import Floats
from pytest_gradcheck.report.report_data import Entry, ParameterReport, StepCurve

__all__ = ["measure_step_curves"]

#: The most curves of a check.
MOST_CURVES = 3

#: Evaluations for a curve.
EVALUATIONS = 2 * RELATIVE_STEPS.size

#: The most outputs that are kept at a time.
KEPT_OUTPUTS = 1 << 20


def measure_step_curves(
    problem: Problem, parameters: Sequence[ParameterReport]
) -> tuple[StepCurve, ...]:
    """Return a curve for the worst entry of each of the worst parameters.

    Parameters
    ----------
    problem : Problem
        The problem that was checked; its function is evaluated 40 to 48 times for each curve.
    parameters : sequence of ParameterReport
        The reports of its parameters.

    Returns
    -------
    tuple of StepCurve
        At most three, and only as many as need no more evaluations than the check did; but one.
    """
    entries = [p.worst[0] for p in parameters if p.worst and p.worst[0].verdict != "correct"]
    entries.sort(key=lambda entry: entry.severity, reverse=True)
    most = max(1, min(MOST_CURVES, problem.counts.forward // EVALUATIONS))
    return tuple(_measure(problem, entry) for entry in entries[:most])


def _measure(problem: Problem, entry: Entry) -> StepCurve:
    column = _output_of(problem, entry)
    line = _OneOutput(_line_through(problem, entry), column, problem.base.size)
    with np.errstate(all="ignore"):
        samples = sample(line, problem.base[[column]])
        central, right, left = samples.central, samples.from_right, samples.from_left
    return StepCurve(
        entry=entry,
        steps=tuple(samples.step[:, 0].tolist()),
        central=tuple(central[:, 0].tolist()),
        right=tuple(right[:, 0].tolist()),
        left=tuple(left[:, 0].tolist()),
    )


def _line_through(problem: Problem, entry: Entry) -> Line:
    """Return the line along the coordinate of an entry, or along the tangent."""
    if problem.tangent is not None:
        return DirectionLine(problem.evaluate, problem.point, problem.tangent)
    parameter = next(p for p in problem.parameters if p.name == entry.parameter)
    coordinate = parameter.start + parameter.coordinate(entry.index, entry.part)
    segments = [(p.start, p.stop) for p in problem.parameters]
    unit = float(Scales.of(problem.here, segments).own(np.array([coordinate]))[0])
    return CoordinateLine(problem.evaluate, problem.point, coordinate, unit)


def _output_of(problem: Problem, entry: Entry) -> int:
    """Return the coordinate of the output that is differentiated."""
    if entry.output_index is None:
        return 0
    block = next(b for b in problem.outputs if b.name == entry.output)
    return block.start + block.coordinate(entry.output_index, entry.output_part)


@dataclass(frozen=True, slots=True)
class _OneOutput(Line):
    """One of the `outputs` along a line; few values of the others are in memory at a time."""

    line: Line
    column: int
    outputs: int

    @property
    def unit(self) -> float:
        """The absolute length of a relative step of 1."""
        return self.line.unit

    def at(self, steps: Floats) -> tuple[Floats, Floats]:
        """Return the absolute steps actually taken, and the output at these."""
        length = max(1, KEPT_OUTPUTS // self.outputs)
        parts = [self.line.at(steps[k : k + length]) for k in range(0, steps.size, length)]
        taken = np.concatenate([part for part, _ in parts])
        return taken, np.concatenate([values[:, [self.column]] for _, values in parts])
