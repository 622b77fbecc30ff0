"""Noise: how much of a value is rounding, quadrature or stopped iterations."""

import numpy as np
import pytest

from pytest_gradcheck.numerics.directions import signed_direction
from pytest_gradcheck.numerics.noise import are_even, estimate_noise
from tests.numerics.functions import Counted, Floats, jitter

POINT = np.array([1.3, -0.4])


def noise_of(function: Counted, point: Floats = POINT) -> Floats:
    """Estimate the noise of `function` as a check does."""
    base, repeat = function.at(point), function.at(point)
    scale = np.where(point == 0, 1.0, np.abs(point))
    direction = signed_direction(scale, np.random.default_rng(0))
    return estimate_noise(function, point, base=base, repeat=repeat, direction=direction)


def test_smooth_function_has_the_noise_of_rounding() -> None:
    """The noise of a smooth function is a few roundings of its value."""
    noise = noise_of(Counted(lambda x: np.sin(x).sum()))
    assert 1e-16 < noise[0] < 2e-15


@pytest.mark.parametrize("size", [1e-12, 1e-9, 1e-6])
def test_known_noise_is_found(size: float) -> None:
    """Noise that was put in is found within a factor of five."""
    noise = noise_of(Counted(lambda x: np.sin(x).sum() + jitter(x[0], size)))
    assert size / 5 < noise[0] < size * 5


def test_float32_inside_is_found() -> None:
    """A value rounded to float32 looks constant nearby; wider spacings see its noise."""
    noise = noise_of(Counted(lambda x: np.float32(np.sin(x).sum())))
    assert 1e-9 < noise[0] < 1e-6


def test_each_output_has_its_own_noise() -> None:
    """One noisy output does not spoil the others."""
    noise = noise_of(Counted(lambda x: [x.sum(), x.sum() + jitter(x[0], 1e-6)]))
    assert noise[0] < 1e-14
    assert noise[1] > 1e-7


def test_what_differs_between_two_evaluations_is_noise() -> None:
    """A function that is not repeatable is noisy by twice what it differs."""
    base, repeat = np.array([0.9]), np.array([0.9 + 1e-8])
    noise = estimate_noise(
        Counted(lambda x: x.sum()),
        POINT,
        base=base,
        repeat=repeat,
        direction=np.ones(2),
    )
    assert noise[0] == pytest.approx(2e-8)


def test_jump_at_the_point_is_not_noise() -> None:
    """A threshold exactly at the point leaves one side clean, so it is no noise."""
    noise = noise_of(Counted(lambda x: float(x[0] >= 1.3)))
    assert noise[0] < 1e-15


def test_kink_at_the_point_is_not_noise() -> None:
    """The corner of an absolute value is no noise either."""
    noise = noise_of(Counted(lambda x: np.abs(x).sum() + 5), np.zeros(2))
    assert noise[0] < 1e-14


@pytest.mark.parametrize("size", [1e-300, 1e300])
def test_noise_of_extreme_values_neither_overflows_nor_vanishes(size: float) -> None:
    """Squares of the differences are taken in units of the values."""
    noise = noise_of(Counted(lambda x: size * np.sin(x).sum()))
    assert size * 1e-17 < noise[0] < size * 1e-14


def test_undefined_neighbourhood_leaves_the_rounding() -> None:
    """Where no point around has a value the noise is the rounding of the one that has."""
    noise = noise_of(Counted(lambda x: 3.0 if x[0] == 1.3 else np.nan))
    assert noise[0] == pytest.approx(3 * 2.2e-16, rel=0.1)


def test_smooth_function_costs_twelve_evaluations() -> None:
    """Six at the narrowest spacing, and six at a wide one that would show jumps."""
    function = Counted(lambda x: np.sin(x).sum())
    noise_of(function)
    assert function.calls == 2 + 12


def test_point_is_left_as_it_is() -> None:
    """The point is not written to."""
    point = POINT.copy()
    point.flags.writeable = False
    noise_of(Counted(lambda x: x.sum()), point)
    assert (point == POINT).all()


EVEN = 1.0 + 2.0**-27 * np.arange(7) + 2.0**-50 * np.arange(7) ** 2


@pytest.mark.parametrize(
    ("values", "even"),
    [
        (EVEN, True),
        (2.0**-600 * EVEN, True),
        (np.ones(7), False),
        (np.where(np.arange(7) < 2, EVEN[1], EVEN), False),
        (EVEN + 1e-14 * (np.arange(7) == 4), False),
        (np.where(np.arange(7) == 0, np.nan, EVEN), False),
    ],
)
def test_values_are_even_where_they_move_and_show_no_noise(values: Floats, *, even: bool) -> None:
    """What stands still, or jumps, may be noisy further away."""
    assert are_even(values[:, None]).tolist() == [even]
