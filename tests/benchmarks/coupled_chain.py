"""A smooth loss of one long vector, evaluated in blocks.

Neighbouring entries are coupled, so that no derivative vanishes or repeats. Evaluation needs
little memory beyond the vector.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tests.benchmarks.handwritten_networks import Array, Network, Parameters

__all__ = ["coupled_chain"]

#: Entries of a block, which fit into the cache.
BLOCK = 1 << 15


def coupled_chain(size: int, *, seed: int = 0) -> Network:
    """Return a chain of one parameter ``x``.

    The loss is the mean of ``log(1 + (x[i + 1] - tanh(x[i]))**2)``, that is, the sum divided by
    the size of x.
    """
    point = np.random.default_rng(seed).normal(size=size)

    def forward(p: Parameters) -> Any:
        total = 0.0
        for residual, _ in _blocks(p["x"]):
            total += np.log1p(residual**2).sum()
        return total / size

    def backward(p: Parameters) -> Parameters:
        gradient, start = np.zeros(size), 0
        for residual, predicted in _blocks(p["x"]):
            slope = 2 * residual / (1 + residual**2) / size
            stop = start + slope.size
            gradient[start + 1 : stop + 1] += slope
            gradient[start:stop] -= slope * (1 - predicted**2)
            start = stop
        return {"x": gradient}

    return Network(forward, backward, {"x": point})


def _blocks(x: Array) -> Iterator[tuple[Array, Array]]:
    """Yield for each block the residuals of the next entries, and their predicted values."""
    for start in range(0, x.size - 1, BLOCK):
        block = x[start : start + BLOCK + 1]
        predicted = np.tanh(block[:-1])
        yield block[1:] - predicted, predicted
