"""Hypotheses about the arrays of a call: a factor or a term that is one of them.

In an elementwise product the derivative with respect to one factor is the other one; a mask is a
factor of zeros and ones.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pytest_gradcheck.diagnosis.catalogue.added_terms import Term
from pytest_gradcheck.diagnosis.catalogue.quotient import quotient
from pytest_gradcheck.diagnosis.gradient import (
    CheckedCall,
    ClaimedGradient,
    Floats,
    OperandArray,
    is_broadcastable,
)
from pytest_gradcheck.diagnosis.hypothesis import Factor, Hypothesis
from pytest_gradcheck.diagnosis.lazy_arrays import Elementwise

__all__ = ["operands"]

#: The most arrays that are tried.
MOST_ARRAYS = 16


def operands(gradient: ClaimedGradient, call: CheckedCall) -> Iterator[Hypothesis]:
    """Yield the hypotheses that an array of the call is missing in the claims, or used twice."""
    if not gradient.is_array:
        return
    others = [array for array in call.arrays if array.name != gradient.name]
    fitting = [(a, values) for a in others if (values := _fitting(a, gradient)) is not None]
    for array, values in fitting[:MOST_ARRAYS]:
        name = array.name
        kind = "mask" if ((values == 0) | (values == 1)).all() else "operand"
        yield Factor(
            kind,
            f"consistent with {{number}} x the true gradient without the factor {name} "
            f"({{agreement}}): {name} forgotten?",
            slope=Elementwise(np.multiply, (gradient.claim, values)),
            rank=2,
        )
        if kind == "operand":
            yield Factor(
                kind,
                f"consistent with {{number}} x {name} x the true gradient ({{agreement}}): "
                f"{name} used twice, or too many?",
                slope=Elementwise(quotient, (gradient.claim, values)),
                rank=2,
            )
        yield Term(
            "operand-term",
            "",
            gradient.claim,
            values,
            rank=3,
            term=name,
            cause="a term",
        )


def _fitting(array: OperandArray, gradient: ClaimedGradient) -> Floats | None:
    """Return an array in a shape that broadcasts to the claims, None where it has none."""
    value = array.value
    if value.size < 2 or gradient.imaginary.any():
        return None
    if not is_broadcastable(value.shape, gradient.axes):
        return None
    return np.asarray(value, dtype=np.float64)[..., None]
