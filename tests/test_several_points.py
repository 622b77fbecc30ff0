"""Checks at several points, end to end: the option ``points``."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

from pytest_gradcheck import GradcheckUsageError, GradcheckVacuousWarning, check_gradient
from pytest_gradcheck.constraints import simplex
from pytest_gradcheck.report.message import render_text
from pytest_gradcheck.report.report import Report

X = np.array([0.98, 0.5])


def notes(report: Report) -> list[str]:
    """Return the notes on points."""
    return [note.text for note in report.notes if note.kind == "points"]


def square(x: Any) -> Any:
    """Return the sum of squares."""
    return np.sum(x**2)


def test_one_point_has_no_note() -> None:
    """It is the user's own."""
    assert notes(check_gradient(square, lambda x: 2 * x, X)) == []


def test_evaluations_of_all_points_are_counted() -> None:
    """And the report says at how many the check was made."""
    calls = 0

    def forward(x: Any) -> Any:
        nonlocal calls
        calls += 1
        return square(x)

    report = check_gradient(forward, lambda x: 2 * x, X, points=3)
    assert report.verdict == "correct"
    assert (report.evaluations, report.evaluations > 40) == (calls, True)
    assert notes(report) == ["checked at 3 points: the given one and 2 around it"]


def test_a_stationary_point_hides_nothing() -> None:
    """There, a gradient that is three times too large is zero."""
    with pytest.warns(GradcheckVacuousWarning):
        check_gradient(square, lambda x: 6 * x, np.zeros(2))
    report = check_gradient(square, lambda x: 6 * x, np.zeros(2), points=2)
    assert report.verdict == "wrong"
    assert notes(report) == ["point 2 of 2, at relative changes of up to 0.1 from the given one"]
    assert notes(report)[0] in render_text(report).splitlines()


def test_a_stationary_point_is_no_warning_beside_another() -> None:
    """The report is that for the point where something was tested."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        report = check_gradient(square, lambda x: 2 * x, np.zeros(2), points=2)
    assert np.abs(report.worst[0].value or 0.0) > 0


def test_another_branch_is_seen() -> None:
    """The claim for large entries is wrong."""

    def forward(x: Any) -> Any:
        return np.sum(np.where(x > 1, x**2, x))

    def backward(x: Any) -> Any:
        return np.where(x > 1, x, 1.0)

    assert check_gradient(forward, backward, X).verdict == "correct"
    assert check_gradient(forward, backward, X, points=5).verdict == "wrong"


def test_a_check_ends_at_the_first_failure() -> None:
    """Further points would cost time only."""
    wrong = check_gradient(square, lambda x: 3 * x, X)
    several = check_gradient(square, lambda x: 3 * x, X, points=9)
    assert several.evaluations == wrong.evaluations
    assert notes(several) == ["point 1 of 9, the given one"]


def test_points_satisfy_constraints() -> None:
    """Forward is never called outside bounds, nor off a simplex."""

    def forward(x: Any) -> Any:
        assert np.all((x >= 0) & (x <= 1))
        return square(x)

    report = check_gradient(forward, lambda x: 2 * x, X, bounds=(0, 1), points=5)
    assert notes(report) == ["checked at 5 points: the given one and 4 around it"]

    def on_simplex(x: Any) -> Any:
        assert abs(np.sum(x) - 1) < 1e-12
        return forward(x)

    shares = np.array([0.9, 0.1])
    report = check_gradient(on_simplex, lambda x: 2 * x, shares, tangent=simplex, points=5)
    assert notes(report) == ["checked at 5 points: the given one and 4 around it"]


def test_points_where_forward_is_undefined() -> None:
    """Nearer ones are tried, and then it is said; nothing is shown of their warnings."""

    def forward(x: Any) -> Any:
        if np.any(x != X) and np.max(np.abs(x - X)) > 1e-5:
            raise ArithmeticError("too far")
        return np.sum(np.log(x))

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        report = check_gradient(forward, lambda x: 1 / x, X, points=3)
    assert report.verdict == "correct"
    assert notes(report) == [
        "checked at 1 points: the given one and 0 around it",
        "nothing was checked at 2 further points: ArithmeticError: too far",
    ]


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
def test_types_and_attributes_are_kept(dtype: Any) -> None:
    """The object is as before."""

    class Layer:
        def __init__(self) -> None:
            self.W = np.arange(1.0, 4.0).astype(dtype)

        def forward(self, x: Any) -> Any:
            assert self.W.dtype == dtype
            return np.sum((self.W * self.W.conj()).real * x)

        def backward(self, x: Any) -> Any:
            return {"self.W": 2 * self.W * x}

    layer = Layer()
    report = check_gradient(
        layer.forward, layer.backward, np.ones(3), wrt="self.W", points=3, rtol=1e-3
    )
    assert (report.verdict, layer.W.tolist()) == ("correct", [1.0, 2.0, 3.0])


def test_the_same_points_each_time() -> None:
    """They follow from the seed."""
    values = [
        check_gradient(square, lambda x: 2 * x, np.zeros(2), points=2, seed=seed).worst[0].value
        for seed in (1, 1, 2)
    ]
    assert values[0] == values[1] != values[2]


@pytest.mark.parametrize("points", [0, 1.5, "many", True])
def test_the_number_is_positive(points: Any) -> None:
    """Anything else is refused."""
    with pytest.raises(GradcheckUsageError, match="points must be a positive int"):
        check_gradient(square, lambda x: 2 * x, X, points=points)
