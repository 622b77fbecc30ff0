"""Gradient coverage in words."""

from pytest_gradcheck.renderings.coverage_lines import (
    coverage_headline,
    coverage_shortfall,
    unchecked_derivatives,
)
from pytest_gradcheck.run_record.derivative_coverage import derivative_coverage
from tests.run_record.builders import a_test, check, covered

CHECKED = a_test("t.py::one", check(exercised=["nn:a_grad"]))


def test_derivatives_that_are_not_checked_have_their_place() -> None:
    """A line for each, which editors and terminals turn into a link."""
    coverage = derivative_coverage(covered(CHECKED))
    assert coverage is not None
    assert list(unchecked_derivatives(coverage)) == ["nn.py:98: b_grad", "nn.py:99: c_grad"]
    assert coverage_headline(coverage) == (
        "gradient coverage of nn: 1 of 3 derivatives checked (33.3%)"
    )
    assert not coverage_shortfall(coverage)


def test_a_package_without_derivatives_is_said() -> None:
    """No percentage is made up."""
    coverage = derivative_coverage(covered(names=(), fail_under=80.0))
    assert coverage is not None
    assert coverage_headline(coverage) == (
        "gradient coverage of nn: no function has the name of a derivative"
    )
    assert coverage_shortfall(coverage) == "gradient coverage is 0%, and must be 80%"
