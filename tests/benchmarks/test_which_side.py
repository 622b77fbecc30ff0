"""Outcomes of the benchmark of the side that is wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pytest_gradcheck import check_gradient
from tests.benchmarks.which_side import EditedCheck, Outcome, Structure, said_by, structure_of
from tests.corpus.family import Case

POINT = np.array([0.3, -0.8, 1.1])


def product(x: Any) -> Any:
    """Return a function whose entries depend on each other."""
    return np.prod(np.cos(x))


def product_gradient(x: Any) -> Any:
    """Return its gradient."""
    return -np.tan(x) * np.prod(np.cos(x))


@pytest.mark.parametrize(
    ("edit", "claim", "structure"),
    [
        ("forward: any", product_gradient, "gradient"),
        ("backward: any", product_gradient, "gradient"),
        ("backward: any", lambda x: product_gradient(x) * [1, 2, 1], "no gradient"),
        ("backward: any", np.cos, "separable"),
        ("forward: any", np.cos, "separable"),
        ("backward: any", lambda x: np.full_like(x, np.nan), "unknown"),
    ],
)
def test_structure_of_a_claim(edit: str, claim: Any, structure: Structure) -> None:
    """It is that of its Jacobian."""
    case = Case(product, product_gradient, POINT)
    assert structure_of(EditedCheck(edit, product, claim), case) == structure


@pytest.mark.parametrize(
    ("structure", "said", "counts", "is_right", "is_wrong"),
    [
        ("gradient", "consistent", True, True, False),
        ("gradient", "no-potential", True, False, True),
        ("no gradient", "no-potential", True, True, False),
        ("no gradient", "consistent", True, False, True),
        ("no gradient", "silent", True, False, False),
        ("separable", "silent", False, False, False),
        ("no gradient", "explained", False, False, False),
        ("unknown", "undetected", False, False, False),
    ],
)
def test_outcome(
    structure: Structure, said: str, counts: bool, is_right: bool, is_wrong: bool
) -> None:
    """A side is right or wrong only where it can be known and nothing else explains it."""
    outcome = Outcome("family", "backward: any", 0, structure, said, 20)
    assert (outcome.counts, outcome.is_right, outcome.is_wrong) == (counts, is_right, is_wrong)


@pytest.mark.parametrize(
    ("factors", "said"),
    [([1, 1, 1], "undetected"), ([2, 2, 2], "explained"), ([1, 1.3, 0.6], "no-potential")],
)
def test_said(factors: list[float], said: str) -> None:
    """A report names a side, or another cause."""
    report = check_gradient(product, lambda x: product_gradient(x) * factors, POINT)
    assert said_by(report) == said


def test_silence() -> None:
    """A sum of functions of one entry each shows no side."""
    report = check_gradient(lambda x: np.sum(np.sin(x)), lambda x: np.cos(x) + x**2 / 9, POINT)
    assert said_by(report) == "silent"
