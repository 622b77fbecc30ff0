"""Causes in the upstream gradient."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pytest_gradcheck.diagnosis.catalogue.upstream import upstream, upstream_degree
from pytest_gradcheck.diagnosis.gradient import CheckedCall, Floats, OutputValues
from tests.diagnosis.comparisons import TRUE, VALUE, compare
from tests.diagnosis.predictions import predicts

COTANGENT = np.random.default_rng(1).normal(size=TRUE.shape)


@pytest.mark.parametrize(
    ("claim", "kind"),
    [(TRUE / COTANGENT, "upstream-ignored"), (TRUE * COTANGENT, "upstream-twice")],
)
def test_upstream_gradient_of_single_entries_is_predicted(claim: Floats, kind: str) -> None:
    """Where it has the shape of the parameter."""
    gradient = compare(claim).gradient
    call = CheckedCall((gradient,), (OutputValues("output", VALUE, COTANGENT),))
    assert predicts(upstream(gradient, call), gradient, TRUE, kind)
    other = CheckedCall((gradient,), (OutputValues("output", VALUE.T, COTANGENT.T),))
    assert not list(upstream(gradient, other))


@pytest.mark.parametrize(
    ("factor", "kind"), [(1, "upstream-ignored"), (4, "upstream-twice"), (2, None)]
)
def test_claims_for_twice_the_upstream_gradient_show_its_degree(
    factor: float, kind: str | None
) -> None:
    """They are twice as large where backward is right in it."""
    gradient = compare(TRUE).gradient
    found = upstream_degree(replace(gradient, doubled=lambda: factor * gradient.claim))
    assert (None if found is None else found.kind) == kind


def test_one_claim_shows_no_degree() -> None:
    """It may be so by chance; nor does a gradient without an upstream one."""
    one = compare(np.eye(1), np.eye(1), np.eye(1)).gradient
    assert upstream_degree(replace(one, doubled=lambda: one.claim)) is None
    assert upstream_degree(compare(TRUE).gradient) is None
