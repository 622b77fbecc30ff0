"""A network as a function of one vector, which every tool accepts.

The module does not know any tool.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import accumulate, pairwise
from typing import Any

import numpy as np

from tests.benchmarks.coupled_chain import coupled_chain
from tests.benchmarks.handwritten_networks import Network, perceptron
from tests.benchmarks.screening.gradient_mistakes import Gradient, Mistake

__all__ = ["NETWORKS_BY_SIZE", "FlatNetwork", "NetworkFactory", "flatten"]

#: ``subject(seed=...)`` draws a network.
NetworkFactory = Callable[..., Network]

#: Networks with tanh, which have no kinks, with 10, 1,000, 100,000 and a million parameters; and
#: a chain of ten million.
NETWORKS_BY_SIZE: tuple[NetworkFactory, ...] = (
    partial(perceptron, (1, 2, 2), activation="tanh"),
    partial(perceptron, (23, 31, 8), activation="tanh"),
    partial(perceptron, (292, 330, 10), activation="tanh"),
    partial(perceptron, (784, 1000, 200, 10), activation="tanh"),
    partial(coupled_chain, 10_000_000),
)


@dataclass(frozen=True)
class FlatNetwork:
    """A loss of one vector, its gradient, and a point.

    Attributes
    ----------
    forward : callable
        ``forward(x)`` returns the loss.
    gradient : dict of str to ndarray
        The true gradient at the point by each parameter, in the order of the vector.
    point : ndarray
        The point.
    """

    forward: Callable[[Any], Any]
    gradient: Gradient
    point: Any

    def claim(self, mistake: Mistake, seed: int) -> tuple[Any, Any]:
        """Return the flat gradient with a mistake, and a mask of the wrong entries."""
        gradient = {name: array.copy() for name, array in self.gradient.items()}
        mistake(gradient, np.random.default_rng(seed))
        claim = _joined(gradient)
        return claim, claim != _joined(self.gradient)


def flatten(network: Network) -> FlatNetwork:
    """Return a network as a function of one vector of all its parameters."""
    shapes = {name: array.shape for name, array in network.parameters.items()}
    ends = accumulate((array.size for array in network.parameters.values()), initial=0)
    cuts = list(pairwise(ends))

    def forward(x: Any) -> Any:
        parts = zip(shapes.items(), cuts, strict=True)
        return network.forward(
            {name: x[start:stop].reshape(shape) for (name, shape), (start, stop) in parts}
        )

    return FlatNetwork(forward, network.gradient(), _joined(network.parameters))


def _joined(arrays: Any) -> Any:
    return np.concatenate([array.ravel() for array in arrays.values()])
