"""A pendulum on a spring, in leapfrog steps, and the discrete adjoint by quantities with a bar."""

import numpy as np

EDITED = ("acceleration_adjoint", "grad_cost")


def acceleration(q, params):
    """Spring towards the pivot at the origin, and gravity, by unit mass."""
    k, l0, g = params
    r = np.hypot(q[0], q[1])
    pull = -k * (r - l0)
    a = pull * q / r
    a[1] -= g
    return a


def acceleration_adjoint(q, params, a_bar):
    """Pull a_bar back to the position and the parameters."""
    k, l0, g = params
    r = np.hypot(q[0], q[1])
    e = q / r
    pull = -k * (r - l0)

    # a = pull * e - (0, g)
    pull_bar = np.dot(a_bar, e)
    e_bar = pull * a_bar
    g_bar = -a_bar[1]

    # pull = -k * (r - l0)
    k_bar = -(r - l0) * pull_bar
    l0_bar = k * pull_bar
    r_bar = -k * pull_bar

    # e = q / r
    q_bar = e_bar / r
    r_bar -= np.dot(e_bar, q) / r**2

    # r = |q|
    q_bar += r_bar * e

    return q_bar, np.array([k_bar, l0_bar, g_bar])


def leapfrog(q, v, params, h, n_steps):
    """Kick, drift, kick. Returns the positions and velocities, the initial ones included."""
    qs, vs = [q], [v]
    for _ in range(n_steps):
        v_half = v + 0.5 * h * acceleration(q, params)
        q = q + h * v_half
        v = v_half + 0.5 * h * acceleration(q, params)
        qs.append(q)
        vs.append(v)
    return np.array(qs), np.array(vs)


def cost(q0, v0, params, target, h, n_steps, mu):
    """Distance to the target at the end, and mean kinetic energy on the way."""
    qs, vs = leapfrog(q0, v0, params, h, n_steps)
    terminal = 0.5 * np.sum((qs[-1] - target) ** 2)
    running = mu * h * 0.5 * np.sum(vs[1:] ** 2)
    return terminal + running


def grad_cost(q0, v0, params, target, h, n_steps, mu):
    qs, vs = leapfrog(q0, v0, params, h, n_steps)

    q_bar = qs[-1] - target
    v_bar = np.zeros_like(v0)
    params_bar = np.zeros_like(params)

    for n in range(n_steps, 0, -1):
        # running cost
        v_bar += mu * h * vs[n]

        # second kick
        dq, dp = acceleration_adjoint(qs[n], params, 0.5 * h * v_bar)
        q_bar += dq
        params_bar += dp

        # drift
        v_bar += h * q_bar

        # first kick
        dq, dp = acceleration_adjoint(qs[n - 1], params, 0.5 * h * v_bar)
        q_bar += dq
        params_bar += dp

    return q_bar, v_bar, params_bar


def check(check_gradient, dtype=np.float64, **options):
    q0 = np.array([0.9, -0.8], dtype=dtype)
    v0 = np.array([0.4, 0.3], dtype=dtype)
    params = np.array([12.0, 1.0, 9.8], dtype=dtype)  # stiffness, rest length, gravity
    target = np.array([-0.5, -1.4], dtype=dtype)
    return check_gradient(
        cost,
        grad_cost,
        q0,
        v0,
        params,
        target,
        0.05,
        8,
        0.2,
        wrt=("q0", "v0", "params"),
        **options,
    )
