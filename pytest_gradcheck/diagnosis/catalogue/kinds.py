"""The catalogue of hypotheses, the most frequent causes of wrong gradients first.

`KINDS` lists the stable identifiers of all diagnoses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pytest_gradcheck.diagnosis.catalogue.added_terms import added_terms, rescaled_terms
from pytest_gradcheck.diagnosis.catalogue.multiples import constant_multiples, value_multiples
from pytest_gradcheck.diagnosis.catalogue.operands import operands
from pytest_gradcheck.diagnosis.catalogue.rearranged import exchanged, rearranged
from pytest_gradcheck.diagnosis.catalogue.symmetric import symmetric_matrices
from pytest_gradcheck.diagnosis.catalogue.upstream import upstream
from pytest_gradcheck.diagnosis.gradient import CheckedCall, ClaimedGradient
from pytest_gradcheck.diagnosis.hypothesis import Hypothesis

__all__ = ["BY_ENTRY", "KINDS", "hypotheses_of_arrays"]

Source = Callable[[ClaimedGradient, CheckedCall], Iterator[Hypothesis]]

#: Hypotheses about each entry by itself.
BY_ENTRY: tuple[Source, ...] = (
    constant_multiples,
    value_multiples,
    added_terms,
    rescaled_terms,
    operands,
    upstream,
)

#: Hypotheses about the gradient as a whole.
OF_ARRAYS: tuple[Source, ...] = (rearranged, exchanged, symmetric_matrices)

#: The kinds of diagnoses, and what each says of the claims.
KINDS = {
    "factor": "a constant multiple of the true gradient; -1 is a flipped sign",
    "zero": "zero where the gradient is not",
    "value": "a multiple that depends on the parameter: another parametrization",
    "activation": "the derivative of an activation missing, used twice, or of the wrong side",
    "mask": "without a mask of the call, or with one too many",
    "operand": "without a factor that is an array of the call, or with one too many",
    "operand-term": "a multiple of an array of the call missing or added",
    "output": "a multiple that depends on the output",
    "penalty": "a multiple of the parameter, or of its sign, missing or added",
    "data-term": "all terms but the penalty have a factor",
    "constant": "a constant added",
    "shared-term": "a multiple of the gradient of another parameter missing or added",
    "upstream-term": "a multiple of the upstream gradient missing or added",
    "transpose": "the transpose of the true gradient",
    "order": "the true gradient in another memory order",
    "reversed": "the true gradient reversed along an axis",
    "roll": "the true gradient rolled along an axis",
    "exchanged": "the gradients of two parameters, rows or entries exchanged",
    "outputs": "the derivatives of outputs exchanged",
    "permutation": "true derivatives at other places",
    "upstream-ignored": "the upstream gradient ignored",
    "upstream-twice": "the upstream gradient used twice",
    "conjugate": "the complex conjugate of the true gradient",
    "symmetric": "right for changes that keep a matrix symmetric",
    "triangle": "right for one triangle of a symmetric matrix",
    "repeated": "the same along an axis: a sum or a broadcast too many",
    "precision": "right to some digits only",
    "stale": "the same at another point",
    "overwritten": "the gradient of one use of a parameter: it is set, and not added to",
    "place": "wrong in one place only: a row, a block, a triangle",
    "places": "wrong in more places than are listed",
    "no-potential": "the gradient of no function",
    "consistent": "the gradient of a function, but of another one than forward",
    "coupled": "outputs depend on entries at other places",
}


def hypotheses_of_arrays(gradient: ClaimedGradient, call: CheckedCall) -> Iterator[Hypothesis]:
    """Yield the hypotheses about a gradient as a whole.

    Parameters
    ----------
    gradient : ClaimedGradient
        A gradient that is wrong.
    call : CheckedCall
        What is known about the call.
    """
    for source in OF_ARRAYS:
        yield from source(gradient, call)
