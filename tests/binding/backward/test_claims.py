"""Claims in every representation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_gradcheck.binding.backward.claims import (
    Claim,
    DenseClaim,
    ElementwiseClaim,
    ReturnedClaim,
)

DIAGONAL = np.random.default_rng(1).normal(size=12)

#: Three parameters of four entries each, elementwise, as the matrix they stand for.
MATRIX = np.concatenate([np.diag(DIAGONAL[k : k + 4]) for k in (0, 4, 8)])

DENSE = np.random.default_rng(2).normal(size=(12, 4))

ELEMENTWISE = ElementwiseClaim(
    DIAGONAL[:, None],
    np.tile(np.arange(4), 3)[:, None],
    (slice(0, 4), slice(4, 8), slice(8, 12)),
    4,
)

claims = st.sampled_from([(DenseClaim(DENSE), DENSE), (ELEMENTWISE, MATRIX)])


@given(claims, st.integers(0, 12), st.integers(0, 12))
def test_rows_are_those_of_the_matrix(
    claim: tuple[Claim, np.ndarray], start: int, length: int
) -> None:
    """A range of coordinates gives that range of rows."""
    stop = min(start + length, 12)
    assert claim[0].rows(start, stop).tolist() == claim[1][start:stop].tolist()


@given(claims, st.lists(st.integers(0, 11)))
def test_claims_about_some_coordinates_are_in_their_order(
    claim: tuple[Claim, np.ndarray], coordinates: list[int]
) -> None:
    """In any order, with repetitions."""
    indices = np.array(coordinates, dtype=np.intp)
    taken = claim[0].take(indices)
    assert taken.shape == (len(coordinates), 4)
    assert taken.tolist() == claim[1][indices].tolist()


@given(claims, st.integers(0, 12), st.lists(st.floats(-10, 10)))
def test_product_with_a_direction_is_that_of_the_matrix(
    claim: tuple[Claim, np.ndarray], start: int, components: list[float]
) -> None:
    """The direction is of as many coordinates as it has entries, from the start on."""
    direction = np.array(components[: 12 - start], dtype=np.float64)
    rows = claim[0].rows(start, start + direction.size)
    along = claim[0].along(start, direction)
    assert along.shape == (4,)
    assert along.dtype == np.float64
    assert along == pytest.approx(rows.T @ direction, abs=1e-12)


#: The same matrix as returned arrays: three parameters, two outputs of one and three entries.
RETURNED = ReturnedClaim.of((DENSE[a:b, :1], DENSE[a:b, 1:]) for a, b in ((0, 5), (5, 5), (5, 12)))


@given(st.integers(0, 12), st.integers(0, 12))
def test_rows_of_what_was_returned_are_those_of_the_matrix(start: int, length: int) -> None:
    """Across outputs and parameters, empty ones too."""
    stop = min(start + length, 12)
    rows = RETURNED.rows(start, stop)
    assert rows.shape == (stop - start, 4)
    assert rows.tolist() == DENSE[start:stop].tolist()


def test_snapshot_does_not_change() -> None:
    """Backward may write to the same array in its next call."""
    array = np.array([[1.0], [2.0]])
    returned = ReturnedClaim.of([(array,)])
    snapshot = returned.snapshot()
    array += 5
    assert snapshot.rows(0, 2).tolist() == [[1.0], [2.0]]
    assert returned.rows(0, 2).tolist() == [[6.0], [7.0]]


@given(claims)
def test_snapshot_of_a_snapshot_is_itself(claim: tuple[Claim, np.ndarray]) -> None:
    """It is not copied again."""
    assert claim[0].snapshot() is claim[0]
