"""Multinomial logistic regression with an elastic net, its coefficients packed in one vector."""

import numpy as np

EDITED = ("objective",)


def log_softmax(eta):
    eta = eta - eta.max(axis=1)[:, np.newaxis]
    return eta - np.log(np.exp(eta).sum(axis=1))[:, np.newaxis]


def objective(w, X, y, sample_weight, alpha, l1_ratio, smoothing=1e-2):
    """
    Penalized negative log-likelihood and its gradient, for minimize(..., jac=True).

    w holds one row (intercept, slopes) for each class but the last, whose scores are zero.
    The absolute values of the penalty are smoothed. Intercepts are not penalized.
    """
    n_samples, n_features = X.shape
    coef = w.reshape(-1, n_features + 1)
    n_classes = len(coef) + 1
    intercept, slopes = coef[:, 0], coef[:, 1:]

    eta = np.zeros((n_samples, n_classes))
    eta[:, :-1] = X @ slopes.T + intercept
    log_p = log_softmax(eta)
    total = sample_weight.sum()
    nll = -(sample_weight * log_p[np.arange(n_samples), y]).sum() / total

    smooth_abs = np.sqrt(slopes**2 + smoothing**2)
    penalty = l1_ratio * smooth_abs.sum() + 0.5 * (1 - l1_ratio) * (slopes**2).sum()
    value = nll + alpha * penalty

    # backward: residuals of the classes that have coefficients
    residual = np.exp(log_p)
    residual[np.arange(n_samples), y] -= 1
    residual = residual[:, :-1]
    residual *= sample_weight[:, np.newaxis]
    residual /= total

    grad = np.empty_like(coef)
    grad[:, 0] = residual.sum(axis=0)
    grad[:, 1:] = residual.T @ X

    # penalty
    d_l1 = slopes / smooth_abs
    d_l2 = slopes
    grad[:, 1:] += alpha * (l1_ratio * d_l1 + (1 - l1_ratio) * d_l2)

    return value, grad.ravel()


def check(check_gradient, dtype=np.float64, **options):
    rng = np.random.default_rng(27)
    n_samples, n_features, n_classes = 8, 3, 4
    X = rng.normal(size=(n_samples, n_features)).astype(dtype)
    y = np.array([0, 1, 2, 3, 3, 1, 0, 2])
    sample_weight = rng.uniform(0.5, 2, size=n_samples).astype(dtype)
    w = rng.normal(size=(n_classes - 1) * (n_features + 1)).astype(dtype)
    return check_gradient(objective, True, w, X, y, sample_weight, 0.1, 0.4, wrt="w", **options)
