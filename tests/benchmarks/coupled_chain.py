"""A loss of one long vector that is evaluated in blocks, as what does not fit twice is.

Neighbours are coupled, so that nothing vanishes or repeats, and smoothly, so that nobody is
hindered. Beside the vector itself it needs next to no memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tests.benchmarks.handwritten_networks import Array, Network, Parameters

__all__ = ["coupled_chain"]

#: Entries of a block: they stay in the cache.
BLOCK = 1 << 15


def coupled_chain(size: int, *, seed: int = 0) -> Network:
    """Return a chain of one parameter ``x``.

    The loss is the sum of ``log(1 + (x[i + 1] - tanh(x[i]))**2)`` over its size.
    """
    point = np.random.default_rng(seed).normal(size=size)

    def forward(p: Parameters) -> Any:
        total = 0.0
        for off, _ in _blocks(p["x"]):
            total += np.log1p(off**2).sum()
        return total / size

    def backward(p: Parameters) -> Parameters:
        gradient, start = np.zeros(size), 0
        for off, bent in _blocks(p["x"]):
            slope = 2 * off / (1 + off**2) / size
            stop = start + slope.size
            gradient[start + 1 : stop + 1] += slope
            gradient[start:stop] -= slope * (1 - bent**2)
            start = stop
        return {"x": gradient}

    return Network(forward, backward, {"x": point})


def _blocks(x: Array) -> Iterator[tuple[Array, Array]]:
    """Yield for each block how far off every next entry is, and what it should be."""
    for start in range(0, x.size - 1, BLOCK):
        part = x[start : start + BLOCK + 1]
        bent = np.tanh(part[:-1])
        yield part[1:] - bent, bent
