"""Calibration of a screen: noise and sizes."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pytest_gradcheck.numerics.measurement import EPS
from pytest_gradcheck.numerics.screening.directional_derivative import DirectionProbe
from pytest_gradcheck.numerics.screening.noise_calibration import (
    calibrate_noise,
    calibrate_noise_widely,
    calibrate_sizes,
    noisy_coordinates,
)
from tests.numerics.functions import Counted, Floats, jitter
from tests.numerics.screening.builders import draw_direction, linear, probe_of

RNG = np.random.default_rng(1)
POINT, SLOPES = RNG.normal(size=40), RNG.normal(size=40)


def probe_of_unknown_noise(function: Callable[[Floats], Any]) -> tuple[DirectionProbe, Counted]:
    """Return the probe of a function whose noise is not known."""
    return probe_of(function, np.zeros((40, np.size(function(POINT)))), POINT, noise=0.0)


def test_noise_is_estimated_from_six_evaluations() -> None:
    """The estimate is right to a small factor."""
    probe, counted = probe_of_unknown_noise(lambda x: np.exp(x).sum() + jitter(x.sum(), 1e-9))
    known, _ = calibrate_noise(probe, probe.function.base, 0)
    assert counted.calls == 6
    assert 1e-10 < known.function.noise[0] < 4e-9
    assert (known.function.point == POINT).all()
    assert known.directions == probe.directions


def test_wider_spacings_follow_where_values_do_not_change() -> None:
    """Close values of a function in float32 are equal, and show no noise."""
    probe, counted = probe_of_unknown_noise(lambda x: np.round(np.exp(x).sum(), 4))
    known, _ = calibrate_noise(probe, probe.function.base, 0)
    assert 6 < counted.calls <= 6 + 32
    assert 1e-5 < known.function.noise[0] < 1e-3


def test_values_that_are_rounded_alike_have_the_noise_of_rounding() -> None:
    """They all change, and evenly: no wider spacing follows."""
    along = 3e-8 * draw_direction(probe_of(linear(SLOPES), SLOPES, POINT)[0], 0) @ SLOPES
    probe, counted = probe_of_unknown_noise(
        lambda x: 2.0**12 + np.round((x - POINT) @ SLOPES / along) * 2.0**-25
    )
    base = probe.function.base
    known, _ = calibrate_noise(probe, base, 0)
    assert counted.calls == 6
    assert known.function.noise == pytest.approx(EPS * base)


@pytest.mark.parametrize(
    "calibrate", [lambda p, r: calibrate_noise(p, r, 0)[0], calibrate_noise_widely]
)
def test_noise_is_at_least_the_difference_of_repeated_evaluations(
    calibrate: Callable[[DirectionProbe, Floats], DirectionProbe],
) -> None:
    """It is at least the rounding of outputs, too."""
    probe, _ = probe_of_unknown_noise(lambda x: np.exp(x).sum() + jitter(x.sum(), 1e-9))
    base = probe.function.base
    assert calibrate(probe, base + 1e-3).function.noise == pytest.approx([2e-3], rel=1e-9)
    offset, _ = probe_of_unknown_noise(lambda x: 1e9 + 0 * x.sum())
    assert calibrate(offset, offset.function.base).function.noise == pytest.approx([1e9 * EPS])


def test_each_output_has_its_own_noise() -> None:
    """A quiet output stays quiet beside a noisy one."""
    probe, _ = probe_of_unknown_noise(
        lambda x: [np.exp(x).sum() + jitter(x.sum(), size) for size in (1e-6, 1e-11)]
    )
    noise = calibrate_noise(probe, probe.function.base, 0)[0].function.noise
    assert noise == pytest.approx([1e-6, 1e-11], rel=0.9)


def test_wide_calibration_only_raises_the_noise() -> None:
    """Noise that is known already is a lower bound."""
    probe, counted = probe_of(lambda x: np.exp(x).sum(), SLOPES, POINT, noise=1e-3)
    known = calibrate_noise_widely(probe, probe.function.base)
    assert known.function.noise.tolist() == [1e-3]
    assert 0 < counted.calls <= 32
    quiet = replace(probe, function=replace(probe.function, noise=np.zeros(1)))
    assert calibrate_noise_widely(quiet, quiet.function.base).function.noise < 1e-12


def test_noise_is_estimated_at_the_edge_of_the_domain() -> None:
    """Half of the coordinates are at an edge that forward must not cross."""
    point = np.where(np.arange(40) < 20, 0.0, np.abs(POINT))
    probe, _ = probe_of(lambda x: np.sqrt(x).sum(), SLOPES, point, noise=0.0)
    noise = calibrate_noise(probe, probe.function.base, 0)[0].function.noise
    assert 0 < noise[0] < 1e-12


def test_sizes_are_changes_along_a_direction() -> None:
    """One evaluation at a tenth of the direction shows them."""
    probe, counted = probe_of(linear(SLOPES), SLOPES, POINT)
    known = calibrate_sizes(probe, 2)
    assert counted.calls == 1
    change = abs(draw_direction(probe, 2) @ SLOPES)
    assert known.function.sizes == pytest.approx([0.1 * change])
    assert (known.function.point == POINT).all()
    assert known.function.noise is probe.function.noise


def test_wider_spacings_follow_where_one_output_does_not_change() -> None:
    """All outputs are measured there."""
    probe, counted = probe_of_unknown_noise(
        lambda x: [np.exp(x).sum() + jitter(x.sum(), 1e-9), np.round(np.exp(x).sum(), 4)]
    )
    noise = calibrate_noise(probe, probe.function.base, 0)[0].function.noise
    assert counted.calls > 6
    assert 1e-10 < noise[0] < 4e-9
    assert 1e-5 < noise[1] < 1e-3


def test_jump_on_one_side_is_no_noise() -> None:
    """The values on the other side show the noise."""
    probe, counted = probe_of_unknown_noise(
        lambda x: np.exp(x).sum() + 1.0 * bool(x[0] < POINT[0])
    )
    known, _ = calibrate_noise(probe, probe.function.base, 0)
    assert counted.calls <= 18
    assert known.function.noise[0] < 1e-12


def test_closer_spacings_follow_where_values_bend() -> None:
    """At the closer spacing only rounding is left of the bend."""
    probe, counted = probe_of(
        lambda x: np.sin(1e6 * (x - POINT)).sum() + 1.0, np.full(40, 1e6), POINT, noise=0.0
    )
    known, difference = calibrate_noise(probe, probe.function.base, 0)
    assert counted.calls <= 18
    assert known.function.noise[0] < 1e-14
    assert np.abs(difference.residual) <= difference.noise
    assert difference.noise < 1e-4 * np.abs(difference.claimed)


def test_oscillation_is_no_noise() -> None:
    """Closer values are smooth, and the bend grows steadily with the distance."""
    probe, counted = probe_of_unknown_noise(
        lambda x: np.sin(1e9 * (x[:1] - POINT[:1])).sum() + 1.0
    )
    known, _ = calibrate_noise(probe, probe.function.base, 0)
    assert counted.calls <= 60
    assert known.function.noise[0] < 1e-6


def test_noise_from_jumps_is_noise() -> None:
    """Between the jumps values are smooth, as those of a solver are."""
    probe, _ = probe_of_unknown_noise(lambda x: np.exp(x).sum() + 1e-9 * (x.sum() // 1e-9 % 7))
    known, _ = calibrate_noise(probe, probe.function.base, 0)
    assert known.function.noise[0] > 1e-10


def test_calibration_gives_a_derivative_along_the_direction() -> None:
    """It comes with the claimed one, without further evaluations."""
    probe, counted = probe_of(lambda x: np.exp(x).sum(), 2 * np.exp(POINT), POINT)
    _, difference = calibrate_noise(probe, probe.function.base, 0)
    true = float(draw_direction(probe, 0) @ np.exp(POINT))
    assert counted.calls == 6
    assert difference.claimed == pytest.approx([2 * true], rel=1e-6)
    assert np.abs(difference.measured - true) <= difference.noise


def function_with_labels(x: Floats) -> Any:
    """Depend on the last ten coordinates only by whether they keep their values."""
    return np.exp(x[:30]).sum() + (x[30:] == POINT[30:]).sum()


def test_coordinates_that_make_outputs_jump_are_noisy() -> None:
    """They may be a few of a segment."""
    for shapes in ([(30,), (10,)], [(40,)]):
        probe, counted = probe_of(function_with_labels, np.zeros(40), POINT, shapes, noise=1.0)
        noisy = noisy_coordinates(probe, probe.function.base, 1000)
        assert noisy.tolist() == list(range(30, 40))
        assert counted.calls <= 300


def test_no_coordinates_are_noisy_where_noise_is_small_or_everywhere() -> None:
    """Small noise costs no evaluation."""
    quiet, counted = probe_of(function_with_labels, np.zeros(40), POINT, noise=1e-9)
    assert not noisy_coordinates(quiet, quiet.function.base, 1000).size
    assert counted.calls == 0
    noisy, _ = probe_of(lambda x: jitter(x.sum(), 1.0) + 1.0, np.zeros(40), POINT, noise=1.0)
    assert not noisy_coordinates(noisy, noisy.function.base, 1000).size
