"""The classic recipe, with bounds."""

import numpy as np

from pytest_gradcheck.numerics.classic import refit
from pytest_gradcheck.numerics.measurement import Measurement
from pytest_gradcheck.numerics.sweep import Sweep
from tests.numerics.functions import Counted, function_at

POINT = np.random.default_rng(1).normal(size=50)


def classic(step: float) -> Measurement:
    """Differentiate ``sum exp(x)`` at a fixed step."""
    function = function_at(Counted(lambda x: np.exp(x).sum()), POINT.copy())
    claims = np.exp(POINT)[:, None]
    rng = np.random.default_rng(0)
    found = Sweep(function, lambda start, stop: claims[start:stop], 1e-6, rng).measure()
    return refit(function, found, step)


def test_fixed_step_gives_plain_central_differences() -> None:
    """Values are formula (1) of the classic recipe, digit by digit."""
    step = 1e-4
    expected = []
    for k in range(POINT.size):
        plus, minus = POINT.copy(), POINT.copy()
        plus[k] += step
        minus[k] -= step
        expected.append((np.exp(plus).sum() - np.exp(minus).sum()) / (plus[k] - minus[k]))
    assert classic(step).value[:, 0].tolist() == expected


def test_coarse_fixed_step_widens_the_bound_instead_of_accusing() -> None:
    """The truncation of a coarse step is measured and goes into the bound."""
    found = classic(1e-2)
    error = np.abs(found.value[:, 0] - np.exp(POINT))
    assert (error > 1e-6 * np.exp(POINT)).all()
    assert (error <= found.bound[:, 0]).all()
