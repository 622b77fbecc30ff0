"""A slow forward in two processes, and a forward that takes many points in one call."""

import loky
import numpy as np
import pytest


@pytest.fixture(scope="session")
def workers():
    """Return two processes that the whole suite uses."""
    return loky.get_reusable_executor(max_workers=2)


def test_diffusion(gradcheck, workers):
    """The gradient of a diffusion over many steps, by the adjoint method."""
    steps, rate = 2_000, 0.2

    def step(u):
        return u + rate * (np.roll(u, 1) - 2 * u + np.roll(u, -1))

    def energy(u):
        for _ in range(steps):
            u = step(u)
        return u @ u

    def adjoint(u):
        for _ in range(steps):
            u = step(u)
        for _ in range(steps):  # the step is its own adjoint
            u = step(u)
        return 2 * u

    gradcheck(energy, adjoint, np.linspace(0.0, 1.0, 12) ** 2, executor=workers)


def test_many_points_in_one_call(gradcheck):
    """A forward that only sums over the last axis of x can be called with a leading axis."""

    def rosenbrock(x):
        return np.sum(100 * (x[..., 1:] - x[..., :-1] ** 2) ** 2 + (1 - x[..., :-1]) ** 2, axis=-1)

    def gradient(x):
        g = np.zeros_like(x)
        g[1:] += 200 * (x[1:] - x[:-1] ** 2)
        g[:-1] -= 400 * x[:-1] * (x[1:] - x[:-1] ** 2) + 2 * (1 - x[:-1])
        return g

    gradcheck(rosenbrock, gradient, np.linspace(-1.0, 1.0, 40), batched=True)
