"""Noise of groups: what one coordinate makes of the values is not laid on others."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pytest_gradcheck.numerics.directions import signed_direction
from pytest_gradcheck.numerics.noise import estimate_noise
from pytest_gradcheck.numerics.noise_groups import noise_groups
from tests.numerics.functions import Counted, Floats, jitter

POINT = np.linspace(0.3, 1.4, 12)


def noise_by_coordinate(
    function: Callable[[Floats], Any], segments: list[tuple[int, int]]
) -> tuple[Floats, int]:
    """Return the noise of each coordinate's group, and how many evaluations that cost."""
    counted = Counted(function)
    base = counted.at(POINT)
    direction = signed_direction(POINT, np.random.default_rng(0))
    noise = estimate_noise(counted, POINT, base=base, repeat=base, direction=direction)
    counted.calls = 0
    groups = noise_groups(
        counted,
        POINT,
        base=base,
        repeat=base,
        direction=direction,
        noise=noise,
        segments=segments,
    )
    result = np.full(POINT.size, noise[0])
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
    at = POINT[labels]

    def classified(x: Floats) -> Any:
        return np.sin(x).sum() + np.where(x[labels] == at, 1.0, 0.0).sum()

    noise, _ = noise_by_coordinate(classified, [(0, 12)])
    smooth = np.delete(noise, labels)
    assert (smooth < 1e-14).all()
    assert (noise[labels] > 0.1).all()
