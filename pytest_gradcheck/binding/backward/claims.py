"""Claims: the derivatives that backward claims, by coordinate of the point and by output.

`build_claim` makes one out of the gradients that backward returned, once these are matched to
the parameters. A claim is a Jacobian, transposed: its rows are coordinates. An elementwise
claim, whose Jacobian is diagonal, is never formed as a matrix. It does not call backward or
match names, and judges nothing but shapes.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate, pairwise
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.binding.backward.shape_mismatch import ShapeMismatchError, wanted_shape
from pytest_gradcheck.binding.values.complex_pairs import claim_coordinates
from pytest_gradcheck.binding.values.conversion import converted
from pytest_gradcheck.binding.values.masked_arrays import first_masked
from pytest_gradcheck.binding.values.parameters import Block, Parameter, Vector
from pytest_gradcheck.binding.values.pytree import describe_value
from pytest_gradcheck.errors import GradcheckUsageError

__all__ = [
    "Claim",
    "ClaimView",
    "DenseClaim",
    "ElementwiseClaim",
    "OtherCotangents",
    "ReturnedClaim",
    "as_array",
    "as_real",
    "build_claim",
    "claim_rounding",
    "is_elementwise",
]

#: Imaginary parts below this share of the largest entry are rounding errors of zero.
VANISHING = 1e-6

#: The longest row of entries that one output may have for itself in an elementwise claim: all
#: outputs together are measured in as many pairs of evaluations.
MAX_WIDTH = 1000

Shape = tuple[int, ...]


class ClaimView(Protocol):
    """Claims in the arrays that backward returned: the next call may change them."""

    def rows(self, start: int, stop: int) -> Vector:
        """Return the claims about coordinates ``start:stop``, shape (stop - start, m)."""
        ...  # pragma: no cover

    def stored(self, start: int, stop: int) -> Vector:
        """Return those that are not structurally zero, shape (stop - start, w)."""
        ...  # pragma: no cover

    def snapshot(self) -> Claim:
        """Return the same claims, unaffected by later calls of backward."""
        ...  # pragma: no cover


class Claim(ClaimView, Protocol):
    """The derivatives that backward claims, by coordinate of the point and by output."""

    def take(self, indices: NDArray[np.intp]) -> Vector:
        """Return the claims about some coordinates, shape (k, m)."""
        ...  # pragma: no cover

    def take_stored(self, indices: NDArray[np.intp]) -> Vector:
        """Return those about some coordinates that are not structurally zero, shape (k, w)."""
        ...  # pragma: no cover

    def along(self, start: int, direction: Vector) -> Vector:
        """Return the product with a direction of the coordinates from `start` on, shape (m,)."""
        ...  # pragma: no cover


@dataclass(frozen=True, slots=True)
class ReturnedClaim:
    """A claim in the arrays that backward returned.

    Attributes
    ----------
    parts : tuple of tuple of ndarray, shape (coordinates of a parameter, of an output)
        For each parameter, in order, one array for each output.
    starts : tuple of int
        The first coordinate of each parameter, then the number of all coordinates.
    """

    parts: tuple[tuple[Vector, ...], ...]
    starts: tuple[int, ...]

    @classmethod
    def of(cls, parts: Iterable[tuple[Vector, ...]]) -> ReturnedClaim:
        """Return the claim in these arrays."""
        parts = tuple(parts)
        return cls(parts, tuple(accumulate((len(part[0]) for part in parts), initial=0)))

    def rows(self, start: int, stop: int) -> Vector:
        """Return the claims about coordinates ``start:stop``, shape (stop - start, m)."""
        first = max(bisect_right(self.starts, start, hi=len(self.parts)) - 1, 0)
        last = max(bisect_left(self.starts, stop), first + 1)
        found = [self._part(k, start, stop) for k in range(first, last)]
        return found[0] if len(found) == 1 else np.concatenate(found)

    def stored(self, start: int, stop: int) -> Vector:
        """Return the same claims: none is structurally zero."""
        return self.rows(start, stop)

    def snapshot(self) -> DenseClaim:
        """Return a copy."""
        matrix = np.empty((self.starts[-1], sum(array.shape[1] for array in self.parts[0])))
        for k, (start, stop) in enumerate(pairwise(self.starts)):
            matrix[start:stop] = self._part(k, start, stop)
        return DenseClaim(matrix)

    def _part(self, k: int, start: int, stop: int) -> Vector:
        """Return the claims about those of these coordinates that are of parameter `k`."""
        inside = slice(max(start - self.starts[k], 0), max(stop - self.starts[k], 0))
        arrays = [array[inside] for array in self.parts[k]]
        return arrays[0] if len(arrays) == 1 else np.concatenate(arrays, axis=1)


@dataclass(frozen=True, slots=True)
class DenseClaim:
    """A claim held as a matrix, shape (n coordinates, m outputs)."""

    matrix: Vector

    def rows(self, start: int, stop: int) -> Vector:
        """Return the claims about coordinates ``start:stop``, shape (stop - start, m)."""
        return self.matrix[start:stop]

    def stored(self, start: int, stop: int) -> Vector:
        """Return the same claims: none is structurally zero."""
        return self.matrix[start:stop]

    def take(self, indices: NDArray[np.intp]) -> Vector:
        """Return the claims about some coordinates, shape (k, m)."""
        return self.matrix[indices]

    def take_stored(self, indices: NDArray[np.intp]) -> Vector:
        """Return the same claims: none is structurally zero."""
        return self.matrix[indices]

    def along(self, start: int, direction: Vector) -> Vector:
        """Return the product with a direction of the coordinates from `start` on, shape (m,)."""
        # Not by BLAS, whose threads wait for each other on a busy machine.
        part = self.matrix[start : start + direction.size]
        return np.asarray(np.einsum("i,ij->j", direction, part))

    def snapshot(self) -> DenseClaim:
        """Return itself."""
        return self


@dataclass(frozen=True, slots=True)
class ElementwiseClaim:
    """A claim that each entry of a parameter moves the entry of each output at the same index.

    Where a parameter has more axes than the outputs, a whole row of its entries moves the entry
    at the index that they share. Only these derivatives are stored; the Jacobian is a row of
    diagonal matrices.

    Attributes
    ----------
    values : ndarray, shape (n coordinates, w)
        Claimed derivatives of the outputs that a coordinate moves: one for each real output,
        two for each complex one.
    output_indices : ndarray of int, shape (n, w)
        The coordinates of these outputs.
    colours : tuple of slice
        Groups of coordinates that cover all, such that no two of a group move the same output
        (the colours of Curtis, Powell and Reid, IMA J. Appl. Math. 13 (1974) 117).
    outputs : int
        The number of coordinates of all outputs.
    """

    values: Vector
    output_indices: NDArray[np.intp]
    colours: tuple[slice, ...]
    outputs: int

    def rows(self, start: int, stop: int) -> Vector:
        """Return the claims about coordinates ``start:stop``, shape (stop - start, m)."""
        return self.take(np.arange(start, stop))

    def stored(self, start: int, stop: int) -> Vector:
        """Return those that are not structurally zero, shape (stop - start, w)."""
        return self.values[start:stop]

    def take(self, indices: NDArray[np.intp]) -> Vector:
        """Return the claims about some coordinates, shape (k, m)."""
        rows = np.zeros((indices.size, self.outputs))
        np.put_along_axis(rows, self.output_indices[indices], self.values[indices], axis=1)
        return rows

    def take_stored(self, indices: NDArray[np.intp]) -> Vector:
        """Return those about some coordinates that are not structurally zero, shape (k, w)."""
        return self.values[indices]

    def along(self, start: int, direction: Vector) -> Vector:
        """Return the product with a direction of the coordinates from `start` on, shape (m,)."""
        part = slice(start, start + direction.size)
        change = (direction[:, None] * self.values[part]).ravel()
        outputs = self.output_indices[part].ravel()
        return np.bincount(outputs, weights=change, minlength=self.outputs).astype(np.float64)

    def snapshot(self) -> ElementwiseClaim:
        """Return itself."""
        return self


@dataclass(frozen=True, slots=True)
class OtherCotangents:
    """The results of a VJP for several cotangents, which show whether it is linear.

    Attributes
    ----------
    parameters : tuple of Parameter
        The checked parameters with all their entries, constrained or not.
    first : ndarray, shape (n,)
        The result for the cotangent c1 of the check, or one close to it.
    zero : ndarray, shape (n,)
        For a cotangent of zeros; NaN where it could not be read.
    second : ndarray, shape (n,)
        For another random cotangent, c2.
    combined : ndarray, shape (n,)
        For ``c1 + weight * c2``.
    weight : float
        The weight.
    """

    parameters: tuple[Parameter, ...]
    first: Vector
    zero: Vector
    second: Vector
    combined: Vector
    weight: float


def as_array(gradient: Any, parameter_name: str, backward_name: str) -> NDArray[Any]:
    """Return a gradient as a finite numeric array, without a copy if it is one, or raise."""
    array, why = converted(gradient)
    masked = first_masked(gradient)
    if masked is not None:
        raise GradcheckUsageError(
            f"{backward_name} returned a masked array as the gradient of {parameter_name}: "
            f"{parameter_name}{masked} is masked, and so is no number. Return "
            "gradient.filled(0.0) if what is masked has no influence."
        )
    if array.dtype.kind not in "biufc":
        raise GradcheckUsageError(
            f"{backward_name} returned {describe_value(gradient)} as the gradient of "
            f"{parameter_name}: a gradient is a number or a numeric array.{why}"
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
    """Return the real part of an array whose imaginary part is rounding, or raise."""
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
    """Return whether the shapes are those of elementwise derivatives rather than a Jacobian."""
    return all(_is_row_by_row(claims[p.name].shape, p, output) for p in parameters)


def _is_row_by_row(found: Shape, parameter: Parameter, output: Block) -> bool:
    """Return whether a claim has, for each entry of an output, a row about its own entries.

    The parameter has the axes of the output, or these and more: the rows of a table, of which
    each gives one number. A claim of its shape has no place for other derivatives. Where it has
    these axes at its end, too, it may as well be about columns.
    """
    axes = len(output.shape)
    if not axes or found != parameter.shape or found[:axes] != output.shape:
        return False
    return len(found) == axes or not _is_column_by_column(found, output)


def _is_column_by_column(found: Shape, output: Block) -> bool:
    axes = len(output.shape)
    return axes > 0 and found[-axes:] == output.shape


def build_claim(
    claims: Mapping[str, Mapping[str, NDArray[Any]]],
    parameters: Sequence[Parameter],
    outputs: Sequence[Block],
    *,
    convention: str,
    backward_name: str,
) -> ClaimView:
    """Arrange the claims about all parameters by coordinate and output.

    Parameters
    ----------
    claims : mapping of str to mapping of str to ndarray
        For each output and each parameter: of the shape of the parameter for a gradient, a VJP
        or an elementwise derivative, also row by row; for a Jacobian the shape of the output
        comes first.
    parameters : sequence of Parameter
        In the order of the point.
    outputs : sequence of Block
        The outputs; one number for a VJP.
    convention : {"pytorch", "jax"}
        The convention of gradients with respect to complex parameters.
    backward_name : str
        For messages.

    Returns
    -------
    ClaimView
        It may share the memory of `claims`.

    Raises
    ------
    GradcheckUsageError
        When a claim has the wrong shape: mostly a `ShapeMismatchError`.
    """
    width = max(p.size // max(output.size, 1) for p in parameters for output in outputs)
    if width <= MAX_WIDTH and all(
        output.size != 1 and is_elementwise(claims[output.name], parameters, output)
        for output in outputs
    ):
        return _elementwise(claims, parameters, outputs, convention)
    columns = []
    for output in outputs:
        mine = claims[output.name]
        rows = []
        for parameter in parameters:
            claim = mine[parameter.name]
            if output.size > 1 and _is_row_by_row(claim.shape, parameter, output):
                claim = _block_diagonal(claim.reshape(output.size, -1))
            else:
                _check_shape(mine, parameter, output, parameters, backward_name)
            matrix = claim.reshape(output.size, parameter.size)
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
    """Arrange elementwise claims by coordinate, and by the outputs that it moves."""
    values, output_indices, colours = list[Vector](), list[NDArray[np.intp]](), list[slice]()
    for parameter in parameters:
        # As if all were the gradient of one entry of each output.
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
        coordinates = parameter.stop - parameter.start
        # Neighbouring coordinates move the same output: the parts of an entry, entries of a row.
        widths = [coordinates // max(output.size, 1) for output in outputs]
        places = [np.arange(coordinates)[:, None] // max(width, 1) for width in widths]
        output_indices.append(np.concatenate(list(map(_outputs_at, outputs, places)), axis=1))
        stride = max(widths)
        colours += [slice(parameter.start + k, parameter.stop, stride) for k in range(stride)]
    return ElementwiseClaim(
        np.concatenate(values), np.concatenate(output_indices), tuple(colours), outputs[-1].stop
    )


def _block_diagonal(rows: NDArray[Any]) -> NDArray[Any]:
    """Return the Jacobian of outputs of which each has a row of entries of its own."""
    count, width = rows.shape
    blocks = np.zeros((count, count, width), dtype=rows.dtype)
    blocks[np.arange(count), np.arange(count)] = rows
    return blocks.reshape(count, -1)


def _outputs_at(output: Block, place: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the coordinates of some entries of an output, shape (k, 1 or 2)."""
    parts = 2 if output.is_complex else 1
    return np.asarray(output.start + parts * place + np.arange(parts))


