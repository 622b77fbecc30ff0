"""The full check: scales, noise and sizes of a function, then its derivatives.

Derivatives are measured with respect to every coordinate (`CoordinateSweep`), or along one
direction by Richardson extrapolation. Coordinates with a noise of their own are swept by
themselves.

It does not judge a claim.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pytest_gradcheck.numerics.central_difference import fixed_step_differences
from pytest_gradcheck.numerics.coordinate_scales import Scales
from pytest_gradcheck.numerics.coordinatewise.coordinate_sweep import (
    CoordinateSweep,
    sweep_coordinates,
)
from pytest_gradcheck.numerics.coordinatewise.piecewise_constant import PlateauDetector
from pytest_gradcheck.numerics.function import Claims, Function
from pytest_gradcheck.numerics.least_squares import verify_noisy_arrays
from pytest_gradcheck.numerics.line_restriction import DirectionLine
from pytest_gradcheck.numerics.measurement import Evaluate, Floats, Measurement
from pytest_gradcheck.numerics.noise import WIDE_SPACING, estimate_noise, noise_groups
from pytest_gradcheck.numerics.output_magnitude import consistent_sizes, output_sizes
from pytest_gradcheck.numerics.random_directions import defined_direction, seeded_generator
from pytest_gradcheck.numerics.richardson import extrapolate

__all__ = ["DerivativeTask", "FullMeasurement", "measure_every_coordinate"]

#: The scale of the single coordinate along a direction, in units of the direction.
DIRECTION_SCALES = Scales.of(np.ones(1), [(0, 1)])


@dataclass(frozen=True, slots=True, kw_only=True)
class DerivativeTask:
    """A function, its point, and the claims about its derivatives.

    Attributes
    ----------
    evaluate : callable
        ``evaluate(points) -> outputs, shape (k, m)``, see `Evaluate`.
    point : ndarray, shape (n,)
        Changed in place while measuring, and restored.
    here : ndarray, shape (n,)
        A copy of it that does not change.
    segments : sequence of (start, stop)
        Coordinates that belong together, those of one array each.
    base, repeat : ndarray, shape (m,)
        Two evaluations at the point.
    claims : Claims
        Claimed derivatives.
    tangent : ndarray, shape (n,), or None
        The direction to measure along, instead of all coordinates.
    claimed_slopes : callable, optional
        Claims at other points, see `Function`.
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
    """Measured derivatives, and the sizes that they are compared with.

    Attributes
    ----------
    found : Measurement
        Derivatives with their bounds; of a single coordinate along a tangent.
    sizes : ndarray, shape (m,)
        By how much the outputs vary.
    scales : Scales
        The natural step of each coordinate.
    """

    found: Measurement
    sizes: Floats
    scales: Scales

    def natural(self, start: int, stop: int) -> Floats:
        """Return sizes of outputs over scales: the reference for a derivative that vanishes.

        A larger slope to any step replaces it: the function may vary over a length shorter
        than the scale. The shape is (stop - start, m).
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
    task: DerivativeTask, *, agreement: float, step: float | None, seed: int
) -> FullMeasurement:
    """Measure the derivatives that are claimed.

    Parameters
    ----------
    task : DerivativeTask
        The function, the point and the claims.
    agreement : float
        Relative difference at which claim and measurement agree.
    step : float or None
        A fixed absolute step, see `fixed_step_differences`.
    seed : int
        Draws the directions in which noise and sizes are estimated.

    Returns
    -------
    FullMeasurement
        Derivatives, and sizes to compare them with.
    """
    rng = seeded_generator(seed)
    evaluate, point, base = task.evaluate, task.point, task.base
    scales = Scales.of(point, task.segments)
    own = scales.own(slice(None))
    direction = defined_direction(evaluate, point, scale=own, reach=3 * WIDE_SPACING, rng=rng)
    noise = estimate_noise(evaluate, point, base=base, repeat=task.repeat, direction=direction)
    groups = noise_groups(
        evaluate,
        point,
        base=base,
        repeat=task.repeat,
        direction=direction,
        noise=noise,
        segments=task.segments,
    )
    # The function may vary over a length of 1 in a coordinate of 1e-200.
    direction *= scales.meaningful(slice(None), own) / own
    sizes = output_sizes(evaluate, point, base=base, noise=noise, direction=direction)
    del direction, own  # vectors of the point's size, not needed in the sweep
    function = Function(
        evaluate, point, base, noise, sizes, scales, claimed_slopes=task.claimed_slopes
    )
    if task.tangent is not None:
        line = DirectionLine(evaluate, point, task.tangent)
        return FullMeasurement(
            _measure_along(line, function, task.claims, agreement, rng), sizes, DIRECTION_SCALES
        )
    if not groups:
        found = CoordinateSweep(function, task.claims.rows, agreement, rng).measure()
    else:
        found = Measurement.blank(point.size, base.size)
        for group in groups:
            part = sweep_coordinates(
                replace(function, noise=group.noise),
                task.claims,
                group.indices,
                agreement=agreement,
                rng=rng,
            )
            found.assign(group.indices, part)
    if step is not None:
        found = fixed_step_differences(function, found, step)
    return FullMeasurement(
        found, consistent_sizes(sizes, found, scales.meaningful(slice(None))), scales
    )


def _measure_along(
    line: DirectionLine,
    function: Function,
    claims: Claims,
    agreement: float,
    rng: np.random.Generator,
) -> Measurement:
    """Measure the derivative along one direction by extrapolation."""
    measured = extrapolate(line, function.base, function.noise)
    found = measured.as_measurement()

    def evaluate(steps: Iterable[Floats]) -> Floats:
        return line.at(np.array([float(step[0]) for step in steps]))[1]

    restricted = replace(function, evaluate=evaluate, point=np.zeros(1), scales=DIRECTION_SCALES)
    plateaus = PlateauDetector(restricted, claims.rows, rng)
    plateaus.record(0, claims.rows(0, 1)[0], measured, line.unit, found)
    verify_noisy_arrays(restricted, claims.rows, found, agreement=agreement, rng=rng)
    return found
