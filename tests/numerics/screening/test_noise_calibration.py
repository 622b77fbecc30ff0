"""Noise and sizes, before anything is looked at."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pytest_gradcheck.numerics.measurement import EPS
from pytest_gradcheck.numerics.screening.directional_derivative import DirectionProbe
from pytest_gradcheck.numerics.screening.noise_calibration import (
    EvaluationCounter,
    calibrate_noise,
    calibrate_noise_widely,
    calibrate_sizes,
    noisy_coordinates,
)
from tests.numerics.functions import Counted, Floats, jitter
from tests.numerics.screening.builders import direction_of, linear, projector_of

RNG = np.random.default_rng(1)
POINT, SLOPES = RNG.normal(size=40), RNG.normal(size=40)


def unknown(function: Callable[[Floats], Any]) -> tuple[DirectionProbe, Counted]:
    """Return the probe of a function whose noise is not known."""
    return projector_of(function, np.zeros((40, np.size(function(POINT)))), POINT, noise=0.0)


def test_tally_counts_and_passes_on() -> None:
    """Every evaluation."""
    tally = EvaluationCounter(Counted(lambda point: 2 * point))
    assert [tally([np.array([k])] * 2).tolist() for k in (1.0, 3.0)] == [[[2.0]] * 2, [[6.0]] * 2]
    assert tally.calls == 4


def test_noise_is_read_from_six_evaluations() -> None:
    """It is as large as it is, by a factor of a few."""
    probe, counted = unknown(lambda x: np.exp(x).sum() + jitter(x.sum(), 1e-9))
    known, _ = calibrate_noise(probe, probe.function.base, 0)
    assert counted.calls == 6
    assert 1e-10 < known.function.noise[0] < 4e-9
    assert (known.function.point == POINT).all()
    assert known.directions == probe.directions


def test_noise_that_does_not_show_close_by_is_looked_for_further_away() -> None:
    """Values that stand still there, as those of float32 do, tell nothing."""
    probe, counted = unknown(lambda x: np.round(np.exp(x).sum(), 4))
    known, _ = calibrate_noise(probe, probe.function.base, 0)
    assert 6 < counted.calls <= 6 + 32
    assert 1e-5 < known.function.noise[0] < 1e-3


def test_values_that_are_rounded_alike_by_chance_have_the_noise_of_rounding() -> None:
    """They move, and evenly: nothing is looked for further away."""
    along = 3e-8 * direction_of(projector_of(linear(SLOPES), SLOPES, POINT)[0], 0) @ SLOPES
    probe, counted = unknown(lambda x: 2.0**12 + np.round((x - POINT) @ SLOPES / along) * 2.0**-25)
    base = probe.function.base
    known, _ = calibrate_noise(probe, base, 0)
    assert counted.calls == 6
    assert known.function.noise == pytest.approx(EPS * base)


@pytest.mark.parametrize(
    "know", [lambda p, r: calibrate_noise(p, r, 0)[0], calibrate_noise_widely]
)
def test_noise_is_no_less_than_what_evaluations_at_the_point_differ_by(
    know: Callable[[DirectionProbe, Floats], DirectionProbe],
) -> None:
    """Nor less than the rounding of outputs."""
    probe, _ = unknown(lambda x: np.exp(x).sum() + jitter(x.sum(), 1e-9))
    base = probe.function.base
    assert know(probe, base + 1e-3).function.noise == pytest.approx([2e-3], rel=1e-9)
    offset, _ = unknown(lambda x: 1e9 + 0 * x.sum())
    assert know(offset, offset.function.base).function.noise == pytest.approx([1e9 * EPS])


def test_noise_is_known_of_each_output() -> None:
    """One that is quiet is so beside one that is not."""
    probe, _ = unknown(
        lambda x: [np.exp(x).sum() + jitter(x.sum(), size) for size in (1e-6, 1e-11)]
    )
    noise = calibrate_noise(probe, probe.function.base, 0)[0].function.noise
    assert noise == pytest.approx([1e-6, 1e-11], rel=0.9)


def test_what_is_known_of_the_noise_is_not_forgotten() -> None:
    """A look further away may raise it."""
    probe, counted = projector_of(lambda x: np.exp(x).sum(), SLOPES, POINT, noise=1e-3)
    known = calibrate_noise_widely(probe, probe.function.base)
    assert known.function.noise.tolist() == [1e-3]
    assert 0 < counted.calls <= 32
    quiet = replace(probe, function=replace(probe.function, noise=np.zeros(1)))
    assert calibrate_noise_widely(quiet, quiet.function.base).function.noise < 1e-12


def test_direction_that_leaves_the_domain_is_no_obstacle() -> None:
    """Half of the coordinates are at an edge that forward must not cross."""
    point = np.where(np.arange(40) < 20, 0.0, np.abs(POINT))
    probe, _ = projector_of(lambda x: np.sqrt(x).sum(), SLOPES, point, noise=0.0)
    noise = calibrate_noise(probe, probe.function.base, 0)[0].function.noise
    assert 0 < noise[0] < 1e-12


def test_sizes_are_what_outputs_vary_by() -> None:
    """A tenth of the way along a direction, for one evaluation."""
    probe, counted = projector_of(linear(SLOPES), SLOPES, POINT)
    known = calibrate_sizes(probe, 2)
    assert counted.calls == 1
    change = abs(direction_of(probe, 2) @ SLOPES)
    assert known.function.sizes == pytest.approx([0.1 * change])
    assert (known.function.point == POINT).all()
    assert known.function.noise is probe.function.noise


def test_noise_must_show_in_every_output() -> None:
    """One that tells nothing is looked at further away, with all."""
    probe, counted = unknown(
        lambda x: [np.exp(x).sum() + jitter(x.sum(), 1e-9), np.round(np.exp(x).sum(), 4)]
    )
    noise = calibrate_noise(probe, probe.function.base, 0)[0].function.noise
    assert counted.calls > 6
    assert 1e-10 < noise[0] < 4e-9
    assert 1e-5 < noise[1] < 1e-3


def test_values_that_jump_on_one_side_are_no_noise() -> None:
    """Those on the other side tell."""
    probe, counted = unknown(lambda x: np.exp(x).sum() + 1.0 * bool(x[0] < POINT[0]))
    known, _ = calibrate_noise(probe, probe.function.base, 0)
    assert counted.calls <= 18
    assert known.function.noise[0] < 1e-12


def test_values_that_bend_too_much_are_looked_at_from_closer_by() -> None:
    """What is left of them there is no more than rounding."""
    probe, counted = projector_of(
        lambda x: np.sin(1e6 * (x - POINT)).sum() + 1.0, np.full(40, 1e6), POINT, noise=0.0
    )
    known, close = calibrate_noise(probe, probe.function.base, 0)
    assert counted.calls <= 18
    assert known.function.noise[0] < 1e-14
    assert np.abs(close.residual) <= close.noise
    assert close.noise < 1e-4 * np.abs(close.claimed)


def test_oscillation_is_no_noise_though_values_show_nothing_else() -> None:
    """From closer by it is smooth, and it bends more and more on the way."""
    probe, counted = unknown(lambda x: np.sin(1e9 * (x[:1] - POINT[:1])).sum() + 1.0)
    known, _ = calibrate_noise(probe, probe.function.base, 0)
    assert counted.calls <= 60
    assert known.function.noise[0] < 1e-6


def test_noise_that_comes_out_of_jumps_stays_noise() -> None:
    """Between them values are smooth, as those of a solver are."""
    probe, _ = unknown(lambda x: np.exp(x).sum() + 1e-9 * (x.sum() // 1e-9 % 7))
    known, _ = calibrate_noise(probe, probe.function.base, 0)
    assert known.function.noise[0] > 1e-10


def test_values_show_the_derivative_for_nothing() -> None:
    """And what is claimed of it."""
    probe, counted = projector_of(lambda x: np.exp(x).sum(), 2 * np.exp(POINT), POINT)
    _, close = calibrate_noise(probe, probe.function.base, 0)
    true = float(direction_of(probe, 0) @ np.exp(POINT))
    assert counted.calls == 6
    assert close.claimed == pytest.approx([2 * true], rel=1e-6)
    assert np.abs(close.measured - true) <= close.noise


def labelled(x: Floats) -> Any:
    """Depend on the last ten coordinates by whether they are what they are."""
    return np.exp(x[:30]).sum() + (x[30:] == POINT[30:]).sum()


def test_coordinates_that_make_outputs_jump_are_told_from_the_others() -> None:
    """However few of a segment they are."""
    for shapes in ([(30,), (10,)], [(40,)]):
        probe, counted = projector_of(labelled, np.zeros(40), POINT, shapes, noise=1.0)
        loud = noisy_coordinates(probe, probe.function.base, 1000)
        assert loud.tolist() == list(range(30, 40))
        assert counted.calls <= 300


def test_nothing_is_loud_where_noise_is_small_or_everywhere() -> None:
    """Nor is anything asked for where it is small."""
    quiet, counted = projector_of(labelled, np.zeros(40), POINT, noise=1e-9)
    assert not noisy_coordinates(quiet, quiet.function.base, 1000).size
    assert counted.calls == 0
    noisy, _ = projector_of(lambda x: jitter(x.sum(), 1.0) + 1.0, np.zeros(40), POINT, noise=1.0)
    assert not noisy_coordinates(noisy, noisy.function.base, 1000).size
