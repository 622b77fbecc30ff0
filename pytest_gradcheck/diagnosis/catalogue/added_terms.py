"""Hypotheses that a term is missing in the claims, or that there is one too many.

The true gradient is the claim plus a multiple of something that is known: the parameter (a
penalty), its sign, a constant, the upstream gradient (a residual connection), or the gradient of
another parameter of the same shape.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from pytest_gradcheck.diagnosis.agreement import Agreement
from pytest_gradcheck.diagnosis.gradient import CheckedCall, ClaimedGradient, Floats
from pytest_gradcheck.diagnosis.hypothesis import Factor, Hypothesis, fitted
from pytest_gradcheck.diagnosis.lazy_arrays import Elementwise
from pytest_gradcheck.diagnosis.named_numbers import Number, Numbers

__all__ = ["added_terms", "rescaled_terms"]


@dataclass(frozen=True, slots=True, eq=False)
class Term(Hypothesis):
    """A multiple of something known is missing, where the number is positive, or added.

    The words name the term, and then what it may be.
    """

    term: str = ""
    cause: str = ""
    times: str = " x "
    subject: str = "consistent with the true gradient"

    def recognize(self, c: float, uncertainty: float, numbers: Numbers) -> Number:
        """Return the number that is named: a weight, if there is one, rather than a size."""
        return numbers.recognize_weight(c, uncertainty)

    def for_all(self, agreement: Agreement) -> Hypothesis | None:
        """Return the hypothesis about a term of all gradients."""
        del agreement
        if self.kind != "penalty":
            return None
        term = "sign(its parameter)" if self.term.startswith("sign") else "its parameter"
        return replace(self, term=term, subject="every gradient is consistent with the true one")

    def _text(self, agreement: Agreement) -> str:
        number = fitted(agreement)
        text = str(number).removeprefix("-").replace("= -", "= ")
        factor = "" if text == "1" and self.kind != "constant" else f"{text}{self.times}"
        which = "without" if number.value > 0 else "plus a stray"
        verb = "missing" if number.value > 0 else "too many"
        return f"{self.subject} {which} {factor}{self.term} ({{agreement}}): {self.cause} {verb}?"


def added_terms(gradient: ClaimedGradient, call: CheckedCall) -> Iterator[Hypothesis]:
    """Yield the hypotheses that a multiple of something known is missing or added."""
    term = Term("", "", gradient.claim, rank=2)
    one, name = np.ones(1), gradient.name
    yield replace(term, kind="constant", slope=one, times="", cause="a constant term")
    if not gradient.is_array:
        return
    value = gradient.parameter
    yield replace(term, kind="penalty", slope=value, term=name, cause="a term of a penalty")
    yield replace(
        term,
        kind="penalty",
        slope=Elementwise(np.sign, (value,)),
        term=f"sign({name})",
        cause="a term of an L1 penalty",
        rank=3,
    )
    for output in call.outputs:
        if output.cotangent is not None and output.cotangent.shape == gradient.axes:
            yield replace(
                term,
                kind="upstream-term",
                slope=output.cotangent[..., None],
                term="the upstream gradient",
                cause="the gradient of a direct connection",
            )
    for other in call.others(gradient):
        if other.axes == gradient.axes and other.claim.any():
            yield replace(
                term,
                kind="shared-term",
                slope=other.claim,
                term=f"the gradient of {other.name}",
                cause="a term",
                rank=3,
            )


def rescaled_terms(gradient: ClaimedGradient, call: CheckedCall) -> Iterator[Hypothesis]:
    """Yield the hypotheses that a penalty is right, and all other terms have a factor."""
    if not gradient.is_array:
        return
    weights = [number for number in call.numbers if not number.is_size and number.value != 0]
    sizes = [number for number in call.numbers if number.is_size and number.value != 0]
    forms = [
        form
        for w in weights
        for form in (
            (w.value, w.name),
            (2 * w.value, f"2 {w.name}"),
            *((w.value / n.value, f"{w.name} / {n.name}") for n in sizes[:MOST_SIZES]),
        )
    ]
    both = gradient.claim, gradient.parameter
    for weight, text in forms[:MOST_WEIGHTS]:
        yield Factor(
            "data-term",
            f"consistent with {text} x {gradient.name} plus {{number}} x all other terms "
            "({agreement}): only the penalty is scaled as it should be?",
            offset=Elementwise(partial(np.multiply, weight), (gradient.parameter,)),
            slope=Elementwise(partial(_without_penalty, weight), both),
            rank=3,
        )


def _without_penalty(weight: float, claim: Floats, parameter: Floats) -> Floats:
    return claim - weight * parameter


#: How many sizes and how many weights of a penalty are tried.
MOST_SIZES = 4
MOST_WEIGHTS = 24
