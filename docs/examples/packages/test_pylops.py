"""Operators of PyLops: `rmatvec` is the adjoint of `matvec`."""

import numpy as np
import pytest

pylops = pytest.importorskip("pylops")

OPERATORS = [
    pylops.FirstDerivative(20),
    pylops.Smoothing1D(5, 20),
    pylops.signalprocessing.FFT(20, real=True),
]


@pytest.mark.parametrize("operator", OPERATORS, ids=lambda operator: type(operator).__name__)
def test_adjoint(gradcheck, operator):
    x = np.random.default_rng(0).normal(size=operator.shape[1])
    gradcheck(operator.matvec, operator.rmatvec, x, backward_args=("cotangent",))
