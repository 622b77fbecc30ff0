"""Noise: how much of a value is rounding, quadrature or stopped iterations."""

# MERGED Noise of groups: what one coordinate makes of the values is not laid on others.

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pytest_gradcheck.numerics.noise import are_smooth, estimate_noise, noise_groups
from pytest_gradcheck.numerics.random_directions import signed_direction
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
    assert are_smooth(values[:, None]).tolist() == [even]


GROUPED_POINT = np.linspace(0.3, 1.4, 12)


def noise_by_coordinate(
    function: Callable[[Floats], Any], segments: list[tuple[int, int]]
) -> tuple[Floats, int]:
    """Return the noise of each coordinate's group, and how many evaluations that cost."""
    counted = Counted(function)
    base = counted.at(GROUPED_POINT)
    direction = signed_direction(GROUPED_POINT, np.random.default_rng(0))
    noise = estimate_noise(counted, GROUPED_POINT, base=base, repeat=base, direction=direction)
    counted.calls = 0
    groups = noise_groups(
        counted,
        GROUPED_POINT,
        base=base,
        repeat=base,
        direction=direction,
        noise=noise,
        segments=segments,
    )
    result = np.full(GROUPED_POINT.size, noise[0])
    for group in groups:
        result[group.indices] = group.noise
    return result, counted.calls


def test_smooth_function_has_no_groups() -> None:
    """Where the noise is that of rounding nothing is looked at."""
    _, calls = noise_by_coordinate(lambda x: np.sin(x).sum(), [(0, 6), (6, 12)])
    assert calls == 0


def test_noise_of_one_segment_is_none_of_another() -> None:
    """Only the second of three parameters makes the values noisy."""
    noise, _ = noise_by_coordinate(
        lambda x: np.sin(x).sum() + jitter(x[5], 1e-6), [(0, 4), (4, 8), (8, 12)]
    )
    assert (noise[:4] < 1e-14).all()
    assert (noise[4:8] > 1e-7).all()
    assert (noise[8:] < 1e-14).all()


def test_one_noisy_segment_of_many_is_found_by_halving() -> None:
    """With more than eight segments those that share a half with a noisy one are told, too."""
    noise, _ = noise_by_coordinate(
        lambda x: np.sin(x).sum() + jitter(x[5], 1e-6), [(k, k + 1) for k in range(12)]
    )
    assert np.flatnonzero(noise > 1e-10).tolist() == [5]


def test_noise_of_all_segments_stays_that_of_all() -> None:
    """A function that is noisy by every coordinate has one noise."""
    noise, _ = noise_by_coordinate(
        lambda x: np.sin(x).sum() + jitter(x.sum(), 1e-6), [(0, 6), (6, 12)]
    )
    assert (noise > 1e-7).all()


@pytest.mark.parametrize("labels", [[2], [2, 7, 11]])
def test_coordinates_at_a_jump_are_told_from_their_neighbours(labels: list[int]) -> None:
    """Labels held as numbers stand among smooth coordinates of one parameter."""
    at = GROUPED_POINT[labels]

    def classified(x: Floats) -> Any:
        return np.sin(x).sum() + np.where(x[labels] == at, 1.0, 0.0).sum()

    noise, _ = noise_by_coordinate(classified, [(0, 12)])
    smooth = np.delete(noise, labels)
    assert (smooth < 1e-14).all()
    assert (noise[labels] > 0.1).all()
