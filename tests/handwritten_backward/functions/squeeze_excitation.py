"""A bottleneck of 1x1 convolutions with squeeze-and-excitation: x + SE(conv(relu(conv(x))))."""

import numpy as np

EDITED = ("conv1x1_backward", "relu_backward", "se_backward", "se_bottleneck_backward")


def conv1x1_forward(x, w, b):
    """x: (N, C, H, W), w: (F, C), b: (F,)"""
    out = np.einsum("nchw,fc->nfhw", x, w) + b[None, :, None, None]
    cache = (x, w)
    return out, cache


def conv1x1_backward(dout, cache):
    x, w = cache
    dx = np.einsum("nfhw,fc->nchw", dout, w)
    dw = np.einsum("nfhw,nchw->fc", dout, x)
    db = dout.sum(axis=(0, 2, 3))
    return dx, dw, db


def relu_forward(x):
    return np.maximum(x, 0), x


def relu_backward(dout, cache):
    return np.where(cache > 0, dout, 0)


def se_forward(x, w1, b1, w2, b2):
    """Scale each channel by a gate that is computed from the means of all channels."""
    squeezed = x.mean(axis=(2, 3))
    z = squeezed @ w1 + b1
    hidden = np.maximum(z, 0)
    gate = 1 / (1 + np.exp(-(hidden @ w2 + b2)))
    out = x * gate[:, :, None, None]
    cache = (x, squeezed, hidden, gate, w1, w2)
    return out, cache


def se_backward(dout, cache):
    x, squeezed, hidden, gate, w1, w2 = cache
    H, W = x.shape[2:]

    # excitation
    dgate = np.sum(dout * x, axis=(2, 3))
    dscore = dgate * gate * (1 - gate)
    dw2 = hidden.T @ dscore
    db2 = dscore.sum(axis=0)
    dhidden = dscore @ w2.T
    dz = dhidden * (hidden > 0)
    dw1 = squeezed.T @ dz
    db1 = dz.sum(axis=0)

    # squeeze
    dsqueezed = dz @ w1.T
    dx = dout * gate[:, :, None, None]
    dx += dsqueezed[:, :, None, None] / (H * W)
    return dx, dw1, db1, dw2, db2


def se_bottleneck_forward(x, wa, ba, wb, bb, w1, b1, w2, b2):
    a, conv_a = conv1x1_forward(x, wa, ba)
    h, relu_a = relu_forward(a)
    y, conv_b = conv1x1_forward(h, wb, bb)
    s, se = se_forward(y, w1, b1, w2, b2)
    return x + s, (conv_a, relu_a, conv_b, se)


def se_bottleneck_backward(dout, cache):
    conv_a, relu_a, conv_b, se = cache
    dy, dw1, db1, dw2, db2 = se_backward(dout, se)
    dh, dwb, dbb = conv1x1_backward(dy, conv_b)
    da = relu_backward(dh, relu_a)
    dx, dwa, dba = conv1x1_backward(da, conv_a)
    dx = dx + dout
    return dx, dwa, dba, dwb, dbb, dw1, db1, dw2, db2


def check(check_gradient, dtype=np.float64, **options):
    rng = np.random.default_rng(52)
    shapes = [(2, 4, 3, 3), (3, 4), (3,), (4, 3), (4,), (4, 2), (2,), (2, 4), (4,)]
    args = [rng.normal(0, 0.8, shape).astype(dtype) for shape in shapes]
    return check_gradient(
        se_bottleneck_forward,
        se_bottleneck_backward,
        *args,
        wrt=("x", "wa", "ba", "wb", "bb", "w1", "b1", "w2", "b2"),
        **options,
    )
