"""The reports of the parameters of a check that has nothing to check, and measures nothing."""

from __future__ import annotations

from pytest_gradcheck.binding.gradient_problem import Problem
from pytest_gradcheck.options import Options
from pytest_gradcheck.report.report_data import Note, ParameterReport
from pytest_gradcheck.report_builder.parameter_report import ParameterReports

__all__ = ["describe_nothing"]


def describe_nothing(problem: Problem, options: Options) -> ParameterReports:
    """Return reports without entries, with a note that nothing was checked."""
    del options
    empty = [p.name for p in problem.parameters if not p.size]
    what = "the output" if len(empty) < len(problem.parameters) else ", ".join(empty)
    verb = "are" if what != "the output" and len(empty) > 1 else "is"
    return ParameterReports(
        mode="full",
        parameters=tuple(
            ParameterReport(
                name=parameter.name,
                shape=parameter.shape,
                dtype=parameter.dtype,
                size=parameter.size * (2 if parameter.is_complex else 1),
                verdict="correct",
                wrong=0,
                checked=0,
                relative_difference=0.0,
                worst=(),
                diagnosis=(),
                resolution=float("inf"),
                notes=parameter.notes,
            )
            for parameter in problem.parameters
        ),
        relative_difference=0.0,
        notes=(Note("empty", 0, f"nothing was checked: {what} {verb} empty"),),
    )
