"""A naive convolution and average pooling: nested loops over images, filters and places."""

import numpy as np

EDITED = ("conv_backward", "avg_pool_backward", "softplus_backward", "net_backward")


def conv_forward(A_prev, W, b, hparameters):
    """
    A_prev -- (m, n_C_prev, n_H_prev, n_W_prev), W -- (n_C, n_C_prev, f, f), b -- (n_C,)
    hparameters -- python dictionary containing "stride" and "pad"
    """
    stride, pad = hparameters["stride"], hparameters["pad"]
    m, _, n_H_prev, n_W_prev = A_prev.shape
    n_C, _, f, _ = W.shape
    n_H = 1 + (n_H_prev + 2 * pad - f) // stride
    n_W = 1 + (n_W_prev + 2 * pad - f) // stride

    A_prev_pad = np.pad(A_prev, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    Z = np.zeros((m, n_C, n_H, n_W), dtype=A_prev.dtype)
    for i in range(m):
        for c in range(n_C):
            for h in range(n_H):
                for w in range(n_W):
                    vert, horiz = h * stride, w * stride
                    a_slice = A_prev_pad[i, :, vert : vert + f, horiz : horiz + f]
                    Z[i, c, h, w] = np.sum(a_slice * W[c]) + b[c]

    return Z, (A_prev, W, b, hparameters)


def conv_backward(dZ, cache):
    """Returns dA_prev, dW and db, of the shapes of A_prev, W and b."""
    A_prev, W, b, hparameters = cache
    stride, pad = hparameters["stride"], hparameters["pad"]
    m, n_C, n_H, n_W = dZ.shape
    f = W.shape[-1]

    A_prev_pad = np.pad(A_prev, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    dA_prev_pad = np.zeros_like(A_prev_pad)
    dW = np.zeros_like(W)
    db = np.zeros_like(b)

    for i in range(m):
        for c in range(n_C):
            for h in range(n_H):
                for w in range(n_W):
                    vert, horiz = h * stride, w * stride
                    a_slice = A_prev_pad[i, :, vert : vert + f, horiz : horiz + f]
                    dA_prev_pad[i, :, vert : vert + f, horiz : horiz + f] += W[c] * dZ[i, c, h, w]
                    dW[c] += a_slice * dZ[i, c, h, w]
                    db[c] += dZ[i, c, h, w]

    # remove the padding
    dA_prev = dA_prev_pad[:, :, pad:-pad, pad:-pad]
    return dA_prev, dW, db


def avg_pool_forward(A_prev, f, stride):
    m, n_C, n_H_prev, n_W_prev = A_prev.shape
    n_H = 1 + (n_H_prev - f) // stride
    n_W = 1 + (n_W_prev - f) // stride
    A = np.zeros((m, n_C, n_H, n_W), dtype=A_prev.dtype)
    for h in range(n_H):
        for w in range(n_W):
            vert, horiz = h * stride, w * stride
            A[:, :, h, w] = A_prev[:, :, vert : vert + f, horiz : horiz + f].mean(axis=(2, 3))
    return A, (A_prev.shape, f, stride)


def avg_pool_backward(dA, cache):
    shape, f, stride = cache
    dA_prev = np.zeros(shape, dtype=dA.dtype)
    for i in range(dA.shape[0]):
        for h in range(dA.shape[2]):
            for w in range(dA.shape[3]):
                # every entry of the window has the same share
                share = dA[i, :, h, w] / (f * f)
                vert, horiz = h * stride, w * stride
                dA_prev[i, :, vert : vert + f, horiz : horiz + f] += share[:, None, None]
    return dA_prev


def softplus_forward(Z):
    return np.log(1 + np.exp(Z)), Z


def softplus_backward(dA, activation_cache):
    Z = activation_cache
    dZ = dA / (1 + np.exp(-Z))
    return dZ


def net_forward(X, W, b, hparameters):
    Z, conv_cache = conv_forward(X, W, b, hparameters)
    A, activation_cache = softplus_forward(Z)
    P, pool_cache = avg_pool_forward(A, 2, 1)
    return P, (conv_cache, activation_cache, pool_cache)


def net_backward(dP, caches):
    conv_cache, activation_cache, pool_cache = caches
    dA = avg_pool_backward(dP, pool_cache)
    dZ = softplus_backward(dA, activation_cache)
    dX, dW, db = conv_backward(dZ, conv_cache)
    return dX, dW, db


def check(check_gradient, dtype=np.float64, **options):
    rng = np.random.default_rng(36)
    X = rng.normal(size=(2, 2, 5, 4)).astype(dtype)
    W = rng.normal(0, 0.5, (2, 2, 3, 3)).astype(dtype)
    b = rng.normal(size=2).astype(dtype)
    hparameters = {"stride": 2, "pad": 1}
    return check_gradient(
        net_forward, net_backward, X, W, b, hparameters, wrt=("X", "W", "b"), **options
    )
