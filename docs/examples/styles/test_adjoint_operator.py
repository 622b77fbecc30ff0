"""A linear operator and its adjoint."""

import numpy as np
import pytest

from pytest_gradcheck import GradcheckError


class Gradient:
    """Forward differences of an image, with zeros at the far edges."""

    def matvec(self, image):
        rows, columns = np.zeros_like(image), np.zeros_like(image)
        rows[:-1] = image[1:] - image[:-1]
        columns[:, :-1] = image[:, 1:] - image[:, :-1]
        return np.stack([rows, columns])

    def rmatvec(self, field):
        rows, columns = field
        image = np.zeros_like(rows)
        image[1:] += rows[:-1]
        image[:-1] -= rows[:-1]
        image[:, 1:] += columns[:, :-1]
        image[:, :-1] -= columns[:, :-1]
        return image


class PeriodicAdjoint(Gradient):
    def rmatvec(self, field):
        rows, columns = field
        return np.roll(rows, 1, axis=0) - rows + np.roll(columns, 1, axis=1) - columns


IMAGE = np.random.default_rng(0).normal(size=(4, 5))


def test_right(gradcheck):
    operator = Gradient()
    gradcheck(operator.matvec, operator.rmatvec, IMAGE, backward_args=("cotangent",))


def test_wrong(gradcheck):
    operator = PeriodicAdjoint()
    with pytest.raises(GradcheckError, match="image"):
        gradcheck(operator.matvec, operator.rmatvec, IMAGE, backward_args=("cotangent",))
