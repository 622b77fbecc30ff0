"""One parameter in the report's terms."""

from typing import Any

import numpy as np
import pytest

from pytest_gradcheck.binding.values.parameters import Parameter
from pytest_gradcheck.numerics.measurement import Measurement, Status
from pytest_gradcheck.report.report_data import ParameterReport
from pytest_gradcheck.report_builder.parameter_report import (
    Evidence,
    describe_parameter,
    relative_difference,
    split_by_parameter,
)


def report_of(claim: Any, found: Measurement) -> ParameterReport:
    """Describe a parameter W of one output, of natural size 1."""
    claims = np.asarray(claim, dtype=float)[:, None]
    evidence = Evidence(
        parameter=Parameter("W", (len(claims),), "float64", 0, len(claims)),
        point=np.arange(1.0, 1 + len(claims)),
        outputs=(),
        claim=claims,
        found=found,
        natural=np.ones(claims.shape),
        rounding=2e-16,
        rtol=1e-6,
    )
    return describe_parameter(evidence, max_rows=5, convention="pytorch")


def measured(value: Any, bound: Any, status: Any = Status.SMOOTH) -> Measurement:
    """Return a measurement of one output."""
    found = Measurement.blank(len(value), 1)
    found.value[:, 0], found.bound[:, 0], found.status[:, 0] = value, bound, status
    return found


@pytest.mark.parametrize(
    ("status", "notes"),
    [(Status.SMOOTH, ["unused"]), (Status.UNCHANGED, ["unused"]), (Status.KINK, [])],
)
def test_claims_where_nothing_was_measured_but_zeros(status: Status, notes: list[str]) -> None:
    """Forward may not use the parameter at all; at a kink it does."""
    report = report_of([1.0, 1.0], measured([0.0, 0.0], 1e-12, [status, Status.SMOOTH]))
    assert report.verdict == "wrong"
    assert [note.kind for note in report.notes] == notes


def test_vanishing_gradient_differs_by_nothing() -> None:
    """A claim of rounding size and another sign is no difference of 100%."""
    report = report_of([1e-15, -1e-15], measured([-1e-15, 2e-15], 1e-12))
    assert (report.verdict, report.relative_difference) == ("correct", 0.0)
    assert [(note.kind, note.count, note.text) for note in report.notes] == [
        ("vacuous", 2, "zero gradient everywhere at this point (within 1e-12), errors unseen")
    ]


def test_vanishing_entries_do_not_count_in_the_difference() -> None:
    """Beside others that were tested."""
    report = report_of([1.0, 1e-17], measured([1.0, -1e-17], 1e-12))
    assert (report.verdict, report.relative_difference) == ("correct", 0.0)
    assert [note.kind for note in report.notes] == ["zero"]


def test_level_ground_between_jumps_is_said() -> None:
    """The derivative is zero, and nothing was tested."""
    report = report_of([0.0], measured([0.0], 1e-12, Status.PLATEAU))
    assert report.verdict == "correct"
    assert [(note.kind, note.text) for note in report.notes][1] == (
        "level",
        "forward is piecewise constant here: zero between its jumps",
    )


def test_relative_difference_leaves_out_what_is_unknown_or_zero() -> None:
    """NaN, and what is not meant."""
    claim, value = np.array([4.0, 1.0, 5.0]), np.array([2.0, np.nan, 1.0])
    where = np.array([True, True, False])
    assert relative_difference(claim, value, where) == pytest.approx(1 / 3)


def test_places_are_sorted_into_parts_and_counted_there() -> None:
    """A part without coordinates has none, though it begins where the next one does."""
    places = {(k, m): 10 * k + m for k in range(5) for m in range(2)}
    parts = split_by_parameter(places, [0, 2, 2, 5])
    assert [len(part) for part in parts] == [4, 0, 6]
    assert parts[2][0, 1] == 21
