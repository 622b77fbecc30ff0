"""From torch.autograd.gradcheck and gradgradcheck."""

import pytest

torch = pytest.importorskip("torch")

# Forward mode of PyTorch 2.13 warns about a part of its own.
pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated")


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


X = torch.linspace(-2, 2, 5, dtype=torch.float64)


def test_before():
    assert torch.autograd.gradcheck(Swish.apply, (X.clone().requires_grad_(),))


def test_after(gradcheck):
    gradcheck(Swish.apply, "torch", X)


# gradgradcheck: the gradient is the function whose derivative is checked.


def gradient(x):
    if not x.requires_grad:
        x = x.detach().requires_grad_()
    return torch.autograd.grad(Swish.apply(x).sum(), x, create_graph=True)[0]


def test_second_derivative_before():
    assert torch.autograd.gradgradcheck(Swish.apply, (X.clone().requires_grad_(),))


def test_second_derivative_after(gradcheck):
    gradcheck(gradient, "torch", X)


# check_forward_ad=True: a backward with a parameter called tangent is a Jacobian-vector product.


def cube(x):
    return x**3


def forward_mode(x, tangent):
    return torch.func.jvp(cube, (x,), (tangent,))[1]


def test_forward_mode_before():
    inputs = (X.clone().requires_grad_(),)
    assert torch.autograd.gradcheck(cube, inputs, check_forward_ad=True, check_backward_ad=False)


def test_forward_mode_after(gradcheck):
    gradcheck(cube, forward_mode, X)
