"""How large outputs are in general."""

import numpy as np
import pytest

from pytest_gradcheck.numerics.directions import signed_direction
from pytest_gradcheck.numerics.size import output_sizes
from tests.numerics.functions import Counted, Floats


def sizes_of(counted: Counted, point: Floats, base: Floats) -> Floats:
    """Look at the sizes of outputs as a check does."""
    direction = signed_direction(np.abs(point), np.random.default_rng(0))
    return output_sizes(counted, point, base=base, direction=direction)


def test_offset_does_not_count_as_size() -> None:
    """What a vanishing derivative is small against is what the output does, not what it is."""
    counted = Counted(lambda x: [1e6 + x[0], -x[1]])
    sizes = sizes_of(counted, np.array([2.0, 3.0]), np.array([1e6 + 2, -3.0]))
    assert (sizes > [0.1, 0.15]).all()
    assert (sizes < [0.3, 0.45]).all()
    assert counted.calls == 1


def test_constant_output_has_its_magnitude() -> None:
    """Where an output does not vary its value is all there is; elsewhere the change counts."""
    counted = Counted(lambda x: [np.sum((x - 1) ** 2), 5.0])
    sizes = sizes_of(counted, np.ones(4), np.array([0.0, 5.0]))
    assert sizes == pytest.approx([0.04, 5.0], rel=0.5)


def test_undefined_neighbour_leaves_the_magnitude() -> None:
    """Where nothing is known nothing is made up."""
    counted = Counted(lambda x: [np.nan, np.nan])
    assert sizes_of(counted, np.ones(1), np.array([0.0, 7.0])).tolist() == [0.0, 7.0]
