"""What each tool accepted, counted and laid out side by side.

It must not know how tools are asked.
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

Attempts = Sequence[ToolAnswer]

#: What a family is of: the module it stands in.
KINDS = {family.name: family.draw.__module__.rpartition(".")[2] for family in FAMILIES}


def rejected(attempts: Attempts) -> str:
    """Say how many claims were not accepted."""
    return _share(sum(not attempt.accepted for attempt in attempts), len(attempts))


def accepted(attempts: Attempts) -> str:
    """Say how many claims were accepted."""
    return _share(sum(attempt.accepted for attempt in attempts), len(attempts))


def _share(number: int, total: int) -> str:
    return f"{number / total:.1%} ({number:,})" if total else "-"


def _clean(attempts: Attempts) -> Attempts:
    return [attempt for attempt in correct(attempts) if attempt.family not in NOISY]


def _median_evaluations(attempts: Attempts) -> str:
    return f"{statistics.median(attempt.evaluations for attempt in attempts):,.0f}"


def _raised(attempts: Attempts) -> str:
    return f"{sum(bool(attempt.refusal) for attempt in attempts):,}"


#: The headings of the table of counts, and how a tool's attempts fill each column.
COUNTS: dict[str, Callable[[Attempts], str]] = {
    "false alarms": lambda own: rejected(_clean(own)),
    "with noisy families": lambda own: rejected(correct(own)),
    "passed, 1% and more": lambda own: accepted(visible(gross(own))),
    "passed, 0.1% and more": lambda own: accepted(visible(coarse(own))),
    "passed, about 1e-4": lambda own: accepted(visible(fine(own))),
    "exceptions": _raised,
    "evaluations": lambda own: _median_evaluations(correct(own)),
}


def count_table(rivals: Sequence[Rival], attempts: Attempts) -> Iterator[str]:
    """Yield the table of counts, a tool a row."""
    rows = [
        [rival.name, *(fill(_of(rival, attempts)) for fill in COUNTS.values())] for rival in rivals
    ]
    yield from markdown_table(["tool", *COUNTS], rows)


def false_alarm_table(rivals: Sequence[Rival], attempts: Attempts) -> Iterator[str]:
    """Yield the table of false alarms by the kind of function, a tool a row."""
    right = correct(attempts)
    present = [kind for kind in dict.fromkeys(KINDS.values()) if _in(kind, right)]
    rows = [
        [rival.name, *(rejected(_in(kind, _of(rival, right))) for kind in present)]
        for rival in rivals
    ]
    yield from markdown_table(["tool", *present], rows)


def settings_table(rivals: Sequence[Rival]) -> Iterator[str]:
    """Yield the table of what tools say, and of the settings they were given."""
    rows = [[r.name, r.names_entry, r.has_bound, r.settings] for r in rivals]
    yield from markdown_table(
        ["tool", "names the wrong entry", "error bound", "as it was asked"], rows
    )


def _of(rival: Rival, attempts: Attempts) -> Attempts:
    return [attempt for attempt in attempts if attempt.rival == rival.name]


def _in(kind: str, attempts: Attempts) -> Attempts:
    return [attempt for attempt in attempts if KINDS[attempt.family] == kind]
