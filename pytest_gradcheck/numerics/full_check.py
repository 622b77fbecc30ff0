"""Measuring everything about a claim: scales, noise, derivatives, and what small means.

It must not judge; it puts the steps of a measurement in their order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pytest_gradcheck.numerics.central_difference import fixed_step_differences
from pytest_gradcheck.numerics.coordinate_sweep import CoordinateSweep, sweep_coordinates
from pytest_gradcheck.numerics.function import Claims, Function
from pytest_gradcheck.numerics.least_squares import verify_noisy_arrays
from pytest_gradcheck.numerics.line_restriction import DirectionLine
from pytest_gradcheck.numerics.measurement import Evaluate, Floats, Measurement
from pytest_gradcheck.numerics.noise import WIDE_SPACING, estimate_noise, noise_groups
from pytest_gradcheck.numerics.output_magnitude import consistent_sizes, output_sizes
from pytest_gradcheck.numerics.piecewise_constant import PlateauDetector
from pytest_gradcheck.numerics.random_directions import defined_direction, seeded_generator
from pytest_gradcheck.numerics.richardson import extrapolate
from pytest_gradcheck.numerics.step_size import Scales

__all__ = ["DerivativeTask", "FullMeasurement", "measure_every_coordinate"]

#: Along a direction there is one coordinate, in units of it.
ALONG = Scales.of(np.ones(1), [(0, 1)])


@dataclass(frozen=True, slots=True, kw_only=True)
class DerivativeTask:
    """What is to be measured.

    Attributes
    ----------
    evaluate : callable
        ``evaluate(points) -> outputs, shape (k, m)``, see `Evaluate`.
    point : ndarray, shape (n,)
        Changed in place while measuring, and put back.
    here : ndarray, shape (n,)
        A copy of it that stays.
    segments : sequence of (start, stop)
        Coordinates that belong together.
    base, repeat : ndarray, shape (m,)
        Two evaluations at the point.
    claims : Claims
        Claimed derivatives.
    tangent : ndarray, shape (n,), or None
        The one direction to measure along, instead of all coordinates.
    claimed_slopes : callable, optional
        What is claimed elsewhere, see `Function`.
    """

    evaluate: Evaluate
    point: Floats
    here: Floats
    segments: Sequence[tuple[int, int]]
    base: Floats
    repeat: Floats
    claims: Claims
    tangent: Floats | None
    claimed_slopes: Callable[[Floats, Floats], Floats | None] | None = None


@dataclass(frozen=True, slots=True)
class FullMeasurement:
    """What was found.

    Attributes
    ----------
    found : Measurement
        Derivatives with their bounds; along a tangent, of one coordinate.
    sizes : ndarray, shape (m,)
        How large the outputs are.
    scales : Scales
        Natural step of each coordinate.
    """

    found: Measurement
    sizes: Floats
    scales: Scales

    def natural(self, start: int, stop: int) -> Floats:
        """Return outputs over scales, what a vanishing derivative is small against.

        Where steeper slopes were seen they are it: the scale may be no measure of the length
        on which the function varies.
        """
        scale = self.scales.meaningful(slice(start, stop))
        with np.errstate(over="ignore"):
            natural = np.asarray(self.sizes / scale[:, None])
        for (coordinate, output), slope in self.found.steepest.items():
            if start <= coordinate < stop:
                row = coordinate - start
                natural[row, output] = max(natural[row, output], slope)
        return natural


def measure_every_coordinate(
    question: DerivativeTask, *, agreement: float, step: float | None, seed: int
) -> FullMeasurement:
    """Measure the derivatives that are claimed.

    Parameters
    ----------
    question : DerivativeTask
        The function, the point and the claims.
    agreement : float
        Relative difference at which claim and measurement agree.
    step : float or None
        A fixed absolute step for the values, see `fixed_step_differences`.
    seed : int
        Draws the directions in which noise and sizes are looked at.

    Returns
    -------
    FullMeasurement
        Derivatives, and what they are large or small against.
    """
    rng = seeded_generator(seed)
    evaluate, point, base = question.evaluate, question.point, question.base
    scales = Scales.of(point, question.segments)
    own = scales.own(slice(None))
    direction = defined_direction(evaluate, point, scale=own, reach=3 * WIDE_SPACING, rng=rng)
    noise = estimate_noise(evaluate, point, base=base, repeat=question.repeat, direction=direction)
    groups = noise_groups(
        evaluate,
        point,
        base=base,
        repeat=question.repeat,
        direction=direction,
        noise=noise,
        segments=question.segments,
    )
    # Where a coordinate is 1e-200, forward may yet vary on a scale of 1.
    direction *= scales.meaningful(slice(None), own) / own
    sizes = output_sizes(evaluate, point, base=base, noise=noise, direction=direction)
    del direction, own  # vectors of the point's size, not to be held during the sweep
    function = Function(
        evaluate, point, base, noise, sizes, scales, claimed_slopes=question.claimed_slopes
    )
    if question.tangent is not None:
        line = DirectionLine(evaluate, point, question.tangent)
        return FullMeasurement(
            _climbed(line, function, question.claims, agreement, rng), sizes, ALONG
        )
    if not groups:
        found = CoordinateSweep(function, question.claims.rows, agreement, rng).measure()
    else:
        found = Measurement.blank(point.size, base.size)
        for group in groups:
            quiet = replace(function, noise=group.noise)
            part = sweep_coordinates(
                quiet, question.claims, group.indices, agreement=agreement, rng=rng
            )
            found.assign(group.indices, part)
    if step is not None:
        found = fixed_step_differences(function, found, step)
    return FullMeasurement(
        found, consistent_sizes(sizes, found, scales.meaningful(slice(None))), scales
    )


def _climbed(
    line: DirectionLine,
    function: Function,
    claims: Claims,
    agreement: float,
    rng: np.random.Generator,
) -> Measurement:
    """Measure the derivative along one direction, by a ladder."""
    measured = extrapolate(line, function.base, function.noise)
    found = measured.as_measurement()

    def at(steps: Iterable[Floats]) -> Floats:
        return line.at(np.array([float(step[0]) for step in steps]))[1]

    only = replace(function, evaluate=at, point=np.zeros(1), scales=ALONG)
    levels = PlateauDetector(only, claims.rows, rng)
    levels.record(0, claims.rows(0, 1)[0], measured, line.unit, found)
    verify_noisy_arrays(only, claims.rows, found, agreement=agreement, rng=rng)
    return found
