"""From the gradients backward returned to claims as numbers, and which derivative they are.

It must not call anything or match names; shapes and numbers only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.binding.blocks import Block, Parameter, Vector
from pytest_gradcheck.binding.claimed import ElementwiseClaim, Returned, ReturnedClaim
from pytest_gradcheck.binding.complexes import claim_coordinates
from pytest_gradcheck.binding.shapes import explain_shape
from pytest_gradcheck.binding.tree import describe_value
from pytest_gradcheck.errors import GradcheckUsageError

__all__ = ["as_array", "as_real", "build_claim", "claim_rounding", "is_elementwise"]

Shape = tuple[int, ...]

#: Imaginary parts below this share of the largest entry are what rounding left of zero.
VANISHING = 1e-6


def as_array(gradient: Any, parameter_name: str, backward_name: str) -> NDArray[Any]:
    """Return a gradient as a finite numeric array, itself if it is one, or raise in words."""
    try:
        array = np.asarray(gradient)
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


def as_real(array: NDArray[Any], name: str, backward_name: str) -> NDArray[Any]:
    """Return the real part of derivatives that are real, or say that they are not."""
    if array.dtype.kind != "c":
        return array
    imaginary = np.abs(np.imag(array))
    if imaginary.max(initial=0.0) <= VANISHING * np.abs(array).max(initial=0.0):
        return np.real(array)
    bad = tuple(int(k) for k in np.unravel_index(int(imaginary.argmax()), imaginary.shape))
    place = f"[{', '.join(map(str, bad))}]" if bad else ""
    raise GradcheckUsageError(
        f"{backward_name} returned complex numbers for the derivative of {name}, which is real: "
        f"{name}{place} is {array[bad]:.6g}. Return the real part."
    )


def is_elementwise(
    claims: Mapping[str, NDArray[Any]], parameters: Sequence[Parameter], output: Block
) -> bool:
    """Tell elementwise derivatives of an output from its Jacobian by the shapes of the claims."""
    shape = output.shape
    return shape != () and all(claims[p.name].shape == p.shape == shape for p in parameters)


def build_claim(
    claims: Mapping[str, Mapping[str, NDArray[Any]]],
    parameters: Sequence[Parameter],
    outputs: Sequence[Block],
    *,
    convention: str,
    backward_name: str,
) -> Returned:
    """Lay the claims about all parameters out by coordinate and output.

    Parameters
    ----------
    claims : mapping of str to mapping of str to ndarray
        For each output and each parameter: of the parameter's own shape for a
        gradient, VJP or elementwise derivative, else of ``output + shape``.
    parameters : sequence of Parameter
        In the order of the point.
    outputs : sequence of Block
        The outputs; one number for a VJP.
    convention : {"pytorch", "jax"}
        Of gradients by complex parameters.
    backward_name : str
        For messages.

    Returns
    -------
    Returned
        By coordinate of the point and output; it may share the memory of `claims`.

    Raises
    ------
    GradcheckUsageError
        When a claim has the wrong shape; with what would give it the right one.
    """
    elementwise = [
        output.size > 1 and is_elementwise(claims[output.name], parameters, output)
        for output in outputs
    ]
    if all(elementwise):
        return _elementwise(claims, parameters, outputs, convention)
    columns = []
    for output, is_diagonal in zip(outputs, elementwise, strict=True):
        mine = claims[output.name]
        rows = []
        for parameter in parameters:
            claim = mine[parameter.name]
            if is_diagonal:
                claim = np.diag(claim.reshape(-1))
            else:
                _check_shape(claim.shape, parameter, output, parameters, backward_name)
            matrix = claim.reshape(output.size, -1)
            rows.append(
                claim_coordinates(
                    matrix, output=output, parameter=parameter, convention=convention
                )
            )
        columns.append(rows)
    return ReturnedClaim.of(zip(*columns, strict=True))


def _elementwise(
    claims: Mapping[str, Mapping[str, NDArray[Any]]],
    parameters: Sequence[Parameter],
    outputs: Sequence[Block],
    convention: str,
) -> ElementwiseClaim:
    """Lay elementwise claims out by coordinate, and by the outputs that it moves."""
    values, own, colours = list[Vector](), list[NDArray[np.intp]](), list[slice]()
    for parameter in parameters:
        # As if it were the gradient of one entry of an output: by coordinate and its parts.
        found = [
            claim_coordinates(
                claims[output.name][parameter.name].reshape(1, -1),
                output=output,
                parameter=parameter,
                convention=convention,
            )
            for output in outputs
        ]
        values.append(np.concatenate(found, axis=1))
        parts = 2 if parameter.is_complex else 1
        place = np.arange(parameter.stop - parameter.start)[:, None] // parts
        own.append(np.concatenate([_outputs_at(output, place) for output in outputs], axis=1))
        colours += [slice(parameter.start + k, parameter.stop, parts) for k in range(parts)]
    return ElementwiseClaim(
        np.concatenate(values), np.concatenate(own), tuple(colours), outputs[-1].stop
    )


def _outputs_at(output: Block, place: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the coordinates of entries of an output, shape (k, 1 or 2)."""
    parts = 2 if output.is_complex else 1
    return np.asarray(output.start + parts * place + np.arange(parts))


def claim_rounding(claim: NDArray[Any]) -> float:
    """Return the relative rounding of a claim's type."""
    return _rounding(claim.dtype)


@cache
def _rounding(dtype: np.dtype[Any]) -> float:
    kind = dtype if dtype.kind in "fc" else np.dtype(np.float64)
    return max(float(np.finfo(kind).eps), float(np.finfo(np.float64).eps))


def _check_shape(
    found: Shape,
    parameter: Parameter,
    output: Block,
    parameters: Sequence[Parameter],
    backward_name: str,
) -> None:
    """Refuse a claim whose shape is neither a Jacobian's nor, of one number, a gradient's."""
    wanted = (*output.shape, *parameter.shape)
    if found == wanted or (output.size == 1 and found == parameter.shape):
        return
    hint = explain_shape(found, parameter.shape) if output.size == 1 else ""
    explained = f"{parameter.name} has shape {parameter.shape}."
    if output.size > 1:
        explained = f"forward's {output.name} has shape {output.shape}, so its Jacobian has "
        explained += f"shape {wanted}."
        if found == () and output.shape == parameter.shape:
            hint = "Have forward and backward changed places?"
        elif found == parameter.shape:
            hint = (
                "For the product with an upstream gradient, give backward a parameter cotangent, "
                "dout or grad_output."
            )
        elif found[::-1] == wanted or len(found) > len(wanted):
            hint = explain_shape(found, wanted)
    others = [p.name for p in parameters if p.shape == found]
    if output.size == 1 and others:
        order = ", ".join(p.name for p in parameters)
        hint = f"That is the shape of {others[0]}: are the gradients in the order {order}?"
    raise GradcheckUsageError(
        f"{backward_name} returned a gradient of {parameter.name} of shape {found}; "
        f"{explained} {hint}".rstrip()
    )
