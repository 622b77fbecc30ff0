"""Derivatives of PyTorch: by hand, by a torch.autograd.Function, and of a module."""

import pytest

torch = pytest.importorskip("torch")


def test_by_hand(gradcheck):
    gradcheck(lambda x: (x**3).sum(), lambda x: 3 * x**2, torch.linspace(0.5, 2, 4))


class Swish(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * torch.sigmoid(x)

    @staticmethod
    def backward(ctx, grad_output):
        (x,) = ctx.saved_tensors
        s = torch.sigmoid(x)
        return grad_output * s * (1 + x * (1 - s))


def test_function(gradcheck):
    gradcheck(Swish.apply, "torch", torch.linspace(-2, 2, 5, dtype=torch.float64))


class Network(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.hidden, self.out = torch.nn.Linear(3, 4), torch.nn.Linear(4, 1)

    def forward(self, x):
        return self.out(Swish.apply(self.hidden(x)))


def test_module(gradcheck):
    network, x = Network().double(), torch.ones(2, 3, dtype=torch.float64)
    gradcheck(network.forward, "torch", x, wrt=["x", "self.hidden.weight", "self.out.bias"])
