"""A layer of Flax whose activation has a gradient of its own."""

import pytest

jax = pytest.importorskip("jax")
jnp = pytest.importorskip("jax.numpy")
nn = pytest.importorskip("flax.linen")


@pytest.fixture(autouse=True)
def double_precision():
    with jax.enable_x64(True):
        yield


@jax.custom_vjp
def softplus(x):
    return jnp.logaddexp(x, 0.0)


softplus.defvjp(lambda x: (softplus(x), x), lambda x, g: (g * jax.nn.sigmoid(x),))


class Layer(nn.Module):
    @nn.compact
    def __call__(self, x):
        return softplus(nn.Dense(2, param_dtype=jnp.float64)(x))


def test_layer(gradcheck):
    layer, x = Layer(), jnp.linspace(-1, 1, 6).reshape(2, 3)
    variables = layer.init(jax.random.key(0), x)
    gradcheck(lambda variables: jnp.sum(layer.apply(variables, x) ** 2), "jax", variables)
