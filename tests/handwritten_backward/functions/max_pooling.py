"""Max pooling with four loops, as in an assignment."""

import numpy as np

EDITED = ("max_pool_backward_naive",)


def max_pool_forward_naive(x, pool_param):
    """
    A naive implementation of the forward pass for a max-pooling layer.

    Inputs:
    - x: Input data, of shape (N, C, H, W)
    - pool_param: dictionary with the keys 'pool_height', 'pool_width' and 'stride'
    """
    N, C, H, W = x.shape
    HH, WW, stride = pool_param["pool_height"], pool_param["pool_width"], pool_param["stride"]
    H_out = 1 + (H - HH) // stride
    W_out = 1 + (W - WW) // stride

    out = np.zeros((N, C, H_out, W_out), dtype=x.dtype)
    for n in range(N):
        for c in range(C):
            for i in range(H_out):
                for j in range(W_out):
                    h0, w0 = i * stride, j * stride
                    window = x[n, c, h0 : h0 + HH, w0 : w0 + WW]
                    out[n, c, i, j] = np.max(window)

    cache = (x, pool_param)
    return out, cache


def max_pool_backward_naive(dout, cache):
    x, pool_param = cache
    N, C, H, W = x.shape
    HH, WW, stride = pool_param["pool_height"], pool_param["pool_width"], pool_param["stride"]
    H_out = 1 + (H - HH) // stride
    W_out = 1 + (W - WW) // stride

    dx = np.zeros_like(x)
    for n in range(N):
        for c in range(C):
            for i in range(H_out):
                for j in range(W_out):
                    h0, w0 = i * stride, j * stride
                    window = x[n, c, h0 : h0 + HH, w0 : w0 + WW]
                    mask = window == np.max(window)
                    dx[n, c, h0 : h0 + HH, w0 : w0 + WW] += mask * dout[n, c, i, j]

    return dx


def check(check_gradient, dtype=np.float64, **options):
    rng = np.random.default_rng(11)
    x = rng.normal(size=(2, 2, 5, 5)).astype(dtype)
    pool_param = {"pool_height": 3, "pool_width": 3, "stride": 2}
    return check_gradient(
        max_pool_forward_naive, max_pool_backward_naive, x, pool_param, wrt="x", **options
    )
