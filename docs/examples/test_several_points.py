"""A loss with two branches, checked at several points."""

import numpy as np
import pytest

from pytest_gradcheck import check_gradient


def huber(r):
    return np.sum(np.where(np.abs(r) < 1, r**2 / 2, np.abs(r) - 0.5))


def huber_gradient(r):
    return np.where(np.abs(r) < 1, r, np.sign(r))


@pytest.mark.gradcheck(backward=huber_gradient, points=5)
@pytest.mark.parametrize("r", [np.array([0.3, -0.98, 2.0])])
def test_huber(r):
    return huber(r)


def test_a_stationary_point_hides_a_factor():
    report = check_gradient(np.square, lambda x: 3 * x, np.zeros(2), points=2)
    assert report.verdict == "wrong"
