"""Gradients of scikit-learn: a kernel, the likelihood of a Gaussian process, and a loss."""

import numpy as np
import pytest

kernels = pytest.importorskip("sklearn.gaussian_process.kernels")
gaussian_process = pytest.importorskip("sklearn.gaussian_process")
losses = pytest.importorskip("sklearn._loss")

RNG = np.random.default_rng(0)
X, y = RNG.normal(size=(6, 2)), RNG.normal(size=6)
KERNEL = 1.5 * kernels.Matern([0.8, 1.3], nu=2.5) + kernels.WhiteKernel(0.1)


def test_kernel(gradcheck):
    """`eval_gradient=True` gives the value and its Jacobian, of shape (6, 6, 4)."""
    gradcheck(
        lambda theta: KERNEL.clone_with_theta(theta)(X, eval_gradient=True), True, KERNEL.theta
    )


def test_likelihood(gradcheck):
    process = gaussian_process.GaussianProcessRegressor(KERNEL, optimizer=None).fit(X, y)
    gradcheck(
        lambda theta: process.log_marginal_likelihood(theta, eval_gradient=True),
        True,
        KERNEL.theta,
    )


@pytest.mark.parametrize("name", ["HalfTweedieLoss", "HalfGammaLoss", "HalfPoissonLoss"])
def test_loss(gradcheck, name):
    """The loss, the gradient and the Hessian of each row."""
    loss, labels, scores = getattr(losses, name)(), np.exp(y), RNG.normal(size=6)
    gradcheck(lambda raw: loss.loss_gradient(labels, raw), True, scores)
    gradcheck(lambda raw: tuple(loss.gradient_hessian(labels, raw)), True, scores)
