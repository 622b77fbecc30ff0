"""The same functions through NumPy, PyTorch, JAX and autograd, end to end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import array_api_strict
import numpy as np
import pytest

from pytest_gradcheck import Report, check_gradient
from tests.benchmarks.without_wrong_lines import without_wrong_lines

RNG = np.random.default_rng(18)
X, V = RNG.normal(size=(4, 3)), RNG.uniform(0.5, 2.0, size=6)
W, B = RNG.normal(size=(3, 2)), RNG.normal(size=2)

#: Where roundings differ, one entry may be measured at one step more: so many evaluations.
ONE_REFINEMENT = 6


@dataclass(frozen=True)
class Framework:
    """An array library, with how to make an array of it."""

    numpy: Any
    array: Callable[[Any], Any]


@contextmanager
def framework(name: str) -> Iterator[Framework]:
    """Yield a framework, if it is installed; JAX in double precision."""
    if name == "numpy":
        yield Framework(np, np.asarray)
    elif name == "torch":
        torch = pytest.importorskip("torch")
        yield Framework(torch, torch.tensor)
    elif name == "autograd":
        yield Framework(pytest.importorskip("autograd.numpy"), np.asarray)
    elif name == "standard":
        yield Framework(array_api_strict, array_api_strict.asarray)
    else:
        jax = pytest.importorskip("jax")
        with jax.enable_x64(True):
            yield Framework(jax.numpy, jax.numpy.asarray)


def softmax_product(xp: Any, v: Any, c: Any) -> Any:
    """Return the product of an upstream gradient with the derivative of softmax."""
    p = xp.exp(v) / xp.sum(xp.exp(v))
    return p * (c - xp.sum(p * c))


def logistic_gradient(xp: Any, b: Any, w: Any) -> Any:
    """Return the gradients of a sum of softplus."""
    s = 1 / (1 + xp.exp(-(w @ b)))
    return w.T @ s, s[:, None] * b


#: Functions of a framework and its parameters, with their derivatives by hand. The last argument
#: of a derivative is the upstream gradient, where the output is no number.
FUNCTIONS: dict[str, tuple[tuple[Any, ...], Callable[..., Any], Callable[..., Any]]] = {
    "sum": ((V,), lambda xp, v: xp.sum(v), lambda xp, v: xp.ones_like(v)),
    "square": ((V,), lambda xp, v: xp.sum(v**2), lambda xp, v: 2 * v),
    "cube": ((V,), lambda xp, v: xp.sum(v**3), lambda xp, v: 3 * v**2),
    "exponential": ((V,), lambda xp, v: xp.sum(xp.exp(v)), lambda xp, v: xp.exp(v)),
    "logarithm": ((V,), lambda xp, v: xp.sum(xp.log(v)), lambda xp, v: 1 / v),
    "root": ((V,), lambda xp, v: xp.sum(xp.sqrt(v)), lambda xp, v: 0.5 / xp.sqrt(v)),
    "sine": ((V,), lambda xp, v: xp.sum(xp.sin(v)), lambda xp, v: xp.cos(v)),
    "norm": (
        (V,),
        lambda xp, v: xp.sqrt(xp.sum(v * v)),
        lambda xp, v: v / xp.sqrt(xp.sum(v * v)),
    ),
    "variance": (
        (V,),
        lambda xp, v: xp.mean((v - xp.mean(v)) ** 2),
        lambda xp, v: 2 * (v - xp.mean(v)) / 6,
    ),
    "log-sum-exp": (
        (V,),
        lambda xp, v: xp.log(xp.sum(xp.exp(v))),
        lambda xp, v: xp.exp(v) / xp.sum(xp.exp(v)),
    ),
    "entropy": ((V,), lambda xp, v: -xp.sum(v * xp.log(v)), lambda xp, v: -xp.log(v) - 1),
    "product": (
        (V,),
        lambda xp, v: v[0] * v[1] * xp.sum(v[2:]),
        lambda xp, v: (
            v * 0 + xp.stack([v[1] * xp.sum(v[2:]), v[0] * xp.sum(v[2:]), *[v[0] * v[1]] * 4])
        ),
    ),
    "tanh layer": (
        (V,),
        lambda xp, v: xp.tanh(v),
        lambda xp, v, c: c * (1 - xp.tanh(v) ** 2),
    ),
    "softmax layer": (
        (V,),
        lambda xp, v: xp.exp(v) / xp.sum(xp.exp(v)),
        softmax_product,
    ),
    "matrix": ((W, X), lambda xp, w, x: x @ w, lambda xp, w, x, c: (x.T @ c, c @ w.T)),
    "affine": (
        (W, B, X),
        lambda xp, w, b, x: x @ w + b,
        lambda xp, w, b, x, c: (x.T @ c, xp.sum(c, axis=0), c @ w.T),
    ),
    "least squares": (
        (W, X),
        lambda xp, w, x: xp.sum((x @ w) ** 2),
        lambda xp, w, x: (2 * x.T @ (x @ w), 2 * (x @ w) @ w.T),
    ),
    "logistic": (
        (B, W),
        lambda xp, b, w: xp.sum(xp.log(1 + xp.exp(w @ b))),
        logistic_gradient,
    ),
    "outer": (
        (B, V),
        lambda xp, b, v: b[:, None] * v,
        lambda xp, b, v, c: (c @ v, c.T @ b),
    ),
    "penalty": (
        (W,),
        lambda xp, w: xp.sum(w**2) * 0.1 + xp.sum(xp.abs(w)) * 0.5,
        lambda xp, w: 0.2 * w + 0.5 * xp.sign(w),
    ),
}


def checked(name: str, found: Framework, error: float) -> Report:
    """Return the report on a function, of whose derivative one entry has a relative error."""
    parameters, forward, backward = FUNCTIONS[name]
    xp = found.numpy
    factors = np.ones(parameters[0].shape)
    factors.flat[1] += error

    def with_error(*args: Any) -> Any:
        gradients = backward(xp, *args)
        if not isinstance(gradients, tuple):
            return gradients * found.array(factors)
        return (gradients[0] * found.array(factors), *gradients[1:])

    given = [f"args[{k}]" for k in range(len(parameters))]
    upstream = backward.__code__.co_argcount > 1 + len(parameters)
    return check_gradient(
        lambda *args: forward(xp, *args),
        with_error,
        *map(found.array, parameters),
        backward_args=[*given, *["cotangent"] * upstream],
    )


@pytest.mark.parametrize("error", [0.0, 0.01])
@pytest.mark.parametrize("name", list(FUNCTIONS))
@pytest.mark.parametrize("other", ["torch", "jax", "autograd", "standard"])
def test_every_framework_has_the_same_report(other: str, name: str, error: float) -> None:
    """The verdict, the wrong entry and the evaluations are those of NumPy."""
    with without_wrong_lines(), framework("numpy") as found:
        expected = checked(name, found, error)
    with without_wrong_lines(), framework(other) as found:
        report = checked(name, found, error)
    assert report.verdict == expected.verdict == ("wrong" if error else "correct")
    assert len(report.failures) == len(expected.failures) == bool(error)
    if error:
        assert report.worst[0].name == expected.worst[0].name
        assert sum(p.wrong for p in report.parameters) == 1
    assert abs(report.evaluations - expected.evaluations) <= ONE_REFINEMENT
