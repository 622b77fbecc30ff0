"""Colours, depths and opacities of rays through a radiance field, composited from samples."""

import numpy as np

EDITED = ("render_rays_backward",)


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def render_rays(raw_sigma, raw_rgb, z_vals, background, far):
    """
    raw_sigma: (n_rays, n_samples) densities before the softplus
    raw_rgb: (n_rays, n_samples, 3) colours before the sigmoid
    z_vals: (n_rays, n_samples) increasing distances of the samples; the last one lasts till far
    background: (3,) what is seen where nothing is in the way
    """
    sigma = np.log1p(np.exp(raw_sigma))
    rgb = sigmoid(raw_rgb)
    ends = np.concatenate([z_vals[:, 1:], np.full_like(z_vals[:, :1], far)], axis=1)
    deltas = ends - z_vals

    tau = sigma * deltas
    alpha = 1.0 - np.exp(-tau)
    # light that comes as far as a sample
    trans = np.exp(-(np.cumsum(tau, axis=1) - tau))
    weights = trans * alpha

    acc = weights.sum(axis=1)
    color = np.sum(weights[..., None] * rgb, axis=1) + (1.0 - acc)[:, None] * background
    depth = np.sum(weights * z_vals, axis=1)

    cache = (raw_sigma, z_vals, background, sigma, rgb, deltas, alpha, trans, weights, acc)
    return color, depth, acc, cache


def render_rays_backward(grad_color, grad_depth, grad_acc, cache):
    raw_sigma, z_vals, background, sigma, rgb, deltas, alpha, trans, weights, acc = cache

    # compositing
    grad_rgb = weights[..., None] * grad_color[:, None, :]
    grad_background = np.sum((1.0 - acc)[:, None] * grad_color, axis=0)
    grad_weights = np.sum(grad_color[:, None, :] * (rgb - background), axis=-1)
    grad_weights += grad_depth[:, None] * z_vals
    grad_weights += grad_acc[:, None]

    # a sample is in the way of all those behind it
    gw = grad_weights * weights
    behind = np.cumsum(gw[:, ::-1], axis=1)[:, ::-1] - gw
    grad_tau = grad_weights * trans * (1.0 - alpha) - behind

    grad_sigma = grad_tau * deltas
    grad_deltas = grad_tau * sigma

    # distances
    grad_z = grad_depth[:, None] * weights
    grad_z -= grad_deltas
    grad_z[:, 1:] += grad_deltas[:, :-1]

    # activations
    grad_raw_sigma = grad_sigma * sigmoid(raw_sigma)
    grad_raw_rgb = grad_rgb * rgb * (1.0 - rgb)
    return grad_raw_sigma, grad_raw_rgb, grad_z, grad_background


def check(check_gradient, dtype=np.float64, **options):
    rng = np.random.default_rng(77)
    n_rays, n_samples = 3, 6
    raw_sigma = rng.normal(-0.3, 1, (n_rays, n_samples)).astype(dtype)
    raw_rgb = rng.normal(size=(n_rays, n_samples, 3)).astype(dtype)
    z_vals = np.sort(rng.uniform(1, 3, (n_rays, n_samples)), axis=1).astype(dtype)
    background = rng.uniform(0.2, 0.9, 3).astype(dtype)
    return check_gradient(
        render_rays,
        render_rays_backward,
        raw_sigma,
        raw_rgb,
        z_vals,
        background,
        3.3,
        wrt=("raw_sigma", "raw_rgb", "z_vals", "background"),
        has_cache=True,
        **options,
    )
