"""The causes that are true of a wrong claim."""

from __future__ import annotations

import numpy as np
import pytest

from tests.benchmarks.causes.claimed_gradients import Gradients
from tests.benchmarks.causes.gradient_bugs import BUGS, NOISE, Bug
from tests.benchmarks.causes.true_causes import TRUTHS, true_kinds

RNG = np.random.default_rng(3)
SHAPES = {"W": (4, 4), "V": (4, 8), "U": (4, 4), "b": (5,)}
GRADIENTS = Gradients(
    claims={name: RNG.normal(size=shape) for name, shape in SHAPES.items()},
    parameters={name: RNG.uniform(0.5, 2, size=shape) for name, shape in SHAPES.items()},
    value=3.7,
    numbers={"reg": 0.1},
)


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_every_bug_is_of_its_kind(bug: Bug) -> None:
    """A kind that is declared right is true of the wrong claims, where truth is decided."""
    decided = bug.kinds & TRUTHS.keys()
    for name in GRADIENTS.claims:
        changed = bug.make(GRADIENTS, name)
        if changed and decided:
            claims = {**GRADIENTS.claims, **changed}
            assert decided & true_kinds(GRADIENTS, name, claims)


@pytest.mark.parametrize("bug", NOISE, ids=lambda bug: bug.name)
@pytest.mark.parametrize("name", SHAPES)
def test_noise_has_no_cause(bug: Bug, name: str) -> None:
    """Nothing is true of claims that are multiplied by noise."""
    claims = bug.make(GRADIENTS, name)
    assert true_kinds(GRADIENTS, name, {**GRADIENTS.claims, **claims}) == frozenset()


def test_right_claims_have_no_wrong_place() -> None:
    """A claim whose errors are a block is wrong in one place, and others are not."""
    claim = GRADIENTS.claims["W"].copy()
    claims = {**GRADIENTS.claims, "W": claim}
    claim[1, 2] *= 3
    assert "place" in true_kinds(GRADIENTS, "W", claims)
    claim[0, 1] *= 5
    assert "place" not in true_kinds(GRADIENTS, "W", claims)


def test_one_claim_for_two_parameters_is_no_exchange() -> None:
    """Two claims are exchanged where each is the right one about the other parameter."""
    right = GRADIENTS.claims
    assert "exchanged" in true_kinds(GRADIENTS, "W", {**right, "W": right["U"], "U": right["W"]})
    assert "exchanged" not in true_kinds(GRADIENTS, "W", {**right, "W": right["U"]})
