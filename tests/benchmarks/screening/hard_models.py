"""Models with something in them that is easily overlooked.

Each draws anew for a seed. It must not know what goes wrong in them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tests.benchmarks.handwritten_networks import (
    Array,
    Network,
    Parameters,
    cross_entropy,
    cross_entropy_gradient,
    perceptron,
)

__all__ = ["tensors", "with_dead_unit"]

#: A bias that no sum over the inputs of a unit comes near.
FAR = 100.0

OUTPUTS = 5
BATCH = 32


def with_dead_unit(sizes: Sequence[int] = (300, 200, 100, 10), *, seed: int = 0) -> Network:
    """Return a perceptron with ReLU, a unit of whose first layer is off for the whole batch."""
    network = perceptron(sizes, seed=seed)
    unit = np.random.default_rng(seed).integers(sizes[1])
    network.parameters["b1"][unit] = -FAR
    return network


def tensors(shapes: Sequence[tuple[int, ...]], *, seed: int = 0) -> Network:
    """Return a classifier with a parameter of each shape, which feeds units of its own.

    The last axis of a parameter is that of its units, all others are contracted with a batch of
    inputs. One without axes feeds a single unit.
    """
    rng = np.random.default_rng(seed)
    labels = rng.integers(OUTPUTS, size=BATCH)
    parameters: Parameters = {}
    inputs: dict[str, Array] = {}
    readouts: dict[str, Array] = {}
    for k, shape in enumerate(shapes):
        units = shape[-1] if shape else 1
        fan = int(np.prod(shape)) // units
        name = f"p{k}"
        parameters[name] = rng.normal(size=shape) + np.zeros(shape)  # an array without axes, too
        inputs[name] = rng.normal(size=(BATCH, fan)) / np.sqrt(fan)
        readouts[name] = rng.normal(size=(units, OUTPUTS)) / np.sqrt(units)

    def run(p: Parameters) -> tuple[Any, dict[str, Array]]:
        hidden = {k: np.tanh(x @ p[k].reshape(x.shape[1], -1)) for k, x in inputs.items()}
        return sum(hidden[k] @ readouts[k] for k in inputs), hidden

    def forward(p: Parameters) -> Any:
        return cross_entropy(run(p)[0], labels)

    def backward(p: Parameters) -> Parameters:
        scores, hidden = run(p)
        delta = cross_entropy_gradient(scores, labels)
        gradient: Parameters = {}
        for k, x in inputs.items():
            slope = delta @ readouts[k].T * (1 - hidden[k] ** 2)
            gradient[k] = (x.T @ slope).reshape(p[k].shape)
        return gradient

    return Network(forward, backward, parameters)
