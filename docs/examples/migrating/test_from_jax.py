"""From jax.test_util.check_grads."""

import pytest

jax = pytest.importorskip("jax")
jnp = pytest.importorskip("jax.numpy")
test_util = pytest.importorskip("jax.test_util")


@pytest.fixture(autouse=True)
def double_precision():
    with jax.enable_x64(True):
        yield


@jax.custom_jvp
def softplus(x):
    return jnp.log1p(jnp.exp(x))


@softplus.defjvp
def softplus_jvp(primals, tangents):
    (x,), (t,) = primals, tangents
    return softplus(x), t * jax.nn.sigmoid(x)


def points():
    return jnp.linspace(-2, 2, 5)


def test_before():
    test_util.check_grads(softplus, (points(),), order=2)


# Reverse mode.


def test_reverse_mode(gradcheck):
    gradcheck(softplus, "jax", points())


# Forward mode: a backward with a parameter called tangent.


def forward_mode(x, tangent):
    return jax.jvp(softplus, (x,), (tangent,))[1]


def test_forward_mode(gradcheck):
    gradcheck(softplus, forward_mode, points())


# The second order: the gradient is the function whose derivative is checked.


def gradient(x):
    return jax.grad(lambda x: softplus(x).sum())(x)


def test_second_order(gradcheck):
    gradcheck(gradient, "jax", points())
