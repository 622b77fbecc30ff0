"""A perceptron as a function of one vector, which is what every tool takes.

It must not know any tool.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

import numpy as np

from tests.benchmarks.networks import perceptron
from tests.benchmarks.screening.mistakes import Gradient, Mistake

__all__ = ["SIZES", "Flat", "flat_perceptron"]

#: Layers of networks of about ten, a thousand, ten thousand and a million parameters.
SIZES = ((2, 2, 2), (20, 36, 6), (100, 80, 20), (784, 1000, 200, 10))


@dataclass(frozen=True)
class Flat:
    """A loss of one vector, its gradient, and a point.

    Attributes
    ----------
    forward : callable
        ``forward(x)`` gives the loss.
    gradient : dict of str to ndarray
        The true gradient, of each parameter in the order of the point.
    point : ndarray
        Where it is taken.
    """

    forward: Callable[[Any], Any]
    gradient: Gradient
    point: Any

    def claim(self, mistake: Mistake, seed: int) -> tuple[Any, Any]:
        """Return the gradient with a mistake, and the indices of what was meddled with."""
        gradient = {name: array.copy() for name, array in self.gradient.items()}
        place = mistake(gradient, np.random.default_rng(seed))
        return _joined(gradient), np.flatnonzero(_joined(place))


def flat_perceptron(layers: tuple[int, ...]) -> Flat:
    """Return a perceptron with tanh, that has no kinks to hinder anyone."""
    network = perceptron(layers, activation="tanh")
    shapes = {name: array.shape for name, array in network.parameters.items()}
    ends = accumulate((array.size for array in network.parameters.values()), initial=0)
    cuts = list(pairwise(ends))

    def forward(x: Any) -> Any:
        parts = zip(shapes.items(), cuts, strict=True)
        return network.forward(
            {name: x[start:stop].reshape(shape) for (name, shape), (start, stop) in parts}
        )

    return Flat(forward, network.gradient(), _joined(network.parameters))


def _joined(arrays: Any) -> Any:
    return np.concatenate([array.ravel() for array in arrays.values()])
