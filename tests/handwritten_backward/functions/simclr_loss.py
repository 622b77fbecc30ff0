"""SimCLR: two views, a projection head, unit embeddings and NT-Xent with a learned scale."""

import numpy as np

EDITED = (
    "linear_backward",
    "normalize_backward",
    "nt_xent_backward",
    "simclr_backward",
)


def linear_forward(x, w, b):
    return x @ w + b, (x, w)


def linear_backward(dout, cache):
    x, w = cache
    return dout @ w.T, x.T @ dout, dout.sum(axis=0)


def normalize_forward(h, eps=1e-8):
    norm = np.sqrt(np.sum(h**2, axis=1, keepdims=True) + eps)
    z = h / norm
    return z, (z, norm)


def normalize_backward(dz, cache):
    """The gradient is tangent to the sphere."""
    z, norm = cache
    radial = np.sum(dz * z, axis=1, keepdims=True)
    return (dz - radial * z) / norm


def nt_xent_forward(z, log_scale):
    """z: (2N, d), where row i and row i + N are views of the same image."""
    n2 = len(z)
    cos = z @ z.T
    logits = np.exp(log_scale) * cos
    logits[np.eye(n2, dtype=bool)] = -np.inf
    partner = (np.arange(n2) + n2 // 2) % n2

    top = logits.max(axis=1, keepdims=True)
    e = np.exp(logits - top)
    p = e / e.sum(axis=1, keepdims=True)
    loss = -np.mean(np.log(p[np.arange(n2), partner]))
    return loss, (z, cos, p, partner, log_scale)


def nt_xent_backward(cache):
    z, cos, p, partner, log_scale = cache
    n2 = len(z)
    dlogits = p.copy()
    dlogits[np.arange(n2), partner] -= 1
    dlogits /= n2

    scale = np.exp(log_scale)
    dlog_scale = scale * np.sum(dlogits * cos)
    dcos = scale * dlogits
    # z is on both sides of the product
    dz = dcos @ z + dcos.T @ z
    return dz, dlog_scale


def simclr_forward(params, view1, view2):
    x = np.vstack([view1, view2])
    a, cache1 = linear_forward(x, params["W1"], params["b1"])
    softplus = np.logaddexp(0, a)
    h, cache2 = linear_forward(softplus, params["W2"], params["b2"])
    z, cache_z = normalize_forward(h)
    loss, cache_loss = nt_xent_forward(z, params["log_scale"])
    return loss, (cache1, a, cache2, cache_z, cache_loss)


def simclr_backward(cache):
    cache1, a, cache2, cache_z, cache_loss = cache
    grads = {}
    dz, grads["log_scale"] = nt_xent_backward(cache_loss)
    dh = normalize_backward(dz, cache_z)
    dsoftplus, grads["W2"], grads["b2"] = linear_backward(dh, cache2)
    da = dsoftplus / (1 + np.exp(-a))
    dx, grads["W1"], grads["b1"] = linear_backward(da, cache1)
    return grads


def check(check_gradient, dtype=np.float64, **options):
    rng = np.random.default_rng(63)
    n, d_in, d_hidden, d_out = 4, 5, 4, 3
    images = rng.normal(size=(n, d_in))
    view1 = (images + 0.4 * rng.normal(size=(n, d_in))).astype(dtype)
    view2 = (images + 0.4 * rng.normal(size=(n, d_in))).astype(dtype)
    params = {
        "W1": rng.normal(0, 0.6, (d_in, d_hidden)),
        "b1": rng.normal(0, 0.2, d_hidden),
        "W2": rng.normal(0, 0.6, (d_hidden, d_out)),
        "b2": rng.normal(0, 0.2, d_out),
        "log_scale": np.array(0.7),
    }
    params = {key: value.astype(dtype) for key, value in params.items()}
    return check_gradient(
        simclr_forward, simclr_backward, params, view1, view2, wrt="params", **options
    )
