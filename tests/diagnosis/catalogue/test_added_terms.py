"""Terms that are missing in the claims, or too many."""

from __future__ import annotations

import numpy as np
import pytest

from pytest_gradcheck.diagnosis.catalogue.added_terms import added_terms, rescaled_terms
from pytest_gradcheck.diagnosis.gradient import CheckedCall, Floats, OutputValues
from pytest_gradcheck.diagnosis.named_numbers import NamedNumber
from tests.diagnosis.comparisons import TRUE, VALUE, compare
from tests.diagnosis.predictions import predicts

COTANGENT = np.random.default_rng(1).normal(size=TRUE.shape)
OTHER = compare(np.random.default_rng(2).normal(size=TRUE.shape), name="V").gradient
OUTPUTS = (OutputValues("output", VALUE, COTANGENT),)


@pytest.mark.parametrize(
    ("term", "kind"),
    [
        (VALUE, "penalty"),
        (np.sign(VALUE), "penalty"),
        (np.ones_like(VALUE), "constant"),
        (COTANGENT, "upstream-term"),
        (OTHER.claim[..., 0], "shared-term"),
    ],
)
@pytest.mark.parametrize("weight", [-0.3, 2.0])
def test_multiples_of_known_terms_are_predicted(term: Floats, kind: str, weight: float) -> None:
    """Missing or added."""
    gradient = compare(TRUE + weight * term).gradient
    call = CheckedCall((gradient, OTHER), OUTPUTS)
    assert predicts(added_terms(gradient, call), gradient, TRUE, kind)


@pytest.mark.parametrize(
    ("weight", "name"), [(0.1, "reg x W"), (0.2, "2 reg x W"), (0.0125, "reg / len(X) x W")]
)
def test_other_terms_than_the_penalty_are_rescaled(weight: float, name: str) -> None:
    """The penalty is that of a number of the call."""
    claim = 4 * (TRUE - weight * VALUE) + weight * VALUE
    gradient = compare(claim).gradient
    numbers = (NamedNumber("reg", 0.1), NamedNumber("len(X)", 8, is_size=True))
    found = predicts(
        rescaled_terms(gradient, CheckedCall((gradient,), numbers=numbers)),
        gradient,
        TRUE,
        "data-term",
    )
    assert name in found
    assert not list(rescaled_terms(gradient, CheckedCall((gradient,))))
