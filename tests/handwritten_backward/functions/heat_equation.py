"""The conductivity of a rod from its temperatures: implicit Euler, its adjoint, and `jac=`."""

import numpy as np

EDITED = ("solve_adjoint", "gradient")


def stiffness_matrix(kappa, dx):
    """kappa lives on the faces of the cells; the temperature is zero at both ends."""
    A = np.diag(kappa[:-1] + kappa[1:])
    A -= np.diag(kappa[1:-1], k=1)
    A -= np.diag(kappa[1:-1], k=-1)
    return A / dx**2


def solve_forward(m, u0, source, dx, dt, nt):
    """Temperatures at all times, of shape (nt + 1, nx)."""
    nx = len(u0)
    B = np.eye(nx) + dt * stiffness_matrix(np.exp(m), dx)
    u = np.zeros((nt + 1, nx))
    u[0] = u0
    for n in range(nt):
        u[n + 1] = np.linalg.solve(B, u[n] + dt * source)
    return u


def solve_adjoint(m, misfit, dx, dt):
    """Adjoint states at all times, from the final time to the first."""
    nt, nx = misfit.shape
    B = np.eye(nx) + dt * stiffness_matrix(np.exp(m), dx)
    lam = np.zeros((nt + 1, nx))
    for n in range(nt - 1, -1, -1):
        rhs = lam[n + 1] + dt * dx * misfit[n]
        lam[n] = np.linalg.solve(B.T, rhs)
    return lam[:nt]


def cost(m, u0, source, data, dx, dt, beta):
    u = solve_forward(m, u0, source, dx, dt, len(data))
    fit = 0.5 * dt * dx * np.sum((u[1:] - data) ** 2)
    smoothness = 0.5 * beta * np.sum(np.diff(m) ** 2) / dx
    return fit + smoothness


def gradient(m, u0, source, data, dx, dt, beta):
    nt, nx = data.shape
    u = solve_forward(m, u0, source, dx, dt, nt)
    misfit = u[1:] - data
    lam = solve_adjoint(m, misfit, dx, dt)

    # -lam^T (dB/dkappa) u, summed over the time steps
    g_kappa = np.zeros(nx + 1)
    for n in range(nt):
        u_x = np.diff(u[n + 1], prepend=0, append=0) / dx
        lam_x = np.diff(lam[n], prepend=0, append=0) / dx
        g_kappa -= dt * u_x * lam_x

    # chain rule, since m is the logarithm of kappa
    g = g_kappa * np.exp(m)

    # regularization
    m_x = np.diff(m) / dx
    g[1:] += beta * m_x
    g[:-1] -= beta * m_x
    return g


def check(check_gradient, dtype=np.float64, **options):
    rng = np.random.default_rng(25)
    nx, nt, dt = 5, 4, 0.05
    x = np.linspace(0, 1, nx + 2)[1:-1]
    u0 = np.sin(np.pi * x).astype(dtype)
    source = (2 + x).astype(dtype)
    data = rng.uniform(0, 1, size=(nt, nx)).astype(dtype)
    m = rng.normal(-0.5, 0.4, size=nx + 1).astype(dtype)
    dx = 1 / (nx + 1)
    return check_gradient(cost, gradient, m, u0, source, data, dx, dt, 1e-3, wrt="m", **options)
