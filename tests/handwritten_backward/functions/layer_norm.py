"""Layer normalisation of a small library: functions with a ctx that keeps what backward needs."""

import numpy as np

EDITED = ("layer_norm_backward",)


def layer_norm(ctx, inp, w, b, eps=1e-5):
    """inp has the shape (batch, time, channels); w and b have the shape (channels,)."""
    m = inp.mean(-1, keepdims=True)
    xshift = inp - m
    v = (xshift**2).mean(-1, keepdims=True)
    rstd = (v + eps) ** -0.5
    norm = xshift * rstd
    out = norm * w + b
    ctx["saved"] = (norm, w, rstd)
    return out


def layer_norm_backward(ctx, dout):
    norm, w, rstd = ctx["saved"]
    # gradients of the affine part, summed over batch and time
    db = dout.sum((0, 1))
    dw = (dout * norm).sum((0, 1))
    # gradient of the input
    dnorm = dout * w
    dinp = dnorm - dnorm.mean(-1, keepdims=True)
    dinp -= norm * (dnorm * norm).mean(-1, keepdims=True)
    dinp *= rstd
    return dinp, dw, db


def check(check_gradient, dtype=np.float64, **options):
    rng = np.random.default_rng(5)
    inp = rng.normal(size=(2, 3, 4)).astype(dtype)
    w = rng.normal(size=4).astype(dtype)
    b = rng.normal(size=4).astype(dtype)
    return check_gradient(
        layer_norm, layer_norm_backward, {}, inp, w, b, wrt=("inp", "w", "b"), **options
    )
