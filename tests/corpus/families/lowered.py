"""Functions that compute in a lower precision than that of their parameters."""

import numpy as np
from scipy import fft

from tests.corpus.family import Case, Collection

LOWERED = Collection()


@LOWERED.family(noisy=True)
def clipped_in_float32(rng: np.random.Generator) -> Case:
    """Clip in float32 between limits that are parameters as well, and that are not reached."""
    a = rng.uniform(0.5, 2, size=4).astype(np.float32)
    wide = a.astype(float)

    def forward(x):
        low, high = x[:1].astype(np.float32), x[1:2].astype(np.float32)
        v = x[2:].astype(np.float32)
        return np.sum(a * np.tanh(np.minimum(np.maximum(v, low), high)))

    def gradient(x):
        return np.append(np.zeros(2), wide * (1 - np.tanh(x[2:]) ** 2))

    x = np.concatenate([[-3, 3] * rng.uniform(0.9, 1.1, size=2), rng.uniform(-2, 2, size=4)])
    return Case(forward, gradient, x)


@LOWERED.family(noisy=True)
def unused_in_float32(rng: np.random.Generator) -> Case:
    """Compute in float32, and do not use half of the entries."""
    a = rng.normal(size=(5, 3)).astype(np.float32)
    wide = a.astype(float)

    def forward(x):
        return np.sum(np.exp(np.sin(a @ x[:3].astype(np.float32))))

    def gradient(x):
        z = wide @ x[:3]
        return np.append(wide.T @ (np.cos(z) * np.exp(np.sin(z))), np.zeros(3))

    return Case(forward, gradient, rng.normal(size=6))


@LOWERED.family(noisy=True)
def all_clipped_in_float32(rng: np.random.Generator) -> Case:
    """Clip everything in float32: nothing depends on the point."""
    x = rng.uniform(1.5, 3, size=4)
    return Case(
        lambda x: np.sum(np.minimum(x.astype(np.float32), np.float32(1)) * np.float32(0.3)),
        lambda x: np.zeros(4),
        x,
    )


@LOWERED.family(noisy=True)
def fourier_in_float32(rng: np.random.Generator) -> Case:
    """Take a Fourier transform in float32: every intermediate value is rounded."""
    n = int(rng.choice([16, 32]))
    weight = rng.normal(size=n)
    angle = 2 * np.pi * np.outer(np.arange(n), np.arange(n)) / n
    matrix = np.cos(angle) + np.sin(angle)

    def forward(x):
        seen = fft.fft(x.astype(np.float32))
        return np.float64(weight @ (seen.real - seen.imag))

    return Case(forward, lambda x: matrix.T @ weight, rng.normal(size=n))


@LOWERED.family(noisy=True)
def spectrum_in_float32(rng: np.random.Generator) -> Case:
    """Add up a spectrum's squares, weighted, in float32."""
    n = 24
    weight = rng.uniform(0.5, 2, size=n // 2 + 1)
    angle = 2 * np.pi * np.outer(np.arange(n // 2 + 1), np.arange(n)) / n
    c, s = np.cos(angle), np.sin(angle)

    def forward(x):
        seen = fft.rfft(x.astype(np.float32))
        return np.float64(weight @ (seen.real**2 + seen.imag**2))

    def gradient(x):
        return 2 * (c.T @ (weight * (c @ x)) + s.T @ (weight * (s @ x)))

    return Case(forward, gradient, rng.normal(size=n))


@LOWERED.family(noisy=True)
def convolution_by_float32(rng: np.random.Generator) -> Case:
    """Convolve by Fourier transforms in float32, and weight the result."""
    n = 20
    kernel, weight = rng.normal(size=5), rng.normal(size=n)
    padded = np.append(kernel, np.zeros(n - 5))
    matrix = np.array([np.roll(padded, i) for i in range(n)])
    spectrum = fft.rfft(padded.astype(np.float32))

    def forward(x):
        seen = fft.irfft(spectrum * fft.rfft(x.astype(np.float32)), n)
        return np.float64(weight @ seen)

    return Case(forward, lambda x: matrix @ weight, rng.normal(size=n))


@LOWERED.family(noisy=True)
def matrix_in_float32(rng: np.random.Generator) -> Case:
    """Take a sum of squared residuals in float32, as it is computed on graphics cards."""
    a, b = rng.normal(size=(20, 12)).astype(np.float32), rng.normal(size=20).astype(np.float32)
    wide, right = a.astype(float), b.astype(float)
    return Case(
        lambda x: np.sum((a @ x.astype(np.float32) - b) ** 2),
        lambda x: 2 * wide.T @ (wide @ x - right),
        rng.normal(size=12),
    )
