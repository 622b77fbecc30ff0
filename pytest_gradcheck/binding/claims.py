"""From the gradients backward returned to claims as numbers, and which derivative they are.

It must not call anything or match names; shapes and numbers only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.binding.problem import Claim, DenseClaim, DiagonalClaim, Parameter, Vector
from pytest_gradcheck.binding.shapes import explain_shape
from pytest_gradcheck.binding.tree import describe_value
from pytest_gradcheck.errors import GradcheckUsageError
from pytest_gradcheck.report.model import Kind

__all__ = ["as_array", "build_claim", "claim_rounding", "decide_kind"]

Shape = tuple[int, ...]


def as_array(gradient: Any, parameter_name: str, backward_name: str) -> NDArray[Any]:
    """Return a copy of a gradient as a finite numeric array, or raise in words."""
    try:
        array = np.array(gradient)
    except (TypeError, ValueError):
        array = np.array(None)
    if array.dtype.kind not in "biufc":
        raise GradcheckUsageError(
            f"{backward_name} returned {describe_value(gradient)} as the gradient of "
            f"{parameter_name}: a gradient is a number or a numeric array."
        )
    finite = np.isfinite(array)
    if not finite.all():
        bad = tuple(int(k) for k in np.argwhere(~finite)[0])
        count = int(np.count_nonzero(~finite))
        place = f"[{', '.join(map(str, bad))}]" if bad else ""
        raise GradcheckUsageError(
            f"{backward_name} returned a gradient of {parameter_name} that is not finite: "
            f"{parameter_name}{place} is {array[bad]} ({count} of {array.size} entries)."
        )
    return array


def decide_kind(
    claims: Mapping[str, NDArray[Any]], parameters: Sequence[Parameter], output: Shape
) -> Kind:
    """Tell a full Jacobian from elementwise derivatives by the shapes of the claims."""
    elementwise = output != () and all(
        claims[p.name].shape == p.shape == output for p in parameters
    )
    return "elementwise" if elementwise else "jacobian"


def build_claim(
    claims: Mapping[str, NDArray[Any]],
    parameters: Sequence[Parameter],
    *,
    kind: Kind,
    output: Shape,
    backward_name: str,
) -> Claim:
    """Lay the claims about all parameters out by coordinate and output.

    Parameters
    ----------
    claims : mapping of str to ndarray
        For each parameter: its own shape for a gradient, VJP or elementwise
        derivative, ``output + shape`` for a Jacobian.
    parameters : sequence of Parameter
        In the order of the point.
    kind : Kind
        Which derivative is claimed.
    output : tuple of int
        Shape of the output.
    backward_name : str
        For messages.

    Returns
    -------
    Claim
        By coordinate of the point and output.

    Raises
    ------
    GradcheckUsageError
        When a claim has the wrong shape; with what would give it the right one.
    """
    rows = []
    for parameter in parameters:
        claim = claims[parameter.name]
        wanted = (*output, *parameter.shape) if kind == "jacobian" else parameter.shape
        if claim.shape != wanted and not _is_gradient_of_one(claim.shape, output, parameter, kind):
            raise GradcheckUsageError(
                f"{backward_name} returned a gradient of {parameter.name} of shape {claim.shape}; "
                + _what_was_wanted(parameter, claim.shape, wanted, output, kind)
            )
        outputs = int(np.prod(output)) if kind == "jacobian" else 1
        rows.append(_coordinates(claim.reshape(outputs, -1), is_complex=parameter.is_complex))
    matrix = np.concatenate(rows) if rows else np.zeros((0, 1))
    if kind == "elementwise":
        return DiagonalClaim(matrix[:, 0], int(np.prod(output)))
    return DenseClaim(matrix)


def claim_rounding(claim: NDArray[Any]) -> float:
    """Return the relative rounding of a claim's type."""
    kind = claim.dtype if claim.dtype.kind in "fc" else np.dtype(np.float64)
    return max(float(np.finfo(kind).eps), float(np.finfo(np.float64).eps))


def _is_gradient_of_one(found: Shape, output: Shape, parameter: Parameter, kind: Kind) -> bool:
    """Accept the Jacobian's shape for the gradient of an output with one element."""
    return kind == "gradient" and found == (*output, *parameter.shape)


def _coordinates(claim: NDArray[Any], *, is_complex: bool) -> Vector:
    """Return claims of shape (m, entries) as (coordinates, m); of complex entries both parts.

    The gradient of a real output by a complex entry is taken as ``df/dRe + i df/dIm``.
    """
    if not is_complex:
        return np.ascontiguousarray(np.real(claim).T, dtype=np.float64)
    parts = np.stack([np.real(claim), np.imag(claim)], axis=-1)
    return np.ascontiguousarray(parts.reshape(claim.shape[0], -1).T, dtype=np.float64)


def _what_was_wanted(
    parameter: Parameter, found: Shape, wanted: Shape, output: Shape, kind: Kind
) -> str:
    if kind != "jacobian":
        return f"{parameter.name} has shape {wanted}. {explain_shape(found, wanted)}".strip()
    hint = explain_shape(found, wanted)
    if found == parameter.shape:
        hint = (
            "For the product with an upstream gradient, give backward a parameter cotangent, "
            "dout or grad_output."
        )
    return (
        f"forward's output has shape {output}, so its Jacobian has shape {wanted}. {hint}".strip()
    )
