"""Claims that are multiples of the true derivatives."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pytest_gradcheck.diagnosis.catalogue.multiples import constant_multiples, value_multiples
from pytest_gradcheck.diagnosis.gradient import CheckedCall, Floats
from tests.diagnosis.comparisons import TRUE, compare
from tests.diagnosis.predictions import predicts

VALUE = np.random.default_rng(1).uniform(0.2, 0.8, TRUE.shape)
CALL = CheckedCall(())
SIGMOID = 1 / (1 + np.exp(-VALUE))
SLOPES = {
    "tanh": 1 - np.tanh(VALUE) ** 2,
    "sigmoid": SIGMOID * (1 - SIGMOID),
    "softplus": SIGMOID,
}


@pytest.mark.parametrize("power", [-2, -1, -0.5, 0.5, 1, 2])
def test_powers_of_the_parameter_are_predicted(power: float) -> None:
    """As those of logarithms, roots and squares."""
    gradient = compare(3 * TRUE * VALUE**power, value=VALUE).gradient
    assert predicts(value_multiples(gradient, CALL), gradient, TRUE, "value")


@pytest.mark.parametrize(
    "factor", [np.exp(VALUE), np.exp(-2 * VALUE), np.log(VALUE), np.cos(VALUE), 1 / np.sin(VALUE)]
)
def test_inner_derivatives_of_functions_are_predicted(factor: Floats) -> None:
    """Missing, or used twice."""
    gradient = compare(TRUE * factor, value=VALUE).gradient
    assert predicts(value_multiples(gradient, CALL), gradient, TRUE, "value")


@pytest.mark.parametrize("name", SLOPES)
@pytest.mark.parametrize(("power", "cause"), [(1, "used twice"), (-1, "missing")])
def test_derivatives_of_activations_are_predicted(name: str, power: int, cause: str) -> None:
    """By their name."""
    gradient = compare(TRUE * SLOPES[name] ** power, value=VALUE).gradient
    words = predicts(value_multiples(gradient, CALL), gradient, TRUE, "activation")
    assert f"the derivative of {name} {cause}?" in words


def test_powers_of_the_output_are_predicted() -> None:
    """Where outputs belong to the derivatives."""
    output = np.linspace(1, 2, 20).reshape(5, 4, 1)
    gradient = replace(compare(TRUE / output[..., 0]).gradient, output=output)
    assert predicts(value_multiples(gradient, CALL), gradient, TRUE, "output")
    assert not any(
        h.kind == "output" for h in value_multiples(replace(gradient, output=None), CALL)
    )


def test_conjugate_changes_the_sign_of_imaginary_parts() -> None:
    """And of nothing else; of real parameters there is none."""
    imaginary = np.broadcast_to([False, True, False, True], TRUE.shape)
    claim = np.where(imaginary, -TRUE, TRUE)
    gradient = compare(claim, imaginary=imaginary).gradient
    assert predicts(constant_multiples(gradient, CALL), gradient, TRUE, "conjugate")
    real = compare(claim).gradient
    assert [h.kind for h in constant_multiples(real, CALL)] == ["factor"]
