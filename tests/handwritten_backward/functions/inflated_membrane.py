"""A sheet of triangles under pressure: its elastic energy and the forces on the vertices."""

import numpy as np

EDITED = ("stvk_gradient", "volume_gradient", "floor_gradient", "total_gradient")


def rest_shapes(X, triangles):
    """Inverse edge matrices and areas of the triangles at rest, X is (n_vertices, 2)."""
    shapes = []
    for i, j, k in triangles:
        Dm = np.column_stack([X[j] - X[i], X[k] - X[i]])
        shapes.append((np.linalg.inv(Dm), 0.5 * abs(np.linalg.det(Dm))))
    return shapes


def green_strain(xi, xj, xk, Dm_inv):
    Ds = np.column_stack([xj - xi, xk - xi])
    F = Ds @ Dm_inv
    return F, 0.5 * (F.T @ F - np.eye(2))


def stvk_energy(xi, xj, xk, Dm_inv, area, mu, lam):
    """St. Venant-Kirchhoff material"""
    _, E = green_strain(xi, xj, xk, Dm_inv)
    return area * (mu * np.sum(E * E) + 0.5 * lam * np.trace(E) ** 2)


def stvk_gradient(xi, xj, xk, Dm_inv, area, mu, lam):
    F, E = green_strain(xi, xj, xk, Dm_inv)
    S = 2 * mu * E + lam * np.trace(E) * np.eye(2)
    P = F @ S  # first Piola-Kirchhoff stress
    H = area * P @ Dm_inv.T
    gj = H[:, 0]
    gk = H[:, 1]
    gi = -gj - gk
    return gi, gj, gk


def volume(xi, xj, xk):
    """Signed volume between a triangle and the origin"""
    return xi @ np.cross(xj, xk) / 6


def volume_gradient(xi, xj, xk):
    return np.cross(xj, xk) / 6, np.cross(xk, xi) / 6, np.cross(xi, xj) / 6


def floor_energy(x, height, stiffness):
    depth = np.maximum(height - x[:, 2], 0)
    return stiffness * np.sum(depth**3) / 3


def floor_gradient(x, height, stiffness):
    g = np.zeros_like(x)
    depth = np.maximum(height - x[:, 2], 0)
    g[:, 2] = -stiffness * depth**2
    return g


def total_energy(x, triangles, shapes, masses, opts):
    energy = floor_energy(x, opts["floor"], opts["contact"])
    energy += opts["g"] * np.sum(masses * x[:, 2])
    for (i, j, k), (Dm_inv, area) in zip(triangles, shapes, strict=True):
        energy += stvk_energy(x[i], x[j], x[k], Dm_inv, area, opts["mu"], opts["lambda"])
        energy -= opts["pressure"] * volume(x[i], x[j], x[k])
    return energy


def total_gradient(x, triangles, shapes, masses, opts):
    grad = floor_gradient(x, opts["floor"], opts["contact"])
    grad[:, 2] += opts["g"] * masses
    for tri, (Dm_inv, area) in zip(triangles, shapes, strict=True):
        xi, xj, xk = x[tri[0]], x[tri[1]], x[tri[2]]
        elastic = stvk_gradient(xi, xj, xk, Dm_inv, area, opts["mu"], opts["lambda"])
        swell = volume_gradient(xi, xj, xk)
        for vertex, g_elastic, g_volume in zip(tri, elastic, swell, strict=True):
            grad[vertex] += g_elastic - opts["pressure"] * g_volume
    return grad


def check(check_gradient, dtype=np.float64, **options):
    rng = np.random.default_rng(73)
    X = np.array([[i, j] for j in range(3) for i in range(3)]) + rng.normal(0, 0.08, (9, 2))
    triangles = []
    for corner in (0, 1, 3, 4):
        triangles += [(corner, corner + 1, corner + 4), (corner, corner + 4, corner + 3)]
    shapes = rest_shapes(X, triangles)
    x = np.hstack([1.15 * X, rng.normal(0, 0.3, (9, 1))]) + rng.normal(0, 0.1, (9, 3))
    masses = rng.uniform(0.1, 0.3, 9).astype(dtype)
    opts = {"mu": 1.4, "lambda": 0.9, "pressure": 0.7, "g": 2.0, "floor": 0.1, "contact": 5.0}
    return check_gradient(
        total_energy,
        total_gradient,
        x.astype(dtype),
        triangles,
        shapes,
        masses,
        opts,
        wrt="x",
        **options,
    )
