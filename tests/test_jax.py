"""Functions and derivative rules of JAX, end to end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from pytest_gradcheck import check_gradient

jax = pytest.importorskip("jax")
jnp = pytest.importorskip("jax.numpy")


@pytest.fixture(autouse=True)
def double_precision() -> Iterator[None]:
    """Let JAX compute in float64."""
    with jax.enable_x64(True):
        yield


def test_gradients_by_a_transformation() -> None:
    """What `jax.grad` returns takes its arguments by position."""
    loss = jax.jit(lambda w, x: jnp.sum(jnp.tanh(x @ w) ** 2))
    w, x = jnp.arange(3.0), jnp.ones((4, 3)) * jnp.arange(4.0)[:, None]
    report = check_gradient(loss, jax.grad(loss), w, x, wrt="w")
    assert (report.verdict, report.kind) == ("correct", "gradient")


@pytest.mark.parametrize(("factor", "verdict"), [(1.0, "correct"), (2.0, "wrong")])
def test_a_function_with_its_own_rule(factor: float, verdict: str) -> None:
    """It is checked in the function that applies it, compiled or not."""
    sine = jax.custom_vjp(jnp.sin)
    sine.defvjp(lambda x: (jnp.sin(x), x), lambda x, c: (factor * c * jnp.cos(x),))
    for function in (sine, jax.jit(sine), jax.vmap(sine)):
        assert check_gradient(function, "jax", jnp.arange(1.0, 4.0)).verdict == verdict


def test_parameters_in_containers() -> None:
    """Gradients have the same structure."""
    parameters = {"W": jnp.ones((3, 2)) * 0.3, "b": jnp.arange(2.0)}

    def layer(p: Any, x: Any) -> Any:
        return jnp.tanh(x @ p["W"] + p["b"])

    report = check_gradient(layer, "jax", parameters, jnp.ones((4, 3)))
    assert (report.verdict, report.kind) == ("correct", "vjp")
    assert [p.name for p in report.parameters] == ["p['W']", "p['b']", "x"]


def test_one_call_for_many_points() -> None:
    """``batched=True`` evaluates a function that `jax.vmap` made."""
    forward = jax.jit(jax.vmap(lambda x: jnp.sum(jnp.sin(x))))

    def single(x: Any) -> Any:
        return forward(x) if x.ndim == 2 else jnp.sum(jnp.sin(x))

    report = check_gradient(single, jnp.cos, jnp.arange(5.0), batched=True)
    assert report.verdict == "correct"


def test_integers_beside_an_output_are_left_out() -> None:
    """JAX itself wants a cotangent of no type for them."""
    x = jnp.array([[0.5, -1.0], [2.0, 0.25]])
    report = check_gradient(lambda x: (x.max(axis=1), x.argmax(axis=1)), "jax", x)
    assert report.verdict == "correct"
    assert "nondifferentiable" in {note.kind for note in report.notes}
