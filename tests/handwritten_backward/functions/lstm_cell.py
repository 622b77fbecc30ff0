"""One step of an LSTM as a layer function of an assignment: two outputs, four gates in one."""

import numpy as np

EDITED = ("lstm_step_backward",)


def sigmoid(x):
    """A numerically stable version of the logistic sigmoid function."""
    pos_mask = x >= 0
    neg_mask = x < 0
    z = np.zeros_like(x)
    z[pos_mask] = np.exp(-x[pos_mask])
    z[neg_mask] = np.exp(x[neg_mask])
    top = np.ones_like(x)
    top[neg_mask] = z[neg_mask]
    return top / (1 + z)


def lstm_step_forward(x, prev_h, prev_c, Wx, Wh, b):
    """
    Inputs:
    - x: Input data, of shape (N, D)
    - prev_h: Previous hidden state, of shape (N, H)
    - prev_c: previous cell state, of shape (N, H)
    - Wx: Input-to-hidden weights, of shape (D, 4H)
    - Wh: Hidden-to-hidden weights, of shape (H, 4H)
    - b: Biases, of shape (4H,)
    """
    N, H = prev_h.shape
    a = x.dot(Wx) + prev_h.dot(Wh) + b

    i = sigmoid(a[:, :H])
    f = sigmoid(a[:, H : 2 * H])
    o = sigmoid(a[:, 2 * H : 3 * H])
    g = np.tanh(a[:, 3 * H :])

    next_c = f * prev_c + i * g
    tanh_c = np.tanh(next_c)
    next_h = o * tanh_c

    cache = (x, prev_h, prev_c, Wx, Wh, i, f, o, g, tanh_c)
    return next_h, next_c, cache


def lstm_step_backward(dnext_h, dnext_c, cache):
    x, prev_h, prev_c, Wx, Wh, i, f, o, g, tanh_c = cache

    # through next_h = o * tanh(next_c)
    do = dnext_h * tanh_c
    dtanh = dnext_h * o
    dc = dnext_c + dtanh * (1 - tanh_c**2)

    # through next_c = f * prev_c + i * g
    df = dc * prev_c
    dprev_c = dc * f
    di = dc * g
    dg = dc * i

    # through the gates
    dai = di * i * (1 - i)
    daf = df * f * (1 - f)
    dao = do * o * (1 - o)
    dag = dg * (1 - g**2)
    da = np.hstack((dai, daf, dao, dag))

    # through the affine map
    dx = da.dot(Wx.T)
    dprev_h = da.dot(Wh.T)
    dWx = x.T.dot(da)
    dWh = prev_h.T.dot(da)
    db = np.sum(da, axis=0)

    return dx, dprev_h, dprev_c, dWx, dWh, db


def check(check_gradient, dtype=np.float64, **options):
    rng = np.random.default_rng(7)
    N, D, H = 3, 4, 4
    x = rng.normal(size=(N, D)).astype(dtype)
    prev_h = rng.normal(size=(N, H)).astype(dtype)
    prev_c = rng.normal(size=(N, H)).astype(dtype)
    Wx = (rng.normal(size=(D, 4 * H)) / 2).astype(dtype)
    Wh = (rng.normal(size=(H, 4 * H)) / 2).astype(dtype)
    b = rng.normal(size=4 * H).astype(dtype)
    return check_gradient(
        lstm_step_forward,
        lstm_step_backward,
        x,
        prev_h,
        prev_c,
        Wx,
        Wh,
        b,
        has_cache=True,
        **options,
    )
