"""What explains all wrong gradients better than the statements that are suspected."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pytest_gradcheck import check_gradient
from pytest_gradcheck.fault_localization.execution.frame_events import CAN_REBIND
from tests.fault_localization.functions import X, line_of

A = np.random.default_rng(4).normal(size=(3, 3))


def affine(x: Any, w: Any, b: Any) -> Any:
    """Return a value and what backward needs."""
    z = x @ w + b
    h = np.tanh(z)
    return h, (x, w, h)


def returns_an_intermediate_value(dout: Any, cache: Any) -> Any:
    """Return the gradient by the activation for that by the input."""
    x, w, h = cache
    dz = dout * (1 - h**2)
    dx = dz @ w.T
    assert dx.shape == dz.shape
    return dz, x.T @ dz, dz.sum(axis=0)


def takes_another_variable(dout: Any, cache: Any) -> Any:
    """Read the upstream gradient again, and never what was computed from it."""
    x, w, h = cache
    dz = dout * (1 - h**2)
    assert dz.shape == dout.shape
    dx = dout @ w.T
    return dx, x.T @ dz, dz.sum(axis=0)


def names_data_as_a_gradient(dout: Any, cache: Any) -> Any:
    """Bind a value of forward to the name of a gradient."""
    x, w, h = cache
    assert dout is not None
    dh = h
    dz = dh * (1 - h**2)
    return dz @ w.T, x.T @ dz, dz.sum(axis=0)


def exchanges_names(dout: Any, cache: Any) -> Any:
    """Unpack two matrices in the wrong order."""
    w, x, h = cache
    dz = dout * (1 - h**2)
    return dz @ w.T, x.T @ dz, dz.sum(axis=0)


@pytest.mark.parametrize(
    ("backward", "text"),
    [
        (returns_an_intermediate_value, "return dz"),
        (takes_another_variable, "dx ="),
        (names_data_as_a_gradient, "dh = h"),
        (exchanges_names, "w, x, h = cache"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
@pytest.mark.parametrize("mode", ["full", "fast"])
def test_value_in_the_place_of_another_is_named(
    backward: Callable[..., Any], text: str, mode: str
) -> None:
    """Where it is taken, not where it was computed."""
    b = np.array([0.1, -0.4, 0.3])
    report = check_gradient(affine, backward, A, A.T @ A / 3, b, has_cache=True, mode=mode)
    line = line_of(backward, text)
    assert [(w.location.first_line, w.location.last_line) for w in report.wrong_lines] == [
        (line, line)
    ]


def test_wrong_copy_of_a_value_of_forward_is_named() -> None:
    """With the value of forward all gradients are right."""

    def f(w: Any) -> Any:
        scale = np.exp(w)
        r = X * scale
        return np.sum(r**2)

    def g(w: Any) -> Any:
        scale = 2 * np.exp(w)
        dr = 2 * X * np.exp(w)
        return np.sum(dr * X, axis=0) * scale

    report = check_gradient(f, g, np.array([0.1, 0.2, -0.3]))
    (wrong,) = report.wrong_lines
    assert wrong.location.first_line == line_of(g, "scale = 2")


@pytest.mark.skipif(not CAN_REBIND, reason="local variables cannot be bound anew")
def test_loop_that_ends_early_is_the_number_of_its_steps() -> None:
    """No value is wrong; there are too few."""

    def f(w: Any) -> Any:
        count = X.shape[0]
        total = 0.0
        for k in range(count):
            total = total + np.sin(X[k] @ w)
        return total

    def g(w: Any) -> Any:
        count = X.shape[0] - 1
        dw = np.zeros_like(w)
        for k in range(count):
            dw += np.cos(X[k] @ w) * X[k]
        return dw

    (wrong,) = check_gradient(f, g, np.ones(3)).wrong_lines
    assert wrong.location.first_line == line_of(g, "count =")


def test_zeros_that_were_never_added_to_are_not_blamed() -> None:
    """A loop may not have been executed, which values do not show."""

    def f(w: Any) -> Any:
        return np.sum(np.sin(X @ w))

    def g(w: Any) -> Any:
        dw = np.zeros_like(w)
        for row in X[:0]:
            dw += np.cos(row @ w) * row
        return dw

    assert check_gradient(f, g, np.ones(3)).wrong_lines == ()


def test_another_name_of_a_wrong_value_is_not_blamed() -> None:
    """Nothing is known of the value but that it is wrong: its origin is further up."""

    def f(w: Any) -> Any:
        r = X @ w
        h = np.sin(r)
        return np.sum(h**2)

    def g(w: Any) -> Any:
        dw = None
        r = X @ w
        dh = 3 * np.sin(r)
        total = np.zeros_like(w)
        total += X.T @ (dh * np.cos(r))
        dw = total
        assert dw is not None
        return dw

    (wrong,) = check_gradient(f, g, np.array([0.3, -0.2, 0.5])).wrong_lines
    assert wrong.location.first_line == line_of(g, "dh = ")


def kernel_value(theta: Any) -> Any:
    """Return a function of a kernel matrix, part of which has no name."""
    D = np.abs(np.subtract.outer(X[:, 0], X[:, 0]))
    K = np.exp(theta[0] - D) + np.exp(theta[1]) * np.eye(4)
    return np.log(np.linalg.det(K))


def wrong_kernel_gradient(theta: Any) -> Any:
    """Name the part, wrongly, and compute the kernel matrix and its derivative from it."""
    D = np.abs(np.subtract.outer(X[:, 0], X[:, 0]))
    part = 1.2 * np.exp(theta[0] - D)
    K = part + np.exp(theta[1]) * np.eye(4)
    inverse = np.linalg.inv(K)
    return np.array([np.sum(inverse * part), np.exp(theta[1]) * np.trace(inverse)])


def test_value_that_makes_one_of_forward_wrong_is_named() -> None:
    """All gradients are right if it is such that this one is."""
    report = check_gradient(kernel_value, wrong_kernel_gradient, np.array([0.2, -0.5]))
    (line,) = report.wrong_lines
    assert line.location.first_line == line_of(wrong_kernel_gradient, "part = ")
    assert line.location.last_line == line.location.first_line
