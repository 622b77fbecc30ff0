"""Complex numbers as pairs of real coordinates, in values, cotangents and claims.

An entry z has the coordinates Re z and Im z. Gradients of a real L with respect to z follow one
of two conventions: ``dL/dRe + i dL/dIm`` (PyTorch) or ``dL/dRe - i dL/dIm`` (JAX). Derivatives
with respect to coordinates are the same in both. It does not know where the numbers come from.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pytest_gradcheck.binding.values.parameters import Block, Vector

__all__ = ["IMAGINARY", "claim_coordinates", "flat_complex", "flat_real", "weights"]

#: The sign s of each convention: the gradient of a real L with respect to z is
#: dL/dRe + s i dL/dIm, and L = Re(c' output) for a cotangent c, where c' is the conjugate of c
#: for s = 1, and c itself for s = -1.
IMAGINARY = {"pytorch": 1.0, "jax": -1.0}


#: Imaginary parts below this share of the largest entry are rounding errors of zero.
ROUNDING = 1e-12


def flat_real(value: Any) -> Vector:
    """Return a copy of a real value, flat, of a complex one without rounding errors of zero.

    Raises
    ------
    TypeError
        When it is complex, or holds anything but numbers: NumPy by itself would drop imaginary
        parts, read numbers in text and convert None to NaN.
    """
    if isinstance(value, float):  # also a float64 scalar of NumPy; faster
        return np.array([value], dtype=np.float64)
    array = np.asarray(value)
    if array.dtype.kind == "c" and _is_real(array):
        array = array.real
    return array.astype(np.float64, order="C", casting="same_kind").reshape(-1)


def _is_real(array: NDArray[Any]) -> bool:
    """Return whether imaginary parts are zero to rounding, as those of paired eigenvalues are."""
    imaginary = np.abs(array.imag).max(initial=0.0)
    return bool(imaginary <= ROUNDING * np.abs(array).max(initial=0.0))


def flat_complex(value: Any) -> Vector:
    """Return a copy of a complex value, flat, the real part of each entry before the imaginary.

    Raises
    ------
    TypeError
        When it holds anything but numbers.
    """
    array = np.asarray(value).astype(np.complex128, order="C", casting="same_kind")
    return array.reshape(-1).view(np.float64)


def weights(cotangent: Vector, outputs: tuple[Block, ...], convention: str) -> Vector:
    """Return the weights of the coordinates of outputs in the product with a cotangent.

    Examples
    --------
    >>> outputs = (Block("output", (), "complex128", 0, 2, is_complex=True),)
    >>> weights(np.array([0.5, 2.0]), outputs, "jax").tolist()
    [0.5, -2.0]
    """
    result = cotangent.copy()
    for block in outputs:
        if block.is_complex:
            result[block.start + 1 : block.stop : 2] *= IMAGINARY[convention]
    return result


def claim_coordinates(
    claim: NDArray[Any], *, output: Block, parameter: Block, convention: str
) -> Vector:
    """Return the derivatives of an output with respect to a parameter, by coordinate.

    Parameters
    ----------
    claim : ndarray, shape (entries of the output, entries of the parameter)
        Complex where one of the two is: the gradient of a real output in the convention; of a
        complex output ``d output / dx`` for a real x, and the holomorphic derivative f'(z) for a
        complex z.
    output, parameter : Block
        Whether they are complex.
    convention : {"pytorch", "jax"}
        The convention of the gradient of a real output with respect to a complex parameter.

    Returns
    -------
    ndarray of float64, shape (coordinates of the parameter, of the output)
        Real derivatives, transposed: rows are coordinates of the parameter.

    Examples
    --------
    >>> z = Block("z", (), "complex128", 0, 2, is_complex=True)
    >>> claim_coordinates(np.array([[2 + 3j]]), output=z, parameter=z, convention="jax").tolist()
    [[2.0, 3.0], [-3.0, 2.0]]
    """
    rows: ArrayLike = claim
    if parameter.is_complex and output.is_complex:
        rows = _interleaved(claim, 1j * claim)
    elif parameter.is_complex:
        rows = _interleaved(np.real(claim), IMAGINARY[convention] * np.imag(claim))
    if output.is_complex:
        return np.ascontiguousarray(np.transpose(rows), dtype=np.complex128).view(np.float64)
    return np.ascontiguousarray(np.real(np.transpose(rows)), dtype=np.float64)


def _interleaved(by_real: NDArray[Any], by_imaginary: NDArray[Any]) -> NDArray[Any]:
    return np.stack([by_real, by_imaginary], axis=-1).reshape(by_real.shape[0], -1)
