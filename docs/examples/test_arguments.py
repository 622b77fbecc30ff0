"""The arguments of a check beside its options."""

import numpy as np
import pytest

from pytest_gradcheck import GradcheckError, GradcheckUsageError, gradcheck


def loss(w, X, y, *, penalty=0.0):
    return np.mean((X @ w - y) ** 2) + penalty * w @ w


def loss_gradient(w, X, y, *, penalty=0.0):
    return 2 * X.T @ (X @ w - y) / len(y) + 2 * penalty * w


RNG = np.random.default_rng(0)
W, X, Y = RNG.normal(size=3), RNG.normal(size=(8, 3)), RNG.normal(size=8)


# wrt: the parameters to check, by name or by position.


@pytest.mark.parametrize("wrt", ["w", 0, ["w"]])
def test_wrt(wrt):
    gradcheck(loss, loss_gradient, W, X, Y, wrt=wrt)


def test_without_wrt_every_argument_needs_a_gradient():
    with pytest.raises(GradcheckUsageError, match="wrt='w'"):
        gradcheck(loss, loss_gradient, W, X, Y)


# kwargs: arguments of forward by keyword. Backward gets those that it has parameters for.


def test_kwargs():
    gradcheck(loss, loss_gradient, W, X, Y, wrt="w", kwargs={"penalty": 0.1})


# backward_args: what backward is called with, by position, where its names do not say it.


def test_backward_args():
    def forward(x):
        return np.sin(x)

    def pullback(x, v):
        return v * np.cos(x)

    gradcheck(forward, pullback, W, backward_args=("x", "cotangent"))


# has_cache: forward returns (output, cache), but backward takes no cache.


def test_has_cache():
    def forward(w):
        return w @ w, {"norm": np.linalg.norm(w)}

    gradcheck(forward, lambda w: 2 * w, W, has_cache=True)


# gradcheck_options: options for all checks of a test, a class or a module.


@pytest.mark.gradcheck_options(rtol=1e-3)
class TestApproximate:
    def test_gradient(self, gradcheck):
        gradcheck(np.sum, lambda w: np.full(3, 1.0001), W)

    def test_option_of_the_call_comes_first(self, gradcheck):
        with pytest.raises(GradcheckError):
            gradcheck(np.sum, lambda w: np.full(3, 1.0001), W, rtol=1e-6)
