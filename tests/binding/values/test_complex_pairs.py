"""Complex numbers as pairs of coordinates, under both conventions."""

from typing import Any

import numpy as np
import pytest

from pytest_gradcheck.binding.values.complex_pairs import (
    claim_coordinates,
    flat_complex,
    flat_real,
    weights,
)
from pytest_gradcheck.binding.values.parameters import Block

REAL = Block("x", (2,), "float64", 0, 2)
COMPLEX = Block("z", (2,), "complex128", 0, 4, is_complex=True)
CLAIM = np.array([[1 + 2j, 3 + 4j], [5 + 6j, 7 + 8j]])


def by_coordinate(output: Block, parameter: Block, convention: str = "pytorch") -> Any:
    """Return the claims about two outputs and two entries, by coordinate."""
    matrix = claim_coordinates(CLAIM, output=output, parameter=parameter, convention=convention)
    assert matrix.dtype == np.float64
    return matrix.tolist()


def test_real_by_real_is_the_transpose() -> None:
    """Rows are coordinates of the parameter, columns of the output."""
    assert by_coordinate(REAL, REAL) == [[1, 5], [3, 7]]


@pytest.mark.parametrize(("convention", "sign"), [("pytorch", 1), ("jax", -1)])
def test_real_by_complex_follows_the_convention(convention: str, sign: int) -> None:
    """The imaginary part of the claim is d/dIm, or its negative."""
    expected = [[1, 5], [2 * sign, 6 * sign], [3, 7], [4 * sign, 8 * sign]]
    assert by_coordinate(REAL, COMPLEX, convention) == expected


def test_complex_by_real_has_two_columns() -> None:
    """The derivatives of both parts of the output."""
    assert by_coordinate(COMPLEX, REAL) == [[1, 2, 5, 6], [3, 4, 7, 8]]


@pytest.mark.parametrize("convention", ["pytorch", "jax"])
def test_complex_by_complex_is_holomorphic(convention: str) -> None:
    """d/dRe = f' and d/dIm = i f', in both conventions."""
    assert by_coordinate(COMPLEX, COMPLEX, convention) == [
        [1, 2, 5, 6],
        [-2, 1, -6, 5],
        [3, 4, 7, 8],
        [-4, 3, -8, 7],
    ]


def test_weights_make_the_real_product_of_the_convention() -> None:
    """``Re(conj(c) output)`` in the convention of PyTorch, ``Re(c output)`` in that of JAX."""
    outputs = (
        Block("a", (), "float64", 0, 1),
        Block("b", (), "complex128", 1, 3, is_complex=True),
    )
    c, b, cotangent = 0.5 - 2j, 3 + 4j, np.array([7.0, 0.5, -2.0])
    values = np.array([10.0, b.real, b.imag])
    assert weights(cotangent, outputs, "pytorch") @ values == 70 + (c.conjugate() * b).real
    assert weights(cotangent, outputs, "jax") @ values == 70 + (c * b).real
    assert cotangent.tolist() == [7.0, 0.5, -2.0]


def test_flat_values_are_copies() -> None:
    """They are in C order for any layout, the parts of a complex number next to each other."""
    x = np.asfortranarray(np.arange(4.0).reshape(2, 2))
    flat = flat_real(x)
    flat[0] = 9
    assert (flat.tolist(), x[0, 0]) == ([9.0, 1.0, 2.0, 3.0], 0.0)
    assert flat_complex(x.T * 1j).tolist() == [0, 0, 0, 2, 0, 1, 0, 3]
    assert flat_complex(1 - 2j).tolist() == [1, -2]


@pytest.mark.parametrize("value", ["1.5", None, [None, 1.0], {}, [1.0, "a"], 10**400])
@pytest.mark.parametrize("flat", [flat_real, flat_complex])
def test_what_is_no_number_is_not_converted(flat: Any, value: Any) -> None:
    """NumPy would read a number in a text, and None as NaN."""
    with pytest.raises(TypeError):
        flat(value)


def test_imaginary_part_is_not_dropped() -> None:
    """Unless it is a rounding error of zero."""
    for value in (1 + 1j, np.array([1.0, 1e-9j])):
        with pytest.raises(TypeError):
            flat_real(value)
    assert flat_real(np.array([[1 + 0j, 2 + 1e-16j]])).tolist() == [1.0, 2.0]
    assert flat_real([1, 2.5]).tolist() == [1.0, 2.5]
    assert flat_real(np.float32(0.5)).dtype == np.float64
