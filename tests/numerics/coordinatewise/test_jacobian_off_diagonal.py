"""Outputs that depend on coordinates that are not their own."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_gradcheck.numerics.coordinatewise.jacobian_off_diagonal import Coupling, find_coupling
from tests.numerics.functions import Counted, Floats, function_at, jitter

POINT = np.random.default_rng(4).uniform(0.5, 2.0, size=100)


def coupling_of(
    function: Callable[[Floats], Any], point: Floats = POINT, output_indices: Any = None
) -> tuple[Coupling, int]:
    """Return the coupling of outputs, and the number of calls."""
    counted, point = Counted(function), point.copy()
    at_point = function_at(counted, point)
    if output_indices is None:
        output_indices = np.arange(point.size)[:, None]
    counted.calls = 0
    before = point.copy()
    inside = np.ones(point.size, dtype=bool)
    found = find_coupling(at_point, output_indices, inside, np.random.default_rng(0))
    assert (point == before).all()
    return found, counted.calls


def test_elementwise_function_costs_one_evaluation_for_each_digit() -> None:
    """And one for all; at most an entry of the size of rounding is undetected."""
    found, calls = coupling_of(np.exp)
    assert calls == 1 + (POINT.size - 1).bit_length()
    assert not found.outputs.size
    assert (found.hidden < 1e-12 * np.exp(POINT)).all()


@given(st.integers(0, 99), st.integers(0, 99), st.floats(1e-6, 1e3), st.booleans())
def test_any_entry_is_found(output: int, coordinate: int, size: float, negative: bool) -> None:
    """Any two numbers differ in a digit, and these digits identify the coordinate."""
    coordinate = (output + 1) % 100 if output == coordinate else coordinate
    weight = -size if negative else size

    def mixing(x: Floats) -> Floats:
        y = np.exp(x)
        y[output] += weight * x[coordinate]
        return y

    found, calls = coupling_of(mixing)
    assert found.outputs.tolist() == [output]
    (pair,) = found.pairs
    assert (pair.output, pair.coordinate) == (output, coordinate)
    assert abs(pair.value - weight) <= pair.bound
    assert calls <= 8 + 50


def test_several_coordinates_of_one_output() -> None:
    """Their digits are mixed; one of them is then found by bisection."""

    def mixing(x: Floats) -> Floats:
        y = np.exp(x)
        y[7] += x[[2, 31, 64]].sum()
        return y

    found, _ = coupling_of(mixing)
    assert found.outputs.tolist() == [7]
    assert {pair.coordinate for pair in found.pairs} <= {2, 31, 64}
    assert found.pairs


def test_opposite_neighbours_do_not_cancel() -> None:
    """No two coordinates are moved by the same distance."""
    found, _ = coupling_of(lambda x: x**2 + np.roll(x, 1) - np.roll(x, -1))
    assert found.outputs.size == POINT.size


def test_pole_is_avoided() -> None:
    """Next to one, an output is so large that its rounding would hide what others do to it."""

    def clipped(x: Floats) -> Floats:
        return np.asarray(1 / (2 - np.minimum(x, 2 - 1e-15)))

    found, _ = coupling_of(clipped, np.append(POINT, [1.9, 1.95]))
    assert not found.outputs.size
    assert (found.hidden < 1e-6).all()


def test_dependence_far_from_the_point_only_is_not_a_coupling() -> None:
    """It is looked for closer to the point, and is not found there."""
    found, _ = coupling_of(lambda x: np.exp(x) + x.sum() * (np.abs(x - POINT).max() > 0.01))
    assert not found.outputs.size
    assert np.isfinite(found.hidden).all()


def test_noise_of_all_outputs_is_not_a_coupling() -> None:
    """It is not confirmed close to the point, and is part of what may be undetected."""
    found, _ = coupling_of(lambda x: np.exp(x) + jitter(float(x.sum()), 1e-9))
    assert not found.outputs.size
    assert (found.hidden > 1e-10).all()


def test_coordinates_at_an_edge_are_moved_to_the_other_side() -> None:
    """Their outputs are tested as the others are."""
    point = POINT.copy()
    point[[3, 50]] = 0.0

    def mixing(x: Floats) -> Floats:
        y = np.sqrt(x)
        y[3] += 0.1 * x[80]
        return y

    found, _ = coupling_of(mixing, point)
    assert found.outputs.tolist() == [3]


def test_coordinates_that_share_an_output_have_one_number() -> None:
    """Two factors of a product are no coupling; another dependence is."""
    output_indices = np.tile(np.arange(50), 2)[:, None]
    found, _ = coupling_of(lambda x: x[:50] * x[50:], output_indices=output_indices)
    assert not found.outputs.size

    def mixing(x: Floats) -> Floats:
        y = x[:50] * x[50:]
        y[10] += x[70]
        return y

    found, _ = coupling_of(mixing, output_indices=output_indices)
    assert [(pair.output, pair.coordinate) for pair in found.pairs] == [(10, 70)]


@pytest.mark.parametrize("size", [1, 2, 3])
def test_few_entries(size: int) -> None:
    """A single entry has no other."""
    found, calls = coupling_of(np.exp, POINT[:size])
    assert not found.outputs.size
    assert calls == 1 + (size - 1).bit_length()
