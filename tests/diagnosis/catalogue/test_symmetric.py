"""Square matrices that are symmetric for one side only."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_gradcheck.diagnosis.catalogue.symmetric import symmetric_matrices
from pytest_gradcheck.diagnosis.gradient import CheckedCall, Floats
from tests.diagnosis.comparisons import TRUE, VALUE, compare
from tests.diagnosis.predictions import predicts

CALL = CheckedCall(())
FREE, VALUES = TRUE[:4], VALUE[:4] + VALUE[:4].T
BOTH = FREE + FREE.T
DIAGONAL = np.diag(np.diag(FREE))


@pytest.mark.parametrize(
    ("claim", "true", "kind"),
    [
        (FREE, DIAGONAL + np.tril(BOTH, -1), "symmetric"),
        (FREE, DIAGONAL + np.triu(BOTH, 1), "symmetric"),
        (FREE, BOTH / 2, "symmetric"),
        (2 * BOTH - np.diag(np.diag(BOTH)), BOTH, "triangle"),
        ((BOTH + np.diag(np.diag(BOTH))) / 2, BOTH, "triangle"),
    ],
)
def test_derivatives_of_a_symmetric_matrix_are_predicted(
    claim: Floats, true: Floats, kind: str
) -> None:
    """By one triangle, or by both."""
    gradient = compare(claim, true, VALUES).gradient
    assert predicts(symmetric_matrices(gradient, CALL), gradient, true, kind)


@pytest.mark.parametrize("value", [VALUE[:4], np.ones((5, 4)), np.ones(16)])
def test_other_matrices_have_no_symmetry(value: Floats) -> None:
    """One that is not symmetric, not square, or no matrix."""
    gradient = compare(np.ones_like(value), np.ones_like(value), value).gradient
    assert not list(symmetric_matrices(gradient, CALL))
