"""A bag of words: embedding, a hidden layer, and softmax cross-entropy, with a weight for each."""

import numpy as np

EDITED = ("backward",)


def forward(params, tokens, labels, label_smoothing):
    E, W, b, V, c = (params[name] for name in ("E", "W", "b", "V", "c"))
    n, length = tokens.shape

    emb = E[tokens]
    mean = emb.mean(axis=1)
    pre = mean @ W + b
    hid = np.tanh(pre)
    logits = hid @ V + c

    k = logits.shape[1]
    z = logits - logits.max(axis=1, keepdims=True)
    logp = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    target = np.full((n, k), label_smoothing / k)
    target[np.arange(n), labels] += 1 - label_smoothing
    loss = -(target * logp).sum() / n

    cache = (tokens, mean, hid, logp, target)
    return loss, cache


def backward(params, cache):
    tokens, mean, hid, logp, target = cache
    n, length = tokens.shape
    grads = {}

    p = np.exp(logp)
    dlogits = (p - target) / n
    grads["V"] = hid.T @ dlogits
    grads["c"] = dlogits.sum(axis=0)

    dhid = dlogits @ params["V"].T
    dpre = dhid * (1 - hid * hid)
    grads["W"] = mean.T @ dpre
    grads["b"] = dpre.sum(axis=0)

    dmean = dpre @ params["W"].T
    demb = np.repeat(dmean[:, None, :] / length, length, axis=1)
    grads["E"] = np.zeros_like(params["E"])
    np.add.at(grads["E"], tokens, demb)

    return grads


def check(check_gradient, dtype=np.float64, **options):
    rng = np.random.default_rng(15)
    shapes = {"E": (7, 4), "W": (4, 4), "b": (4,), "V": (4, 3), "c": (3,)}
    params = {name: rng.normal(size=shape).astype(dtype) for name, shape in shapes.items()}
    tokens = rng.integers(7, size=(5, 3))
    labels = np.array([0, 2, 1, 1, 2])
    return check_gradient(forward, backward, params, tokens, labels, 0.1, wrt="params", **options)
