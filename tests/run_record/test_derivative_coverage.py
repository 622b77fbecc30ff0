"""Which derivatives the checks of a record exercised."""

import pytest

from pytest_gradcheck.run_record.derivative_coverage import derivative_coverage
from pytest_gradcheck.run_record.merge import merge_records
from tests.run_record.builders import a_record, a_test, check, covered, wrong


def test_record_without_coverage_has_none() -> None:
    """No run asked for it."""
    assert derivative_coverage(a_record(a_test())) is None


def test_derivatives_are_in_the_order_of_lines_with_their_tests() -> None:
    """A wrong derivative was checked; an inconclusive check says nothing."""
    coverage = derivative_coverage(
        covered(
            a_test("t.py::one", check(exercised=["nn:a_grad"]), check(exercised=["nn:a_grad"])),
            a_test("t.py::two", wrong(exercised=["nn:b_grad", "nn:a_grad"]), outcome="failed"),
            a_test("t.py::three", check(verdict="inconclusive", exercised=["nn:c_grad"])),
        )
    )
    assert coverage is not None
    assert [(d.name, d.nodeids) for d in coverage.derivatives] == [
        ("nn:a_grad", ("t.py::one", "t.py::two")),
        ("nn:b_grad", ("t.py::two",)),
        ("nn:c_grad", ()),
    ]
    assert [d.name for d in coverage.unchecked] == ["nn:c_grad"]
    assert coverage.percent == pytest.approx(200 / 3)


def test_shards_cover_together() -> None:
    """A derivative that the checks of one shard exercised is checked."""
    merged = merge_records(
        [
            covered(a_test("t.py::one", check(exercised=["nn:a_grad"])), run="a", fail_under=90),
            covered(a_test("t.py::two", check(exercised=["nn:b_grad"])), run="b", fail_under=50),
        ]
    )
    coverage = derivative_coverage(merged)
    assert coverage is not None
    assert [d.name for d in coverage.unchecked] == ["nn:c_grad"]
    assert (coverage.required, coverage.is_too_low) == (90.0, True)


def test_a_package_without_derivatives_is_not_covered() -> None:
    """Nothing was checked: a name is wrong, or the patterns are."""
    coverage = derivative_coverage(covered(fail_under=1.0, names=()))
    assert coverage is not None
    assert coverage.percent == 0
    assert coverage.is_too_low
