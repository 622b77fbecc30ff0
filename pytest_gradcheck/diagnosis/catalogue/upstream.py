"""Causes in the upstream gradient: ignored, or used twice.

Claims where the upstream gradient is twice as large show it (`upstream_degree`). What the true
gradient is can be predicted where each entry of the upstream gradient belongs to an entry of the
parameter (`upstream`).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pytest_gradcheck.diagnosis.catalogue.quotient import quotient
from pytest_gradcheck.diagnosis.gradient import CheckedCall, ClaimedGradient
from pytest_gradcheck.diagnosis.hypothesis import Hypothesis
from pytest_gradcheck.diagnosis.lazy_arrays import Elementwise
from pytest_gradcheck.report.report_data import Diagnosis

__all__ = ["upstream", "upstream_degree"]

#: Claims that differ by less than this, relatively, are equal.
RESOLUTION = 1e-6

#: The fewest claims that are not zero.
FEWEST = 2


def upstream(gradient: ClaimedGradient, call: CheckedCall) -> Iterator[Hypothesis]:
    """Yield the hypotheses that the upstream gradient is ignored, or used twice."""
    for output in call.outputs:
        cotangent = output.cotangent
        if cotangent is None or cotangent.shape != gradient.axes or cotangent.size < 2:
            continue
        factor = cotangent[..., None]
        yield Hypothesis(
            "upstream-ignored",
            "consistent with the true gradient divided by the upstream gradient ({agreement}): "
            "the upstream gradient ignored?",
            Elementwise(np.multiply, (gradient.claim, factor)),
        )
        yield Hypothesis(
            "upstream-twice",
            "consistent with the true gradient times the upstream gradient ({agreement}): "
            "the upstream gradient used twice?",
            Elementwise(quotient, (gradient.claim, factor)),
        )


def upstream_degree(gradient: ClaimedGradient) -> Diagnosis | None:
    """Return that claims do not grow with the upstream gradient, or grow as its square.

    Parameters
    ----------
    gradient : ClaimedGradient
        A gradient that is wrong, and the claims for twice the upstream gradient.
    """
    claim, doubled = gradient.claim, gradient.doubled()
    if doubled is None or np.count_nonzero(claim) < FEWEST:
        return None
    tolerance = RESOLUTION * np.abs(claim).max()
    if (np.abs(doubled - claim) <= tolerance).all():
        text = (
            "the claim is the same for twice the upstream gradient: the upstream gradient ignored?"
        )
        return Diagnosis("upstream-ignored", text, {"degree": 0})
    if (np.abs(doubled - 4 * claim) <= tolerance).all():
        text = "the claim is 4 x as large for twice the upstream gradient: it is used twice?"
        return Diagnosis("upstream-twice", text, {"degree": 2})
    return None
