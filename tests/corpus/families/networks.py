"""Layers and losses of neural networks with hand-written backward passes."""

import numpy as np
from scipy import special

from tests.corpus.family import Case, Collection

NETWORKS = Collection()


@NETWORKS.family()
def softmax_cross_entropy(rng: np.random.Generator) -> Case:
    """Take the mean cross entropy of logits."""
    z, y = 3 * rng.normal(size=(5, 4)), rng.integers(0, 4, size=5)
    rows = np.arange(5)

    def gradient(z):
        p = special.softmax(z, axis=1)
        p[rows, y] -= 1
        return p / 5

    return Case(lambda z: -np.mean(special.log_softmax(z, axis=1)[rows, y]), gradient, z)


@NETWORKS.family()
def weighted_softmax(rng: np.random.Generator) -> Case:
    """Take a weighted sum of a saturated softmax."""
    a, z = rng.normal(size=6), 5 * rng.normal(size=6)

    def gradient(z):
        p = special.softmax(z)
        return p * (a - a @ p)

    return Case(lambda z: a @ special.softmax(z), gradient, z)


@NETWORKS.family()
def perceptron(rng: np.random.Generator) -> Case:
    """Take two layers with ReLU, as a function of the first layer's weights."""
    data, y = rng.normal(size=(10, 4)), rng.normal(size=10)
    v = rng.normal(size=6)

    def gradient(w):
        h = data @ w
        d = 2 * (np.maximum(h, 0) @ v - y) / 10
        return data.T @ (np.outer(d, v) * (h > 0))

    return Case(
        lambda w: np.mean((np.maximum(data @ w, 0) @ v - y) ** 2),
        gradient,
        rng.normal(size=(4, 6)),
    )


@NETWORKS.family()
def tanh_network(rng: np.random.Generator) -> Case:
    """Take three layers with tanh, as a function of the input."""
    a, b = rng.normal(size=(8, 5)) / 2, rng.normal(size=(8, 8)) / 3
    c, x = rng.normal(size=8), rng.normal(size=(5,))

    def gradient(x):
        h = np.tanh(a @ x)
        k = np.tanh(b @ h)
        return a.T @ ((1 - h**2) * (b.T @ ((1 - k**2) * c)))

    return Case(lambda x: c @ np.tanh(b @ np.tanh(a @ x)), gradient, x)


@NETWORKS.family()
def layer_norm(rng: np.random.Generator) -> Case:
    """Take a weighted sum of normalised rows."""
    d, x = rng.normal(size=(3, 6)), rng.normal(size=(3, 6))

    def normal(x):
        m, v = x.mean(1, keepdims=True), x.var(1, keepdims=True)
        return (x - m) / np.sqrt(v + 1e-5), np.sqrt(v + 1e-5)

    def gradient(x):
        y, s = normal(x)
        return (d - d.mean(1, keepdims=True) - y * (d * y).mean(1, keepdims=True)) / s

    return Case(lambda x: np.sum(d * normal(x)[0]), gradient, x)


@NETWORKS.family()
def batch_norm(rng: np.random.Generator) -> Case:
    """Normalise the columns of a batch whose mean is far from zero."""
    d, x = rng.normal(size=(8, 3)), 5 + 2 * rng.normal(size=(8, 3))

    def normal(x):
        m, v = x.mean(0), x.var(0)
        return (x - m) / np.sqrt(v + 1e-5), np.sqrt(v + 1e-5)

    def gradient(x):
        y, s = normal(x)
        return (d - d.mean(0) - y * (d * y).mean(0)) / s

    return Case(lambda x: np.sum(d * normal(x)[0]), gradient, x)


@NETWORKS.family()
def convolution(rng: np.random.Generator) -> Case:
    """Convolve an image, as a function of the kernel."""
    image, d = rng.normal(size=(7, 8)), rng.normal(size=(5, 6))

    def windows():
        return np.lib.stride_tricks.sliding_window_view(image, (3, 3))

    return Case(
        lambda k: np.sum(d * np.einsum("ijkl,kl->ij", windows(), k)) ** 2,
        lambda k: (
            2
            * np.sum(d * np.einsum("ijkl,kl->ij", windows(), k))
            * np.einsum("ijkl,ij->kl", windows(), d)
        ),
        rng.normal(size=(3, 3)),
    )


@NETWORKS.family()
def attention(rng: np.random.Generator) -> Case:
    """Take one attention head, as a function of the queries."""
    k, v, d = rng.normal(size=(5, 4)), rng.normal(size=(5, 3)), rng.normal(size=(4, 3))

    def weights(q):
        return special.softmax(q @ k.T / 2, axis=1)

    def gradient(q):
        p = weights(q)
        dp = d @ v.T
        return (p * (dp - np.sum(dp * p, axis=1, keepdims=True))) @ k / 2

    return Case(lambda q: np.sum(d * (weights(q) @ v)), gradient, rng.normal(size=(4, 4)))


