"""Values that carry noise: low precision inside, rounding, cancellation."""

import numpy as np

from tests.corpus.family import Case, Collection

NOISY = Collection()


@NOISY.family(noisy=True)
def float32_network(rng: np.random.Generator) -> Case:
    """Compute a small network in float32."""
    a, c = rng.normal(size=(6, 4)), rng.normal(size=6)
    a32, c32 = a.astype(np.float32), c.astype(np.float32)
    a, c = a32.astype(float), c32.astype(float)
    return Case(
        lambda x: c32 @ np.tanh(a32 @ x.astype(np.float32)),
        lambda x: a.T @ (c * (1 - np.tanh(a @ x) ** 2)),
        rng.normal(size=4),
    )


@NOISY.family(noisy=True)
def float32_sum(rng: np.random.Generator) -> Case:
    """Average a thousand squares in float32."""
    data = rng.normal(size=1000).astype(np.float32)

    def forward(p):
        q = p.astype(np.float32)
        return np.mean((data * q[0] + q[1]) ** 2, dtype=np.float32)

    def gradient(p):
        d = data.astype(float)
        r = d * p[0] + p[1]
        return np.array([2 * np.mean(r * d), 2 * np.mean(r)])

    return Case(forward, gradient, rng.normal(size=2))


@NOISY.family(noisy=True)
def rounded_values(rng: np.random.Generator) -> Case:
    """Round the value to seven decimals."""
    a, x = rng.uniform(0.5, 2, size=4), rng.normal(size=4)
    return Case(lambda x: np.round(np.sum(a * np.sin(x)), 7), lambda x: a * np.cos(x), x)


@NOISY.family(noisy=True)
def printed_values(rng: np.random.Generator) -> Case:
    """Format the value with nine digits and parse it again."""
    a, x = rng.uniform(0.5, 2, size=4), rng.normal(size=4)
    return Case(lambda x: float(f"{np.sum(a * np.exp(x)):.9g}"), lambda x: a * np.exp(x), x)


@NOISY.family(noisy=True)
def half_precision(rng: np.random.Generator) -> Case:
    """Compute in float16."""
    a = rng.uniform(0.5, 2, size=3).astype(np.float16)
    wide = a.astype(float)
    return Case(
        lambda x: np.sum(a * np.sin(x.astype(np.float16))),
        lambda x: wide * np.cos(x),
        rng.normal(size=3).astype(np.float16).astype(float),
    )


@NOISY.family(noisy=True)
def sensor_noise(rng: np.random.Generator) -> Case:
    """Add deterministic noise of 1e-9 to the value."""
    a, x = rng.uniform(0.5, 2, size=4), rng.normal(size=4)
    return Case(
        lambda x: np.sum(a * np.sin(x)) + 1e-9 * np.sin(1e13 * np.sum(x) + 1e8 * x[0]),
        lambda x: a * np.cos(x),
        x,
    )


@NOISY.family(noisy=True)
def cancellation(rng: np.random.Generator) -> Case:
    """Compute ``(1 - cos x) / x^2`` where nearly all digits cancel."""
    x = 10.0 ** rng.uniform(-5, -1, size=5)
    return Case(
        lambda x: np.sum((1 - np.cos(x)) / x**2),
        lambda x: -x / 12 + x**3 / 180,
        x,
    )


@NOISY.family()
def common_random_numbers(rng: np.random.Generator) -> Case:
    """Average over a thousand random numbers, the same in each call."""
    seed = int(rng.integers(1 << 30))

    def draws():
        return np.random.default_rng(seed).normal(size=1000)

    def gradient(p):
        e = np.exp(p[0] + p[1] * draws())
        return np.array([np.mean(e), np.mean(e * draws())])

    return Case(lambda p: np.mean(np.exp(p[0] + p[1] * draws())), gradient, rng.normal(size=2) / 2)


@NOISY.family(noisy=True)
def difference_of_large(rng: np.random.Generator) -> Case:
    """Subtract squares of numbers near 1e6 from each other."""
    x = rng.normal(size=4)
    return Case(lambda x: np.sum((1e6 + x) ** 2 - 1e12), lambda x: 2 * (1e6 + x), x)


@NOISY.family(noisy=True)
def float32_parameters(rng: np.random.Generator) -> Case:
    """Take float32 parameters, with a forward that casts to float32."""
    a = rng.normal(size=(5, 6)).astype(np.float32)
    wide = a.astype(float)

    def forward(x):
        return np.sum(np.exp(np.tanh(a @ x.astype(np.float32))), dtype=np.float32)

    def gradient(x):
        t = np.tanh(wide @ x.astype(float))
        return wide.T @ (np.exp(t) * (1 - t**2))

    return Case(forward, gradient, rng.normal(size=6).astype(np.float32))


@NOISY.family()
def float32_follows(rng: np.random.Generator) -> Case:
    """Take float32 parameters, with a forward that computes in the type of its argument."""
    x = rng.normal(size=(4, 3)).astype(np.float32)
    return Case(
        lambda x: np.sum(np.log1p(np.exp(x)) * np.sin(x)),
        lambda x: np.sin(x) / (1 + np.exp(-x)) + np.log1p(np.exp(x)) * np.cos(x),
        x,
    )


@NOISY.family(noisy=True)
def float32_backward(rng: np.random.Generator) -> Case:
    """Compute backward in float32 and forward in float64."""
    a, b = rng.normal(size=(30, 5)), rng.normal(size=30)
    a32, b32 = a.astype(np.float32), b.astype(np.float32)

    def gradient(x):
        return a32.T @ (a32 @ x.astype(np.float32) - b32)

    return Case(
        lambda x: np.sum((a @ x - b) ** 2) / 2,
        gradient,
        rng.normal(size=5),
        truth=lambda x: a.T @ (a @ x - b),
    )
