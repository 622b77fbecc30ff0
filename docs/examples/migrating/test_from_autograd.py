"""From autograd.test_util.check_grads."""

import pytest

autograd = pytest.importorskip("autograd")
test_util = pytest.importorskip("autograd.test_util")
np = pytest.importorskip("autograd.numpy")


@autograd.extend.primitive
def log1pexp(x):
    return np.logaddexp(0, x)


autograd.extend.defvjp(log1pexp, lambda output, x: lambda g: g / (1 + np.exp(-x)))

X = np.linspace(-2, 2, 5)


def test_before():
    test_util.check_grads(log1pexp, modes=["rev"], order=2)(X)


def test_after(gradcheck):
    gradcheck(log1pexp, "autograd", X)


# The second order: the gradient is the function whose derivative is checked.


def test_second_order(gradcheck):
    gradcheck(autograd.elementwise_grad(log1pexp), "autograd", X)