def claim_rounding(claim: NDArray[Any]) -> float:
    """Return the relative rounding of a claim's dtype, at least that of float64."""
    return _rounding(claim.dtype)


@cache
def _rounding(dtype: np.dtype[Any]) -> float:
    kind = dtype if dtype.kind in "fc" else np.dtype(np.float64)
    return max(float(np.finfo(kind).eps), float(np.finfo(np.float64).eps))


def _check_shape(
    claims: Mapping[str, NDArray[Any]],
    parameter: Parameter,
    output: Block,
    parameters: Sequence[Parameter],
    backward_name: str,
) -> None:
    """Raise unless the shape is that of a Jacobian or, of one number, of a gradient."""
    found = claims[parameter.name].shape
    wanted = wanted_shape(parameter, output)
    if found in (wanted, (*output.shape, *parameter.shape)):
        return
    explained = f"{parameter.name} has shape {parameter.shape}."
    hint = ""
    if output.size != 1:
        explained = f"forward's {output.name} has shape {output.shape}, so its Jacobian has "
        explained += f"shape {wanted}."
        if found == () and output.shape == parameter.shape:
            hint = "Have forward and backward changed places?"
        elif found == parameter.shape and found[: len(output.shape)] == output.shape:
            hint = "It may be about rows or about columns: return the Jacobian itself."
        elif found == parameter.shape:
            hint = (
                "For the product with an upstream gradient, give backward a parameter cotangent, "
                "dout or grad_output."
            )
    message = f"{backward_name} returned a gradient of {parameter.name} of shape {found}; "
    if hint:
        raise GradcheckUsageError(f"{message}{explained} {hint}")
    raise ShapeMismatchError(
        message + explained,
        claims,
        parameter=parameter,
        output=output,
        parameters=parameters,
    )
