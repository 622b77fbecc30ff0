"""A suite of another project, with types: the ways to call a check, and what they return."""

from typing import Any, TypeAlias, assert_type

import numpy as np
import numpy.typing as npt
import pytest

from pytest_gradcheck import (
    Entry,
    Gradcheck,
    GradcheckError,
    GradcheckUsageError,
    OptionValue,
    ParameterReport,
    Report,
    check_gradient,
    gradcheck,
)
from pytest_gradcheck.constraints import Constraint, masked, simplex, symmetric

Array: TypeAlias = npt.NDArray[np.float64]

X: Array = np.array([[1.0, -2.0], [0.5, 3.0]])
W: Array = np.array([[0.3, 0.7], [-0.2, 0.4]])


def affine(x: Array, w: Array) -> Array:
    """Return the output of a layer."""
    return x @ w


def trace_gradient(a: Array) -> Array:
    """Return the gradient of the trace of a matrix."""
    return np.eye(len(a))


def affine_backward(cotangent: Array, x: Array, w: Array) -> tuple[Array, Array]:
    """Return the gradients of a layer."""
    return cotangent @ w.T, x.T @ cotangent


def test_fixture(gradcheck: Gradcheck) -> None:
    """The fixture returns a report."""
    assert_type(gradcheck(affine, affine_backward, X, W, rtol=1e-6), Report)


@pytest.mark.gradcheck(backward=affine_backward)
@pytest.mark.parametrize(("x", "w"), [(X, W), (-X, 2 * W)])
def test_marker(x: Array, w: Array) -> Array:
    """A marked test is the forward function, and returns what forward returns."""
    return affine(x, w)


def test_function() -> None:
    """A report has typed contents."""
    report = check_gradient(affine, affine_backward, X, kwargs={"w": W}, wrt=["x", "w"])
    assert_type(report, Report)
    assert_type(report["w"], ParameterReport)
    assert_type(report["w"].worst, tuple[Entry, ...])
    assert_type(report.options["rtol"], OptionValue)
    assert report


def test_wrong_gradient() -> None:
    """The exception has the report."""
    with pytest.raises(GradcheckError) as failure:
        gradcheck(np.sin, np.sin, 1.0)
    assert_type(failure.value.report, Report)
    with pytest.raises(GradcheckUsageError):
        gradcheck(np.sin, np.cos, 1.0, wrt="y")


def test_options() -> None:
    """A misspelt option is an error, of the type checker as well; a dict may hold options."""
    with pytest.raises(GradcheckUsageError):
        gradcheck(np.sin, np.cos, 1.0, rtoll=1e-3)  # type: ignore[call-arg]  # what is tested
    with pytest.raises(GradcheckUsageError):
        gradcheck(np.sin, np.cos, 1.0, seed="0")  # type: ignore[arg-type]  # what is tested
    options: dict[str, Any] = {"seed": 0, "mode": "full"}
    gradcheck(np.sin, np.cos, 1.0, **options)


def test_constraints() -> None:
    """Constraints are values of one type."""
    constraints: list[Constraint] = [symmetric, simplex, simplex.along(0), masked(W > 0)]
    assert constraints
    gradcheck(np.trace, trace_gradient, W + W.T, tangent=symmetric)
