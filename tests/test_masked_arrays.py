"""Masked arrays: what is masked is no number, wherever it is."""

from typing import Any

import numpy as np
import pytest

from pytest_gradcheck import GradcheckUsageError, check_gradient

X = np.array([1.0, 2.0, 3.0])
MASKED = np.ma.array(X, mask=[False, True, False])


def squares(x: Any) -> float:
    """Return the sum of the squares of all that is not masked."""
    return float((x**2).sum())


def refused(*call: Any, **options: Any) -> str:
    """Return the message of the usage error that a check raises."""
    with pytest.raises(GradcheckUsageError) as error:
        check_gradient(*call, **options)
    return str(error.value.args[0])


def test_masked_parameter_is_refused() -> None:
    """It would read as zero, or as what is stored under the mask."""
    assert refused(squares, lambda x: 2 * x, MASKED) == (
        "x of squares is a masked array: x[1] is masked, and so is no number to differentiate by. "
        "Pass x.compressed(), or x.filled(0.0), or leave x out of wrt=."
    )


def test_array_with_nothing_masked_is_checked() -> None:
    """Forward is given a masked array."""
    kinds = []

    def forward(x: Any) -> float:
        kinds.append(type(x))
        return squares(x)

    assert check_gradient(forward, lambda x: 2 * x, np.ma.array(X)).passed
    assert set(kinds) == {np.ma.MaskedArray}


def test_data_may_be_masked() -> None:
    """Masked data pass through as they are."""
    report = check_gradient(
        lambda w, data: float((w * data).sum()), lambda w, data: data.filled(0), X, MASKED, wrt="w"
    )
    assert report.passed


def test_masked_output_is_refused() -> None:
    """The message names the entry."""
    message = refused(lambda x: np.ma.masked_less(x, 1.5), lambda x, dout: dout, X)
    assert message == (
        "lambda returned a masked array: output[0] is masked, and so is no number. Return "
        "output.compressed(), or output.filled(0.0) if what is masked counts as 0."
    )


def test_masked_gradient_is_refused() -> None:
    """It is no claim of zero."""
    message = refused(squares, lambda x: np.ma.array(2 * x, mask=[True, False, False]), X)
    assert message == (
        "lambda returned a masked array as the gradient of x: x[0] is masked, and so is no "
        "number. Return gradient.filled(0.0) if what is masked has no influence."
    )


@pytest.mark.parametrize("reduce", [lambda y: y, np.ma.sum, lambda y: {"y": y, "z": 1.0}])
def test_output_that_is_masked_at_a_perturbed_point_is_undefined_there(reduce: Any) -> None:
    """The logarithm is measured on the side where it is defined, here within 1e-12 of zero."""
    x = np.array([1e-12])
    report = check_gradient(
        lambda x: reduce(np.ma.log(x)),
        lambda x, cotangent=1.0: (
            (cotangent["y"] if isinstance(cotangent, dict) else cotangent) / x
        ),
        x,
        backward_args=None if reduce is np.ma.sum else ("x", "cotangent"),
    )
    assert report.passed
