"""A function with a context, as a subclass of torch.autograd.Function has."""

import numpy as np
import pytest

from pytest_gradcheck import GradcheckError


class Context:
    def save_for_backward(self, *arrays):
        self.saved = arrays


class Product:
    @staticmethod
    def forward(ctx, x, w):
        ctx.save_for_backward(x, w)
        return x @ w

    @staticmethod
    def backward(ctx, grad_output):
        x, w = ctx.saved
        return grad_output @ w.T, x.T @ grad_output


class Swapped(Product):
    @staticmethod
    def backward(ctx, grad_output):
        x, w = ctx.saved
        return grad_output @ w, x.T @ grad_output


X, W = np.random.default_rng(0).normal(size=(2, 3, 3))


def test_right(gradcheck):
    gradcheck(Product.forward, Product.backward, Context(), X, W)


def test_wrong(gradcheck):
    with pytest.raises(GradcheckError, match="x"):
        gradcheck(Swapped.forward, Swapped.backward, Context(), X, W)
