import numpy as np

from pytest_gradcheck import Hypothesis


def pytest_gradcheck_diagnose(gradient):
    """Gains are given in decibels, and backward may forget that."""
    if gradient.name.endswith("gain"):
        yield Hypothesis(
            "decibel",
            "consistent with the derivative by the amplitude ({agreement}): a gain in decibels?",
            offset=gradient.claim * np.log(10) / 20 * 10 ** (gradient.parameter / 20),
        )
