"""What a screen needs to know before it looks: noise, natural sizes, how far to move what.

It must not look at claims along any direction.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from pytest_gradcheck.numerics.directions import defined_direction
from pytest_gradcheck.numerics.measurement import Evaluate, Floats
from pytest_gradcheck.numerics.noise import (
    WIDE,
    are_even,
    estimate_noise,
    least_noise,
    read_noise,
)
from pytest_gradcheck.numerics.screening.places import whole
from pytest_gradcheck.numerics.screening.projecting import Projector
from pytest_gradcheck.numerics.size import AWAY, sizes_of

__all__ = ["Tally", "know_noise", "know_noise_widely", "know_sizes"]

#: Relative spacing of the seven values that show the noise.
SPACING = 3e-8


@dataclass(slots=True)
class Tally:
    """Counts evaluations of a function."""

    function: Evaluate
    calls: int = 0

    def __call__(self, points: Iterable[Floats]) -> Floats:
        """Evaluate."""
        outputs = self.function(points)
        self.calls += len(outputs)
        return outputs


def know_noise(projector: Projector, repeat: Floats, which: int) -> Projector:
    """Read the noise from seven values close together, six evaluations.

    Parameters
    ----------
    projector : Projector
        Of a function whose noise is not known.
    repeat : ndarray, shape (m,)
        Another evaluation at the point.
    which : int
        The direction to look along.

    Returns
    -------
    Projector
        The same, knowing it; where the seven values do not tell, by `know_noise_widely`.
    """
    base = projector.function.base
    steps = [SPACING * k for k in (1, 2, 3)]
    around = projector.values(which, whole(projector.weights.segments), steps)
    with np.errstate(all="ignore"):
        values = np.insert(around, 3, base, axis=0)
        sigma, found = read_noise(values)
        found |= are_even(values)
    if not found.all():
        return know_noise_widely(projector, repeat)
    return _knowing(projector, np.maximum(sigma, least_noise(base, repeat)))


def know_noise_widely(projector: Projector, repeat: Floats) -> Projector:
    """Estimate the noise from values ever further apart, 32 evaluations at most.

    Parameters
    ----------
    projector : Projector
        Of a function of whose noise nothing or too little is known.
    repeat : ndarray, shape (m,)
        Another evaluation at the point.

    Returns
    -------
    Projector
        The same, knowing it; never less than before.
    """
    function = projector.function
    direction = defined_direction(
        function.evaluate,
        function.point,
        scale=function.scales.own(slice(None)),
        reach=3 * WIDE,
        rng=np.random.default_rng(projector.weights.seed),
    )
    noise = estimate_noise(
        function.evaluate, function.point, base=function.base, repeat=repeat, direction=direction
    )
    return _knowing(projector, np.maximum(noise, function.noise))


def know_sizes(projector: Projector, which: int) -> Projector:
    """Look by how much outputs vary, one evaluation.

    Parameters
    ----------
    projector : Projector
        Of a function about whose sizes there is only a guess.
    which : int
        The direction to look along.

    Returns
    -------
    Projector
        The same, knowing them, see `output_sizes`.
    """
    function = projector.function
    (away,) = projector.at(which, whole(projector.weights.segments), np.array([AWAY]))
    sizes = sizes_of(away, function.base, function.noise)
    return replace(projector, function=replace(function, sizes=sizes))


def _knowing(projector: Projector, noise: Floats) -> Projector:
    return replace(projector, function=replace(projector.function, noise=noise))
