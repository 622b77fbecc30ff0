"""Adaptive solvers, whose step sizes depend on the parameters.

Backward is the exact or adjoint derivative of the solution that the solver approximates. It does
not contain the derivative of the step sizes.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import integrate

from tests.corpus.family import Array, Case, Collection

SOLVERS = Collection()

#: The state of an equation: a Python number, which is faster than an array of one.
Number = Any


def _adaptive(rate: Callable[[Number], Number], y: Number, end: float, tolerance: float) -> Number:
    """Integrate an autonomous equation from 0 to `end` by the Bogacki-Shampine pair.

    The local error estimate of every step is within `tolerance`.

    Raises
    ------
    RuntimeError
        When it takes more than 500 steps.
    """
    time, step = 0.0, 0.1
    for _ in range(500):
        if time >= end:
            return y
        step = min(step, end - time)
        a = rate(y)
        b = rate(y + step * a / 2)
        c = rate(y + step * b * 3 / 4)
        stepped = y + step * (2 * a + 3 * b + 4 * c) / 9
        error = abs(step * (-5 * a / 72 + b / 12 + c / 9 - rate(stepped) / 8))
        if error <= tolerance:
            time += step
            y = stepped
        step *= min(4.0, max(0.2, 0.9 * (tolerance / (error + 1e-30)) ** (1 / 3)))
    raise RuntimeError("the steps have become too small")


def _tolerance(rng: np.random.Generator, least: int = 7) -> float:
    """Draw a tolerance between 1e-3 and ``10**-least``."""
    return float(10.0 ** -rng.integers(3, least + 1))


def _solver_case(
    tolerance: float, forward: Callable[[Array], Any], gradient: Callable[[Array], Array], x: Array
) -> Case:
    """Return a case whose derivative has the uncertainty that the solver's tolerance leaves."""
    uncertainty = 100 * tolerance * float(np.abs(gradient(x)).max())
    return Case(forward, gradient, x, rounding=uncertainty)


@SOLVERS.family(noisy=True)
def predators_by_adjoint(rng: np.random.Generator) -> Case:
    """Integrate the Lotka-Volterra equations by solve_ivp; backward is the continuous adjoint."""
    tolerance = _tolerance(rng, 6)
    y0, end = rng.uniform(0.5, 1.5, size=2), 2.0
    options = {"rtol": tolerance, "atol": 1e-3 * tolerance}
    closer = {"rtol": 1e-2 * tolerance, "atol": 1e-5 * tolerance}

    def rate(t, y, p):
        return [p[0] * y[0] - p[1] * y[0] * y[1], p[2] * y[0] * y[1] - p[3] * y[1]]

    def forward(p):
        return np.sum(integrate.solve_ivp(rate, (0, end), y0, args=(p,), **options).y[:, -1])

    def gradient(p):
        final = integrate.solve_ivp(rate, (0, end), y0, args=(p,), **closer).y[:, -1]

        def back(t, z):
            y, a = z[:2], z[2:4]
            by_y = np.array(
                [[p[0] - p[1] * y[1], -p[1] * y[0]], [p[2] * y[1], p[2] * y[0] - p[3]]]
            )
            by_p = [a[0] * y[0], -a[0] * y[0] * y[1], a[1] * y[0] * y[1], -a[1] * y[1]]
            return np.concatenate([rate(t, y, p), -a @ by_y, -np.array(by_p)])

        start = np.concatenate([final, np.ones(2), np.zeros(4)])
        return integrate.solve_ivp(back, (end, 0), start, **closer).y[4:, -1]

    return _solver_case(tolerance, forward, gradient, rng.uniform(0.5, 1.5, size=4))


@SOLVERS.family(noisy=True)
def decay_by_solve_ivp(rng: np.random.Generator) -> Case:
    """Integrate a driven decay, whose solution and derivative are known exactly."""
    tolerance = _tolerance(rng)
    end = rng.uniform(1, 4)

    def forward(p):
        found = integrate.solve_ivp(
            lambda t, y: p[0] - p[1] * y, (0, end), [p[2]], rtol=tolerance, atol=1e-3 * tolerance
        )
        return found.y[0, -1]

    def gradient(p):
        e = np.exp(-p[1] * end)
        rest = p[0] / p[1]
        by_rate = -rest / p[1] * (1 - e) + rest * end * e - p[2] * end * e
        return np.array([(1 - e) / p[1], by_rate, e])

    return _solver_case(tolerance, forward, gradient, rng.uniform(0.5, 2, size=3))


@SOLVERS.family(noisy=True)
def logistic_growth_adaptive(rng: np.random.Generator) -> Case:
    """Integrate logistic growth by an adaptive pair of orders 3 and 2."""
    tolerance, end = _tolerance(rng, 5), rng.uniform(1, 3)

    def forward(p):
        rate, most, start = p.tolist()
        return _adaptive(lambda y: rate * y * (1 - y / most), start, end, tolerance)

    def gradient(p):
        e = np.exp(p[0] * end)
        below = p[1] + p[2] * (e - 1)
        y = p[1] * p[2] * e / below
        by_rate = end * y * (1 - p[2] * e / below)
        return np.array([by_rate, y / p[1] - y / below, y / p[2] - y * (e - 1) / below])

    x = np.array([1.0, 2.0, 0.1]) * rng.uniform(0.5, 1.5, size=3)
    return _solver_case(tolerance, forward, gradient, x)


@SOLVERS.family(noisy=True)
def oscillator_adaptive(rng: np.random.Generator) -> Case:
    """Integrate a damped oscillator adaptively; backward is the exact derivative."""
    tolerance, end = _tolerance(rng, 5), rng.uniform(2, 4)

    def forward(p):
        exponent = complex(-p[1], p[0])
        return _adaptive(lambda z: exponent * z, 1 + 0j, end, tolerance).real

    def gradient(p):
        fade = np.exp(-p[1] * end)
        return -end * fade * np.array([np.sin(p[0] * end), np.cos(p[0] * end)])

    x = np.array([1.5, 0.2]) * rng.uniform(0.6, 1.5, size=2)
    return _solver_case(tolerance, forward, gradient, x)


@SOLVERS.family(noisy=True)
def integral_by_quad(rng: np.random.Generator) -> Case:
    """Integrate a peak by adaptive quadrature to a few digits; its integral is known exactly."""
    tolerance, end = _tolerance(rng), rng.uniform(1, 3)

    def forward(p):
        def peak(t):
            return p[0] / (1 + ((t - p[1]) / p[2]) ** 2)

        return integrate.quad(peak, 0, end, epsabs=tolerance, epsrel=tolerance)[0]

    def gradient(p):
        low, high = -p[1] / p[2], (end - p[1]) / p[2]
        area = np.arctan(high) - np.arctan(low)
        by_place = p[0] * (1 / (1 + low**2) - 1 / (1 + high**2))
        by_width = p[0] * (area - high / (1 + high**2) + low / (1 + low**2))
        return np.array([p[2] * area, by_place, by_width])

    x = np.array([1.0, 0.5 * end, 0.1]) * rng.uniform(0.7, 1.4, size=3)
    return _solver_case(tolerance, forward, gradient, x)
