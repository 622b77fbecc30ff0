"""Complex parameters and outputs."""

import numpy as np

Z = np.array([1 + 2j, -0.5j, 0.3 - 1j])
TARGET = np.array([1.0, 0.5, 2.0])


def misfit(z):
    return np.sum((np.abs(z) ** 2 - TARGET) ** 2)


def misfit_gradient(z):
    """Return dL/dRe + i dL/dIm, the direction of steepest ascent."""
    return 4 * (np.abs(z) ** 2 - TARGET) * z


def test_gradient_as_in_pytorch(gradcheck):
    gradcheck(misfit, misfit_gradient, Z)


def test_gradient_as_in_jax(gradcheck):
    gradcheck(misfit, lambda z: misfit_gradient(z).conj(), Z, convention="jax")


def test_holomorphic_function(gradcheck):
    gradcheck(np.exp, np.exp, Z)


def spectrum(x):
    return np.fft.fft(x)


def spectrum_backward(x, dout):
    """Return the gradient of Re(conj(dout) * spectrum) with respect to the real signal."""
    return len(x) * np.fft.ifft(dout).real


def test_upstream_gradient_of_a_spectrum(gradcheck):
    gradcheck(spectrum, spectrum_backward, np.array([0.5, -1.0, 2.0, 0.1]))
