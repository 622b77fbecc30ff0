"""A hypothesis on the cause of a wrong gradient: a prediction of the true one, and words.

It does not know what was measured.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from pytest_gradcheck.diagnosis.agreement import Agreement
from pytest_gradcheck.diagnosis.gradient import Floats
from pytest_gradcheck.diagnosis.lazy_arrays import LazyArray
from pytest_gradcheck.diagnosis.named_numbers import Number, Numbers
from pytest_gradcheck.report.report_data import Diagnosis

__all__ = ["Factor", "Hypothesis", "fitted"]


@dataclass(frozen=True, slots=True, eq=False)
class Hypothesis:
    """A hypothesis on why the gradient of a parameter is wrong.

    It predicts that the true derivatives are ``offset + c * slope``, where c is one number that is
    fitted, or ``offset`` alone.

    Attributes
    ----------
    kind : str
        A stable identifier, which `Diagnosis.kind` repeats.
    words : str
        The diagnosis as a sentence, "consistent with ..." and then the cause as a question. It may
        contain ``{number}``, the fitted number, and ``{agreement}``, what the prediction agrees
        with.
    offset : ndarray, float or LazyArray
        Predicted derivatives; broadcasts to the shape of the claim, (shape..., m) for m outputs.
    slope : ndarray, LazyArray or None
        What the fitted number multiplies, likewise; None if there is no such number.
    rank : int
        The complexity. The hypotheses of the lowest rank that explain everything are said.
    cost : float
        The digits of evidence that choosing the prediction by the measurements took.

    Examples
    --------
    >>> import numpy as np
    >>> claim = np.array([[4.0], [6.0]])
    >>> half = Hypothesis("half", "consistent with half of {agreement}", offset=claim / 2)
    """

    kind: str
    words: str
    offset: Floats | float | LazyArray = 0.0
    slope: Floats | LazyArray | None = None
    rank: int = 1
    cost: float = 0.0

    def coefficient(self, number: float) -> float:
        """Return c for the number that is named, and the other way round."""
        return number

    def recognize(self, c: float, uncertainty: float, numbers: Numbers) -> Number:
        """Return the number that is named, given c and its relative uncertainty."""
        return numbers.recognize(self.coefficient(c), uncertainty)

    def diagnosis(self, agreement: Agreement, outputs: str = "") -> Diagnosis:
        """Return the hypothesis as a diagnosis.

        Parameters
        ----------
        agreement : Agreement
            What it agrees with.
        outputs : str
            For which outputs it holds, in words; empty for all.
        """
        text = self._text(agreement).replace("{agreement}", str(agreement))
        evidence: dict[str, float | int] = {
            "entries": agreement.count,
            "digits": agreement.digits,
        }
        if agreement.number is not None:
            evidence = {self._number_name: agreement.number.value} | evidence
        return Diagnosis(self.kind, f"{text}{outputs}", evidence)

    def for_all(self, agreement: Agreement) -> Hypothesis | None:
        """Return the same hypothesis about all gradients of a check, None if it is not said so."""
        del agreement
        return None

    @property
    def _number_name(self) -> str:
        return "number"

    def _text(self, agreement: Agreement) -> str:
        return self.words.replace("{number}", str(agreement.number))


@dataclass(frozen=True, slots=True, eq=False)
class Factor(Hypothesis):
    """The claim is a constant multiple of the prediction; the factor is what is named."""

    def coefficient(self, number: float) -> float:
        """Return the reciprocal."""
        return 1 / number if number else float("inf")

    def for_all(self, agreement: Agreement) -> Hypothesis | None:
        """Return the hypothesis that all gradients have the factor."""
        words = "every gradient is consistent with {number} x the true one ({agreement}): {cause}"
        if agreement.number is not None and agreement.number.value == -1:
            words = (
                "backward is the negative of the gradient everywhere ({agreement}): a force, or a "
                "flipped sign?"
            )
        return replace(self, words=words) if type(self) is Factor else None

    @property
    def _number_name(self) -> str:
        return "factor"

    def _text(self, agreement: Agreement) -> str:
        number = fitted(agreement)
        if "{cause}" in self.words:  # which says what the number is called
            text = self.words.replace("{number}", number.text)
            return text.replace("{cause}", factor_cause(number))
        text = self.words.replace("{number} x ", "") if number.value == 1 else self.words
        return text.replace("{number}", str(number))


def fitted(agreement: Agreement) -> Number:
    """Return the number that was fitted."""
    if agreement.number is None:
        raise ValueError("a hypothesis without a slope has no number")
    return agreement.number


def factor_cause(number: Number) -> str:
    """Return the likely cause of a stray factor.

    Examples
    --------
    >>> factor_cause(Number(-0.125, "-1/8", "-1 / len(X)", 2.0))
    'a factor 8 = len(X) missing and a flipped sign?'
    """
    if number.text == "-1":
        return "a flipped sign?"
    if number.cost == float("inf"):
        return "a stray factor?"
    sign = " and a flipped sign" if number.value < 0 else ""
    text, name = number.text.removeprefix("-"), number.name.removeprefix("-")
    is_missing = text.startswith("1/") or name.startswith("1 / ")
    if is_missing:
        name = name.removeprefix("1 / ")
        text = text[2:] if text.startswith("1/") else f"{abs(1 / number.value):.6g}"
    factor = f"{text} = {name}" if name else text
    return f"a factor {factor} missing{sign}?" if is_missing else f"a stray factor {factor}{sign}?"
