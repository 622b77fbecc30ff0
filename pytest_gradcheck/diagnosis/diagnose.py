"""The diagnosis of a check: the simplest causes that explain what was measured.

First the hypotheses of the catalogue are tested on all measurements of a parameter, then on those
in the place where its claims are wrong. What needs no prediction, as a claim of zero, is said
where none of them explains everything. A cause that all gradients have in common is said once.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from pytest_gradcheck.diagnosis.catalogue.kinds import BY_ENTRY, hypotheses_of_arrays
from pytest_gradcheck.diagnosis.catalogue.upstream import upstream_degree
from pytest_gradcheck.diagnosis.claim_patterns import (
    claim_patterns,
    frozen_claims,
    overwritten_claims,
    repeated_claims,
)
from pytest_gradcheck.diagnosis.comparison import Comparison
from pytest_gradcheck.diagnosis.exchanged_entries import exchanged_entries
from pytest_gradcheck.diagnosis.goodness_of_fit import Explanation, HypothesisTest
from pytest_gradcheck.diagnosis.gradient import CheckedCall, ClaimedGradient
from pytest_gradcheck.diagnosis.hypothesis import Hypothesis
from pytest_gradcheck.diagnosis.named_numbers import Numbers
from pytest_gradcheck.diagnosis.places import wrong_place
from pytest_gradcheck.report.report_data import Diagnosis

__all__ = ["Causes", "Suggest", "diagnose", "no_suggestions"]

#: The digits of evidence that a hypothesis needs.
ENOUGH = 3.0

#: An explanation with so many digits stands, however many other hypotheses are tested.
CERTAIN = ENOUGH + 4.0

#: A cause in a place explains at least so many different entries, as one does that is not of the
#: simplest kind: of round numbers, products are simple fractions by chance, and of large ones many
#: functions are zero. One fewer will do where claims are no round numbers, and nothing as simple
#: explains them. A number without a name is fitted to one more.
FEWEST = 2

#: So many more digits are needed where entries are fewer.
MORE = 2.0

#: The most causes of equal simplicity that are said.
MOST_CAUSES = 2

#: Kinds that say where claims are wrong, and leave open why.
PLACES = frozenset({"place", "places"})

#: ``suggest(gradient, call) -> iterable of Hypothesis``: hypotheses of a suite's own.
Suggest = Callable[[ClaimedGradient, CheckedCall], Iterable[Hypothesis]]


def no_suggestions(gradient: ClaimedGradient, call: CheckedCall) -> Iterable[Hypothesis]:
    """Return no hypotheses."""
    del gradient, call
    return ()


@dataclass(frozen=True, slots=True)
class Causes:
    """The likely causes of a wrong check.

    Attributes
    ----------
    of_parameters : tuple of tuple of Diagnosis
        For each comparison, its likely causes.
    of_all : tuple of Diagnosis
        Causes that all gradients have in common; not repeated in those of the parameters.
    """

    of_parameters: tuple[tuple[Diagnosis, ...], ...]
    of_all: tuple[Diagnosis, ...] = ()


@dataclass(slots=True)
class _Findings:
    """What explains one comparison: hypotheses for all of it, or other diagnoses."""

    explanations: list[Explanation] = field(default_factory=list)
    others: list[Diagnosis] = field(default_factory=list)

    @property
    def has_cause(self) -> bool:
        """Whether anything is said but where claims are wrong."""
        return bool(self.explanations) or any(one.kind not in PLACES for one in self.others)


def diagnose(
    comparisons: Sequence[Comparison],
    call: CheckedCall,
    *,
    suggest: Suggest = no_suggestions,
    any_right: bool = False,
) -> Causes:
    """Return the likely causes of wrong gradients.

    Parameters
    ----------
    comparisons : sequence of Comparison
        What was claimed and measured, of wrong parameters.
    call : CheckedCall
        What is known about the call.
    suggest : callable
        Hypotheses of a suite's own.
    any_right : bool
        Whether the gradient of any parameter is right, and not zero.

    Returns
    -------
    Causes
        The simplest hypotheses that explain all measurements; several where they are as simple.

    Examples
    --------
    >>> import numpy as np
    >>> true = np.array([[1.0], [2.5]])
    >>> claimed = ClaimedGradient("w", np.ones(2), 2 * true, True, np.array(False), 2e-16)
    >>> is_wrong = np.ones((2, 1), dtype=bool)
    >>> from pytest_gradcheck.diagnosis.comparison import Functionals
    >>> one = Comparison(
    ...     claimed, Functionals(), true, np.full((2, 1), 1e-9), is_wrong, ~is_wrong, is_wrong
    ... )
    >>> print(diagnose([one], CheckedCall((claimed,))).of_parameters[0][0].text)
    consistent with 2 x the true gradient (2 entries, to 15 digits): a stray factor 2?
    """
    numbers = Numbers(call.numbers)
    found = [_explain(comparison, call, numbers, suggest) for comparison in comparisons]
    is_whole = not any_right and (len(comparisons) > 1 or not comparisons[0].outputs)
    of_all = tuple(_in_common(found)) if is_whole else ()
    if of_all:
        return Causes(tuple(() for _ in comparisons), of_all)
    return Causes(
        tuple(
            tuple(_diagnoses(comparison, findings))
            for comparison, findings in zip(comparisons, found, strict=True)
        )
    )


def _diagnoses(comparison: Comparison, findings: _Findings) -> Iterator[Diagnosis]:
    for one in findings.explanations[:MOST_CAUSES]:
        yield one.hypothesis.diagnosis(one.agreement, comparison.outputs)
    yield from findings.others


def _explain(
    comparison: Comparison, call: CheckedCall, numbers: Numbers, suggest: Suggest
) -> _Findings:
    """Return what explains a comparison, with closer bounds where nothing does without."""
    found = _explain_as_measured(comparison, call, numbers, suggest)
    if found.has_cause:
        return found
    closer = comparison.closer()
    return found if closer is None else _explain_as_measured(closer, call, numbers, suggest)


def _explain_as_measured(
    comparison: Comparison, call: CheckedCall, numbers: Numbers, suggest: Suggest
) -> _Findings:
    """Return what explains a comparison: all of it, or the place where it is wrong."""
    gradient = comparison.gradient
    overwritten = overwritten_claims(gradient) if comparison.is_wrong.any() else None
    if overwritten is not None:
        return _Findings(others=[overwritten])
    if call.is_automatic and not gradient.claim.any():
        # A package leaves out no term: what it does not find is cut off as a whole.
        return _Findings(others=list(claim_patterns(comparison, is_automatic=True)))
    search = _Search(comparison, call, numbers)
    search.by_entry()
    for source in (
        suggest(gradient, call),
        hypotheses_of_arrays(gradient, call),
        exchanged_entries(comparison),
    ):
        search.among(source)
    if search.simplest():
        return _Findings(search.simplest())
    if not comparison.has_entries:
        return _Findings()
    repeated = repeated_claims(comparison)
    if repeated is not None:
        return _Findings(others=[repeated])
    where, causes = _explain_in_place(comparison, call, numbers)
    if not causes:
        again = upstream_degree(gradient) or frozen_claims(gradient)
        causes = [] if again is None else [again]
    return _Findings(others=[*where, *causes])


def _explain_in_place(
    comparison: Comparison, call: CheckedCall, numbers: Numbers
) -> tuple[Sequence[Diagnosis], list[Diagnosis]]:
    """Return where claims are wrong, if that is said, and what explains them there."""
    place = None if comparison.regions else wrong_place(comparison)
    if place is None and not comparison.regions:
        return (), list(claim_patterns(comparison, is_automatic=call.is_automatic))
    mask = comparison.suspects if place is None else place.mask
    inside = comparison.inside(mask)
    search = _Search(inside, call, numbers)
    search.by_entry()
    there = search.simplest()
    if place is not None:
        there = [one for one in there if one.agreement.count >= FEWEST]
    is_said = place is None or place.is_evident or bool(there)
    causes = list(_diagnoses(inside, _Findings(there)))
    patterned = inside if is_said else comparison
    causes = causes or list(claim_patterns(patterned, is_automatic=call.is_automatic))
    where = comparison.regions if place is None else (place.diagnosis(),)
    return (where if is_said else ()), causes


@dataclass(slots=True)
class _Search:
    """The search for hypotheses that explain a comparison.

    Attributes
    ----------
    comparison : Comparison
        What was claimed and measured.
    call : CheckedCall
        What is known about the call.
    numbers : Numbers
        Names of numbers.
    tested : Counter of int
        The number of hypotheses of each rank that were considered.
    least : float
        The rank of the simplest explanation that is certain. More complex ones are not tested: of
        a call with very many parameters there are as many hypotheses as pairs of them.
    found : list of Explanation
        Those that explain everything.
    test : HypothesisTest
        The test of them.
    """

    comparison: Comparison
    call: CheckedCall
    numbers: Numbers
    tested: Counter[int] = field(default_factory=Counter)
    least: float = math.inf
    found: list[Explanation] = field(default_factory=list)
    test: HypothesisTest = field(init=False)

    def __post_init__(self) -> None:
        self.test = HypothesisTest(self.comparison, self.numbers)

    def by_entry(self) -> None:
        """Test the hypotheses about each entry by itself."""
        for source in BY_ENTRY:
            self.among(source(self.comparison.gradient, self.call))

    def among(self, candidates: Iterable[Hypothesis]) -> None:
        """Test some hypotheses, as long as they are no more complex than a certain explanation."""
        for hypothesis in candidates:
            self.tested[hypothesis.rank] += 1
            if hypothesis.rank > self.least:
                continue
            explanation = self.test.explain(hypothesis)
            if explanation is None:
                continue
            self.found.append(explanation)
            if _is_supported(explanation, CERTAIN):
                self.least = min(self.least, explanation.rank)

    def simplest(self) -> list[Explanation]:
        """Return the simplest of those found that explain more than chance would.

        One that explains far less than another one as simple is chance.
        """
        found = [one for one in self.found if self._is_believed(one)]
        least = min((one.rank for one in found), default=0)
        simplest = [one for one in found if one.rank == least]
        most = max((one.evidence for one in simplest), default=0.0)
        return [one for one in simplest if one.evidence >= most - ENOUGH]

    def _is_believed(self, explanation: Explanation) -> bool:
        """Return whether an explanation is supported, or by one entry fewer if nothing rivals it.

        It needs more digits the more hypotheses there are that are as simple.
        """
        rank = explanation.hypothesis.rank
        considered = sum(count for own, count in self.tested.items() if own <= rank)
        digits = ENOUGH + math.log10(considered)
        if _is_supported(explanation, digits):
            return True
        digits += MORE
        if not explanation.is_fitted and explanation.written < digits:
            return False
        return _is_supported(explanation, digits, fewer=1) and self._is_alone(explanation)

    def _is_alone(self, explanation: Explanation) -> bool:
        """Return whether nothing as simple explains nearly as much."""
        return not any(
            one.rank <= explanation.rank
            and one.distinct >= explanation.distinct
            and one.evidence >= explanation.evidence - ENOUGH
            for one in self.found
            if one is not explanation
        )


def _is_supported(explanation: Explanation, digits: float, *, fewer: int = 0) -> bool:
    """Return whether an explanation has so many digits of evidence, and enough entries.

    They may be fewer by a number, but a number without a name is fitted to one of them.
    """
    fewest = 1 if explanation.hypothesis.rank == 1 else FEWEST - fewer
    return (
        explanation.evidence >= digits and explanation.distinct >= fewest + explanation.is_fitted
    )


def _in_common(found: Sequence[_Findings]) -> Iterator[Diagnosis]:
    """Yield a cause that all gradients have in common: the same kind, and the same number.

    Of a single gradient it is one that concerns backward as a whole: a force is its negative.
    """
    if not all(findings.explanations for findings in found):
        return
    for first in found[0].explanations:
        same = [
            next((one for one in findings.explanations if _is_same(one, first)), None)
            for findings in found
        ]
        agreements = [one.agreement for one in same if one is not None]
        hypothesis = first.hypothesis.for_all(first.agreement)
        if hypothesis is None or len(agreements) < len(found):
            continue
        number = first.agreement.number
        if len(found) == 1 and (number is None or number.value != -1):
            continue
        directions = max(agreement.directions for agreement in agreements)  # the same ones
        together = replace(
            first.agreement,
            count=sum(one.count - one.directions for one in agreements) + directions,
            digits=min(agreement.digits for agreement in agreements),
            directions=directions,
        )
        yield hypothesis.diagnosis(together)
        return


def _is_same(one: Explanation, other: Explanation) -> bool:
    """Return whether two explanations are of one kind, with one number."""
    a, b = one.agreement.number, other.agreement.number
    if one.hypothesis.kind != other.hypothesis.kind or (a is None) != (b is None):
        return False
    if a is None or b is None:
        return True
    return abs(a.value - b.value) <= 1e-6 * abs(a.value)
