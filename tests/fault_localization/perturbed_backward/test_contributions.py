"""Sums that are computed in several statements on one array."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pytest_gradcheck import check_gradient
from pytest_gradcheck.fault_localization.perturbed_backward import contributions
from tests.fault_localization.functions import X, line_of

WEIGHTS = np.random.default_rng(5).normal(size=X.shape)


def normalized(x: Any) -> Any:
    """Return weighted rows of norm one."""
    size = np.sum(x**2, axis=1, keepdims=True) ** 0.5
    unit = x / size
    return np.sum(WEIGHTS * unit), (unit, size)


def first_part_is_wrong(cache: Any) -> Any:
    """Return its gradient, with an error in the first part of a sum."""
    unit, size = cache
    dx = WEIGHTS + 0.5 * unit
    dx -= unit * np.sum(WEIGHTS * unit, axis=1, keepdims=True)
    dx /= size
    return dx


def second_part_is_wrong(cache: Any) -> Any:
    """Return its gradient, with an error in the second part of a sum."""
    unit, size = cache
    dx = 1.0 * WEIGHTS
    dx -= 2 * unit * np.sum(WEIGHTS * unit, axis=1, keepdims=True)
    dx /= size
    return dx


@pytest.mark.parametrize(
    ("backward", "text"),
    [(first_part_is_wrong, "dx = "), (second_part_is_wrong, "dx -=")],
    ids=["first", "second"],
)
def test_part_that_contributes_wrongly_is_named_alone(
    backward: Callable[..., Any], text: str
) -> None:
    """The other parts are derivatives through single uses of a value."""
    (wrong,) = check_gradient(normalized, backward, X).wrong_lines
    line = line_of(backward, text)
    assert (wrong.location.first_line, wrong.location.last_line) == (line, line)


def test_part_that_is_missing_is_between_the_others() -> None:
    """All that is there is right; no single statement is named."""

    def backward(cache: Any) -> Any:
        _, size = cache
        dx = 1.0 * WEIGHTS
        dx /= size
        return dx

    (wrong,) = check_gradient(normalized, backward, X).wrong_lines
    assert wrong.location.first_line == line_of(backward, "dx = 1.0")
    assert wrong.location.last_line == line_of(backward, "dx /=")


def test_part_without_entries_is_in_no_place() -> None:
    """A sum of zeros contributes nothing."""
    zeros = np.zeros(3)
    assert not contributions._is_moved(np.ones(3), zeros, [zeros])
