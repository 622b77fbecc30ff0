"""Tables of the answers of tools: counts, false alarms by kind of function, settings.

The module does not run tools.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Sequence

from tests.benchmarks.docs_page import markdown_table
from tests.benchmarks.rivals.rival import Rival
from tests.benchmarks.rivals.tool_answers import ToolAnswer
from tests.corpus.corpus_counts import NOISY
from tests.corpus.error_classes import coarse, correct, fine, gross, visible
from tests.corpus.families.all_families import FAMILIES

__all__ = ["count_table", "false_alarm_table", "settings_table"]

Answers = Sequence[ToolAnswer]

#: The kind of each family, which is the name of its module.
KINDS = {family.name: family.module for family in FAMILIES}


def rejected(answers: Answers) -> str:
    """Format the share and the number of claims that were not accepted."""
    return _share(sum(not answer.accepted for answer in answers), len(answers))


def accepted(answers: Answers) -> str:
    """Format the share and the number of claims that were accepted."""
    return _share(sum(answer.accepted for answer in answers), len(answers))


def _share(number: int, total: int) -> str:
    return f"{number / total:.1%} ({number:,})" if total else "-"


def _correct_without_noise(answers: Answers) -> Answers:
    return [answer for answer in correct(answers) if answer.family not in NOISY]


def _median_evaluations(answers: Answers) -> str:
    return f"{statistics.median(answer.evaluations for answer in answers):,.0f}"


def _exceptions(answers: Answers) -> str:
    return f"{sum(bool(answer.exception) for answer in answers):,}"


#: The columns of the table of counts: the heading, and the cell for the answers of a tool.
COUNTS: dict[str, Callable[[Answers], str]] = {
    "false alarms": lambda answers: rejected(_correct_without_noise(answers)),
    "with noisy families": lambda answers: rejected(correct(answers)),
    "passed, 1% and more": lambda answers: accepted(visible(gross(answers))),
    "passed, 0.1% and more": lambda answers: accepted(visible(coarse(answers))),
    "passed, about 1e-4": lambda answers: accepted(visible(fine(answers))),
    "exceptions": _exceptions,
    "evaluations": lambda answers: _median_evaluations(correct(answers)),
}


def count_table(rivals: Sequence[Rival], answers: Answers) -> Iterator[str]:
    """Yield the lines of the table of counts, with a row for each tool."""
    rows = [
        [rival.name, *(cell(_of(rival, answers)) for cell in COUNTS.values())] for rival in rivals
    ]
    yield from markdown_table(["tool", *COUNTS], rows)


def false_alarm_table(rivals: Sequence[Rival], answers: Answers) -> Iterator[str]:
    """Yield the lines of the table of false alarms by kind, with a row for each tool."""
    of_correct = correct(answers)
    present = [kind for kind in dict.fromkeys(KINDS.values()) if _of_kind(kind, of_correct)]
    rows = [
        [rival.name, *(rejected(_of_kind(kind, _of(rival, of_correct))) for kind in present)]
        for rival in rivals
    ]
    yield from markdown_table(["tool", *present], rows)


def settings_table(rivals: Sequence[Rival]) -> Iterator[str]:
    """Yield the lines of the table of what tools report, and of their settings."""
    rows = [[r.name, r.names_entry, r.has_bound, r.settings] for r in rivals]
    yield from markdown_table(["tool", "names the wrong entry", "error bound", "settings"], rows)


def _of(rival: Rival, answers: Answers) -> Answers:
    return [answer for answer in answers if answer.rival == rival.name]


def _of_kind(kind: str, answers: Answers) -> Answers:
    return [answer for answer in answers if KINDS[answer.family] == kind]
