"""Parameters of predators and prey fitted to data: fourth-order Runge-Kutta and its adjoint."""

import numpy as np

EDITED = ("rhs_transposed_jacobians", "misfit_gradient")


def rhs(u, p):
    prey, predators = u
    a, b, c, d = p
    return np.array([a * prey - b * prey * predators, -c * predators + d * prey * predators])


def rhs_transposed_jacobians(u, p, lam):
    """Return the transposed Jacobians by u and by p, times lam."""
    prey, predators = u
    a, b, c, d = p
    f_u = np.array([[a - b * predators, -b * prey], [d * predators, -c + d * prey]])
    f_p = np.array([[prey, -prey * predators, 0, 0], [0, 0, -predators, prey * predators]])
    return f_u.T @ lam, f_p.T @ lam


def misfit(p, u0, data, dt):
    u = u0
    J = 0.0
    for observed in data:
        k1 = rhs(u, p)
        k2 = rhs(u + 0.5 * dt * k1, p)
        k3 = rhs(u + 0.5 * dt * k2, p)
        k4 = rhs(u + dt * k3, p)
        u = u + dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        J = J + 0.5 * np.sum((u - observed) ** 2)
    return J


def misfit_gradient(p, u0, data, dt):
    # forward sweep: keep the states and the stages
    u = u0
    states = []
    for _ in range(len(data)):
        k1 = rhs(u, p)
        u2 = u + 0.5 * dt * k1
        k2 = rhs(u2, p)
        u3 = u + 0.5 * dt * k2
        k3 = rhs(u3, p)
        u4 = u + dt * k3
        k4 = rhs(u4, p)
        states.append((u, u2, u3, u4))
        u = u + dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    finals = [s[0] for s in states[1:]] + [u]

    # backward sweep: the adjoint state
    lam = np.zeros_like(u0)
    grad_p = np.zeros_like(p)
    for n in reversed(range(len(data))):
        u1, u2, u3, u4 = states[n]
        lam = lam + finals[n] - data[n]
        mu4 = dt / 6 * lam
        w4, g4 = rhs_transposed_jacobians(u4, p, mu4)
        mu3 = dt / 3 * lam + dt * w4
        w3, g3 = rhs_transposed_jacobians(u3, p, mu3)
        mu2 = dt / 3 * lam + 0.5 * dt * w3
        w2, g2 = rhs_transposed_jacobians(u2, p, mu2)
        mu1 = dt / 6 * lam + 0.5 * dt * w2
        w1, g1 = rhs_transposed_jacobians(u1, p, mu1)
        grad_p = grad_p + g1 + g2 + g3 + g4
        lam = lam + w1 + w2 + w3 + w4
    return grad_p, lam


def check(check_gradient, dtype=np.float64, **options):
    rng = np.random.default_rng(18)
    p = np.array([1.1, 0.4, 0.9, 0.3], dtype=dtype)
    u0 = np.array([2.0, 1.0], dtype=dtype)
    data = rng.uniform(0.5, 3, size=(5, 2)).astype(dtype)
    return check_gradient(misfit, misfit_gradient, p, u0, data, 0.2, wrt=("p", "u0"), **options)
