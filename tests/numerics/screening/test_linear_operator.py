"""Functions that are linear to rounding."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_gradcheck.numerics.full_check import DerivativeTask
from pytest_gradcheck.numerics.measurement import Floats, Indices
from pytest_gradcheck.numerics.screening.array_regions import Segment
from pytest_gradcheck.numerics.screening.linear_operator import (
    find_wrong_claims,
    is_homogeneous,
    verify_linear,
)
from pytest_gradcheck.numerics.screening.screen_result import ScreenResult
from tests.numerics.functions import Counted, jitter

RNG = np.random.default_rng(8)
POINT = RNG.normal(size=80)
A = RNG.normal(size=(5, 80))


@dataclass(frozen=True)
class Matrix:
    """Claims as a matrix, shape (n, m)."""

    matrix: Floats

    def rows(self, start: int, stop: int) -> Floats:
        """Return rows."""
        return self.matrix[start:stop]

    def take(self, indices: Indices) -> Floats:
        """Return some of them."""
        return self.matrix[indices]

    def along(self, start: int, direction: Floats) -> Floats:
        """Return the change."""
        return np.asarray(direction @ self.matrix[start : start + direction.size])


def asked(function: Callable[[Floats], Any], claim: Floats) -> tuple[DerivativeTask, Counted]:
    """Return the question, and what counts evaluations."""
    counted = Counted(function)
    base = counted.at(POINT)
    counted.calls = 0
    question = DerivativeTask(
        evaluate=counted,
        point=POINT.copy(),
        here=POINT,
        segments=[(0, 30), (30, 80)],
        base=base,
        repeat=base,
        claims=Matrix(np.asarray(claim, dtype=float)),
        tangent=None,
    )
    return question, counted


def verify(function: Callable[[Floats], Any], claim: Floats) -> tuple[ScreenResult | None, int]:
    """Verify; return what was seen and the calls."""
    question, counted = asked(function, claim)
    segments = [Segment(0, (30,)), Segment(30, (50,))]
    return verify_linear(question, segments, seed=0), counted.calls


def test_right_claims_about_a_linear_function() -> None:
    """Three evaluations, and what could hide is rounding."""
    seen, calls = verify(lambda x: A @ x + 3.0, A.T)
    assert seen is not None
    assert calls == 3
    assert (seen.detection_limit < 1e-11).all()


@given(st.integers(0, 79), st.integers(0, 4), st.sampled_from([1e-9, 1e-6, 1.0, -1e3]))
def test_an_error_that_is_said_to_be_visible_is_seen(row: int, output: int, error: float) -> None:
    """Whichever entry is off."""
    claim = A.T.copy()
    claim[row, output] += error
    seen, _ = verify(lambda x: A @ x, claim)
    assert seen is None


def test_others_cost_one_evaluation() -> None:
    """What is plainly not linear shows at once."""
    seen, calls = verify(lambda x: [(x**2).sum()], 2 * POINT[:, None])
    assert seen is None
    assert calls == 1


@pytest.mark.parametrize(
    "function",
    [lambda x: [np.abs(x).sum()], lambda x: [x.sum() + 1e-9 * (x**2).sum()]],
    ids=["kinks", "slightly curved"],
)
def test_almost_linear_is_not_linear(function: Callable[[Floats], Any]) -> None:
    """Far away it differs by more than rounding."""
    h = 1e-6
    steps = h * np.eye(POINT.size)
    slopes = [(function(POINT + e)[0] - function(POINT - e)[0]) / (2 * h) for e in steps]
    assert verify(function, np.array(slopes)[:, None])[0] is None


def test_noise_is_not_held_against_a_linear_function() -> None:
    """What hides behind it is said; one look at it may not show it all."""
    seen, calls = verify(lambda x: (A @ x).astype(np.float32), A.T)
    assert seen is not None
    assert calls in (3, 9)
    assert (seen.detection_limit > 1e-8).all()


def test_much_noise_leaves_it_open() -> None:
    """Others know better what to make of it."""
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
    """Functions of degree one are their derivative times the point; nothing is evaluated."""
    question, counted = asked(function, claim)
    assert is_homogeneous(question) == expected
    assert counted.calls == 0


def find(function: Callable[[Floats], Any], claim: Floats) -> list[tuple[int, int, float]]:
    """Find what is off: coordinate, output and error."""
    question, counted = asked(function, claim)
    segments = [Segment(0, (30,)), Segment(30, (50,))]
    found = find_wrong_claims(question, segments, agreement=1e-6, seed=0)
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
def test_output_that_is_nonlinear_in_one_coordinate_alone_accuses_no_claim(power: int) -> None:
    """Whatever halves the others are in, their errors add up."""
    claim = np.diag(1 + 1e-3 * power * POINT ** (power - 1))
    assert find(lambda x: x + 1e-3 * x**power, claim) == []


def test_a_few_wrong_claims_are_found_by_halving() -> None:
    """Though forward rounds to single precision; of the output that is most off."""
    claim = A.T.copy()
    claim[[3, 44, 45], 2] += [0.5, -0.5, 0.01]
    found = find(lambda x: (A @ x).astype(np.float32), claim)
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
def test_nothing_is_found_where_that_would_be_a_guess(
    function: Callable[[Floats], Any], claim: Floats
) -> None:
    """Others look for it."""
    assert find(function, claim) == []
