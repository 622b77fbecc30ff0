"""Verification of functions that are linear to rounding."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_gradcheck.numerics.coordinatewise.full_check import DerivativeTask
from pytest_gradcheck.numerics.measurement import Floats, Indices
from pytest_gradcheck.numerics.screening.linear_operator import (
    find_wrong_claims,
    is_homogeneous,
    verify_linear,
)
from pytest_gradcheck.numerics.screening.screen_result import ScreenResult
from pytest_gradcheck.numerics.screening.subarrays import Segment
from tests.numerics.functions import Counted, jitter

RNG = np.random.default_rng(8)
POINT = RNG.normal(size=80)
A = RNG.normal(size=(5, 80))


@dataclass(frozen=True)
class Matrix:
    """Claims as a matrix, shape (n, m)."""

    matrix: Floats

    def rows(self, start: int, stop: int) -> Floats:
        """Return the claims about consecutive coordinates."""
        return self.matrix[start:stop]

    def take(self, indices: Indices) -> Floats:
        """Return the claims about some coordinates."""
        return self.matrix[indices]

    def along(self, start: int, direction: Floats) -> Floats:
        """Return the claimed change."""
        return np.asarray(direction @ self.matrix[start : start + direction.size])


def task_of(function: Callable[[Floats], Any], claim: Floats) -> tuple[DerivativeTask, Counted]:
    """Return a task, and the function that counts its evaluations."""
    counted = Counted(function)
    base = counted.at(POINT)
    counted.calls = 0
    task = DerivativeTask(
        evaluate=counted,
        point=POINT.copy(),
        here=POINT,
        segments=[(0, 30), (30, 80)],
        base=base,
        repeat=base,
        claims=Matrix(np.asarray(claim, dtype=float)),
        tangent=None,
    )
    return task, counted


def verify(function: Callable[[Floats], Any], claim: Floats) -> tuple[ScreenResult | None, int]:
    """Verify claims; return the result and the number of evaluations."""
    task, counted = task_of(function, claim)
    segments = [Segment(0, (30,)), Segment(30, (50,))]
    return verify_linear(task, segments, seed=0), counted.calls


def test_right_claims_about_a_linear_function_are_verified() -> None:
    """Three evaluations are enough, and only rounding limits the detection of errors."""
    result, calls = verify(lambda x: A @ x + 3.0, A.T)
    assert result is not None
    assert calls == 3
    assert (result.detection_limit < 1e-11).all()


@given(st.integers(0, 79), st.integers(0, 4), st.sampled_from([1e-9, 1e-6, 1.0, -1e3]))
def test_error_of_one_claim_is_detected(row: int, output: int, error: float) -> None:
    """Any claim may be the wrong one."""
    claim = A.T.copy()
    claim[row, output] += error
    result, _ = verify(lambda x: A @ x, claim)
    assert result is None


def test_nonlinear_function_costs_one_evaluation() -> None:
    """One move shows that it is far from linear."""
    result, calls = verify(lambda x: [(x**2).sum()], 2 * POINT[:, None])
    assert result is None
    assert calls == 1


@pytest.mark.parametrize(
    "function",
    [lambda x: [np.abs(x).sum()], lambda x: [x.sum() + 1e-9 * (x**2).sum()]],
    ids=["kinks", "slightly curved"],
)
def test_almost_linear_function_is_not_linear(function: Callable[[Floats], Any]) -> None:
    """Far away it differs by more than rounding."""
    h = 1e-6
    steps = h * np.eye(POINT.size)
    slopes = [(function(POINT + e)[0] - function(POINT - e)[0]) / (2 * h) for e in steps]
    assert verify(function, np.array(slopes)[:, None])[0] is None


def test_linear_function_may_be_noisy() -> None:
    """The detection limit includes the noise. One round may not show all of it."""
    result, calls = verify(lambda x: (A @ x).astype(np.float32), A.T)
    assert result is not None
    assert calls in (3, 9)
    assert (result.detection_limit > 1e-8).all()


def test_much_noise_is_inconclusive() -> None:
    """A screen measures more."""
    assert verify(lambda x: A @ x + jitter(float(x.sum()), 1e-2), A.T)[0] is None


@pytest.mark.parametrize(
    ("function", "claim", "expected"),
    [
        (lambda x: A @ x, A.T, True),
        (lambda x: A @ x, 1.01 * A.T, False),
        (lambda x: A @ x + 1.0, A.T, False),
        (lambda x: [np.linalg.norm(x)], POINT[:, None] / np.linalg.norm(POINT), True),
        (lambda x: [(x**2).sum()], 2 * POINT[:, None], False),
    ],
    ids=["linear", "wrong", "affine", "norm", "square"],
)
def test_euler_identity(
    function: Callable[[Floats], Any], claim: Floats, *, expected: bool
) -> None:
    """Functions of degree one are their derivative times the point. Nothing is evaluated."""
    task, counted = task_of(function, claim)
    assert is_homogeneous(task) == expected
    assert counted.calls == 0


def found_claims(function: Callable[[Floats], Any], claim: Floats) -> list[tuple[int, int, float]]:
    """Return the wrong claims that are found: coordinate, output and error."""
    task, counted = task_of(function, claim)
    segments = [Segment(0, (30,)), Segment(30, (50,))]
    found = find_wrong_claims(task, segments, agreement=1e-6, seed=0)
    assert counted.calls <= 5 + 2 * 8 * 7
    if found is None:
        return []
    entries = []
    for finding in found.findings:
        ((coordinate, measured),) = finding.measured
        value, bound = (part[0, finding.output] for part in (measured.value, measured.bound))
        assert abs(value - A[finding.output, coordinate]) <= 2 * bound
        entries.append((coordinate, finding.output, claim[coordinate, finding.output] - value))
    return sorted(entries)


@pytest.mark.parametrize("power", [2, 3])
def test_nonlinear_outputs_of_single_coordinates_are_no_errors(power: int) -> None:
    """Their residuals of halves add up as well."""
    claim = np.diag(1 + 1e-3 * power * POINT ** (power - 1))
    assert found_claims(lambda x: x + 1e-3 * x**power, claim) == []


def test_a_few_wrong_claims_are_found_by_bisection() -> None:
    """Forward rounds to single precision. The output with the most significant residual counts."""
    claim = A.T.copy()
    claim[[3, 44, 45], 2] += [0.5, -0.5, 0.01]
    found = found_claims(lambda x: (A @ x).astype(np.float32), claim)
    assert [entry[:2] for entry in found] == [(3, 2), (44, 2), (45, 2)]
    assert [entry[2] for entry in found] == pytest.approx([0.5, -0.5, 0.01], abs=1e-4)


@pytest.mark.parametrize(
    ("function", "claim"),
    [
        (lambda x: A @ x, A.T),
        (lambda x: A @ x, 1.1 * A.T),
        (lambda x: np.maximum(A @ x, 0), A.T),
        (lambda x: A @ x + 1e-3 * x[0] * x[79], A.T),
    ],
    ids=["nothing", "everything", "not linear", "a product"],
)
def test_nothing_is_found_where_bisection_is_not_valid(
    function: Callable[[Floats], Any], claim: Floats
) -> None:
    """A screen may find more."""
    assert found_claims(function, claim) == []