@NETWORKS.family()
def recurrent_cell(rng: np.random.Generator) -> Case:
    """Unroll a recurrent cell over six steps, as a function of its weights."""
    inputs, h0 = rng.normal(size=(6, 4)), rng.normal(size=4) / 2

    def states(w):
        h = [h0]
        for u in inputs:
            h.append(np.tanh(w @ h[-1] + u))
        return h

    def gradient(w):
        h = states(w)
        g, d = np.zeros_like(w), np.ones(4)
        for k in range(6, 0, -1):
            d = d * (1 - h[k] ** 2)
            g += np.outer(d, h[k - 1])
            d = w.T @ d
        return g

    return Case(lambda w: np.sum(states(w)[-1]), gradient, rng.normal(size=(4, 4)))


@NETWORKS.family()
def sigmoid_cross_entropy(rng: np.random.Generator) -> Case:
    """Take the logistic loss of logits up to 20 in size."""
    z, y = 8 * rng.normal(size=9), rng.integers(0, 2, size=9)
    return Case(lambda z: np.sum(np.logaddexp(0, z) - y * z), lambda z: special.expit(z) - y, z)


@NETWORKS.family()
def embedding(rng: np.random.Generator) -> Case:
    """Look up rows of a table; rows that are not looked up have no gradient."""
    ids, d = np.array([0, 2, 2, 5]), rng.normal(size=(4, 3))

    def gradient(table):
        g = np.zeros_like(table)
        np.add.at(g, ids, d / np.cosh(table[ids]) ** 2)
        return g

    return Case(lambda t: np.sum(d * np.tanh(t[ids])), gradient, rng.normal(size=(7, 3)))


@NETWORKS.family()
def dropout(rng: np.random.Generator) -> Case:
    """Drop entries by a mask that each call draws again from the same seed."""
    seed, x, a = int(rng.integers(1 << 30)), rng.normal(size=10), rng.normal(size=10)

    def mask():
        return (np.random.default_rng(seed).random(10) < 0.6) / 0.6

    return Case(
        lambda x: np.sum(a * np.sin(x * mask())), lambda x: a * mask() * np.cos(x * mask()), x
    )


@NETWORKS.family()
def gelu(rng: np.random.Generator) -> Case:
    """Take Gaussian error linear units."""
    x, d = 2 * rng.normal(size=(3, 4)), rng.normal(size=(3, 4))
    return Case(
        lambda x: np.sum(d * x * special.ndtr(x)),
        lambda x: d * (special.ndtr(x) + x * np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)),
        x,
    )


@NETWORKS.family()
def triplet_loss(rng: np.random.Generator) -> Case:
    """Take a margin between distances."""
    p, n, a = rng.normal(size=(3, 6, 4))

    def active(a):
        return (np.sum((a - p) ** 2, 1) - np.sum((a - n) ** 2, 1) + 1 > 0)[:, None]

    return Case(
        lambda a: np.sum(np.maximum(np.sum((a - p) ** 2, 1) - np.sum((a - n) ** 2, 1) + 1, 0)),
        lambda a: active(a) * 2 * (n - p),
        a,
    )


@NETWORKS.family()
def gaussian_divergence(rng: np.random.Generator) -> Case:
    """Take the KL divergence of a variational autoencoder, by the log-variances."""
    s = rng.normal(size=8) * 3
    return Case(lambda s: np.sum(np.exp(s) - 1 - s) / 2, lambda s: (np.exp(s) - 1) / 2, s)


@NETWORKS.family()
def factorisation(rng: np.random.Generator) -> Case:
    """Fit the observed entries of a matrix by a product of two factors, by the left one."""
    target, seen = rng.normal(size=(6, 5)), rng.random(size=(6, 5)) < 0.6
    right = rng.normal(size=(2, 5))
    return Case(
        lambda left: np.sum((seen * (left @ right - target)) ** 2) / 2,
        lambda left: (seen * (left @ right - target)) @ right.T,
        rng.normal(size=(6, 2)),
    )


@NETWORKS.family()
def deep_linear(rng: np.random.Generator) -> Case:
    """Multiply eight matrices: the gradient by the middle one is small and uneven."""
    ms = rng.normal(size=(8, 4, 4)) / 3
    before, after = np.linalg.multi_dot(ms[:4]), np.linalg.multi_dot(ms[4:])
    return Case(
        lambda w: np.sum(np.sin(before @ w @ after)),
        lambda w: before.T @ np.cos(before @ w @ after) @ after.T,
        rng.normal(size=(4, 4)),
    )


@NETWORKS.family()
def wide_softmax(rng: np.random.Generator) -> Case:
    """Take the cross entropy over 300 classes: most derivatives are small."""
    z = 4 * rng.normal(size=300)

    def gradient(z):
        p = special.softmax(z)
        p[7] -= 1
        return p

    return Case(lambda z: special.logsumexp(z) - z[7], gradient, z)
