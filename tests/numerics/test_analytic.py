"""Functions that a polynomial follows: no jump, no kink."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pytest_gradcheck.numerics.analytic import are_analytic
from tests.numerics.functions import Counted, Floats, function_at

POINT = np.random.default_rng(4).normal(size=20)

#: Across which functions break.
HEIGHT = np.cos(np.arange(20.0))


def looked(function: Callable[[Floats], Any]) -> tuple[list[bool], int]:
    """Return which outputs are analytic, and what it cost."""
    counted = Counted(function)
    at_point = function_at(counted, POINT.copy())
    counted.calls = 0
    return are_analytic(at_point, np.random.default_rng(0)).tolist(), counted.calls


@pytest.mark.parametrize(
    "function",
    [
        lambda x: np.sum(np.exp(np.sin(x)) + x**2),
        lambda x: np.sqrt(1 + x @ x),
        lambda x: 1e6 + np.sin(x).sum(),
    ],
)
def test_smooth_functions_cost_two_polynomials(function: Callable[[Floats], Any]) -> None:
    """Values at a few dozen places tell those in between, to the last digit."""
    found, calls = looked(function)
    assert found == [True]
    assert calls <= 130


@pytest.mark.parametrize("height", [1e-2, 1e-6, 1e-10])
def test_jumps_are_no_polynomials(height: float) -> None:
    """Not by a ten billionth of what the function varies by."""
    found, calls = looked(
        lambda x: np.sin(x).sum() + height * np.floor(3 * HEIGHT @ (x - POINT) + 0.5)
    )
    assert found == [False]
    assert calls <= 130


def test_singularity_close_by_takes_a_higher_degree() -> None:
    """The entries of a softplus have one each, off the real line."""
    found, calls = looked(lambda x: np.logaddexp(0, 3 * x).mean())
    assert found == [True]
    assert 66 < calls <= 258


def test_kinks_are_no_polynomials() -> None:
    """Slopes to both sides differ by a millionth."""
    found, _ = looked(lambda x: np.sin(x).sum() + 1e-6 * abs(HEIGHT @ (x - POINT) - 0.1))
    assert found == [False]


def test_edges_of_the_domain_are_no_polynomials() -> None:
    """Nothing is known beyond them; it is not taken for smooth."""
    found, calls = looked(lambda x: np.sqrt(x + 0.5 * np.abs(POINT)).sum())
    assert found == [False]
    assert calls == 33


def test_outputs_are_told_apart() -> None:
    """One jumps, one does not."""
    found, _ = looked(lambda x: [np.sin(x).sum(), np.floor(3 * HEIGHT @ (x - POINT) + 0.5)])
    assert found == [True, False]
