"""Derivatives by differences of fourth order."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.binding.backward.claims import DenseClaim
from pytest_gradcheck.numerics.coordinatewise.fourth_order import fourth_order_differences
from pytest_gradcheck.numerics.coordinatewise.full_check import DerivativeTask

Floats = NDArray[np.float64]

POINT = np.array([0.5, -2.0, 0.0])


def evaluate(points: Iterable[Floats]) -> Floats:
    """Return sines, and the sum of squares."""
    return np.array([[*np.sin(x), x @ x] for x in points])


def task() -> DerivativeTask:
    """Return the function at the point."""
    base = evaluate([POINT])[0]
    return DerivativeTask(
        evaluate=evaluate,
        point=POINT.copy(),
        here=POINT,
        segments=[(0, 3)],
        base=base,
        repeat=base,
        claims=DenseClaim(np.zeros((3, 4))),
        tangent=None,
    )


def test_one_coordinate_after_the_other() -> None:
    """Every derivative is known to twelve digits, and the point is put back."""
    posed = task()
    found = fourth_order_differences(posed, [slice(k, k + 1) for k in range(3)])
    wanted = np.concatenate([np.diag(np.cos(POINT)), 2 * POINT[:, None]], axis=1)
    np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-11)
    assert posed.point.tolist() == POINT.tolist()


def test_coordinates_that_move_outputs_of_their_own() -> None:
    """They are moved together."""
    found = fourth_order_differences(task(), [slice(0, 3)], np.arange(3)[:, None])
    np.testing.assert_allclose(found[:, 0], np.cos(POINT), rtol=1e-12)
