import numpy as np


def test_norm(gradcheck):
    gradcheck(lambda x: np.sum(x**2), lambda x: 2 * x, np.array([1.0, 2.0]))
