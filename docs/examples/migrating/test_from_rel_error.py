"""From the prints of CS231n: a numerical gradient, and the largest relative error."""

import numpy as np


def affine_forward(x, w, b):
    return x @ w + b, (x, w, b)


def affine_backward(dout, cache):
    x, w, _ = cache
    return dout @ w.T, x.T @ dout, dout.sum(axis=0)


def rel_error(x, y):
    return np.max(np.abs(x - y) / np.maximum(1e-8, np.abs(x) + np.abs(y)))


def numerical_gradient_array(f, x, df, h=1e-5):
    gradient = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        value = x[index]
        x[index] = value + h
        plus = f(x).copy()
        x[index] = value - h
        minus = f(x).copy()
        x[index] = value
        gradient[index] = np.sum((plus - minus) * df) / (2 * h)
    return gradient


RNG = np.random.default_rng(0)
X, W, B, DOUT = (RNG.normal(size=shape) for shape in [(4, 6), (6, 5), (5,), (4, 5)])


def test_before():
    _, cache = affine_forward(X, W, B)
    dx, dw, db = affine_backward(DOUT, cache)
    dx_num = numerical_gradient_array(lambda x: affine_forward(x, W, B)[0], X, DOUT)
    dw_num = numerical_gradient_array(lambda w: affine_forward(X, w, B)[0], W, DOUT)
    db_num = numerical_gradient_array(lambda b: affine_forward(X, W, b)[0], B, DOUT)
    print("dx error:", rel_error(dx_num, dx))
    print("dw error:", rel_error(dw_num, dw))
    print("db error:", rel_error(db_num, db))


def test_after(gradcheck):
    gradcheck(affine_forward, affine_backward, X, W, B)
