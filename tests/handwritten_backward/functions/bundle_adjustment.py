"""Bundle adjustment: rotation vectors, a camera with distortion, a robust reprojection error."""

import numpy as np

EDITED = ("rotate_vjp", "project_vjp", "pseudo_huber_weight", "gradient")


def rotate(w, x):
    """Rotate x about the direction of w by the length of w, with the formula of Rodrigues."""
    theta = np.sqrt(w @ w)
    k = w / theta
    c, s = np.cos(theta), np.sin(theta)
    return c * x + s * np.cross(k, x) + (1 - c) * (k @ x) * k


def rotate_vjp(w, x, y_bar):
    theta = np.sqrt(w @ w)
    k = w / theta
    c, s = np.cos(theta), np.sin(theta)
    kx = k @ x

    # the angle
    dy_dtheta = -s * x + c * np.cross(k, x) + s * kx * k
    theta_bar = y_bar @ dy_dtheta

    # the axis
    k_bar = s * np.cross(x, y_bar)
    k_bar += (1 - c) * (kx * y_bar + (k @ y_bar) * x)
    w_bar = theta_bar * k + (k_bar - k * (k @ k_bar)) / theta

    # the point, by the inverse rotation
    x_bar = c * y_bar - s * np.cross(k, y_bar) + (1 - c) * (k @ y_bar) * k
    return w_bar, x_bar


def project(camera, X):
    """Camera parameters are rotation (3), translation (3), focal length, k1 and k2."""
    P = rotate(camera[:3], X) + camera[3:6]
    p = P[:2] / P[2]
    f, k1, k2 = camera[6:]
    n = p @ p
    return f * (1 + k1 * n + k2 * n**2) * p


def project_vjp(camera, X, uv_bar):
    w, t = camera[:3], camera[3:6]
    f, k1, k2 = camera[6:]
    P = rotate(w, X) + t
    p = P[:2] / P[2]
    n = p @ p
    distortion = 1 + k1 * n + k2 * n**2

    camera_bar = np.zeros_like(camera)

    # intrinsics
    r_bar = f * (p @ uv_bar)
    camera_bar[6] = distortion * (p @ uv_bar)
    camera_bar[7] = n * r_bar
    camera_bar[8] = n**2 * r_bar

    # distortion
    n_bar = (k1 + 2 * k2 * n) * r_bar
    p_bar = f * distortion * uv_bar + 2 * n_bar * p

    # perspective division
    P_bar = np.zeros_like(P)
    P_bar[:2] = p_bar / P[2]
    P_bar[2] = -(p_bar @ p) / P[2]

    # rigid motion
    camera_bar[:3], X_bar = rotate_vjp(w, X, P_bar)
    camera_bar[3:6] = P_bar
    return camera_bar, X_bar


def pseudo_huber(r, delta):
    return delta**2 * (np.sqrt(1 + r @ r / delta**2) - 1)


def pseudo_huber_weight(r, delta):
    """The derivative by r is the weight times r."""
    return 1 / np.sqrt(1 + r @ r / delta**2)


def cost(cameras, points, camera_indices, point_indices, points_2d, delta):
    total = 0.0
    for i, j, uv in zip(camera_indices, point_indices, points_2d, strict=True):
        total += pseudo_huber(project(cameras[i], points[j]) - uv, delta)
    return total


def gradient(cameras, points, camera_indices, point_indices, points_2d, delta):
    grad_cameras = np.zeros_like(cameras)
    grad_points = np.zeros_like(points)
    for i, j, uv in zip(camera_indices, point_indices, points_2d, strict=True):
        r = project(cameras[i], points[j]) - uv
        r_bar = pseudo_huber_weight(r, delta) * r
        camera_bar, X_bar = project_vjp(cameras[i], points[j], r_bar)
        grad_cameras[i] += camera_bar
        grad_points[j] += X_bar
    return grad_cameras, grad_points


def check(check_gradient, dtype=np.float64, **options):
    rng = np.random.default_rng(43)
    cameras = np.array(
        [
            [0.3, -0.2, 0.1, 0.1, -0.3, 4.0, 2.0, 0.15, -0.10],
            [-0.4, 0.5, 0.2, -0.2, 0.2, 5.0, 2.5, -0.20, 0.30],
            [0.1, 0.3, -0.6, 0.3, 0.1, 4.5, 1.8, 0.25, 0.20],
        ],
        dtype=dtype,
    )
    points = rng.uniform(-1.5, 1.5, (4, 3)).astype(dtype)
    camera_indices = np.array([0, 0, 0, 1, 1, 1, 2, 2, 2])
    point_indices = np.array([0, 1, 3, 0, 2, 3, 1, 2, 3])
    points_2d = rng.normal(0, 0.8, (9, 2)).astype(dtype)
    return check_gradient(
        cost,
        gradient,
        cameras,
        points,
        camera_indices,
        point_indices,
        points_2d,
        0.7,
        wrt=("cameras", "points"),
        **options,
    )
