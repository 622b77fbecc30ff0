"""The report of one parameter."""

from typing import Any

import numpy as np
import pytest

from pytest_gradcheck.binding.values.parameters import Parameter
from pytest_gradcheck.numerics.measurement import Measurement, Status
from pytest_gradcheck.report.report_data import ParameterReport
from pytest_gradcheck.report_builder.parameter_evidence import Evidence
from pytest_gradcheck.report_builder.parameter_report import (
    describe_parameter,
    relative_difference,
)


def report_of(claim: Any, measurement: Measurement) -> ParameterReport:
    """Return the report of a parameter W with one output and a natural slope of 1."""
    claims = np.asarray(claim, dtype=float)[:, None]
    evidence = Evidence(
        parameter=Parameter("W", (len(claims),), "float64", 0, len(claims)),
        point=np.arange(1.0, 1 + len(claims)),
        outputs=(),
        claim=claims,
        measurement=measurement,
        natural=np.ones(claims.shape),
        rounding=2e-16,
        rtol=1e-6,
    )
    return describe_parameter(evidence, max_rows=5)


def measured(value: Any, bound: Any, status: Any = Status.SMOOTH) -> Measurement:
    """Return a measurement of one output."""
    result = Measurement.blank(len(value), 1)
    result.value[:, 0], result.bound[:, 0], result.status[:, 0] = value, bound, status
    return result


@pytest.mark.parametrize(
    ("status", "notes"),
    [(Status.SMOOTH, ["unused"]), (Status.UNCHANGED, ["unused"]), (Status.KINK, [])],
)
def test_wrong_claims_where_all_measurements_are_zero(status: Status, notes: list[str]) -> None:
    """Forward may not use the parameter; at a kink it does."""
    report = report_of([1.0, 1.0], measured([0.0, 0.0], 1e-12, [status, Status.SMOOTH]))
    assert report.verdict == "wrong"
    assert [note.kind for note in report.notes] == notes


def test_vanishing_gradient_has_no_relative_difference() -> None:
    """A claim as small as rounding errors, of the other sign, is no difference of 100%."""
    report = report_of([1e-15, -1e-15], measured([-1e-15, 2e-15], 1e-12))
    assert (report.verdict, report.relative_difference) == ("correct", 0.0)
    assert [(note.kind, note.count, note.text) for note in report.notes] == [
        (
            "vacuous",
            2,
            "zero gradient everywhere at this point (within 1e-12), so errors cannot be detected",
        )
    ]


def test_vanishing_entries_do_not_count_in_the_difference() -> None:
    """Only entries that were tested count."""
    report = report_of([1.0, 1e-17], measured([1.0, -1e-17], 1e-12))
    assert (report.verdict, report.relative_difference) == ("correct", 0.0)
    assert [note.kind for note in report.notes] == ["zero"]


def test_plateau_is_noted() -> None:
    """The derivative between jumps is zero, and no formula was tested."""
    report = report_of([0.0], measured([0.0], 1e-12, Status.PLATEAU))
    assert report.verdict == "correct"
    assert [(note.kind, note.text) for note in report.notes][1] == (
        "level",
        "forward is piecewise constant here: zero between its jumps",
    )


def test_relative_difference_leaves_out_unknown_and_deselected_entries() -> None:
    """Entries of value NaN are left out, and so are deselected ones."""
    claim, value = np.array([4.0, 1.0, 5.0]), np.array([2.0, np.nan, 1.0])
    where = np.array([True, True, False])
    assert relative_difference(claim, value, where) == pytest.approx(1 / 3)
