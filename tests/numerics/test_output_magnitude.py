"""How large outputs are in general."""

import numpy as np
import pytest

from pytest_gradcheck.numerics.measurement import EPS, Measurement
from pytest_gradcheck.numerics.output_magnitude import consistent_sizes, output_sizes
from pytest_gradcheck.numerics.random_directions import signed_direction
from tests.numerics.functions import Counted, Floats


def sizes_of(counted: Counted, point: Floats, base: Floats) -> Floats:
    """Look at the sizes of outputs as a check does."""
    direction = signed_direction(np.abs(point), np.random.default_rng(0))
    noise = EPS * np.abs(base)
    return output_sizes(counted, point, base=base, noise=noise, direction=direction)


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


def test_change_of_rounding_size_is_no_size() -> None:
    """A quotient that is 1 everywhere changes by its rounding; its magnitude counts."""
    counted = Counted(lambda x: [x @ x / np.linalg.norm(x) ** 2])
    base = counted.at(np.array([3.0, 1.0, -2.0]))
    assert sizes_of(counted, np.array([3.0, 1.0, -2.0]), base).tolist() == [base[0]]


def test_float32_rounding_is_no_size_either() -> None:
    """What is rounding is said by the noise, not by the type of the output."""
    direction, base = np.ones(1), np.array([1.0])
    counted = Counted(lambda x: [1.0 if x[0] == 1.0 else 1.0 + 1e-7])
    found = output_sizes(counted, np.ones(1), base=base, noise=6e-8 * base, direction=direction)
    assert found.tolist() == [1.0]


def test_rounding_of_terms_that_cancel_is_measured_in_the_terms() -> None:
    """A sum that is zero but for rounding says how large what was added up is."""
    point = np.array([3.0, 1.0, -2.0, 4.5])
    counted = Counted(lambda x: [np.sum((x - x.mean()) / x.std())])
    direction = signed_direction(point, np.random.default_rng(0))
    noise = np.array([2 * EPS])
    (size,) = output_sizes(
        counted, point, base=counted.at(point), noise=noise, direction=direction
    )
    assert size == 2.0


def test_changes_that_cancel_along_a_direction_are_borne_out_one_by_one() -> None:
    """What is known too badly, or not at all, bears out nothing."""
    found = Measurement.blank(3, 3)
    found.value[:] = [[4.0, 1.0, 1.0], [np.nan, 2.0, 2.0], [-6.0, 3.0, 3.0]]
    found.bound[:, 1], found.bound[:, 2] = 5.0, [0.1, 0.1, np.inf]
    sizes = consistent_sizes(np.array([0.1, 0.1, 0.1]), found, np.array([1.0, 2.0, 0.5]))
    assert sizes == pytest.approx([0.4, 0.1, 0.4])
