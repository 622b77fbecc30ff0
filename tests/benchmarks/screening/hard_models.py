"""Models in which a wrong entry of the gradient is easily overlooked.

Each is drawn at random from a seed. The module does not make mistakes in gradients.
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

#: A negative bias of this size makes a unit inactive for every input.
LARGE_BIAS = 100.0

OUTPUTS = 5
BATCH = 32


def with_dead_unit(sizes: Sequence[int] = (300, 200, 100, 10), *, seed: int = 0) -> Network:
    """Return a ReLU perceptron with a unit of the first layer inactive for the whole batch."""
    network = perceptron(sizes, seed=seed)
    unit = np.random.default_rng(seed).integers(sizes[1])
    network.parameters["b1"][unit] = -LARGE_BIAS
    return network


def tensors(shapes: Sequence[tuple[int, ...]], *, seed: int = 0) -> Network:
    """Return a classifier with a parameter of each shape, which feeds units of its own.

    The last axis of a parameter is that of its units; the other axes are contracted with a batch
    of inputs. A parameter without axes feeds a single unit.
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
        parameters[name] = rng.normal(size=shape) + np.zeros(shape)  # an array for no axes, too
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
