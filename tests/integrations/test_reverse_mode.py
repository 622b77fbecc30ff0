"""Products of cotangents with Jacobians, the same by every package."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np
import pytest

from pytest_gradcheck.integrations.array_libraries import as_numpy
from pytest_gradcheck.integrations.reverse_mode import VECTOR_JACOBIAN_PRODUCTS

X, Y = np.array([0.5, 1.0]), np.array([2.0, 3.0])


def made(package: str, array: np.ndarray[Any, Any]) -> Any:
    """Return an array of a package."""
    if package == "torch":
        return import_module("torch").tensor(array)
    return import_module("jax.numpy").asarray(array) if package == "jax" else array


@pytest.fixture(params=["torch", "jax", "autograd"])
def package(request: pytest.FixtureRequest) -> str:
    """Return the name of a package, if it is installed."""
    name: str = request.param
    pytest.importorskip(name)
    return name


def product(package: str, function: Any, cotangents: Sequence[Any] | None) -> list[Any]:
    """Return the product for a function of `X` and `Y`."""
    inputs = [made(package, X), made(package, Y)]
    weights = None if cotangents is None else [made(package, c) for c in cotangents]
    found = VECTOR_JACOBIAN_PRODUCTS[package](function, inputs, weights)
    return [as_numpy(gradient).tolist() for gradient in found]


def test_of_several_outputs(package: str) -> None:
    """Each has its cotangent."""
    cotangents = [np.array([1.0, 10.0]), np.array([0.5, 0.0])]
    found = product(package, lambda inputs: [inputs[0] * inputs[1], inputs[0] ** 2], cotangents)
    assert found == [[2.5, 30.0], [0.5, 10.0]]


def test_of_a_number(package: str) -> None:
    """It needs no cotangent: the product is the gradient."""
    found = product(package, lambda inputs: [(inputs[0] * inputs[1]).sum()], None)
    assert found == [Y.tolist(), X.tolist()]


def test_of_what_an_output_does_not_depend_on(package: str) -> None:
    """It is zero."""
    found = product(package, lambda inputs: [(inputs[0] * 2).sum()], None)
    assert found == [[2.0, 2.0], [0.0, 0.0]]


def test_of_outputs_without_a_graph() -> None:
    """PyTorch refuses to differentiate these: they depend on nothing."""
    pytest.importorskip("torch")
    found = product("torch", lambda inputs: [inputs[0].detach().sum()], None)
    assert found == [[0.0, 0.0], [0.0, 0.0]]
