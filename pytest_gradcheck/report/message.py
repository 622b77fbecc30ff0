"""The message: a report in words, its first line able to stand alone.

It must not compute anything; it selects, orders and words what the report says.
"""

# MERGED Which parts of a message deserve a colour, where there is a terminal to show it.
#
# It must not write anything: text stays free of escape codes, and whoever writes
# to a terminal asks here what to mark.

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from math import isnan

from pytest_gradcheck.report.formatting import (
    LINE_WIDTH,
    elide,
    format_bound,
    format_deviation,
    format_difference,
    format_number,
    format_pair,
    format_table,
    wrap_text,
)
from pytest_gradcheck.report.report_data import Entry, Note, ParameterReport, ReportData

__all__ = ["markup_segments", "render_text"]


Markup = Mapping[str, bool]

PLAIN: Markup = {}
BOLD: Markup = {"bold": True}

VERDICTS: Mapping[str, Markup] = {
    "wrong": {"red": True, "bold": True},
    "inconclusive": {"yellow": True},
    "correct": {"green": True},
}

_ROW = re.compile(r"^(.*\s\d+/\d+\s+\S+\s+)(wrong|inconclusive|correct)$")
_HEADING = re.compile(r"^(parameter\s+shape|worst entries\s+value)\s")
_AGAIN = re.compile(r"^(run again: )(.*)$")


def markup_segments(line: str) -> tuple[tuple[str, Markup], ...]:
    """Split a line of a message into pieces and their markup.

    Parameters
    ----------
    line : str
        One line of `render_text`.

    Returns
    -------
    tuple of (str, mapping)
        Pieces that join to the line, each with keyword arguments of pytest's
        ``TerminalWriter.write``.

    Examples
    --------
    >>> markup_segments("W1  (5, 4)  0/20  2.1e-10  correct")
    (('W1  (5, 4)  0/20  2.1e-10  ', {}), ('correct', {'green': True}))
    """
    row = _ROW.match(line)
    if row:
        return (row[1], PLAIN), (row[2], VERDICTS[row[2]])
    if _HEADING.match(line):
        return ((line, BOLD),)
    again = _AGAIN.match(line)
    if again:
        return (again[1], PLAIN), (again[2], BOLD)
    return ((line, PLAIN),)


#: Correct parameters listed one by one; the others are counted.
LISTED_CORRECT = 12

#: Rows of all parameters together, in units of the rows of one.
ROWS_IN_ALL = 4

KINDS = {
    "gradient": "gradient",
    "jacobian": "Jacobian",
    "elementwise": "elementwise derivative",
    "vjp": "vector-Jacobian product",
    "jvp": "Jacobian-vector product",
}

#: Options that are shown elsewhere; and the types that have a short form.
UNSHOWN = frozenset({"batched", "max_rows", "mode", "seed"})
SHOWN = (bool, int, float, str)

INDENT = "    "

#: Columns of a name that the first line keeps, at the cost of the counts at its end.
SHORTEST_NAME = 20


def render_text(report: ReportData) -> str:
    """Word a report for people.

    Parameters
    ----------
    report : Report
        Of a passing or a failing check.

    Returns
    -------
    str
        Lines of at most 92 columns. The first says the most important thing;
        then come the parameters with likely causes, the worst entries, and how
        it was measured and can be run again.
    """
    headline = _headline(report)
    laws = [
        line
        for breach in report.breaches
        if breach.text not in headline
        for line in wrap_text(breach.text)
    ]
    blocks = [headline, laws, _parameters(report), _worst(report), _closing(report)]
    return "\n\n".join("\n".join(block) for block in blocks if block)


def _headline(report: ReportData) -> list[str]:
    if report.passed:
        difference = format_difference(report.relative_difference)
        return [
            (
                f"{KINDS[report.kind]} of {elide(report.forward, 40)} {report.verdict}: "
                f"{_count(report.checked, 'entry', 'entries')}, relative difference {difference}"
            )
        ]
    if report.wrong:
        worst = report.worst[0] if report.worst else None
        wrong = f"{report.wrong:,} of {_count(report.checked, 'entry', 'entries')} wrong"
        if worst is None or worst.verdict != "wrong":
            return [wrong]
        backward, numerical = format_pair(worst.backward, worst.numerical)
        values = f": backward {backward}, numerical {numerical}"
        line = f"{values}; {wrong}"
        if LINE_WIDTH - len(line) < min(len(worst.name), SHORTEST_NAME):
            line = values
        return [elide(worst.name, LINE_WIDTH - len(line)) + line]
    return [elide(failure, LINE_WIDTH) for failure in report.failures]


def _parameters(report: ReportData) -> list[str]:
    """Return the table of parameters, remarks indented beneath each."""
    listed, folded = _listed(report)
    rows = [("parameter", "shape", "wrong", "difference", "verdict")]
    rows += [
        (
            p.name,
            str(p.shape) if p.shape else "scalar",
            f"{p.wrong}/{p.checked}",
            format_difference(p.relative_difference),
            p.verdict,
        )
        for p in listed
    ]
    heading, *lines = format_table(rows, (False, False, True, True, False))
    result = [heading]
    for parameter, line in zip(listed, lines, strict=True):
        result.append(line)
        for remark in _remarks(parameter, report.passed):
            result += wrap_text(remark, INDENT)
    if folded:
        known = [p.relative_difference for p in folded if not isnan(p.relative_difference)]
        worst = f" (largest difference {format_difference(max(known))})" if known else ""
        result.append(f"... and {len(folded)} more correct{worst}")
    return result


