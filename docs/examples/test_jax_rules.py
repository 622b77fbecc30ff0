"""Derivative rules of JAX: custom_vjp, compiled functions, and jax.grad itself."""

import pytest

jax = pytest.importorskip("jax")
jnp = pytest.importorskip("jax.numpy")


@pytest.fixture(autouse=True)
def double_precision():
    with jax.enable_x64(True):
        yield


@jax.custom_vjp
def log1pexp(x):
    return jnp.log1p(jnp.exp(x))


log1pexp.defvjp(lambda x: (log1pexp(x), x), lambda x, g: (g * jax.nn.sigmoid(x),))


@pytest.mark.parametrize("transform", [lambda f: f, jax.jit, jax.vmap])
def test_rule(gradcheck, transform):
    gradcheck(transform(log1pexp), "jax", jnp.linspace(-2, 2, 5))


def loss(params, x):
    return jnp.mean(log1pexp(x @ params["w"] + params["b"]))


def test_gradient_of_a_loss(gradcheck):
    params = {"w": jnp.arange(3.0), "b": jnp.array(0.5)}
    gradcheck(loss, jax.grad(loss), params, jnp.ones((4, 3)), wrt="params")
