"""Counts of results over the corpus: false alarms, missed errors, violated bounds, costs.

Each count is a number out of a total, with the families that contribute to it. The module does
not check claims or print.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import filterfalse
from operator import attrgetter

from tests.corpus.claim_check import ClaimResult
from tests.corpus.error_classes import coarse, correct, fine, visible
from tests.corpus.families.all_families import FAMILIES
from tests.corpus.families.edges import EDGES
from tests.corpus.families.kinks import KINKS

__all__ = [
    "COUNTED_OUTCOMES",
    "FAILING",
    "MISSED",
    "VERDICT_CHANGED",
    "Count",
    "CountedOutcome",
    "correct_smooth",
    "count",
    "evaluations_beyond_pairs",
    "one_in",
    "per_ten_thousand",
    "percent",
]

#: Names of the families whose values are noisy.
NOISY = frozenset(family.name for family in FAMILIES if family.noisy)

#: Names of the families with kinks or at an edge of the domain.
NOT_SMOOTH = frozenset(family.name for family in (*KINKS.families, *EDGES.families))

#: Evaluations that a check of a correct smooth gradient may take beyond two for each entry.
ALLOWED_EXTRA = 30


@dataclass(frozen=True)
class Count:
    """A number out of a total.

    Attributes
    ----------
    number, total : int
        ``number`` of ``total``.
    families : tuple of (str, int)
        How much each family adds to the number, the most frequent first.
    """

    number: int
    total: int
    families: tuple[tuple[str, int], ...] = ()


def percent(count: Count) -> str:
    """Format a share in percent.

    Examples
    --------
    >>> percent(Count(1, 400))
    '0.25%'
    """
    return f"{count.number / count.total:.2%}" if count.total else "-"


def one_in(count: Count) -> str:
    """Format a share as one in so many.

    Examples
    --------
    >>> one_in(Count(2, 3000)), one_in(Count(0, 3000))
    ('1 in 1,500', '0 in 3,000')
    """
    if not count.number:
        return f"0 in {count.total:,}"
    return f"1 in {count.total / count.number:,.0f}"


def per_ten_thousand(count: Count) -> str:
    """Format a share in parts of ten thousand.

    Examples
    --------
    >>> per_ten_thousand(Count(3, 20_000))
    '1.50 per 10,000'
    """
    return f"{1e4 * count.number / count.total:.2f} per 10,000" if count.total else "-"


@dataclass(frozen=True)
class CountedOutcome:
    """An outcome that is counted over all results.

    Attributes
    ----------
    name : str
        Its label in the table.
    among : callable
        Selects the results that can have the outcome.
    number, total : callable
        What one result adds to the number and to the total.
    share : callable
        Formats the share.
    """

    name: str
    among: Callable[[Sequence[ClaimResult]], list[ClaimResult]]
    number: Callable[[ClaimResult], int]
    total: Callable[[ClaimResult], int] = lambda result: 1
    share: Callable[[Count], str] = percent


def count(outcome: CountedOutcome, results: Sequence[ClaimResult]) -> Count:
    """Count one outcome over all results."""
    among = outcome.among(results)
    families: Counter[str] = Counter()
    for result in among:
        families[result.family] += outcome.number(result)
    contributing = tuple((name, number) for name, number in families.most_common() if number)
    return Count(families.total(), sum(map(outcome.total, among)), contributing)


def evaluations_beyond_pairs(result: ClaimResult) -> int:
    """Return the evaluations of a check beyond one central pair for each entry."""
    return result.evaluations - 2 * result.entries


def is_clean(result: ClaimResult) -> bool:
    """Return whether the family of a result is not noisy by construction."""
    return result.family not in NOISY


def is_smooth(result: ClaimResult) -> bool:
    """Return whether the functions of a family have no noise, kinks or edge of the domain."""
    return is_clean(result) and result.family not in NOT_SMOOTH


def _correct_clean(results: Sequence[ClaimResult]) -> list[ClaimResult]:
    return list(filter(is_clean, correct(results)))


def _correct_noisy(results: Sequence[ClaimResult]) -> list[ClaimResult]:
    return list(filterfalse(is_clean, correct(results)))


def correct_smooth(results: Sequence[ClaimResult]) -> list[ClaimResult]:
    """Return the results of correct claims about smooth functions."""
    return list(filter(is_smooth, correct(results)))


def _coarse_visible(results: Sequence[ClaimResult]) -> list[ClaimResult]:
    return visible(coarse(results))


def _fine_visible(results: Sequence[ClaimResult]) -> list[ClaimResult]:
    return visible(fine(results))


def _invisible(result: ClaimResult) -> int:
    return not result.visible


def _is_rejected(result: ClaimResult) -> int:
    return result.verdict in {"wrong", "refused"}


def _inconclusive(result: ClaimResult) -> int:
    return result.verdict == "inconclusive"


def _failing(result: ClaimResult) -> int:
    return not result.passed


def _unverified(result: ClaimResult) -> int:
    return result.verdict == "inconclusive" and not result.passed


def _called_correct(result: ClaimResult) -> int:
    return result.verdict == "correct"


def _passed_in_part(result: ClaimResult) -> int:
    return result.verdict == "inconclusive" and result.passed


def _costly(result: ClaimResult) -> int:
    return evaluations_beyond_pairs(result) > ALLOWED_EXTRA


FALSE_ALARMS = CountedOutcome("called wrong, or refused: false alarms", correct, _is_rejected)
FAILING = CountedOutcome("failing, whatever they are called", correct, _failing)
MISSED = CountedOutcome("called correct: missed", _coarse_visible, _called_correct, share=one_in)
VERDICT_CHANGED = CountedOutcome(
    "so far beyond it that a verdict changes",
    list,
    attrgetter("overturned"),
    attrgetter("entries"),
    per_ten_thousand,
)

#: All outcomes that are counted, by the heading under which they are printed.
COUNTED_OUTCOMES = {
    "correct claims": (
        FALSE_ALARMS,
        FAILING,
        CountedOutcome(
            "inconclusive, families not noisy by construction", _correct_clean, _inconclusive
        ),
        CountedOutcome("inconclusive, noisy families", _correct_noisy, _inconclusive),
        CountedOutcome("inconclusive and failing: nothing was verified", correct, _unverified),
    ),
    "wrong by 0.1% or more of one entry": (
        CountedOutcome("invisible in float64, left out below", coarse, _invisible),
        MISSED,
        CountedOutcome(
            "passed, but said to be inconclusive", _coarse_visible, _passed_in_part, share=one_in
        ),
        CountedOutcome("inconclusive and failing", _coarse_visible, _unverified),
    ),
    "wrong by less, about 1e-4 of one entry": (
        CountedOutcome("invisible in float64, left out below", fine, _invisible),
        CountedOutcome("called correct: missed", _fine_visible, _called_correct),
        CountedOutcome("passed, but said to be inconclusive", _fine_visible, _passed_in_part),
        CountedOutcome("inconclusive and failing", _fine_visible, _unverified),
    ),
    "derivatives measured": (
        CountedOutcome(
            "true error beyond the bound",
            list,
            attrgetter("outside"),
            attrgetter("entries"),
            per_ten_thousand,
        ),
        VERDICT_CHANGED,
    ),
    "evaluations of correct claims about smooth functions": (
        CountedOutcome(f"more than 2 an entry and {ALLOWED_EXTRA}", correct_smooth, _costly),
    ),
}
