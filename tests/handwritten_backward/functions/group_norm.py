"""Group normalisation of images, turned into the columns of a batch normalisation."""

import numpy as np

EDITED = ("spatial_groupnorm_backward",)


def spatial_groupnorm_forward(x, gamma, beta, G, gn_param):
    """
    Computes the forward pass for group normalization of feature maps.

    Inputs:
    - x: Input data of shape (N, C, H, W)
    - gamma: Scale parameter, of shape (1, C, 1, 1)
    - beta: Shift parameter, of shape (1, C, 1, 1)
    - G: Number of groups, a divisor of C
    - gn_param: Dictionary with the optional key 'eps'

    Returns a tuple of:
    - out: Output data, of shape (N, C, H, W)
    - cache: Values needed for the backward pass
    """
    eps = gn_param.get("eps", 1e-5)
    N, C, H, W = x.shape

    # one column for each image and group
    cols = x.reshape(N * G, -1).T
    mean = cols.mean(axis=0)
    var = cols.var(axis=0)
    ivar = 1 / np.sqrt(var + eps)
    cols_hat = (cols - mean) * ivar

    x_hat = cols_hat.T.reshape(N, C, H, W)
    out = gamma * x_hat + beta
    cache = (G, gamma, ivar, x_hat)
    return out, cache


def spatial_groupnorm_backward(dout, cache):
    """
    Computes the backward pass for group normalization of feature maps.

    Returns a tuple of:
    - dx: Gradient with respect to inputs, of shape (N, C, H, W)
    - dgamma: Gradient with respect to scale parameter, of shape (1, C, 1, 1)
    - dbeta: Gradient with respect to shift parameter, of shape (1, C, 1, 1)
    """
    G, gamma, ivar, x_hat = cache
    N, C, H, W = dout.shape

    dbeta = np.sum(dout, axis=(0, 2, 3), keepdims=True)
    dgamma = np.sum(dout * x_hat, axis=(0, 2, 3), keepdims=True)
    dx_hat = dout * gamma

    # reshape as in the forward pass
    dcols_hat = dx_hat.reshape(N * G, -1).T
    cols_hat = x_hat.reshape(N * G, -1).T
    M = cols_hat.shape[0]

    # as in the simplified batch normalization
    dcols = M * dcols_hat
    dcols -= np.sum(dcols_hat, axis=0)
    dcols -= cols_hat * np.sum(dcols_hat * cols_hat, axis=0)
    dcols *= ivar / M

    dx = dcols.T.reshape(N, C, H, W)
    return dx, dgamma, dbeta


def check(check_gradient, dtype=np.float64, **options):
    rng = np.random.default_rng(22)
    x = (1.5 * rng.normal(size=(2, 4, 2, 3)) + 0.5).astype(dtype)
    gamma = rng.normal(size=(1, 4, 1, 1)).astype(dtype)
    beta = rng.normal(size=(1, 4, 1, 1)).astype(dtype)
    return check_gradient(
        spatial_groupnorm_forward,
        spatial_groupnorm_backward,
        x,
        gamma,
        beta,
        2,
        {"eps": 1e-4},
        wrt=("x", "gamma", "beta"),
        **options,
    )
