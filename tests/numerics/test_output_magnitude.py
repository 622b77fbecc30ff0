"""The magnitude of outputs: by how much they vary."""

import numpy as np
import pytest

from pytest_gradcheck.numerics.measurement import EPS, Measurement
from pytest_gradcheck.numerics.output_magnitude import consistent_sizes, output_sizes
from pytest_gradcheck.numerics.random_directions import signed_direction
from tests.numerics.functions import Counted, Floats


def sizes_at(counted: Counted, point: Floats, base: Floats) -> Floats:
    """Estimate the sizes of outputs as a check does."""
    direction = signed_direction(np.abs(point), np.random.default_rng(0))
    noise = EPS * np.abs(base)
    return output_sizes(counted, point, base=base, noise=noise, direction=direction)


def test_offset_does_not_count_as_size() -> None:
    """The size is the variation of an output, not its value."""
    counted = Counted(lambda x: [1e6 + x[0], -x[1]])
    sizes = sizes_at(counted, np.array([2.0, 3.0]), np.array([1e6 + 2, -3.0]))
    assert (sizes > [0.1, 0.15]).all()
    assert (sizes < [0.3, 0.45]).all()
    assert counted.calls == 1


def test_constant_output_has_its_absolute_value() -> None:
    """Where an output does not vary its absolute value counts; elsewhere its change."""
    counted = Counted(lambda x: [np.sum((x - 1) ** 2), 5.0])
    sizes = sizes_at(counted, np.ones(4), np.array([0.0, 5.0]))
    assert sizes == pytest.approx([0.04, 5.0], rel=0.5)


def test_undefined_neighbour_leaves_the_absolute_value() -> None:
    """Where the change is unknown the absolute value counts."""
    counted = Counted(lambda x: [np.nan, np.nan])
    assert sizes_at(counted, np.ones(1), np.array([0.0, 7.0])).tolist() == [0.0, 7.0]


def test_rounding_is_not_a_variation() -> None:
    """A quotient that is 1 everywhere changes by its rounding; its absolute value counts."""
    counted = Counted(lambda x: [x @ x / np.linalg.norm(x) ** 2])
    base = counted.at(np.array([3.0, 1.0, -2.0]))
    assert sizes_at(counted, np.array([3.0, 1.0, -2.0]), base).tolist() == [base[0]]


def test_float32_rounding_is_not_a_variation() -> None:
    """The noise decides what rounding is, not the type of the output."""
    direction, base = np.ones(1), np.array([1.0])
    counted = Counted(lambda x: [1.0 if x[0] == 1.0 else 1.0 + 1e-7])
    found = output_sizes(counted, np.ones(1), base=base, noise=6e-8 * base, direction=direction)
    assert found.tolist() == [1.0]


def test_rounding_of_terms_that_cancel_gives_the_size_of_the_terms() -> None:
    """The rounding of a sum that is zero shows how large its terms are."""
    point = np.array([3.0, 1.0, -2.0, 4.5])
    counted = Counted(lambda x: [np.sum((x - x.mean()) / x.std())])
    direction = signed_direction(point, np.random.default_rng(0))
    noise = np.array([2 * EPS])
    (size,) = output_sizes(
        counted, point, base=counted.at(point), noise=noise, direction=direction
    )
    assert size == 2.0


def test_sizes_are_raised_to_the_changes_of_single_coordinates() -> None:
    """Derivatives within their bounds, or unknown, do not raise them."""
    found = Measurement.blank(3, 3)
    found.value[:] = [[4.0, 1.0, 1.0], [np.nan, 2.0, 2.0], [-6.0, 3.0, 3.0]]
    found.bound[:, 1], found.bound[:, 2] = 5.0, [0.1, 0.1, np.inf]
    sizes = consistent_sizes(np.array([0.1, 0.1, 0.1]), found, np.array([1.0, 2.0, 0.5]))
    assert sizes == pytest.approx([0.4, 0.1, 0.4])
