"""The function in a unittest.TestCase."""

import unittest

import numpy as np

from pytest_gradcheck import gradcheck


class TestSoftplus(unittest.TestCase):
    def test_derivative(self):
        gradcheck(lambda x: np.log1p(np.exp(x)), lambda x: 1 / (1 + np.exp(-x)), np.arange(3.0))
