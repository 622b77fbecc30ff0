"""What was measured of a gradient: entries of it, and products with directions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pytest_gradcheck.diagnosis.comparison import Functionals
from pytest_gradcheck.diagnosis.lazy_arrays import Elementwise
from tests.diagnosis.comparisons import TRUE, compare, sampled

DIRECTION = np.arange(20.0)
BOTH = Functionals(np.array([3, 8]), (DIRECTION,))


def test_functionals_are_entries_and_then_products() -> None:
    """Of every output."""
    array = np.stack([TRUE, 2 * TRUE], axis=-1)
    rows = array.reshape(-1, 2)
    assert np.allclose(BOTH.of(array), [rows[3], rows[8], DIRECTION @ rows])


def test_size_of_a_product_is_that_of_its_terms() -> None:
    """Rounding errors are a share of it, not of the product."""
    _, sizes = BOTH.with_sizes(Elementwise(np.negative, (TRUE[..., None],)), (5, 4, 1))
    expected = [*np.abs(TRUE.ravel()[[3, 8]]), np.linalg.norm(DIRECTION * TRUE.ravel())]
    assert np.allclose(sizes[:, 0], expected)


def test_only_entries_that_were_measured_are_computed() -> None:
    """Where there are no directions."""
    seen = list[int]()

    def double(entries: Any) -> Any:
        seen.append(entries.size)
        return 2 * entries

    lazy = Elementwise(double, (TRUE[..., None],))
    found, _ = Functionals(np.array([3, 8])).with_sizes(lazy, (5, 4, 1))
    assert np.array_equal(found[:, 0], 2 * TRUE.ravel()[[3, 8]])
    assert seen == [2]


def test_measurements_outside_of_a_place_are_unknown() -> None:
    """They are neither wrong nor right there."""
    place = np.zeros((5, 4, 1), dtype=np.bool_)
    place[3] = True
    inside = compare(2 * TRUE).inside(place)
    assert np.flatnonzero(inside.where).tolist() == [12, 13, 14, 15]
    assert np.count_nonzero(inside.is_wrong) == 4


def test_single_entries_can_be_told_from_directions() -> None:
    """They come first."""
    both = sampled(compare(2 * TRUE), [6, 12], directions=2)
    assert len(both.value) == 4
    assert both.has_entries
    assert np.allclose(both.without_directions.value[:, 0], TRUE.ravel()[[6, 12]])
    assert not sampled(compare(2 * TRUE), [], directions=2).has_entries


def test_comparisons_of_different_entries_are_joined() -> None:
    """Not where all of them are compared already."""
    wrong = compare(2 * TRUE)
    one, other = sampled(wrong, [6], directions=0), sampled(wrong, [12, 3], directions=0)
    joined = one.joined(other)
    assert joined.functionals.entries is not None
    assert joined.functionals.entries.tolist() == [6, 12, 3]
    assert np.allclose(joined.value[:, 0], TRUE.ravel()[[6, 12, 3]])
    with pytest.raises(ValueError, match="all entries are compared already"):
        wrong.joined(other)
