"""Claims in either form, and the axes of parameters."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_gradcheck.binding.problem import Claim, DenseClaim, DiagonalClaim, Parameter

DIAGONAL = np.random.default_rng(1).normal(size=12)

#: Three parameters of four entries each, elementwise, as the matrix they stand for.
MATRIX = np.concatenate([np.diag(DIAGONAL[k : k + 4]) for k in (0, 4, 8)])

DENSE = np.random.default_rng(2).normal(size=(12, 4))

claims = st.sampled_from([(DenseClaim(DENSE), DENSE), (DiagonalClaim(DIAGONAL, 4), MATRIX)])


@given(claims, st.integers(0, 12), st.integers(0, 12))
def test_rows_are_those_of_the_matrix(
    claim: tuple[Claim, np.ndarray], start: int, length: int
) -> None:
    """All claims about coordinates in a row."""
    stop = min(start + length, 12)
    assert claim[0].rows(start, stop).tolist() == claim[1][start:stop].tolist()


@given(claims, st.lists(st.integers(0, 11)))
def test_claims_about_some_coordinates_are_in_their_order(
    claim: tuple[Claim, np.ndarray], coordinates: list[int]
) -> None:
    """However they are chosen, and however often."""
    indices = np.array(coordinates, dtype=np.intp)
    taken = claim[0].take(indices)
    assert taken.shape == (len(coordinates), 4)
    assert taken.tolist() == claim[1][indices].tolist()


@given(claims, st.integers(0, 12), st.lists(st.floats(-10, 10)))
def test_claimed_change_along_a_direction_is_that_of_the_matrix(
    claim: tuple[Claim, np.ndarray], start: int, moves: list[float]
) -> None:
    """Of the coordinates from the start on, as many as are moved."""
    direction = np.array(moves[: 12 - start], dtype=np.float64)
    rows = claim[0].rows(start, start + direction.size)
    along = claim[0].along(start, direction)
    assert along.shape == (4,)
    assert along.dtype == np.float64
    assert along == pytest.approx(rows.T @ direction, abs=1e-12)


@pytest.mark.parametrize(
    ("shape", "size", "is_complex", "entries", "axes"),
    [
        ((2, 3), 6, False, None, (2, 3)),
        ((5,), 5, False, None, (5,)),
        ((), 1, False, None, (1,)),
        ((2, 3), 12, True, None, (2, 3, 2)),
        ((), 2, True, None, (2,)),
        ((3, 3), 3, False, (0, 4, 8), (3,)),
        ((2, 2), 3, True, (0, 3, 6), (3,)),
    ],
)
def test_coordinates_of_a_parameter_lie_along_axes(
    shape: tuple[int, ...],
    size: int,
    is_complex: bool,
    entries: tuple[int, ...] | None,
    axes: tuple[int, ...],
) -> None:
    """Those of its shape, and of real and imaginary part; of some entries just one."""
    parameter = Parameter("W", shape, "float64", 7, 7 + size, is_complex, entries)
    assert parameter.axes == axes
    assert np.prod(axes) == size
