"""Counts over the corpus: how often our tool judged amiss, out of how many.

It must not try a claim or print; it sorts what became of them.
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

NOISY = frozenset(family.name for family in FAMILIES if family.noisy)
BENT = frozenset(family.name for family in (*KINKS.families, *EDGES.families))

#: What a correct smooth gradient may cost beyond two evaluations an entry.
ALLOWED = 30


@dataclass(frozen=True)
class Count:
    """How many of something there are: `number` of `total`, and in which families most."""

    number: int
    total: int
    families: tuple[tuple[str, int], ...] = ()


def percent(count: Count) -> str:
    """Say a share in percent.

    Examples
    --------
    >>> percent(Count(1, 400))
    '0.25%'
    """
    return f"{count.number / count.total:.2%}" if count.total else "-"


def one_in(count: Count) -> str:
    """Say a share as one in so many.

    Examples
    --------
    >>> one_in(Count(2, 3000)), one_in(Count(0, 3000))
    ('1 in 1,500', '0 in 3,000')
    """
    if not count.number:
        return f"0 in {count.total:,}"
    return f"1 in {count.total / count.number:,.0f}"


def per_ten_thousand(count: Count) -> str:
    """Say a share in parts of ten thousand.

    Examples
    --------
    >>> per_ten_thousand(Count(3, 20_000))
    '1.50 per 10,000'
    """
    return f"{1e4 * count.number / count.total:.2f} per 10,000" if count.total else "-"


@dataclass(frozen=True)
class CountedOutcome:
    """Something that is counted.

    Attributes
    ----------
    name : str
        What, for people.
    among : callable
        Chooses the trials it may be found in.
    number, total : callable
        How many a trial adds to the count, and to what it is a share of.
    share : callable
        How its share is best said.
    """

    name: str
    among: Callable[[Sequence[ClaimResult]], list[ClaimResult]]
    number: Callable[[ClaimResult], int]
    total: Callable[[ClaimResult], int] = lambda trial: 1
    share: Callable[[Count], str] = percent


def count(line: CountedOutcome, trials: Sequence[ClaimResult]) -> Count:
    """Count one thing over all trials."""
    among = line.among(trials)
    families: Counter[str] = Counter()
    for trial in among:
        families[trial.family] += line.number(trial)
    found = tuple((name, number) for name, number in families.most_common() if number)
    return Count(families.total(), sum(map(line.total, among)), found)


def evaluations_beyond_pairs(trial: ClaimResult) -> int:
    """Return what a claim cost beyond two evaluations an entry."""
    return trial.evaluations - 2 * trial.entries


def is_clean(trial: ClaimResult) -> bool:
    """Tell whether a trial is of a family that is not noisy by construction."""
    return trial.family not in NOISY


def is_smooth(trial: ClaimResult) -> bool:
    """Tell whether its functions have neither noise nor kinks nor an edge of the domain."""
    return is_clean(trial) and trial.family not in BENT


def _correct_clean(trials: Sequence[ClaimResult]) -> list[ClaimResult]:
    return list(filter(is_clean, correct(trials)))


def _correct_noisy(trials: Sequence[ClaimResult]) -> list[ClaimResult]:
    return list(filterfalse(is_clean, correct(trials)))


def correct_smooth(trials: Sequence[ClaimResult]) -> list[ClaimResult]:
    """Return the correct claims about smooth functions."""
    return list(filter(is_smooth, correct(trials)))


def _coarse_visible(trials: Sequence[ClaimResult]) -> list[ClaimResult]:
    return visible(coarse(trials))


def _fine_visible(trials: Sequence[ClaimResult]) -> list[ClaimResult]:
    return visible(fine(trials))


def _invisible(trial: ClaimResult) -> int:
    return not trial.visible


def _accused(trial: ClaimResult) -> int:
    return trial.verdict in {"wrong", "refused"}


def _inconclusive(trial: ClaimResult) -> int:
    return trial.verdict == "inconclusive"


def _failing(trial: ClaimResult) -> int:
    return not trial.passed


def _unverified(trial: ClaimResult) -> int:
    return trial.verdict == "inconclusive" and not trial.passed


def _called_correct(trial: ClaimResult) -> int:
    return trial.verdict == "correct"


def _passed_in_part(trial: ClaimResult) -> int:
    return trial.verdict == "inconclusive" and trial.passed


def _costly(trial: ClaimResult) -> int:
    return evaluations_beyond_pairs(trial) > ALLOWED


FALSE_ALARMS = CountedOutcome("called wrong, or refused: false alarms", correct, _accused)
FAILING = CountedOutcome("failing, whatever they are called", correct, _failing)
MISSED = CountedOutcome("called correct: missed", _coarse_visible, _called_correct, share=one_in)
VERDICT_CHANGED = CountedOutcome(
    "so far beyond it that a verdict changes",
    list,
    attrgetter("overturned"),
    attrgetter("entries"),
    per_ten_thousand,
)

#: Everything that is counted, under headings.
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
        CountedOutcome(f"more than 2 an entry and {ALLOWED}", correct_smooth, _costly),
    ),
}
