"""Neural networks with hand-written backward passes.

A perceptron, and a network with layer normalization and residual connections; each with ReLU or
tanh, and with the softmax cross-entropy of a batch as the loss. They compute in the type of their
parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Array",
    "Network",
    "Parameters",
    "cross_entropy",
    "cross_entropy_gradient",
    "perceptron",
    "residual",
]

Array = NDArray[Any]
Parameters = dict[str, Array]


@dataclass(frozen=True)
class Network:
    """A loss of parameters, its gradient, and a point.

    Attributes
    ----------
    forward, backward : callable
        ``forward(parameters)`` returns the loss, ``backward(parameters)`` its gradient.
    parameters : dict of str to ndarray
        The point.
    """

    forward: Callable[[Parameters], Any]
    backward: Callable[[Parameters], Parameters]
    parameters: Parameters

    @property
    def size(self) -> int:
        """The number of entries of all parameters."""
        return sum(value.size for value in self.parameters.values())

    def gradient(self) -> Parameters:
        """Return the gradient at the point, in the order of the parameters."""
        gradient = self.backward(self.parameters)
        return {name: gradient[name] for name in self.parameters}


def perceptron(
    sizes: Sequence[int] = (784, 1000, 200, 10),
    *,
    activation: str = "relu",
    batch: int = 32,
    dtype: Any = np.float64,
    seed: int = 0,
) -> Network:
    """Return a perceptron with layers of these sizes, from the inputs to the outputs."""
    rng = np.random.default_rng(seed)
    x, labels = rng.normal(size=(batch, sizes[0])), rng.integers(sizes[-1], size=batch)
    parameters: Parameters = {}
    for k, (inputs, outputs) in enumerate(pairwise(sizes), start=1):
        weights = rng.normal(size=(inputs, outputs)) * np.sqrt(2 / inputs)
        parameters[f"W{k}"] = weights.astype(dtype)
        parameters[f"b{k}"] = (0.1 * rng.normal(size=outputs)).astype(dtype)
    layers = len(sizes) - 1

    def run(p: Parameters) -> tuple[Array, list[Array], list[Array]]:
        a = x.astype(p["W1"].dtype)
        inputs, before = [], []
        for k in range(1, layers + 1):
            inputs.append(a)
            z = a @ p[f"W{k}"] + p[f"b{k}"]
            before.append(z)
            a = z if k == layers else _activate(z, activation)
        return a, inputs, before

    def forward(p: Parameters) -> Any:
        return cross_entropy(run(p)[0], labels)

    def backward(p: Parameters) -> Parameters:
        scores, inputs, before = run(p)
        gradient: Parameters = {}
        delta = cross_entropy_gradient(scores, labels)
        for k in range(layers, 0, -1):
            gradient[f"W{k}"] = inputs[k - 1].T @ delta
            gradient[f"b{k}"] = delta.sum(axis=0)
            if k > 1:
                delta = delta @ p[f"W{k}"].T * _slope(before[k - 2], activation)
        return gradient

    return Network(forward, backward, parameters)


def residual(
    width: int = 560,
    blocks: int = 3,
    *,
    inputs: int = 64,
    outputs: int = 10,
    activation: str = "relu",
    batch: int = 32,
    dtype: Any = np.float64,
    seed: int = 0,
) -> Network:
    """Return a network of residual blocks ``h + activation(norm(h) @ W + b)``.

    The default has about a million parameters.
    """
    rng = np.random.default_rng(seed)
    x, labels = rng.normal(size=(batch, inputs)), rng.integers(outputs, size=batch)
    p: Parameters = {"embed": rng.normal(size=(inputs, width)) / np.sqrt(inputs)}
    for k in range(blocks):
        p[f"gain{k}"] = 1 + 0.1 * rng.normal(size=width)
        p[f"shift{k}"] = 0.1 * rng.normal(size=width)
        p[f"W{k}"] = rng.normal(size=(width, width)) / np.sqrt(width)
        p[f"b{k}"] = 0.1 * rng.normal(size=width)
    p["head"] = rng.normal(size=(width, outputs)) / np.sqrt(width)
    parameters = {name: value.astype(dtype) for name, value in p.items()}

    def run(p: Parameters) -> tuple[Array, Array, list[tuple[Array, Array, Array, Array]]]:
        h = x.astype(p["embed"].dtype) @ p["embed"]
        cache = []
        for k in range(blocks):
            centred = h - h.mean(axis=1, keepdims=True)
            deviation = np.sqrt((centred**2).mean(axis=1, keepdims=True) + 1e-5)
            normal = centred / deviation
            scaled = normal * p[f"gain{k}"] + p[f"shift{k}"]
            z = scaled @ p[f"W{k}"] + p[f"b{k}"]
            cache.append((normal, deviation, scaled, z))
            h = h + _activate(z, activation)
        return h @ p["head"], h, cache

    def forward(p: Parameters) -> Any:
        return cross_entropy(run(p)[0], labels)

    def backward(p: Parameters) -> Parameters:
        scores, h, cache = run(p)
        delta = cross_entropy_gradient(scores, labels)
        gradient: Parameters = {"head": h.T @ delta}
        upstream = delta @ p["head"].T
        for k in range(blocks - 1, -1, -1):
            normal, deviation, scaled, z = cache[k]
            dz = upstream * _slope(z, activation)
            gradient[f"W{k}"], gradient[f"b{k}"] = scaled.T @ dz, dz.sum(axis=0)
            ds = dz @ p[f"W{k}"].T
            gradient[f"gain{k}"] = (ds * normal).sum(axis=0)
            gradient[f"shift{k}"] = ds.sum(axis=0)
            dn = ds * p[f"gain{k}"]
            centred = dn - dn.mean(axis=1, keepdims=True)
            centred = centred - normal * (dn * normal).mean(axis=1, keepdims=True)
            upstream = upstream + centred / deviation
        gradient["embed"] = x.astype(p["embed"].dtype).T @ upstream
        return gradient

    return Network(forward, backward, parameters)


def _activate(z: Array, activation: str) -> Array:
    return np.maximum(z, 0) if activation == "relu" else np.tanh(z)


def _slope(z: Array, activation: str) -> Array:
    return (z > 0).astype(z.dtype) if activation == "relu" else 1 - np.tanh(z) ** 2


def cross_entropy(scores: Array, labels: Array) -> Any:
    """Return the mean softmax cross-entropy of rows of scores with the right columns `labels`."""
    shifted = scores - scores.max(axis=1, keepdims=True)
    logarithm = np.log(np.exp(shifted).sum(axis=1))
    return (logarithm - shifted[np.arange(len(labels)), labels]).mean()


def cross_entropy_gradient(scores: Array, labels: Array) -> Array:
    """Return the gradient of `cross_entropy` with respect to the scores."""
    shifted = np.exp(scores - scores.max(axis=1, keepdims=True))
    delta = shifted / shifted.sum(axis=1, keepdims=True)
    delta[np.arange(len(labels)), labels] -= 1
    return np.asarray(delta / len(labels))
