"""Functions with a forward and a backward that goes wrong in a known line."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

__all__ = [
    "Layer",
    "W",
    "X",
    "centred",
    "line_of",
    "ridge",
    "rnn",
    "rnn_backward",
    "two_layers",
    "wrong_centred",
    "wrong_ridge",
    "wrong_two_layers",
]

X = np.random.default_rng(0).normal(size=(4, 3))
W = {
    "W1": np.random.default_rng(1).normal(size=(3, 5)),
    "W2": np.random.default_rng(2).normal(size=(5, 2)),
}


def line_of(function: Any, text: str) -> int:
    """Return the line of a function that contains a text."""
    lines, first = inspect.getsourcelines(function)
    return first + next(k for k, line in enumerate(lines) if text in line)


def two_layers(x: Any, p: Any) -> Any:
    """Return the value and the cache of a network."""
    z1 = x @ p["W1"]
    a1 = np.tanh(z1)
    z2 = a1 @ p["W2"]
    return np.sum(z2**2), (x, a1, z2, p["W2"])


def wrong_two_layers(cache: Any) -> Any:
    """Return its gradients; that of the activation lacks a square."""
    x, a1, z2, W2 = cache
    dz2 = 2 * z2
    dW2 = a1.T @ dz2
    da1 = dz2 @ W2.T
    dz1 = da1 * (1 - a1)
    dW1 = x.T @ dz1
    return {"W1": dW1, "W2": dW2}


class Layer:
    """A layer that keeps what backward needs in its attributes."""

    def __init__(self) -> None:
        self.W = W["W1"].copy()
        self.b = np.arange(5.0)

    def forward(self, x: Any) -> Any:
        """Return the activations."""
        self.x = x
        self.z = x @ self.W + self.b
        self.h = np.tanh(self.z)
        return self.h

    def backward(self, dout: Any) -> Any:
        """Keep the gradients of the parameters; the derivative of tanh is wrong."""
        dz = dout * (1 + self.h**2)
        self.dW = self.x.T @ dz
        self.db = dz.sum(axis=0)
        return dz @ self.W.T


def rnn(xs: Any, Wx: Any, Wh: Any) -> Any:
    """Return the sum of squares of the states of a network over time, with its cache."""
    h, hs = np.zeros(Wh.shape[0]), []
    for t in range(len(xs)):
        h = np.tanh(xs[t] @ Wx + h @ Wh)
        hs.append(h)
    return np.sum(np.square(hs)), (xs, hs, Wh)


def rnn_backward(cache: Any) -> Any:
    """Return its gradients; what comes from the next state is multiplied by the wrong matrix."""
    xs, hs, Wh = cache
    dWx, dWh = np.zeros((xs.shape[1], len(Wh))), np.zeros_like(Wh)
    dnext = np.zeros(len(Wh))
    for t in reversed(range(len(xs))):
        dh = 2 * hs[t] + dnext
        dz = dh * (1 - hs[t] ** 2)
        dWx += np.outer(xs[t], dz)
        dWh += np.outer(hs[t - 1] if t else np.zeros(len(Wh)), dz)
        dnext = dz @ Wh
    return {"Wx": dWx, "Wh": dWh}


def centred(x: Any, gamma: Any) -> Any:
    """Return the sum of sines of a normalized batch."""
    mean = x.mean(axis=0)
    x0 = x - mean
    var = (x0**2).mean(axis=0)
    std = np.sqrt(var + 1e-3)
    xhat = x0 / std
    return np.sum(np.sin(xhat * gamma)), (x0, std, xhat, gamma)


def wrong_centred(cache: Any) -> Any:
    """Return its gradients; one part of that of x is not added to the other."""
    x0, std, xhat, gamma = cache
    n = len(x0)
    Dout = np.cos(xhat * gamma)
    Dxhat = Dout * gamma
    Dstd = -np.sum(Dxhat * x0, axis=0) / std**2
    Dvar = Dstd * 0.5 / std
    Dx0 = Dxhat / std
    Dx0 += Dvar * 2 * x0 / n
    Dx = Dx0 * 1
    Dmean = -np.sum(Dx0, axis=0)
    Dx = Dmean * (np.ones_like(x0) / n)
    dx = Dx
    return dx, np.sum(Dout * xhat, axis=0)


def ridge(w: Any, x: Any, y: Any, reg: float) -> Any:
    """Return a loss with a penalty."""
    r = x @ w - y
    return (r**2).mean() + reg * (w**2).sum()


def wrong_ridge(w: Any, x: Any, y: Any, reg: float) -> Any:
    """Return its gradient without the penalty."""
    del reg
    r = x @ w - y
    return 2 * x.T @ r / len(y)
