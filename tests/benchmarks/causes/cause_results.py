"""What the check of a bug says about its cause, and whether that is right."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from pytest_gradcheck.errors import GradcheckUsageError
from pytest_gradcheck.report.report import Report
from pytest_gradcheck.report.report_data import Diagnosis
from tests.benchmarks.causes.claimed_gradients import Claims, Gradients, Subject
from tests.benchmarks.causes.gradient_bugs import Bug
from tests.benchmarks.causes.handwritten_subjects import HandwrittenSubject
from tests.benchmarks.causes.special_bugs import SpecialBug
from tests.benchmarks.causes.true_causes import true_kinds, upstream_kinds
from tests.benchmarks.without_wrong_lines import without_wrong_lines
from tests.corpus.family import Array
from tests.handwritten_backward.edited_checks import wrong_edits
from tests.handwritten_backward.handwritten_function import HandwrittenFunction

__all__ = [
    "OUTCOMES",
    "CauseResult",
    "Outcome",
    "edit_results",
    "injected_results",
    "outcome_of",
    "special_results",
]

Outcome = Literal["right", "both", "silent", "wrong"]

OUTCOMES: tuple[Outcome, ...] = ("right", "both", "silent", "wrong")

#: Kinds that say where claims are wrong, or of what kind backward is, and name no cause.
NO_CAUSES = frozenset({"everywhere", "places", "coupled", "no-potential", "consistent"})


@dataclass(frozen=True)
class CauseResult:
    """What a check says about a bug.

    Attributes
    ----------
    subject, parameter, bug : str
        The function, the parameter with the wrong claim, and the bug.
    outcome : {"right", "both", "silent", "wrong"}
        Whether the cause was said; "both" where a wrong one was said beside it.
    said : tuple of (str, str)
        The kinds and the texts of what was said.
    right : frozenset of str
        The kinds that would be right.
    evaluations : int
        Calls of forward.
    """

    subject: str
    parameter: str
    bug: str
    outcome: Outcome
    said: tuple[tuple[str, str], ...]
    right: frozenset[str]
    evaluations: int


def outcome_of(said: Collection[str], right: Collection[str]) -> Outcome:
    """Return whether the kinds that were said are among the right ones.

    Examples
    --------
    >>> outcome_of({"factor"}, {"factor", "output"}), outcome_of({"roll"}, {"factor"})
    ('right', 'wrong')
    """
    causes = set(said) - NO_CAUSES
    if not causes:
        return "silent"
    if causes <= set(right):
        return "right"
    return "both" if causes & set(right) else "wrong"


def _causes(
    declared: frozenset[str], true: frozenset[str]
) -> tuple[frozenset[str], frozenset[str]]:
    """Return the kinds that are right, and those that are true and name no cause.

    What agrees with the claims as well as the bug does is right. That errors are in one place is
    true of many bugs, and the cause of those only that are confined to a place.
    """
    return declared | (true - {"place"}), (true & {"place"}) - declared


def injected_results(
    subject: Subject, bugs: Sequence[Bug], **options: Any
) -> Iterator[CauseResult]:
    """Yield the results of all bugs in all parameters of a function.

    Only those count whose check fails as it finds the claim wrong.
    """
    with without_wrong_lines():
        right = subject.gradients()
        for name in right.claims:
            for bug in bugs:
                yield from _injected(subject, right, name, bug, options)


def _injected(
    subject: Subject, right: Gradients, name: str, bug: Bug, options: dict[str, Any]
) -> Iterator[CauseResult]:
    changed = bug.make(right, name)
    if not changed or all(_is_same(right, k, claim) for k, claim in changed.items()):
        return

    def transformation(gradients: Gradients) -> Claims:
        return bug.make(gradients, name)

    try:
        report = subject.check(transformation, **options)
    except GradcheckUsageError:
        return  # refused, with words of its own
    kinds, harmless = _causes(bug.kinds, true_kinds(right, name, {**right.claims, **changed}))
    yield from _result((subject.name, name, bug.name), report, kinds, harmless)


def _is_same(right: Gradients, name: str, claim: Array) -> bool:
    return np.array_equal(right.claims[name], claim)


def edit_results(
    function: HandwrittenFunction, directory: Path, **options: Any
) -> Iterator[CauseResult]:
    """Yield the results of all edits of the code of a function, for each wrong parameter."""
    with without_wrong_lines():
        right = HandwrittenSubject(function.name, function.path).gradients()
        for wrong in wrong_edits(function, directory, **options):
            claimed = HandwrittenSubject(function.name, wrong.path).gradients()
            for name in claimed.claims:
                kinds = true_kinds(right, name, claimed.claims) | upstream_kinds(claimed, name)
                bug = f"{wrong.edit.kind}: {'a pattern' if kinds else 'no pattern'}"
                yield from _result((function.name, name, bug), wrong.report, kinds)


def special_results(bug: SpecialBug, seeds: Iterable[int], **options: Any) -> list[CauseResult]:
    """Return the results of a bug that has a function of its own, at some points."""
    results: list[CauseResult] = []
    for seed in seeds:
        with without_wrong_lines():
            report = bug.check(seed, **options)
        for parameter in report.parameters:
            names = ("special", parameter.name, bug.name)
            results += _result(names, report, bug.kinds, bug.harmless)
    return results


def _result(
    names: tuple[str, str, str],
    report: Report,
    right: frozenset[str],
    harmless: frozenset[str] = frozenset(),
) -> Iterator[CauseResult]:
    """Yield the result for a parameter, if the check found its claim wrong."""
    subject, name, bug = names
    found = next(p for p in report.parameters if p.name == name)
    breaches = [b for b in report.breaches if b.parameter == name]
    if found.verdict != "wrong" and not breaches:
        return
    said = [(_kind(d), d.text) for d in (*found.diagnosis, *report.diagnosis)]
    # That a law is violated is true of every claim that violates it: it is never a wrong cause.
    said += [(BREACHES[b.kind], b.text) for b in breaches if BREACHES[b.kind] in right]
    outcome = outcome_of({kind for kind, _ in said} - harmless, right)
    yield CauseResult(subject, name, bug, outcome, tuple(said), right, report.evaluations)


def _kind(diagnosis: Diagnosis) -> str:
    """Return the kind of a diagnosis; that a screen found errors everywhere is no place."""
    text = diagnosis.text
    is_everywhere = diagnosis.kind == "place" and "in all of" in text and "of output" not in text
    return "everywhere" if is_everywhere else diagnosis.kind


#: The causes that a violated law of the upstream gradient names.
BREACHES = {"zero": "upstream-ignored", "linear": "upstream-twice"}
