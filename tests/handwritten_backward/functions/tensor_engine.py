"""A small engine of tensors: every operation makes a closure, and backward() runs them all."""

import numpy as np

EDITED = (
    "unbroadcast",
    "Tensor.__add__",
    "Tensor.__mul__",
    "Tensor.__pow__",
    "Tensor.__matmul__",
    "Tensor.tanh",
    "Tensor.exp",
    "Tensor.log",
    "Tensor.sum",
)


def unbroadcast(grad, shape):
    """Sum a gradient over the axes along which a tensor of that shape was repeated."""
    while grad.ndim > len(shape):
        grad = grad.sum(axis=0)
    for axis, size in enumerate(shape):
        if size == 1 and grad.shape[axis] != 1:
            grad = grad.sum(axis=axis, keepdims=True)
    return grad


class Tensor:
    def __init__(self, data, _children=()):
        self.data = np.asarray(data)
        self.grad = np.zeros_like(self.data)
        self._prev = _children
        self._backward = lambda: None

    @property
    def shape(self):
        return self.data.shape

    def _wrap(self, other):
        return other if isinstance(other, Tensor) else Tensor(np.asarray(other, self.data.dtype))

    def __add__(self, other):
        other = self._wrap(other)
        out = Tensor(self.data + other.data, (self, other))

        # backward
        def _backward():
            self.grad += unbroadcast(out.grad, self.shape)
            other.grad += unbroadcast(out.grad, other.shape)

        out._backward = _backward
        return out

    def __mul__(self, other):
        other = self._wrap(other)
        out = Tensor(self.data * other.data, (self, other))

        # backward
        def _backward():
            self.grad += unbroadcast(other.data * out.grad, self.shape)
            other.grad += unbroadcast(self.data * out.grad, other.shape)

        out._backward = _backward
        return out

    def __pow__(self, exponent):
        out = Tensor(self.data**exponent, (self,))

        # backward
        def _backward():
            self.grad += exponent * self.data ** (exponent - 1) * out.grad

        out._backward = _backward
        return out

    def __matmul__(self, other):
        out = Tensor(self.data @ other.data, (self, other))

        # backward
        def _backward():
            self.grad += out.grad @ other.data.T
            other.grad += self.data.T @ out.grad

        out._backward = _backward
        return out

    def tanh(self):
        t = np.tanh(self.data)
        out = Tensor(t, (self,))

        # backward
        def _backward():
            self.grad += (1 - t**2) * out.grad

        out._backward = _backward
        return out

    def exp(self):
        out = Tensor(np.exp(self.data), (self,))

        # backward
        def _backward():
            self.grad += out.data * out.grad

        out._backward = _backward
        return out

    def log(self):
        out = Tensor(np.log(self.data), (self,))

        # backward
        def _backward():
            self.grad += out.grad / self.data

        out._backward = _backward
        return out

    def sum(self, axis=None, keepdims=False):
        out = Tensor(self.data.sum(axis=axis, keepdims=keepdims), (self,))

        # backward
        def _backward():
            grad = out.grad
            if axis is not None and not keepdims:
                grad = np.expand_dims(grad, axis)
            self.grad += np.broadcast_to(grad, self.shape)

        out._backward = _backward
        return out

    def mean(self):
        return self.sum() * (1.0 / self.data.size)

    def __neg__(self):
        return self * -1.0

    def __sub__(self, other):
        return self + (-other)

    def __truediv__(self, other):
        return self * other**-1

    def backward(self):
        topo, visited = [], set()

        def build(v):
            if id(v) not in visited:
                visited.add(id(v))
                for child in v._prev:
                    build(child)
                topo.append(v)

        build(self)
        self.grad = np.ones_like(self.data)
        for v in reversed(topo):
            v._backward()


class MLP:
    """Two layers, a temperature, and the cross entropy of the classes."""

    def __init__(self, n_in, n_hidden, n_out, rng, dtype):
        self.W1 = Tensor(rng.normal(0, 0.7, (n_in, n_hidden)).astype(dtype))
        self.b1 = Tensor(rng.normal(0, 0.3, n_hidden).astype(dtype))
        self.W2 = Tensor(rng.normal(0, 0.8, (n_hidden, n_out)).astype(dtype))
        self.b2 = Tensor(rng.normal(0, 0.3, (1, n_out)).astype(dtype))
        self.temperature = Tensor(np.array(1.4, dtype=dtype))

    def loss(self, x, onehot, decay):
        h = (x @ self.W1 + self.b1).tanh()
        logits = (h @ self.W2 + self.b2) / self.temperature
        log_norm = logits.exp().sum(axis=1, keepdims=True).log()
        log_prob = logits - log_norm
        nll = -(log_prob * onehot).sum(axis=1).mean()
        penalty = (self.W1**2).sum() + (self.W2**2).sum()
        return nll + penalty * decay


def check(check_gradient, dtype=np.float64, **options):
    rng = np.random.default_rng(41)
    net = MLP(3, 4, 3, rng, dtype)
    x = Tensor(rng.normal(size=(5, 3)).astype(dtype))
    onehot = np.eye(3, dtype=dtype)[[0, 2, 1, 1, 0]]
    weights = [f"self.{name}" for name in ("W1", "b1", "W2", "b2", "temperature")]
    return check_gradient(net.loss, ".grad", x, onehot, 0.02, wrt=("x", *weights), **options)
