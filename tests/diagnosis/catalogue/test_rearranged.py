"""Claims that are right at other places."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pytest_gradcheck.diagnosis.catalogue.rearranged import exchanged, rearranged
from pytest_gradcheck.diagnosis.gradient import CheckedCall, Floats
from tests.diagnosis.comparisons import TRUE, compare
from tests.diagnosis.predictions import predicts

CUBE = np.random.default_rng(4).normal(size=(3, 4, 3))
CALL = CheckedCall(())


@pytest.mark.parametrize(
    ("claim", "true", "kind", "words"),
    [
        (TRUE[:4].T, TRUE[:4], "transpose", "a .T missing"),
        (CUBE.swapaxes(0, 2), CUBE, "transpose", "over axes 0 and 2"),
        (TRUE.T.reshape(5, 4), TRUE, "order", "another memory order"),
        (TRUE.reshape(4, 5).T, TRUE, "order", "another memory order"),
        (CUBE[:, ::-1], CUBE, "reversed", "along axis 1"),
        (CUBE[::-1, :, ::-1], CUBE, "reversed", "along axes 0 and 2"),
        (np.roll(CUBE, 2, axis=1), CUBE, "roll", "by 2 along axis 1"),
        (np.roll(CUBE, -1, axis=0), CUBE, "roll", "by -1 along axis 0"),
        (np.roll(CUBE, -1), CUBE, "roll", "by -1 in C order"),
    ],
)
def test_rearranged_claims_are_predicted(
    claim: Floats, true: Floats, kind: str, words: str
) -> None:
    """Along the right axis."""
    gradient = compare(np.ascontiguousarray(claim), true, np.ones_like(true)).gradient
    assert words in predicts(rearranged(gradient, CALL), gradient, true, kind)


@pytest.mark.parametrize("shape", [(5, 4), (4, 5)])
def test_gradients_of_two_parameters_are_exchanged(shape: tuple[int, int]) -> None:
    """Also where one must be transposed."""
    true = TRUE.reshape(5, 4) if shape == (5, 4) else TRUE.T
    gradient = compare(np.ones_like(TRUE)).gradient
    other = compare(true, true, np.ones_like(true), name="V").gradient
    call = CheckedCall((gradient, other))
    words = predicts(exchanged(gradient, call), gradient, TRUE, "exchanged")
    assert words.startswith("consistent with the gradient returned for V")


@pytest.mark.parametrize(
    ("claim", "kind", "words"),
    [
        (TRUE[:4].T, "transpose", "the transposed Jacobian"),
        (TRUE[:4, ::-1], "outputs", "in reverse order"),
        (np.roll(TRUE[:4], 1, axis=1), "outputs", "rolled by 1"),
    ],
)
def test_derivatives_of_outputs_are_exchanged(claim: Floats, kind: str, words: str) -> None:
    """Of four outputs by four entries."""
    gradient = replace(compare(TRUE[:4, 0], TRUE[:4, 0], np.ones(4)).gradient, claim=claim)
    assert words in predicts(exchanged(gradient, CALL), gradient, TRUE[:4], kind)
