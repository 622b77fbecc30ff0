"""Options of a call, each in a check that needs it."""

import numpy as np
import pytest

from pytest_gradcheck import GradcheckError, GradcheckUsageError, check_gradient, gradcheck


def energy(x):
    return np.sum(x**4)


def gradient(x):
    return 4 * x**3


X = np.array([0.5, -1.0, 2.0])


# mode: screen the entries together, though they are few.


def test_mode():
    assert check_gradient(energy, gradient, X, mode="fast").mode == "fast"


# rtol: a gradient that is meant to have four digits.


def test_rtol():
    gradcheck(energy, lambda x: 4.0001 * x**3, X, rtol=1e-4)


# step: the fixed step of a course.


def test_step():
    assert check_gradient(energy, gradient, X, step=1e-4).relative_difference < 1e-7


# max_evaluations: the most evaluations of a check of one entry after the other.


def test_max_evaluations():
    assert check_gradient(energy, gradient, np.ones(30), max_evaluations=50).mode == "fast"
    with pytest.raises(GradcheckUsageError, match="max_evaluations"):
        gradcheck(energy, gradient, np.ones(30), max_evaluations=50, mode="full")


# seed: another random cotangent.


def test_seed():
    report = check_gradient(np.tanh, lambda x, dout: dout / np.cosh(x) ** 2, X, seed=7)
    assert report.seed == 7


# strict: what could not be verified in full fails.


def test_strict():
    relu = (lambda x: np.maximum(x, 0).sum(), lambda x: (x > 0) * 1.0, np.array([0.0, 1.0]))
    gradcheck(*relu)
    with pytest.raises(GradcheckError):
        gradcheck(*relu, strict=True)
    gradcheck(*relu, strict=True, kinks="accept")


# kinks: no subgradient is accepted.


def test_kinks():
    with pytest.raises(GradcheckError):
        gradcheck(lambda x: np.abs(x).sum(), np.sign, np.array([0.0, 1.0]), kinks="fail")


# empty: the cases of a suite that have no entries.


@pytest.mark.parametrize("n", [0, 1, 5])
def test_empty(n):
    gradcheck(energy, gradient, np.ones(n), empty="accept")


# max_rows: more of the worst entries in the message.


def test_max_rows():
    report = check_gradient(energy, lambda x: 3 * x**3, np.arange(1.0, 10.0), max_rows=9)
    assert len(report.worst) == 9


# replay: a generator that the check does not find.


def test_replay():
    generator = np.random.default_rng(0)
    draws = iter(generator.random, None)  # an iterator does not tell what it draws from

    def dropout(x):
        mask = np.array([next(draws) < 0.5 for _ in x])
        return np.sum(mask * x**2), mask

    gradcheck(dropout, lambda x, cache: 2 * x * cache, np.arange(1.0, 10.0), replay=generator)
