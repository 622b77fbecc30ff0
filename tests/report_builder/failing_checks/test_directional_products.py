"""What directions over everything tell of one parameter, in screens."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pytest_gradcheck import check_gradient
from pytest_gradcheck.report_builder.failing_checks.directional_products import DirectionalProducts
from tests.corpus.family import Array

#: Values that hardly differ, so that a function of them is nearly a constant factor.
X = 1918 + np.random.default_rng(0).normal(size=12)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda claim: claim * X, "with respect to log x"),
        (lambda claim: 2 * claim * np.sqrt(X), "with respect to sqrt(x)"),
        (lambda claim: 2 * claim, "a stray factor 2?"),
    ],
)
def test_directions_refute_a_factor(change: Callable[[Array], Array], words: str) -> None:
    """Claims that nearly have a relative error in common are no multiple of the true gradient."""

    def forward(x: Array) -> Any:
        return np.sum(np.cos(np.arange(12) + x - 1918))

    def backward(x: Array) -> Array:
        return change(-np.sin(np.arange(12) + x - 1918))

    (parameter,) = check_gradient(
        forward, backward, X, mode="fast", max_evaluations=400
    ).parameters
    assert any(words in diagnosis.text for diagnosis in parameter.diagnosis)


def test_factor_of_a_single_number_is_no_cause_unless_it_has_a_name() -> None:
    """All directions move the one entry: they are the same evidence."""

    def forward(x: Array, y: float) -> Any:
        return np.sum(np.sin(x)) + np.cos(1000 * y)

    def claims(factor: float) -> Callable[[Array, float], Any]:
        return lambda x, y: (np.cos(x), factor * -1000 * np.sin(1000 * y))

    def said(factor: float) -> list[str]:
        report = check_gradient(forward, claims(factor), X, 0.7, mode="fast")
        (wrong,) = (p for p in report.parameters if p.verdict == "wrong")
        return [d.kind for d in wrong.diagnosis if d.kind == "factor"]

    assert said(2.0) == ["factor"]
    assert said(0.7348121) == []


def test_direction_of_known_entries_tells_nothing_more() -> None:
    """One whose other terms are small is left out."""
    directions = (np.array([1.0, 1e-3]), np.array([1.0, 2.0]))
    value = bound = np.array([[1.0], [2.0]])
    products = DirectionalProducts(directions, value, bound, np.ones((2, 1), dtype=bool))
    kept = products.beyond(np.array([0]), np.ones((2, 1)))
    assert kept.value.tolist() == [[2.0]]
    assert products.beyond(np.array([1]), np.ones((2, 1))).value.tolist() == [[1.0], [2.0]]


def test_single_entry_is_known_as_its_best_product_tells() -> None:
    """A product over its weight is the derivative by that entry."""
    directions = (np.array([2.0]), np.array([4.0]))
    products = DirectionalProducts(
        directions,
        np.array([[6.0], [12.4]]),
        np.array([[0.1], [1.0]]),
        np.ones((2, 1), dtype=bool),
    )
    value, bound = products.of_one_entry(np.array([[3.3]]), np.array([[0.5]]))
    assert (value.tolist(), bound.tolist()) == ([[3.0]], [[0.05]])
