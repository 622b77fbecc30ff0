"""The conventions of complex gradients are those of PyTorch and JAX themselves."""

from typing import Any

import numpy as np
import pytest

from pytest_gradcheck import check_gradient

RNG = np.random.default_rng(0)
Z = RNG.normal(size=3) + 1j * RNG.normal(size=3)
X = RNG.normal(size=3)
M = RNG.normal(size=(2, 3)) + 1j * RNG.normal(size=(2, 3))


def loss(z: Any, x: Any, xp: Any = np) -> Any:
    """Return a real function of complex and real numbers that is not holomorphic."""
    return xp.sum(xp.abs(z) ** 2 * x + xp.real(z**3) * x**2 + 2 * xp.imag(z))


def output(z: Any, x: Any, matrix: Any = M) -> Any:
    """Return a complex output of them."""
    return matrix @ (z**2 * z.conj() + x * z + x**2)


def verdicts(gradient: Any, product: Any) -> dict[str, tuple[str, str]]:
    """Check a gradient and a vector-Jacobian product under both conventions."""
    return {
        convention: (
            check_gradient(loss, gradient, Z, X, wrt=["z", "x"], convention=convention).verdict,
            check_gradient(output, product, Z, X, wrt=["z", "x"], convention=convention).verdict,
        )
        for convention in ("pytorch", "jax")
    }


@pytest.mark.filterwarnings("ignore")
def test_pytorch() -> None:
    """The gradient of PyTorch is right under convention='pytorch', and wrong under the other."""
    torch = pytest.importorskip("torch")

    def gradient(z: Any, x: Any) -> Any:
        z, x = leaves = [torch.tensor(v, requires_grad=True) for v in (z, x)]
        return tuple(g.numpy() for g in torch.autograd.grad(loss(z, x, torch), leaves))

    def product(z: Any, x: Any, dout: Any) -> Any:
        z, x = leaves = [torch.tensor(v, requires_grad=True) for v in (z, x)]
        out = output(z, x, torch.tensor(M))
        return tuple(g.numpy() for g in torch.autograd.grad(out, leaves, torch.tensor(dout)))

    assert verdicts(gradient, product) == {
        "pytorch": ("correct", "correct"),
        "jax": ("wrong", "wrong"),
    }


@pytest.mark.filterwarnings("ignore")
def test_jax() -> None:
    """The gradient of JAX is right under convention='jax', and wrong under the other."""
    jax = pytest.importorskip("jax")

    def gradient(z: Any, x: Any) -> Any:
        with jax.enable_x64(True):
            both = jax.grad(lambda z, x: loss(z, x, jax.numpy), argnums=(0, 1))(z, x)
            return tuple(map(np.asarray, both))

    def product(z: Any, x: Any, dout: Any) -> Any:
        with jax.enable_x64(True):
            return tuple(map(np.asarray, jax.vjp(output, z, x)[1](jax.numpy.asarray(dout))))

    assert verdicts(gradient, product) == {
        "pytorch": ("wrong", "wrong"),
        "jax": ("correct", "correct"),
    }
