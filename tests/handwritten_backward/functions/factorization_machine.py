"""A factorization machine for clicks, with sparse rows and one loop over the samples."""

import numpy as np

EDITED = ("fm_loss",)


def fm_loss(w0, w, V, rows, y, sample_weight, reg_w, reg_v):
    """
    Logistic loss of y(x) = w0 + <w, x> + sum_{i<j} <v_i, v_j> x_i x_j, and its gradient.

    w0: bias
    w: (n_features,) linear weights
    V: (n_features, k) latent factors
    rows: (indices, values) of each sample, where x is not zero
    y: labels, -1 or 1
    sample_weight: weight of each sample
    reg_w, reg_v: l2 regularization
    """
    total = np.sum(sample_weight)
    loss = 0.0
    cache = []
    for (idx, x), label, weight in zip(rows, y, sample_weight, strict=True):
        # O(k n) trick: 1/2 ((sum v x)^2 - sum (v x)^2)
        vx = V[idx] * x[:, None]
        s = vx.sum(axis=0)
        y_hat = w0 + np.dot(w[idx], x) + 0.5 * np.sum(s**2 - np.sum(vx**2, axis=0))
        margin = label * y_hat
        loss += weight * np.log1p(np.exp(-margin))
        cache.append((margin, s))
    loss = loss / total + 0.5 * reg_w * np.sum(w**2) + 0.5 * reg_v * np.sum(V**2)

    # backward
    grad_w0 = 0.0
    grad_w = reg_w * w
    grad_V = reg_v * V
    for i, (idx, x) in enumerate(rows):
        margin, s = cache[i]
        p = 1 / (1 + np.exp(margin))
        multiplier = -y[i] * p * sample_weight[i] / total
        grad_w0 += multiplier
        grad_w[idx] += multiplier * x
        x_squared = x[:, None] ** 2
        grad_V[idx] += multiplier * (np.outer(x, s) - V[idx] * x_squared)
    return loss, grad_w0, grad_w, grad_V


def check(check_gradient, dtype=np.float64, **options):
    rng = np.random.default_rng(62)
    n_samples, n_features, k = 8, 7, 3
    rows = []
    for _ in range(n_samples):
        idx = rng.choice(n_features, size=rng.integers(2, 5), replace=False)
        rows.append((idx, rng.uniform(0.4, 1.6, len(idx)).astype(dtype)))
    y = rng.choice([-1, 1], n_samples)
    sample_weight = rng.uniform(0.5, 2.0, n_samples).astype(dtype)
    w = rng.normal(0, 0.6, n_features).astype(dtype)
    V = rng.normal(0, 0.6, (n_features, k)).astype(dtype)
    return check_gradient(
        fm_loss,
        True,
        dtype(0.3),
        w,
        V,
        rows,
        y,
        sample_weight,
        0.05,
        0.02,
        wrt=("w0", "w", "V"),
        **options,
    )
