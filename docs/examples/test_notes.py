"""Each kind of note, in a check that has one."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from pytest_gradcheck import GradcheckVacuousWarning, check_gradient
from pytest_gradcheck.constraints import lower_triangular, simplex

X = np.array([0.5, -1.0, 2.0])


def kinds(report):
    """Return the kinds of all notes of a report."""
    return {note.kind for part in (report, *report.parameters) for note in part.notes}


# Notes on the check


def test_called():
    report = check_gradient(lambda x: x @ x, lambda point: 2 * point, X)
    assert "called" in kinds(report)


def test_cotangent():
    report = check_gradient(np.tanh, lambda x, dout: dout * (1 - np.tanh(x) ** 2), X)
    assert "cotangent" in kinds(report)


def test_tangent():
    report = check_gradient(np.tanh, lambda x, tangent: tangent * (1 - np.tanh(x) ** 2), X)
    assert "tangent" in kinds(report)


def test_replayed():
    np.random.seed(2)

    def dropout(x):
        mask = np.random.rand(3) < 0.5
        return np.sum(mask * x**2), mask

    report = check_gradient(dropout, lambda x, cache: 2 * x * cache, X)
    assert "replayed" in kinds(report)


def test_restored():
    def forward(x, calls):
        calls.append("forward")
        return x @ x

    report = check_gradient(forward, lambda x: 2 * x, X, [], wrt="x")
    assert "restored" in kinds(report)


def test_unread():
    report = check_gradient(lambda x, a: a * x @ x, lambda x, a: (2 * a * x, x @ x), X, 3, wrt="x")
    assert "unread" in kinds(report)


def test_aliased():
    report = check_gradient(lambda x: x @ x / 2, lambda x: x, X)
    assert "aliased" in kinds(report)


def test_shared():
    report = check_gradient(lambda v, w: v @ w, lambda v, w: (w, v), X, X)
    assert "shared" in kinds(report)


def test_cast():
    report = check_gradient(lambda theta: theta**2, lambda theta: 2 * theta, 4, wrt="theta")
    assert "cast" in kinds(report)


def test_nondifferentiable():
    report = check_gradient(lambda x: (x @ x, np.argmax(x)), lambda x: 2 * x, X)
    assert "nondifferentiable" in kinds(report)


def test_convention():
    z = np.array([1 + 2j, -0.5j])
    report = check_gradient(lambda z: np.sum(np.abs(z) ** 2), lambda z: 2 * z, z)
    assert "convention" in kinds(report)


def test_executor():
    np.random.seed(2)

    def dropout(x):
        return np.sum((np.random.rand(3) < 0.5) * x)

    def gradient(x):
        return (np.random.rand(3) < 0.5) * 1.0

    with ThreadPoolExecutor() as executor:
        report = check_gradient(dropout, gradient, X, executor=executor)
    assert "executor" in kinds(report)


def test_linear():
    report = check_gradient(np.cumsum, lambda dout: np.cumsum(dout[::-1])[::-1], np.arange(9.0))
    assert "linear" in kinds(report)


def test_empty():
    report = check_gradient(lambda x: x.sum(), np.ones_like, np.zeros(0), empty="accept")
    assert "empty" in kinds(report)


def test_direction():
    def along(x, tangent):
        return tangent / x

    report = check_gradient(np.log, along, np.array([0.2, 0.3, 0.5]), tangent=simplex)
    assert "direction" in kinds(report)


def test_points():
    report = check_gradient(lambda x: x @ x, lambda x: 2 * x, X, points=3)
    assert "points" in kinds(report)


def test_implementation():
    method = {"method": lambda x: x.sum()}
    report = check_gradient(np.sum, np.ones_like, X, also=method)
    assert "implementation" in kinds(report)


def test_reference():
    low = X.astype(np.float16)
    report = check_gradient(np.sin, np.cos, low, reference=np.sin)
    assert "reference" in kinds(report)


# Notes on a parameter


def test_kink():
    report = check_gradient(lambda x: np.abs(x).sum(), np.sign, np.array([0.0, 1.0]))
    assert "kink" in kinds(report)


def test_rounding():
    scale = np.array([1e-6, 1, 1])

    def backward(x):
        total = 1e4 * x.sum()
        lost = (total + x) ** 2 - total**2 - 2 * total * x - x**2  # zero without rounding
        return scale * x**2 + lost

    report = check_gradient(lambda x: np.sum(scale * x**3) / 3, backward, np.array([1.3, -1, 2]))
    assert "rounding" in kinds(report)


def test_inconclusive():
    report = check_gradient(lambda x: np.sum(x > 0) + x.sum(), np.ones_like, np.array([0.0, 1.0]))
    assert "inconclusive" in kinds(report)


def test_vacuous():
    with pytest.warns(GradcheckVacuousWarning):
        report = check_gradient(lambda x: np.sum(x**2), lambda x: 3 * x, np.zeros(2))
    assert "vacuous" in kinds(report)


def test_unused():
    with pytest.warns(GradcheckVacuousWarning):
        report = check_gradient(lambda x, b: x @ x, lambda x, b: (2 * x, 0.0), X, 1.0)
    assert "unused" in kinds(report)


def test_zero():
    report = check_gradient(lambda x: np.maximum(x, 0).sum(), lambda x: (x > 0) * 1.0, X)
    assert "zero" in kinds(report)


def test_level():
    with pytest.warns(GradcheckVacuousWarning):
        report = check_gradient(lambda x: np.sum(np.round(x, 3)), lambda x: 0 * x, X + 0.0003)
    assert "level" in kinds(report)


def test_point():
    report = check_gradient(lambda w: np.exp(w).sum(), np.exp, np.zeros(3))
    assert "point" in kinds(report)


def test_constrained():
    L = np.array([[1.0, 0.0], [0.5, 2.0]])
    report = check_gradient(lambda L: np.sum(L**2), lambda L: 2 * L, L, tangent=lower_triangular)
    assert "constrained" in kinds(report)


def test_screened():
    report = check_gradient(lambda x: np.exp(x).sum(), np.exp, np.linspace(-1, 1, 50), mode="fast")
    assert "screened" in kinds(report)


def test_unexplained():
    factor = np.ones(2000)
    factor[::100] = 1.5

    def backward(x):
        return 3 * x**2 * factor

    x = np.linspace(0.5, 1.5, 2000)
    report = check_gradient(lambda x: np.sum(x**3), backward, x, mode="fast", max_evaluations=100)
    assert "unexplained" in kinds(report)
