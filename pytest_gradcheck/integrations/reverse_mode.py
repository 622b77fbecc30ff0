"""Reverse-mode automatic differentiation by PyTorch, JAX, autograd or an engine of the user's.

Each has its own way to the same product, that of a cotangent with the Jacobian of a
function (A. Griewank, A. Walther, Evaluating Derivatives, 2nd edition, 2008, section 3.2). The
package is imported when the product is made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pytest_gradcheck.integrations.gradient_objects import accumulated_gradients

__all__ = [
    "VECTOR_JACOBIAN_PRODUCTS",
    "Function",
    "VectorJacobianProduct",
    "torch_requiring_gradients",
]

#: A function of a list of arrays that returns a list of arrays.
Function = Callable[[Sequence[Any]], Sequence[Any]]

#: ``product(function, inputs, cotangents)`` returns the product of the Jacobian of a function
#: with cotangents, one array for each input. The cotangents are None for a single number.
VectorJacobianProduct = Callable[[Function, Sequence[Any], Sequence[Any] | None], Sequence[Any]]


def torch_product(
    function: Function, inputs: Sequence[Any], cotangents: Sequence[Any] | None
) -> Sequence[Any]:
    """Return the product by `torch.autograd.grad`; zeros for what the outputs do not depend on."""
    import torch

    traced, outputs = _torch_traced(function, inputs)
    given = [torch.ones_like(output) for output in outputs] if cotangents is None else cotangents
    depending = [
        (output, cotangent)
        for output, cotangent in zip(outputs, given, strict=True)
        if getattr(output, "requires_grad", False)
    ]
    if not depending:
        return [torch.zeros_like(array) for array in traced]
    roots, weights = zip(*depending, strict=True)
    gradients: Sequence[Any] = torch.autograd.grad(
        roots, traced, weights, allow_unused=True, materialize_grads=True
    )
    return gradients


def torch_requiring_gradients(function: Function, inputs: Sequence[Any]) -> Sequence[bool]:
    """Return which outputs require a gradient where all inputs do; a plain number does not."""
    _, outputs = _torch_traced(function, inputs)
    return [getattr(output, "requires_grad", False) for output in outputs]


def _torch_traced(
    function: Function, inputs: Sequence[Any]
) -> tuple[Sequence[Any], Sequence[Any]]:
    """Return inputs that require a gradient, and the outputs of a function of them."""
    import torch

    with torch.enable_grad():
        traced = [array.detach().requires_grad_() for array in inputs]
        outputs = function(traced)
    return traced, outputs


def jax_product(
    function: Function, inputs: Sequence[Any], cotangents: Sequence[Any] | None
) -> Sequence[Any]:
    """Return the product by `jax.vjp`."""
    import jax
    import numpy as np

    outputs, pull_back = jax.vjp(lambda *arrays: list(function(arrays)), *inputs)
    if cotangents is None:
        cotangents = [jax.numpy.ones_like(output) for output in outputs]
    weights = [
        cotangent
        if jax.numpy.issubdtype(output.dtype, jax.numpy.inexact)
        else np.zeros(output.shape, jax.dtypes.float0)  # integers have no other cotangent
        for output, cotangent in zip(outputs, cotangents, strict=True)
    ]
    gradients: Sequence[Any] = pull_back(weights)
    return gradients


def autograd_product(
    function: Function, inputs: Sequence[Any], cotangents: Sequence[Any] | None
) -> Sequence[Any]:
    """Return the product by `autograd.grad`, that of the sum of the outputs with weights."""
    import autograd
    import autograd.numpy

    def weighted(arrays: Sequence[Any]) -> Any:
        outputs = function(arrays)
        weights = [1.0] * len(outputs) if cotangents is None else cotangents
        terms = zip(outputs, weights, strict=True)
        return sum(autograd.numpy.sum(output * weight) for output, weight in terms)

    gradients: Sequence[Any] = autograd.grad(weighted)(list(inputs))
    return gradients


#: The products, by the name of the package, or of the attribute that has the gradients.
VECTOR_JACOBIAN_PRODUCTS: Mapping[str, VectorJacobianProduct] = {
    "torch": torch_product,
    "jax": jax_product,
    "autograd": autograd_product,
    ".grad": accumulated_gradients,
}
