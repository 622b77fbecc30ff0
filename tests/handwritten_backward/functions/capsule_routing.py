"""Digit capsules: dynamic routing by agreement, a margin loss, and the way back through both."""

import numpy as np

EDITED = ("squash_grad", "capsnet_grads")

EPS = 1e-7


def softmax(b):
    e = np.exp(b - b.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def squash(s):
    sq = (s**2).sum(-1, keepdims=True)
    return s * np.sqrt(sq + EPS) / (1 + sq)


def squash_grad(s, dv):
    sq = (s**2).sum(-1, keepdims=True)
    r = np.sqrt(sq + EPS)
    scale = r / (1 + sq)
    dscale = (dv * s).sum(-1, keepdims=True)
    dsq = dscale * (0.5 / (r * (1 + sq)) - r / (1 + sq) ** 2)
    return scale * dv + 2 * s * dsq


def route(params, x, n_iter):
    """x (B, I, D) -> v (B, J, E), and what was computed on the way."""
    u = squash(x + params["bias"])
    u_hat = np.einsum("bid,ijde->bije", u, params["W"])
    logits = np.zeros(u_hat.shape[:3], dtype=u_hat.dtype) + params["prior"]
    steps = []
    for it in range(n_iter):
        c = softmax(logits)
        s = np.einsum("bij,bije->bje", c, u_hat)
        v = squash(s)
        steps.append((c, s, v))
        if it < n_iter - 1:
            logits = logits + np.einsum("bije,bje->bij", u_hat, v)
    return v, (u, u_hat, steps)


def capsnet_loss(params, x, T, n_iter=3, lam=0.5):
    v, _ = route(params, x, n_iter)
    length = np.sqrt((v**2).sum(-1) + EPS)
    present = np.maximum(0, 0.9 - length) ** 2
    absent = np.maximum(0, length - 0.1) ** 2
    return (T * present + lam * (1 - T) * absent).sum(1).mean()


def capsnet_grads(params, x, T, n_iter=3, lam=0.5):
    v, (u, u_hat, steps) = route(params, x, n_iter)
    B = x.shape[0]

    length = np.sqrt((v**2).sum(-1) + EPS)
    dlength = -2 * T * np.maximum(0, 0.9 - length)
    dlength += 2 * lam * (1 - T) * np.maximum(0, length - 0.1)
    dv = (dlength / B / length)[..., None] * v

    du_hat = np.zeros_like(u_hat)
    dlogits = np.zeros(u_hat.shape[:3], dtype=u_hat.dtype)
    for it in reversed(range(n_iter)):
        c, s, v = steps[it]
        if it < n_iter - 1:  # agreement, which the later iterations have used
            du_hat += np.einsum("bij,bje->bije", dlogits, v)
            dv = np.einsum("bij,bije->bje", dlogits, u_hat)
        ds = squash_grad(s, dv)
        du_hat += np.einsum("bij,bje->bije", c, ds)
        dc = np.einsum("bije,bje->bij", u_hat, ds)
        dlogits += c * (dc - (dc * c).sum(-1, keepdims=True))

    grads = {"prior": dlogits.sum(0)}
    grads["W"] = np.einsum("bid,bije->ijde", u, du_hat)
    du = np.einsum("bije,ijde->bid", du_hat, params["W"])
    dx = squash_grad(x + params["bias"], du)
    grads["bias"] = dx.sum(0)
    return grads, dx


def check(check_gradient, dtype=np.float64, **options):
    rng = np.random.default_rng(107)
    B, I, J, D, E = 3, 4, 3, 3, 4
    params = {
        "W": rng.normal(0, 0.8, (I, J, D, E)).astype(dtype),
        "prior": rng.normal(0, 0.5, (I, J)).astype(dtype),
        "bias": rng.normal(0, 0.3, (I, D)).astype(dtype),
    }
    x = rng.normal(size=(B, I, D)).astype(dtype)
    T = np.eye(J, dtype=dtype)[[2, 0, 1]]
    wrt = ("params", "x")
    return check_gradient(capsnet_loss, capsnet_grads, params, x, T, wrt=wrt, **options)
