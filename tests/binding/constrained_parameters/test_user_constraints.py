"""The user's own tangent and project functions."""

from typing import Any

import numpy as np
import pytest

from pytest_gradcheck import GradcheckUsageError
from pytest_gradcheck.binding.constrained_parameters.user_constraints import (
    Projected,
    UserTangent,
    refuse_unusable,
)

X = np.array([0.36, 0.48, 0.8])


def normalised(x: Any) -> Any:
    """Return the nearest unit vector."""
    return x / np.linalg.norm(x)


def clipped(x: Any) -> Any:
    """Return the nearest array without negative entries."""
    return np.maximum(x, 0)


def refused_kink(point: Any, change: Any) -> str:
    """Return the message for a projection that has no derivative."""
    with pytest.raises(GradcheckUsageError) as error:
        Projected(clipped, "x").direction(point, change)
    return str(error.value.args[0])


def test_directions_are_the_derivative_of_the_projection() -> None:
    """It has many correct digits, although it is found by differences."""
    rule = Projected(normalised, "x")
    for unit in np.eye(3):
        exact = unit - X * (X @ unit)
        np.testing.assert_allclose(rule.direction(X, unit), exact, atol=1e-11)


def test_directions_at_very_different_scales() -> None:
    """A clipped entry that is small compared to the others has its own step."""
    x = np.array([1e-7, 1.0, 3e5])
    for unit in np.eye(3):
        assert Projected(clipped, "x").direction(x, unit).tolist() == pytest.approx(unit.tolist())


def test_directions_cost_few_calls() -> None:
    """A smooth projection takes three steps, with two calls each and one at the point."""
    calls = []

    def counted(x: Any) -> Any:
        calls.append(x)
        return normalised(x)

    Projected(counted, "x").direction(X, np.eye(3)[0])
    assert len(calls) <= 9


def test_move_is_one_projection() -> None:
    """It is the projection of the changed point."""
    rule = Projected(normalised, "x")
    assert rule.move(X, X).tolist() == pytest.approx(X.tolist())


def test_kink_of_a_projection_is_refused() -> None:
    """Central differences alone would return the mean of both slopes."""
    rest = (
        "there is no derivative through it. Say tangent= as well, or bounds= where the set is a "
        "box."
    )
    assert refused_kink(np.array([0.0, 1.0]), np.array([1.0, 0.0])) == (
        f"project of x has a kink at the point of the check, by x[0], which is 0: {rest}"
    )
    assert refused_kink(np.array(0.0), np.array(1.0)) == (
        f"project of x has a kink at the point of the check, by x, which is 0: {rest}"
    )


def test_tangent_of_other_arguments_is_refused() -> None:
    """It must take one or two."""

    def tangent(x: Any, direction: Any, other: Any) -> Any:
        return direction

    with pytest.raises(GradcheckUsageError) as error:
        UserTangent.of(tangent, "x")
    assert error.value.args[0] == (
        "tangent of x, tangent(x, direction, other), must take a direction, or the point and a "
        "direction."
    )


def test_projection_given_as_tangent_is_refused() -> None:
    """A projection is not linear."""
    with pytest.raises(GradcheckUsageError) as error:
        refuse_unusable(UserTangent.of(normalised, "x"), X, "x")
    assert error.value.args[0] == (
        "tangent of x is not linear: that of the sum of two directions is not the sum of theirs. "
        "A function that moves an array into the set is project=."
    )


@pytest.mark.parametrize(
    ("function", "returned"),
    [
        (lambda d: d[:2], "float64 array of shape (2,)"),
        (np.sum, "float64 array of shape ()"),
        (lambda d: d > 0, "bool array of shape (3,)"),
        (lambda d: d + 0j, "complex128 array of shape (3,)"),
    ],
)
def test_other_shapes_and_types_are_refused(function: Any, returned: str) -> None:
    """For a tangent and for a projection."""
    for option, rule in [
        ("tangent", UserTangent(function, takes_point=False)),
        ("project", Projected(function, "x")),
    ]:
        with pytest.raises(GradcheckUsageError) as error:
            refuse_unusable(rule, X, "x")
        assert error.value.args[0] == (
            f"{option} of x returned {returned}, and was given float64 array of shape (3,): it "
            "must return an array like it."
        )
