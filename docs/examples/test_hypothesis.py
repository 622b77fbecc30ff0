"""Property-based tests: each example that hypothesis draws is a gradient check."""

import numpy as np
import pytest
from hypothesis import given

from pytest_gradcheck.strategies import parameters

vectors = parameters(3, low=-3, high=3)


@given(x=vectors)
def test_with_the_fixture(gradcheck, x):
    gradcheck(lambda x: np.exp(x).sum(), np.exp, x)


@pytest.mark.gradcheck(backward=np.cosh)
@given(x=vectors)
def test_with_the_marker(x):
    return np.sinh(x)
