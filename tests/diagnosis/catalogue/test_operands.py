"""Factors and terms that are arrays of the call."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_gradcheck.diagnosis.catalogue.operands import operands
from pytest_gradcheck.diagnosis.gradient import CheckedCall, Floats, OperandArray
from tests.diagnosis.comparisons import TRUE, VALUE, compare
from tests.diagnosis.predictions import predicts

MATRIX = np.random.default_rng(1).normal(size=TRUE.shape)
ROW = np.random.default_rng(2).normal(size=(1, 4))
MASK = (np.random.default_rng(3).random(TRUE.shape) < 0.7).astype(np.int64)
ARRAYS = {"B": MATRIX, "row": ROW, "mask": MASK}
CALL = CheckedCall((), arrays=tuple(OperandArray(*item) for item in ARRAYS.items()))


@pytest.mark.parametrize(
    ("claim", "true", "kind", "words"),
    [
        (TRUE / MATRIX, TRUE, "operand", "B forgotten?"),
        (TRUE / ROW, TRUE, "operand", "row forgotten?"),
        (TRUE * ROW, TRUE, "operand", "row used twice, or too many?"),
        (TRUE, TRUE * MASK, "mask", "mask forgotten?"),
        (TRUE + 0.3 * ROW, TRUE, "operand-term", "term='row'"),
    ],
)
def test_arrays_of_the_call_are_predicted(
    claim: Floats, true: Floats, kind: str, words: str
) -> None:
    """If they broadcast to the parameter."""
    gradient = compare(claim).gradient
    assert words in predicts(operands(gradient, CALL), gradient, true, kind)


@pytest.mark.parametrize("array", [np.ones((4, 5)), np.ones(1), VALUE])
def test_arrays_that_do_not_fit_are_left_out(array: Floats) -> None:
    """Nor is the parameter itself an operand."""
    name = "W" if array is VALUE else "A"
    call = CheckedCall((), arrays=(OperandArray(name, array),))
    assert not list(operands(compare(2 * TRUE).gradient, call))
