"""How large outputs are in general."""

import numpy as np
import pytest

from pytest_gradcheck.numerics.size import output_sizes
from tests.numerics.functions import Counted


def test_value_at_the_point_is_the_size() -> None:
    """Nothing is evaluated where the value says it."""
    counted = Counted(lambda x: [x[0], -x[1]])
    point = np.array([2.0, 3.0])
    rng = np.random.default_rng(0)
    sizes = output_sizes(counted, point, base=np.array([2.0, -3.0]), scale=point, rng=rng)
    assert sizes.tolist() == [2.0, 3.0]
    assert counted.calls == 0


def test_vanishing_output_has_the_size_it_has_nearby() -> None:
    """At the optimum of a loss one more evaluation tells."""
    counted = Counted(lambda x: [np.sum((x - 1) ** 2), 5.0])
    point = np.ones(4)
    rng = np.random.default_rng(0)
    sizes = output_sizes(counted, point, base=np.array([0.0, 5.0]), scale=point, rng=rng)
    assert sizes == pytest.approx([0.04, 5.0], rel=0.5)
    assert counted.calls == 1


def test_undefined_neighbour_leaves_zero() -> None:
    """Where nothing is known nothing is made up."""
    sizes = output_sizes(
        Counted(lambda x: np.nan),
        np.ones(1),
        base=np.zeros(1),
        scale=np.ones(1),
        rng=np.random.default_rng(0),
    )
    assert sizes.tolist() == [0.0]
