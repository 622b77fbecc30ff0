"""A network of any depth from nested layer functions, in loops over the layers."""

import numpy as np

EDITED = (
    "affine_backward",
    "relu_backward",
    "affine_relu_backward",
    "softmax_loss",
    "fully_connected_loss",
)


def affine_forward(x, w, b):
    out = x.reshape(x.shape[0], -1) @ w + b
    cache = (x, w, b)
    return out, cache


def affine_backward(dout, cache):
    x, w, b = cache
    dx = dout.dot(w.T).reshape(x.shape)
    dw = x.reshape(x.shape[0], -1).T.dot(dout)
    db = dout.sum(axis=0)
    return dx, dw, db


def relu_forward(x):
    out = np.maximum(0, x)
    cache = x
    return out, cache


def relu_backward(dout, cache):
    x = cache
    dx = dout * (x > 0)
    return dx


def affine_relu_forward(x, w, b):
    a, fc_cache = affine_forward(x, w, b)
    out, relu_cache = relu_forward(a)
    cache = (fc_cache, relu_cache)
    return out, cache


def affine_relu_backward(dout, cache):
    fc_cache, relu_cache = cache
    da = relu_backward(dout, relu_cache)
    dx, dw, db = affine_backward(da, fc_cache)
    return dx, dw, db


def softmax_loss(x, y):
    shifted_logits = x - np.max(x, axis=1, keepdims=True)
    Z = np.sum(np.exp(shifted_logits), axis=1, keepdims=True)
    log_probs = shifted_logits - np.log(Z)
    probs = np.exp(log_probs)
    N = x.shape[0]
    loss = -np.sum(log_probs[np.arange(N), y]) / N
    # backward
    dx = probs.copy()
    dx[np.arange(N), y] -= 1
    dx /= N
    return loss, dx


def fully_connected_loss(params, X, y, reg):
    num_layers = len(params) // 2
    caches = []
    out = X
    for i in range(1, num_layers):
        out, cache = affine_relu_forward(out, params[f"W{i}"], params[f"b{i}"])
        caches.append(cache)
    scores, cache = affine_forward(out, params[f"W{num_layers}"], params[f"b{num_layers}"])
    caches.append(cache)

    loss, dscores = softmax_loss(scores, y)
    for i in range(1, num_layers + 1):
        loss += 0.5 * reg * np.sum(params[f"W{i}"] ** 2)

    # backward pass
    grads = {}
    dout, dw, db = affine_backward(dscores, caches.pop())
    grads[f"W{num_layers}"] = dw + reg * params[f"W{num_layers}"]
    grads[f"b{num_layers}"] = db
    for i in reversed(range(1, num_layers)):
        dout, dw, db = affine_relu_backward(dout, caches.pop())
        grads[f"W{i}"] = dw + reg * params[f"W{i}"]
        grads[f"b{i}"] = db

    return loss, grads


def check(check_gradient, dtype=np.float64, **options):
    rng = np.random.default_rng(8)
    X = rng.normal(size=(5, 2, 3)).astype(dtype)
    y = np.array([0, 2, 1, 2, 1])
    sizes = [6, 5, 5, 3]
    params = {}
    for i in range(1, 4):
        params[f"W{i}"] = rng.normal(size=(sizes[i - 1], sizes[i])).astype(dtype)
        params[f"b{i}"] = (0.3 * rng.normal(size=sizes[i])).astype(dtype)
    return check_gradient(fully_connected_loss, True, params, X, y, 0.1, wrt="params", **options)
