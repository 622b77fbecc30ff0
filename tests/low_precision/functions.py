"""Functions of neural networks and their backwards, plainly written, for any type of numbers.

Each is the reference of the kernels that are made of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

__all__ = ["FUNCTIONS", "Function"]

#: An array of any type of numbers.
Array = Any


@dataclass(frozen=True, slots=True)
class Function:
    """A function, its backward and the shapes of its parameters.

    Attributes
    ----------
    plain_forward, plain_backward : callable
        Of the parameters, the labels if there are any, and the upstream gradient of an array.
    shapes : tuple of tuple of int
        The shapes of the parameters.
    classes : int
        The number of classes of labels; 0 where there are none.
    """

    plain_forward: Callable[..., Any]
    plain_backward: Callable[..., Any]
    shapes: tuple[tuple[int, ...], ...]
    classes: int = 0

    def forward(self, parameters: Sequence[Array], labels: Array | None) -> Any:
        """Return the output, in the type of the parameters."""
        return self.plain_forward(*parameters, *_given(labels))

    def backward(
        self, parameters: Sequence[Array], labels: Array | None, cotangent: Array | None = None
    ) -> tuple[Array, ...]:
        """Return the gradients of all parameters, in their type."""
        found = self.plain_backward(*parameters, *_given(labels), *_given(cotangent))
        return found if isinstance(found, tuple) else (found,)

    def draw(self, seed: int, dtype: Any) -> tuple[tuple[Array, ...], Array | None]:
        """Draw parameters in a type of low precision, and labels."""
        rng = np.random.default_rng(seed)
        parameters = tuple(rng.normal(size=shape).astype(dtype) for shape in self.shapes)
        if not self.classes:
            return parameters, None
        return parameters, rng.integers(0, self.classes, size=self.shapes[0][0])


def _given(value: Array | None) -> tuple[Array, ...]:
    return () if value is None else (value,)


def _sum(x: Array) -> Array:
    return x.sum(axis=-1, keepdims=True)


def _mean(x: Array) -> Array:
    return _sum(x) / x.dtype.type(x.shape[-1])


def _transposed(x: Array) -> Array:
    return np.swapaxes(x, -1, -2)


def _product(a: Array, b: Array) -> Array:
    """Return a product of matrices in their type: sums are in float32, as in any kernel."""
    if a.dtype.itemsize > 2:
        return a @ b
    return (a.astype(np.float32) @ b.astype(np.float32)).astype(a.dtype)


def _sigmoid(x: Array) -> Array:
    one = x.dtype.type(1)
    return one / (one + np.exp(-x))


def _tanh(x: Array) -> Array:
    return np.tanh(x)


def _tanh_backward(x: Array, dout: Array) -> Array:
    y = np.tanh(x)
    return dout * (1 - y * y)


def _silu(x: Array) -> Array:
    return x * _sigmoid(x)


def _silu_backward(x: Array, dout: Array) -> Array:
    s = _sigmoid(x)
    return dout * (s + x * s * (1 - s))


def _gelu_parts(x: Array) -> tuple[Array, Array]:
    c, k = x.dtype.type(np.sqrt(2 / np.pi)), x.dtype.type(0.044715)
    return np.tanh(c * (x + k * x * x * x)), c * (1 + 3 * k * x * x)


def _gelu(x: Array) -> Array:
    t, _ = _gelu_parts(x)
    return x.dtype.type(0.5) * x * (1 + t)


def _gelu_backward(x: Array, dout: Array) -> Array:
    t, inner = _gelu_parts(x)
    half = x.dtype.type(0.5)
    return dout * (half * (1 + t) + half * x * (1 - t * t) * inner)


def _softplus(x: Array) -> Array:
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def _softplus_backward(x: Array, dout: Array) -> Array:
    return dout * _sigmoid(x)


def _leaky_relu(x: Array) -> Array:
    return np.where(x > 0, x, x * x.dtype.type(0.01))


def _leaky_relu_backward(x: Array, dout: Array) -> Array:
    return np.where(x > 0, dout, dout * x.dtype.type(0.01))


def _scaled(x: Array) -> Array:
    return x * x.dtype.type(0.1)


def _scaled_backward(x: Array, dout: Array) -> Array:
    return dout * x.dtype.type(0.1)


def _softmax(x: Array) -> Array:
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / _sum(e)


def _softmax_backward(x: Array, dout: Array) -> Array:
    y = _softmax(x)
    return y * (dout - _sum(dout * y))


def _log_softmax(x: Array) -> Array:
    shifted = x - x.max(axis=-1, keepdims=True)
    return shifted - np.log(_sum(np.exp(shifted)))


def _log_softmax_backward(x: Array, dout: Array) -> Array:
    return dout - _softmax(x) * _sum(dout)


def _cross_entropy(x: Array, labels: Array) -> Any:
    chosen = _log_softmax(x)[np.arange(len(x)), labels]
    return -chosen.sum() / x.dtype.type(len(x))


def _cross_entropy_backward(x: Array, labels: Array) -> Array:
    d = _softmax(x)
    d[np.arange(len(x)), labels] -= d.dtype.type(1)
    return d / x.dtype.type(len(x))


def _normalized(x: Array) -> tuple[Array, Array]:
    centred = x - _mean(x)
    scale = 1 / np.sqrt(_mean(centred * centred) + x.dtype.type(1e-5))
    return centred * scale, scale


def _layer_norm(x: Array, gamma: Array, beta: Array) -> Array:
    return _normalized(x)[0] * gamma + beta


def _layer_norm_backward(x: Array, gamma: Array, beta: Array, dout: Array) -> Any:
    n, scale = _normalized(x)
    d = dout * gamma
    dx = scale * (d - _mean(d) - n * _mean(d * n))
    return dx, (dout * n).sum(axis=0), dout.sum(axis=0)


def _rms_norm(x: Array, gamma: Array) -> Array:
    return x / np.sqrt(_mean(x * x) + x.dtype.type(1e-5)) * gamma


def _rms_norm_backward(x: Array, gamma: Array, dout: Array) -> Any:
    scale = 1 / np.sqrt(_mean(x * x) + x.dtype.type(1e-5))
    n, d = x * scale, dout * gamma
    return scale * (d - n * _mean(d * n)), (dout * n).sum(axis=0)


def _batch_norm(x: Array, gamma: Array, beta: Array) -> Array:
    return _transposed(_normalized(_transposed(x))[0]) * gamma + beta


def _batch_norm_backward(x: Array, gamma: Array, beta: Array, dout: Array) -> Any:
    n, scale = _normalized(_transposed(x))
    d = _transposed(dout * gamma)
    dx = scale * (d - _mean(d) - n * _mean(d * n))
    return _transposed(dx), (dout * _transposed(n)).sum(axis=0), dout.sum(axis=0)


def _linear(x: Array, weight: Array, bias: Array) -> Array:
    return _product(x, weight) + bias


def _linear_backward(x: Array, weight: Array, bias: Array, dout: Array) -> Any:
    return _product(dout, weight.T), _product(x.T, dout), dout.sum(axis=0)


def _attention_weights(q: Array, k: Array) -> tuple[Array, Any]:
    scale = q.dtype.type(1 / np.sqrt(q.shape[-1]))
    return _softmax(_product(q, _transposed(k)) * scale), scale


def _attention(q: Array, k: Array, v: Array) -> Array:
    return _product(_attention_weights(q, k)[0], v)


def _attention_backward(q: Array, k: Array, v: Array, dout: Array) -> Any:
    p, scale = _attention_weights(q, k)
    dp = _product(dout, _transposed(v))
    ds = p * (dp - _sum(dp * p)) * scale
    return _product(ds, k), _product(_transposed(ds), q), _product(_transposed(p), dout)


def _swiglu(x: Array, gate: Array) -> Array:
    return x * _silu(gate)


def _swiglu_backward(x: Array, gate: Array, dout: Array) -> Any:
    return dout * _silu(gate), _silu_backward(gate, dout * x)


def _squared_error(x: Array, target: Array) -> Any:
    d = x - target
    return (d * d).sum() / x.dtype.type(x.size)


def _squared_error_backward(x: Array, target: Array) -> Any:
    d = (x - target) * x.dtype.type(2 / x.size)
    return d, -d


def _unit(x: Array) -> Array:
    return x / np.sqrt(_sum(x * x))


def _unit_backward(x: Array, dout: Array) -> Array:
    length = np.sqrt(_sum(x * x))
    y = x / length
    return (dout - y * _sum(dout * y)) / length


def _causal_convolution(x: Array, kernel: Array) -> Array:
    width = len(kernel)
    padded = np.concatenate([np.zeros((width - 1, x.shape[1]), x.dtype), x])
    terms = np.stack([padded[k : k + len(x)] * kernel[k] for k in range(width)])
    return terms.sum(axis=0)


def _causal_convolution_backward(x: Array, kernel: Array, dout: Array) -> Any:
    width = len(kernel)
    zeros = np.zeros((width - 1, x.shape[1]), x.dtype)
    padded, dpadded = np.concatenate([zeros, x]), np.concatenate([dout, zeros])
    offsets = range(width)
    terms = [dpadded[width - 1 - k : width - 1 - k + len(x)] * kernel[k] for k in offsets]
    dkernel = np.stack([(padded[k : k + len(x)] * dout).sum(axis=0) for k in offsets])
    return np.stack(terms).sum(axis=0), dkernel


BATCH = (16, 32)

FUNCTIONS = {
    "tanh": Function(_tanh, _tanh_backward, (BATCH,)),
    "silu": Function(_silu, _silu_backward, (BATCH,)),
    "gelu": Function(_gelu, _gelu_backward, (BATCH,)),
    "softplus": Function(_softplus, _softplus_backward, (BATCH,)),
    "leaky relu": Function(_leaky_relu, _leaky_relu_backward, (BATCH,)),
    "scaled": Function(_scaled, _scaled_backward, (BATCH,)),
    "softmax": Function(_softmax, _softmax_backward, (BATCH,)),
    "log softmax": Function(_log_softmax, _log_softmax_backward, (BATCH,)),
    "cross entropy": Function(_cross_entropy, _cross_entropy_backward, (BATCH,), classes=32),
    "layer norm": Function(_layer_norm, _layer_norm_backward, (BATCH, (32,), (32,))),
    "rms norm": Function(_rms_norm, _rms_norm_backward, (BATCH, (32,))),
    "batch norm": Function(_batch_norm, _batch_norm_backward, (BATCH, (32,), (32,))),
    "linear": Function(_linear, _linear_backward, ((16, 24), (24, 16), (16,))),
    "attention": Function(_attention, _attention_backward, ((16, 16), (16, 16), (16, 16))),
    "swiglu": Function(_swiglu, _swiglu_backward, ((16, 16), (16, 16))),
    "squared error": Function(_squared_error, _squared_error_backward, ((16, 16), (16, 16))),
    "unit": Function(_unit, _unit_backward, (BATCH,)),
    "convolution": Function(
        _causal_convolution, _causal_convolution_backward, ((24, 16), (4, 16))
    ),
}
