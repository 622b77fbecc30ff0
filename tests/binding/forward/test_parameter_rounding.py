"""The rounding of parameters that forward is given in a coarser type than it returns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pytest_gradcheck.binding.bind import bind
from pytest_gradcheck.binding.call.resolved_call import Call
from pytest_gradcheck.binding.gradient_problem import Problem

WEIGHTS = np.array([3.0, 0.0, -100.0])


class Layer:
    """A layer that is linear in an array which forward reads in its own type."""

    def __init__(self, dtype: Any) -> None:
        self.W = np.array([1.0, 2.0, 1.5]).astype(dtype)
        self.read = self.W[:]

    def forward(self, x: Any) -> Any:
        """Return the value in float64."""
        return np.sum(x) + WEIGHTS @ self.read.astype(float)

    def backward(self, x: Any) -> Any:
        """Return the gradients."""
        return np.ones_like(x), WEIGHTS


def posed(dtype: Any, seed: int = 0) -> Problem:
    """Return the problem that a call of the layer poses."""
    layer = Layer(dtype)
    call = Call(layer.forward, layer.backward, (np.ones(2),), wrt=("x", "self.W"))
    with bind(call, seed=seed) as problem:
        return problem


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_the_second_evaluation_is_a_rounding_away(dtype: Any) -> None:
    """Twice the difference is at least the largest rounding, and at most that of all entries."""
    largest = 100 * np.finfo(dtype).eps / 2
    for seed in range(10):
        problem = posed(dtype, seed)
        difference = 2 * float(np.abs(problem.repeat - problem.base)[0])
        assert largest * 0.97 <= difference <= largest * 1.03


def test_in_one_type_both_evaluations_are_the_same() -> None:
    """Nothing is evaluated again, as every check would pay for it."""
    problem = posed(np.float64)
    assert (problem.repeat == problem.base).all()
    assert problem.counts.forward == 2