def _listed(report: ReportData) -> tuple[list[ParameterReport], list[ParameterReport]]:
    """Split into the parameters to list, worst verdicts first, and correct ones to count."""
    order = {"wrong": 0, "inconclusive": 1, "correct": 2}
    ranked = sorted(report.parameters, key=lambda p: order[p.verdict])
    ranked.sort(key=lambda p: _first_entry_rank(report, p))
    decided = [p for p in ranked if p.verdict != "correct"]
    correct = [p for p in ranked if p.verdict == "correct"]
    if len(correct) > LISTED_CORRECT + 1:
        return decided + correct[:LISTED_CORRECT], correct[LISTED_CORRECT:]
    return decided + correct, []


def _first_entry_rank(report: ReportData, parameter: ParameterReport) -> int:
    """Rank a wrong parameter by where it first appears among the worst entries."""
    if parameter.verdict != "wrong":
        return len(report.worst) + 1
    names = [entry.parameter for entry in report.worst]
    return names.index(parameter.name) if parameter.name in names else len(names)


def _remarks(parameter: ParameterReport, passed: bool) -> Iterator[str]:
    for diagnosis in parameter.diagnosis:
        yield diagnosis.text
    for note in parameter.notes:
        if passed or not _is_aside(note, parameter):
            yield note.text


def _is_aside(note: Note, parameter: ParameterReport) -> bool:
    """Tell a note that would only lead away from what failed."""
    if note.kind in {"zero", "screened"}:
        return parameter.verdict == "correct"
    return note.kind == "point"


def _worst(report: ReportData) -> list[str]:
    """Return the table of worst entries, empty where the check passed."""
    if report.passed:
        return []
    bad = [p for p in report.parameters if p.verdict != "correct"]
    entries = [e for p in bad for e in p.worst if e.verdict == p.verdict]
    entries.sort(key=lambda e: (e.verdict != "wrong", -e.excess, -abs(e.backward - e.numerical)))
    budget = ROWS_IN_ALL * max((len(p.worst) for p in bad), default=0)
    shown = entries[:budget]
    if not shown:
        return []
    heading = ("worst entries", "value", "backward", "numerical", "bound", "off by")
    rows = [heading, *map(_row, shown)]
    lines = format_table(rows, (False, True, True, True, True, True))
    lines += _reasons(shown)
    hidden = sum(_bad_count(p) for p in bad) - len(shown)
    if hidden > 0:
        limit = report.options["max_rows"].value if "max_rows" in report.options else len(shown)
        which = "all" if report.mode == "full" else "all that were measured"
        lines.append(f"... and {hidden:,} more (max_rows={limit}; -vv shows {which})")
    return lines


def _bad_count(parameter: ParameterReport) -> int:
    if parameter.verdict == "wrong":
        return parameter.wrong
    return sum(note.count for note in parameter.notes if note.kind == "inconclusive")


def _row(entry: Entry) -> tuple[str, ...]:
    return (
        entry.name,
        format_number(entry.value, 4),
        *format_pair(entry.backward, entry.numerical),
        format_bound(entry.bound),
        format_deviation(entry.backward, entry.numerical),
    )


def _reasons(entries: list[Entry]) -> Iterator[str]:
    """Yield why, for wrong entries that have a reason; inconclusive ones have notes."""
    names: dict[str, list[str]] = {}
    for entry in entries:
        if entry.reason is not None and entry.verdict == "wrong":
            names.setdefault(entry.reason, []).append(entry.name)
    for reason, where in names.items():
        listed = where[0] if len(where) == 1 else f"{where[0]} and {len(where) - 1} more"
        yield from wrap_text(f"{listed}: {reason}", INDENT)


def _closing(report: ReportData) -> list[str]:
    settings = [f"{KINDS[report.kind]} of {report.forward} by {report.backward}"]
    settings += [f"mode {report.mode}", *_options(report)]
    costs = [
        _count(report.evaluations, "evaluation"),
        _count(report.backward_calls, "backward call"),
        f"{report.seconds:.2g} s",
        f"seed {report.seed}",
    ]
    lines = [*wrap_text("; ".join(settings)), *wrap_text("; ".join(costs))]
    for note in report.notes:
        lines += wrap_text(note.text)
    if report.not_checked:
        lines += wrap_text(f"passed through unchecked: {', '.join(report.not_checked)}")
    if report.rerun is not None and not report.passed:
        lines.append(f"run again: {report.rerun}")
    return lines


def _options(report: ReportData) -> Iterator[str]:
    """Yield the options that decide verdicts, and those that somebody set, with who did."""
    for name, option in report.options.items():
        is_shown = isinstance(option.value, SHOWN) and name not in UNSHOWN
        if is_shown and option.origin != "default":
            yield f"{name}={option.value!r} ({option.origin})"
        elif name == "rtol":
            yield f"rtol={option.value!r}"


def _count(count: int, singular: str, plural: str | None = None) -> str:
    return f"{count:,} {singular if count == 1 else plural or singular + 's'}"
