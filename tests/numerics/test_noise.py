"""The noise of a function, and groups of coordinates with a noise of their own."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
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
    """Noise of a known size is estimated within a factor of five."""
    noise = noise_of(Counted(lambda x: np.sin(x).sum() + jitter(x[0], size)))
    assert size / 5 < noise[0] < size * 5


def test_float32_inside_is_found() -> None:
    """A value rounded to float32 looks constant nearby; wider spacings show its noise."""
    noise = noise_of(Counted(lambda x: np.float32(np.sin(x).sum())))
    assert 1e-9 < noise[0] < 1e-6


@pytest.mark.parametrize("size", [10, 30])
def test_rounding_of_some_coordinates_is_found_beside_smooth_ones(size: int) -> None:
    """Close to the point it does not show, and at a wide spacing it may look like anything."""
    for seed in range(100):
        rng = np.random.default_rng(seed)
        point, slopes = rng.normal(size=size + 1), rng.normal(size=size)

        def rounded(x: Floats, slopes: Floats = slopes) -> Any:
            return np.sin(x[0]) + slopes @ x[1:].astype(np.float32).astype(float)

        function = Counted(rounded)
        base = function.at(point)
        direction = signed_direction(np.abs(point), rng)
        noise = estimate_noise(function, point, base=base, repeat=base, direction=direction)
        roundings = slopes * np.spacing(np.abs(point[1:]).astype(np.float32))
        rounding = np.sqrt(np.sum(roundings**2) / 12)
        assert rounding / 100 < noise[0] < rounding * 10


def test_kinks_close_to_the_point_are_not_noise() -> None:
    """Values at a wide spacing are not smooth there, but closer ones are ever smoother."""
    point = np.array([1.0, 1.0])
    for seed in range(20):
        distances = np.random.default_rng(seed).uniform(1e-6, 1e-4, 2)
        kinked = partial(lambda distances, x: np.abs(x - 1 - distances).sum() + x[0], distances)
        noise = noise_of(Counted(kinked), point)
        assert noise[0] < 1e-14


def test_each_output_has_its_own_noise() -> None:
    """A noisy output does not affect the others."""
    noise = noise_of(Counted(lambda x: [x.sum(), x.sum() + jitter(x[0], 1e-6)]))
    assert noise[0] < 1e-14
    assert noise[1] > 1e-7


def test_difference_of_two_evaluations_is_noise() -> None:
    """The noise of a function that is not repeatable is twice the difference."""
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
    """A threshold exactly at the point leaves one side straight, so it is not noise."""
    noise = noise_of(Counted(lambda x: float(x[0] >= 1.3)))
    assert noise[0] < 1e-15


def test_kink_at_the_point_is_not_noise() -> None:
    """Nor is the corner of an absolute value."""
    noise = noise_of(Counted(lambda x: np.abs(x).sum() + 5), np.zeros(2))
    assert noise[0] < 1e-14


@pytest.mark.parametrize("size", [1e-300, 1e300])
def test_noise_of_extreme_values_neither_overflows_nor_vanishes(size: float) -> None:
    """Differences are squared in units of the values."""
    noise = noise_of(Counted(lambda x: size * np.sin(x).sum()))
    assert size * 1e-17 < noise[0] < size * 1e-14


def test_undefined_neighbourhood_leaves_the_rounding() -> None:
    """Where the function is undefined around the point, the noise is its rounding."""
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


SMOOTH = 1.0 + 2.0**-27 * np.arange(7) + 2.0**-50 * np.arange(7) ** 2


@pytest.mark.parametrize(
    ("values", "smooth"),
    [
        (SMOOTH, True),
        (2.0**-600 * SMOOTH, True),
        (np.ones(7), False),
        (np.where(np.arange(7) < 2, SMOOTH[1], SMOOTH), False),
        (SMOOTH + 1e-14 * (np.arange(7) == 4), False),
        (np.where(np.arange(7) == 0, np.nan, SMOOTH), False),
    ],
)
def test_values_are_smooth_where_all_change_without_noise(values: Floats, *, smooth: bool) -> None:
    """Values that are unchanged, or jump, may be noisy further away."""
    assert are_smooth(values[:, None]).tolist() == [smooth]


GROUPED_POINT = np.linspace(0.3, 1.4, 12)


def noise_by_coordinate(
    function: Callable[[Floats], Any], segments: list[tuple[int, int]]
) -> tuple[Floats, int]:
    """Return the noise of each coordinate's group, and the number of evaluations."""
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
    """Where the noise is that of rounding nothing is evaluated."""
    _, calls = noise_by_coordinate(lambda x: np.sin(x).sum(), [(0, 6), (6, 12)])
    assert calls == 0


def test_noise_of_one_segment_is_not_that_of_another() -> None:
    """Only the second of three parameters makes the values noisy."""
    noise, _ = noise_by_coordinate(
        lambda x: np.sin(x).sum() + jitter(x[5], 1e-6), [(0, 4), (4, 8), (8, 12)]
    )
    assert (noise[:4] < 1e-14).all()
    assert (noise[4:8] > 1e-7).all()
    assert (noise[8:] < 1e-14).all()


def test_one_noisy_segment_of_many_is_found_by_bisection() -> None:
    """With more than eight segments, those in the same half as the noisy one are quiet, too."""
    noise, _ = noise_by_coordinate(
        lambda x: np.sin(x).sum() + jitter(x[5], 1e-6), [(k, k + 1) for k in range(12)]
    )
    assert np.flatnonzero(noise > 1e-10).tolist() == [5]


def test_noise_of_all_segments_stays_that_of_all() -> None:
    """A function that is noisy along every coordinate has one noise."""
    noise, _ = noise_by_coordinate(
        lambda x: np.sin(x).sum() + jitter(x.sum(), 1e-6), [(0, 6), (6, 12)]
    )
    assert (noise > 1e-7).all()


@pytest.mark.parametrize("labels", [[2], [2, 7, 11]])
def test_coordinates_at_a_jump_are_separated_from_their_neighbours(labels: list[int]) -> None:
    """Labels held as numbers are among the smooth coordinates of one parameter."""
    at = GROUPED_POINT[labels]

    def classified(x: Floats) -> Any:
        return np.sin(x).sum() + np.where(x[labels] == at, 1.0, 0.0).sum()

    noise, _ = noise_by_coordinate(classified, [(0, 12)])
    smooth = np.delete(noise, labels)
    assert (smooth < 1e-14).all()
    assert (noise[labels] > 0.1).all()
