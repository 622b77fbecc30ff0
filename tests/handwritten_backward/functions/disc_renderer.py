"""A differentiable renderer of soft discs, which are blended from the front to the back."""

import numpy as np

EDITED = ("disc_coverage_backward", "render_backward")


def pixel_grid(height, width):
    ys, xs = np.mgrid[0:height, 0:width]
    return np.stack([(xs + 0.5) / width, (ys + 0.5) / height], axis=-1)


def disc_coverage(pixels, center, log_radius, softness):
    """Close to one inside the disc, and close to zero outside."""
    offset = pixels - center
    dist = np.sqrt(np.sum(offset**2, axis=-1))
    return 1 / (1 + np.exp((dist - np.exp(log_radius)) / softness))


def disc_coverage_backward(d_cov, cov, pixels, center, log_radius, softness):
    offset = pixels - center
    dist = np.sqrt(np.sum(offset**2, axis=-1))
    # signed distance to the edge, positive outside
    d_signed = -d_cov * cov * (1 - cov) / softness
    d_log_radius = -np.sum(d_signed) * np.exp(log_radius)
    direction = offset / dist[..., None]
    d_center = -np.sum(d_signed[..., None] * direction, axis=(0, 1))
    return d_center, d_log_radius


def render(centers, log_radii, colors, opacity_logits, background, size, softness):
    """
    Return the image (height, width, 3) and its alpha (height, width).

    The discs are sorted: the first is in front.
    """
    pixels = pixel_grid(*size).astype(centers.dtype)
    opacity = 1 / (1 + np.exp(-opacity_logits))
    image = np.zeros((*size, 3), dtype=centers.dtype)
    T = np.ones(size, dtype=centers.dtype)

    steps = []
    for i in range(len(centers)):
        cov = disc_coverage(pixels, centers[i], log_radii[i], softness)
        a = opacity[i] * cov
        image += (T * a)[..., None] * colors[i]
        steps.append((cov, a, T))
        T = T * (1 - a)
    image += T[..., None] * background

    cache = (pixels, centers, log_radii, colors, opacity, background, softness, steps, T)
    alpha = 1 - T
    return image, alpha, cache


def render_backward(d_image, d_alpha, cache):
    pixels, centers, log_radii, colors, opacity, background, softness, steps, T_end = cache
    d_centers = np.zeros_like(centers)
    d_log_radii = np.zeros_like(log_radii)
    d_colors = np.zeros_like(colors)
    d_opacity = np.zeros_like(opacity)

    d_background = np.sum(d_image * T_end[..., None], axis=(0, 1))
    dT = d_image @ background - d_alpha
    for i in reversed(range(len(centers))):
        cov, a, T = steps[i]
        d_colors[i] = np.sum(d_image * (T * a)[..., None], axis=(0, 1))
        seen = d_image @ colors[i]
        da = T * (seen - dT)
        dT = dT * (1 - a) + seen * a

        d_opacity[i] = np.sum(da * cov)
        d_cov = da * opacity[i]
        d_centers[i], d_log_radii[i] = disc_coverage_backward(
            d_cov, cov, pixels, centers[i], log_radii[i], softness
        )

    d_opacity_logits = d_opacity * opacity * (1 - opacity)
    return d_centers, d_log_radii, d_colors, d_opacity_logits, d_background


def check(check_gradient, dtype=np.float64, **options):
    rng = np.random.default_rng(67)
    n = 4
    centers = rng.uniform(0.15, 0.85, (n, 2)).astype(dtype)
    log_radii = np.log(rng.uniform(0.2, 0.4, n)).astype(dtype)
    colors = rng.uniform(0, 1, (n, 3)).astype(dtype)
    opacity_logits = rng.normal(0.5, 0.8, n).astype(dtype)
    background = rng.uniform(0, 1, 3).astype(dtype)
    return check_gradient(
        render,
        render_backward,
        centers,
        log_radii,
        colors,
        opacity_logits,
        background,
        (5, 6),
        0.12,
        wrt=("centers", "log_radii", "colors", "opacity_logits", "background"),
        has_cache=True,
        **options,
    )
