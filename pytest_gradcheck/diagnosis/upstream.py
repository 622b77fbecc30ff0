"""Hypotheses about the upstream gradient: ignored, or used twice.

They apply where each entry of the upstream gradient belongs to an entry of the parameter.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pytest_gradcheck.diagnosis.gradient import CheckedCall, ClaimedGradient
from pytest_gradcheck.diagnosis.hypothesis import Hypothesis

__all__ = ["upstream"]


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
            gradient.claim * factor,
        )
        with np.errstate(all="ignore"):
            yield Hypothesis(
                "upstream-twice",
                "consistent with the true gradient times the upstream gradient ({agreement}): "
                "the upstream gradient used twice?",
                gradient.claim / factor,
            )
