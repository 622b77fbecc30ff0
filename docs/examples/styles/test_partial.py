"""Functions with some arguments fixed by functools.partial."""

from functools import partial

import numpy as np
import pytest

from pytest_gradcheck import GradcheckError


def huber(residual, delta, scale):
    r = residual / scale
    small = np.abs(r) <= delta
    return np.sum(np.where(small, 0.5 * r**2, delta * (np.abs(r) - 0.5 * delta)))


def huber_gradient(residual, delta, scale):
    return np.clip(residual / scale, -delta, delta) / scale


def without_scale(residual, delta, scale):
    return np.clip(residual / scale, -delta, delta)


RESIDUAL = np.array([0.5, -3.0, 1.0, 7.0])


def test_right(gradcheck):
    forward = partial(huber, delta=1.2, scale=2.0)
    backward = partial(huber_gradient, delta=1.2, scale=2.0)
    gradcheck(forward, backward, RESIDUAL)


def test_wrong(gradcheck):
    forward = partial(huber, delta=1.2, scale=2.0)
    backward = partial(without_scale, delta=1.2, scale=2.0)
    with pytest.raises(GradcheckError, match="residual"):
        gradcheck(forward, backward, RESIDUAL)
