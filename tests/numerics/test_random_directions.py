"""Random directions, and evaluation along them."""

import numpy as np

from pytest_gradcheck.numerics.random_directions import (
    defined_direction,
    evaluate_along,
    signed_direction,
)
from tests.numerics.functions import Counted


def test_signed_direction_has_signs_and_different_sizes() -> None:
    """Entries have either sign and sizes from half to one and a half scales."""
    scale = np.array([1.0, 1e-6, 1e6] * 200)
    direction = signed_direction(scale, np.random.default_rng(0)) / scale
    assert (np.abs(direction) >= 0.5).all()
    assert (np.abs(direction) <= 1.5).all()
    assert 200 < np.count_nonzero(direction > 0) < 400
    assert np.unique(np.abs(direction)).size == 600


def test_evaluation_along_a_direction_does_not_change_the_point() -> None:
    """Outputs are in the order of the steps."""
    point = np.array([1.0, 2.0])
    outputs = evaluate_along(Counted(np.copy), point, np.array([10.0, -1.0]), [0.5, -1.0])
    assert outputs.tolist() == [[6.0, 1.5], [-9.0, 3.0]]
    assert point.tolist() == [1.0, 2.0]


def test_direction_in_the_domain_is_found_at_its_corner() -> None:
    """Where half of the coordinates are at the edge, some of the other half are moved."""
    point = np.concatenate([np.zeros(20), np.ones(20)])

    root = Counted(lambda x: np.sqrt(x).sum())

    for seed in range(20):
        rng = np.random.default_rng(seed)
        direction = defined_direction(root, point, scale=np.ones(40), reach=1e-3, rng=rng)
        assert direction.any()
        assert np.isfinite(evaluate_along(root, point, direction, [1e-3, -1e-3])).all()


def test_search_for_a_direction_ends_where_the_function_is_undefined() -> None:
    """A direction of all coordinates is returned."""
    rng = np.random.default_rng(0)
    nowhere = defined_direction(
        Counted(lambda p: np.nan), np.ones(3), scale=np.ones(3), reach=1e-3, rng=rng
    )
    assert (np.abs(nowhere) >= 0.5).all()
