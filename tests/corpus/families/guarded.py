"""Functions that raise an exception a little away from the point."""

import math

import numpy as np

from tests.corpus.family import Case, Collection

GUARDED = Collection()


@GUARDED.family()
def asserts_closeness(rng: np.random.Generator) -> Case:
    """Assert that two entries are within 1e-4 of each other, as they are."""
    x = rng.normal(size=4)
    x[1] = x[0] + rng.uniform(-5e-5, 5e-5)

    def forward(x):
        assert abs(x[0] - x[1]) < 1e-4
        return np.sum(np.exp(np.sin(x)))

    return Case(forward, lambda x: np.cos(x) * np.exp(np.sin(x)), x)


@GUARDED.family()
def asserts_a_sum(rng: np.random.Generator) -> Case:
    """Assert that probabilities add up to one, to 1e-6: a change of any entry breaks that."""
    p = rng.dirichlet(np.full(5, 5.0))

    def forward(p):
        assert abs(np.sum(p) - 1) < 1e-6
        return -np.sum(p * np.log(p))

    return Case(forward, lambda p: -np.log(p) - 1, p)


@GUARDED.family()
def does_not_converge(rng: np.random.Generator) -> Case:
    """Iterate to a fixed point; a few percent away the iteration does not converge and raises."""
    a = rng.uniform(0.5, 2, size=3)
    x = np.append(0.8 * rng.uniform(0.99, 1, size=1), rng.normal(size=2))

    def solve(x):
        y = 0.0 * x[0]
        for _ in range(145):
            y, last = x[0] * np.tanh(y) + a[0] * np.sin(x[1]) / 4 + a[1] * np.cos(x[2]) / 4, y
            if abs(y - last) < 1e-14:
                return y
        raise RuntimeError("SCF not converged")

    def forward(x):
        return solve(x) ** 2

    def gradient(x):
        y = solve(x)
        by_y = 1 - x[0] * (1 - np.tanh(y) ** 2)
        by_x = np.array([np.tanh(y), a[0] * np.cos(x[1]) / 4, -a[1] * np.sin(x[2]) / 4])
        return 2 * y * by_x / by_y

    return Case(forward, gradient, x, precision=1e-6)


@GUARDED.family()
def newton_gives_up(rng: np.random.Generator) -> Case:
    """Find a root by Newton's method from a fixed start; far from it the steps do not suffice."""
    x = np.array([3.0, 1.0]) * rng.uniform(0.9, 1.1, size=2)
    start = float(np.cbrt(x[0]))

    def solve(x):
        y = start
        for _ in range(6):
            step = (y**3 + x[1] * y - x[0] - x[1] * start) / (3 * y**2 + x[1])
            y = y - step
            if abs(step) < 1e-13:
                return y
        raise RuntimeError("Newton's method did not converge")

    def gradient(x):
        y = solve(x)
        return np.array([1, start - y]) / (3 * y**2 + x[1]) * np.cos(y)

    return Case(lambda x: np.sin(solve(x)), gradient, x)


@GUARDED.family()
def table_ends(rng: np.random.Generator) -> Case:
    """Interpolate a table close to its end: beyond is an IndexError."""
    table = [float(v) for v in np.cumsum(rng.uniform(0.5, 2, size=11))]
    x = 10 - 10.0 ** rng.uniform(-4, -1, size=3)

    def forward(x):
        total = 0.0
        for v in x:
            i = math.floor(v)
            u = v - i
            total = total + table[i] + (table[i + 1] - table[i]) * (u + np.sin(np.pi * u) / 9)
        return total

    def gradient(x):
        i = np.floor(x).astype(int)
        t = np.array(table)
        return (t[i + 1] - t[i]) * (1 + np.pi / 9 * np.cos(np.pi * (x - i)))

    return Case(forward, gradient, x)


@GUARDED.family()
def pixel_outside(rng: np.random.Generator) -> Case:
    """Sample an image bilinearly by row and column, close to its border."""
    image = rng.normal(size=(8, 8)).cumsum(axis=0)
    x = np.array([7 - 10.0 ** rng.uniform(-5, -2), rng.uniform(1.2, 1.8)])

    def corners(x):
        i, j = math.floor(x[0]), math.floor(x[1])
        return (
            image[i, j],
            image[i, j + 1],
            image[i + 1, j],
            image[i + 1, j + 1],
            x[0] - i,
            x[1] - j,
        )

    def forward(x):
        a, b, c, d, u, v = corners(x)
        return (1 - u) * ((1 - v) * a + v * b) + u * ((1 - v) * c + v * d)

    def gradient(x):
        a, b, c, d, u, v = corners(x)
        return np.array([(1 - v) * (c - a) + v * (d - b), (1 - u) * (b - a) + u * (d - c)])

    return Case(forward, gradient, x)


@GUARDED.family()
def regions_by_key(rng: np.random.Generator) -> Case:
    """Look up a law by region in a dictionary: beyond the last region is a KeyError."""
    rates = {0: 1.5, 1: 1.5}
    x = 2 - 10.0 ** rng.uniform(-4, -1, size=2)

    def forward(x):
        return sum(np.exp(-rates[math.floor(v)] * v) for v in x)

    return Case(forward, lambda x: -1.5 * np.exp(-1.5 * x), x)


@GUARDED.family()
def turns_complex(rng: np.random.Generator) -> Case:
    """Take roots of Python numbers: below zero they are complex, and comparing them raises."""
    x = 10.0 ** rng.uniform(-5, -1, size=3)

    def root(v):
        r = float(v) ** 0.5
        return r if r > 0 else 0.0

    return Case(
        lambda x: sum(root(v) * float(v) for v in x) + 1.0,
        lambda x: 1.5 * np.sqrt(x),
        x,
    )


@GUARDED.family()
def licence_expires(rng: np.random.Generator) -> Case:
    """Raise a user-defined exception outside a calibrated range of half a percent."""

    class OutOfRangeError(Exception):
        """A temperature outside the calibrated range."""

    low, high = 293.0, 294.5
    x = rng.uniform(293.2, 294.3, size=3)

    def forward(t):
        if np.any(t < low) or np.any(t > high):
            raise OutOfRangeError("not calibrated here")
        return np.sum(np.exp(-6000 / t) * 1e9)

    return Case(forward, lambda t: 6000 / t**2 * np.exp(-6000 / t) * 1e9, x)


@GUARDED.family()
def cholesky_nearby(rng: np.random.Generator) -> Case:
    """Factorise a matrix that is barely positive definite: a LinAlgError a little away."""
    q = np.linalg.qr(rng.normal(size=(4, 4)))[0]
    matrix = q @ np.diag([1e-3, 1.0, 2.0, 3.0]) @ q.T

    def forward(a):
        return 2 * np.sum(np.log(np.diag(np.linalg.cholesky((a + a.T) / 2))))

    return Case(
        forward, lambda a: np.linalg.inv((a + a.T) / 2), (matrix + matrix.T) / 2, precision=1e-9
    )
