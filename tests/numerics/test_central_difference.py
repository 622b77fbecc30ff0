"""Central differences, balanced steps and fixed ones."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_gradcheck.numerics.central_difference import (
    balanced_steps,
    fixed_step_differences,
    measure_pairs,
)
from pytest_gradcheck.numerics.coordinate_scales import Scales
from pytest_gradcheck.numerics.coordinatewise.coordinate_sweep import CoordinateSweep
from pytest_gradcheck.numerics.function import Function
from pytest_gradcheck.numerics.measurement import Measurement
from tests.numerics.functions import Counted, Floats, function_at


def known(counted: Counted, point: Floats, base: Floats, noise: Floats) -> Function:
    """Return a function with given outputs and noise."""
    scales = Scales.of(point, [(0, point.size)])
    return Function(counted, point, base, noise, np.abs(base), scales)


def steps_of(claim: Floats, base: Floats, noise: Floats, scale: Floats) -> Floats:
    """Balance steps without evaluating anything."""
    return balanced_steps(known(Counted(np.sum), scale, base, noise), claim, scale)


def test_balanced_step_is_the_cube_root_of_the_relative_noise() -> None:
    """Rounding noise gives a relative step of about 6e-6, larger noise a larger one."""
    steps = [
        float(steps_of(np.ones((1, 1)), np.ones(1), np.array([noise]), np.ones(1))[0])
        for noise in (2.2e-16, 1e-9, 1.0)
    ]
    assert steps == pytest.approx([6.04e-6, 1e-3, 1e-2], rel=1e-2)


def test_balanced_step_is_relative_to_the_scale() -> None:
    """Each coordinate steps in units of its own scale."""
    scale = np.array([1e-6, 1e6])
    steps = steps_of(np.zeros((2, 1)), np.ones(1), np.array([1e-15]), scale)
    assert (steps / scale) == pytest.approx([1e-5, 1e-5])


def test_outputs_that_vanish_do_not_decide_the_step() -> None:
    """Outputs of size zero have no relative noise."""
    claim, base = np.array([[0.0, 0.0, 1.0]]), np.array([0.0, 0.0, 1.0])
    steps = steps_of(claim, base, np.array([0.0, 0.0, 1e-15]), np.ones(1))
    assert steps == pytest.approx([1e-5])


def test_pairs_show_slope_and_bend() -> None:
    """The value is the slope, the bend the difference of the one-sided slopes."""
    counted = Counted(lambda p: [p[0] ** 2 + 3 * p[1], abs(p[1])])
    point = np.array([2.0, 0.0])
    function = known(counted, point, counted.at(point), np.array([1e-10, 1e-10]))
    pairs = measure_pairs(function, np.array([0, 1]), np.array([1e-3, 1e-3]))
    assert pairs.value == pytest.approx(np.array([[4.0, 0.0], [3.0, 0.0]]))
    assert pairs.bend == pytest.approx(np.array([[2e-3, 0.0], [0.0, 2.0]]), abs=1e-9)
    assert pairs.noise == pytest.approx(np.full((2, 2), 4e-7))
    assert counted.calls == 1 + 4
    assert point.tolist() == [2.0, 0.0]


def test_exception_restores_the_point() -> None:
    """Whatever the function raises, the coordinate is restored."""
    point = np.array([2.0, 5.0])

    def fails(p: np.ndarray) -> np.ndarray:
        raise KeyError(float(p[0]))

    nothing = np.zeros(1)
    scales = Scales.of(point, [(0, 2)])
    function = Function(Counted(fails), point, nothing, nothing, nothing, scales)
    with pytest.raises(KeyError):
        measure_pairs(function, np.array([1]), np.array([0.1]))
    assert point.tolist() == [2.0, 5.0]


POINT = np.random.default_rng(1).normal(size=50)


def fixed_step(step: float) -> Measurement:
    """Differentiate ``sum exp(x)`` at a fixed step."""
    function = function_at(Counted(lambda x: np.exp(x).sum()), POINT.copy())
    claims = np.exp(POINT)[:, None]
    rng = np.random.default_rng(0)
    found = CoordinateSweep(function, lambda start, stop: claims[start:stop], 1e-6, rng).measure()
    return fixed_step_differences(function, found, step)


def test_fixed_step_gives_plain_central_differences() -> None:
    """Values are those of the textbook formula, bit by bit."""
    step = 1e-4
    expected = []
    for k in range(POINT.size):
        plus, minus = POINT.copy(), POINT.copy()
        plus[k] += step
        minus[k] -= step
        expected.append((np.exp(plus).sum() - np.exp(minus).sum()) / (plus[k] - minus[k]))
    assert fixed_step(step).value[:, 0].tolist() == expected


def test_coarse_fixed_step_widens_the_bound() -> None:
    """The truncation error of a coarse step is measured and enters into the bound."""
    found = fixed_step(1e-2)
    error = np.abs(found.value[:, 0] - np.exp(POINT))
    assert (error > 1e-6 * np.exp(POINT)).all()
    assert (error <= found.bound[:, 0]).all()
