"""Which of several hypotheses predicts a gradient."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from pytest_gradcheck.diagnosis.gradient import ClaimedGradient, Floats
from pytest_gradcheck.diagnosis.hypothesis import Hypothesis
from pytest_gradcheck.diagnosis.lazy_arrays import as_lazy

__all__ = ["predicts"]


def predicts(
    hypotheses: Iterable[Hypothesis], gradient: ClaimedGradient, true: Floats, kind: str
) -> str:
    """Return the words of the hypothesis of a kind that predicts a gradient, by some number.

    Raises
    ------
    LookupError
        If there is none.
    """
    shape = gradient.claim.shape
    wanted = true.reshape(shape)
    for hypothesis in hypotheses:
        if hypothesis.kind != kind:
            continue
        with np.errstate(all="ignore"):
            found = np.array(as_lazy(hypothesis.offset).everywhere(shape), dtype=np.float64)
            if hypothesis.slope is not None:
                slope = as_lazy(hypothesis.slope).everywhere(shape)
                found += np.nanmedian((wanted - found) / slope) * slope
        known = ~np.isnan(found)
        if known.any() and np.allclose(found[known], wanted[known]):
            return hypothesis.words or repr(hypothesis)
    raise LookupError(f"no {kind} predicts this gradient")
