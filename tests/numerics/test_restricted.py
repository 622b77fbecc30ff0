"""Sweeps over some coordinates."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pytest_gradcheck.numerics.measurement import Measurement
from pytest_gradcheck.numerics.restricted import sweep_some
from tests.numerics.functions import Counted, Floats
from tests.numerics.screening.builders import Shapes, projector_of

POINT = np.random.default_rng(1).normal(size=20)
TRUE = np.exp(POINT)
SOME = np.array([2, 3, 11, 17])


def sweep(
    function: Callable[[Floats], Any],
    claim: Any,
    point: Floats = POINT,
    shapes: Shapes | None = None,
    indices: Any = SOME,
) -> tuple[Measurement, Counted]:
    """Sweep over some coordinates; the point is left as it is."""
    projector, counted = projector_of(function, claim, point, shapes)
    rng = np.random.default_rng(0)
    found = sweep_some(projector.function, projector.claims, indices, agreement=1e-6, rng=rng)
    assert (projector.function.point == point).all()
    return found, counted


def test_some_coordinates_are_measured_in_their_order() -> None:
    """Two evaluations each, where claims are right, and none of the others."""
    found, counted = sweep(lambda x: np.exp(x).sum(), TRUE)
    assert counted.calls == 8
    assert found.value[:, 0] == pytest.approx(TRUE[SOME], rel=1e-8)
    assert (np.abs(found.value[:, 0] - TRUE[SOME]) <= found.bound[:, 0]).all()


def test_claims_are_those_of_the_coordinates() -> None:
    """One that is wrong gets its ladder; one that is not asked about does not."""
    claim = TRUE.copy()
    claim[5] *= 1.1
    assert sweep(lambda x: np.exp(x).sum(), claim)[1].calls == 8
    claim[11] *= 1.1
    found, counted = sweep(lambda x: np.exp(x).sum(), claim)
    assert counted.calls > 40
    assert found.value[2, 0] == pytest.approx(TRUE[11], rel=1e-9)
    assert found.bound[2, 0] < 1e-8


def test_others_stay_where_they_are() -> None:
    """Their values are those of the point in every evaluation."""
    seen = list[Floats]()

    def product(x: Floats) -> Any:
        seen.append(x.copy())
        return np.prod(x)

    found, _ = sweep(product, np.prod(POINT) / POINT)
    assert found.value[:, 0] == pytest.approx((np.prod(POINT) / POINT)[SOME], rel=1e-6)
    rest = np.setdiff1d(np.arange(20), SOME)
    assert all((x[rest] == POINT[rest]).all() for x in seen)
    assert sum((x[SOME] != POINT[SOME]).any() for x in seen) == 8


def test_zeros_are_moved_by_the_scale_of_all_of_their_segment() -> None:
    """Not by that of the coordinates that are measured with them."""
    point = np.array([3.0, 3.0, 0.0, 1e3, 1e3, 1e3, 0.0, 7.0])
    slopes = 1 / np.repeat([3.0, 1e3, 7.0], [3, 4, 1])
    shapes: Shapes = [(3,), (4,), (1,)]
    found, _ = sweep(lambda x: x @ slopes, slopes, point, shapes, np.array([2, 6, 7]))
    assert found.step[1:] / found.step[0] == pytest.approx([1e3 / 3, 7 / 3], rel=1e-6)


def test_exception_leaves_the_point_as_it_was() -> None:
    """Whatever the function raises."""
    projector, counted = projector_of(lambda x: x.sum(), np.ones(20), POINT)

    def fails(x: Floats) -> Any:
        raise KeyError(float(x[0]))

    counted.function = fails
    with pytest.raises(KeyError):
        sweep_some(
            projector.function,
            projector.claims,
            SOME,
            agreement=1e-6,
            rng=np.random.default_rng(0),
        )
    assert (projector.function.point == POINT).all()
