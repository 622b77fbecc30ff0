"""Random numbers of either sign, none of which is small."""

import numpy as np

from pytest_gradcheck.binding.values.signed_numbers import signed_numbers


def test_numbers_have_both_signs_and_no_size_twice() -> None:
    """None is close to zero, and no two cancel."""
    numbers = signed_numbers(np.random.default_rng(0), 100)
    sizes = np.abs(numbers)
    assert set(np.sign(numbers)) == {-1.0, 1.0}
    assert sizes.min() >= 0.5
    assert sizes.max() <= 1.5
    assert np.unique(sizes).size == 100
