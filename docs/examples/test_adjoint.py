"""A linear operator and its adjoint: the adjoint is the vector-Jacobian product."""

import numpy as np


class Blur:
    """A moving average, with zeros outside of the signal."""

    weights = np.array([0.25, 0.5, 0.25])

    def matvec(self, x):
        return np.convolve(x, self.weights, mode="same")

    def rmatvec(self, x):
        return np.convolve(x, self.weights[::-1], mode="same")


def test_adjoint(gradcheck):
    blur = Blur()
    signal = np.random.default_rng(0).normal(size=20)
    gradcheck(blur.matvec, blur.rmatvec, signal, backward_args=("cotangent",))
