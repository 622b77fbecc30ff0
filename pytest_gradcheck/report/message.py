"""The text of a report, whose first line is complete without the rest.

`render_text` selects, orders and words what a report holds; `markup_segments` says how a
terminal may highlight a line of that text. This module does not compute results and writes no
escape codes.
"""

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
from pytest_gradcheck.report.inert_text import escaped_lines
from pytest_gradcheck.report.records import Entry, Note, ParameterReport, ReportData

__all__ = ["markup_segments", "render_text"]


#: Correct parameters that are listed one by one; the others are counted.
LISTED_CORRECT = 12

#: The budget of rows for all parameters together, in multiples of the rows of one parameter.
ROW_BUDGET_FACTOR = 4

#: What is checked, in words.
KIND_NAMES = {
    "gradient": "gradient",
    "jacobian": "Jacobian",
    "elementwise": "elementwise derivative",
    "vjp": "vector-Jacobian product",
    "jvp": "Jacobian-vector product",
}

#: Options that the message shows in another place, or not at all.
HIDDEN_OPTIONS = frozenset({"batched", "max_rows", "mode", "seed"})

#: Types of option values whose representation is short.
SHORT_TYPES = (bool, int, float, str)

#: Verdicts in the order in which parameters are listed.
VERDICT_ORDER = {"wrong": 0, "inconclusive": 1, "correct": 2}

#: The indentation of remarks below a parameter.
INDENT = "    "

#: Columns of an entry's name that the first line keeps; the counts at its end give way.
SHORTEST_NAME = 20

#: Keyword arguments of pytest's ``TerminalWriter.write``.
Markup = Mapping[str, bool]

PLAIN: Markup = {}
BOLD: Markup = {"bold": True}

VERDICT_MARKUP: Mapping[str, Markup] = {
    "wrong": {"red": True, "bold": True},
    "inconclusive": {"yellow": True},
    "correct": {"green": True},
}

_PARAMETER_ROW = re.compile(r"^(.*\s\d+/\d+\s+\S+\s+)(wrong|inconclusive|correct)$")
_HEADING = re.compile(r"^(parameter\s+shape|worst entries\s+value)\s")
_RERUN = re.compile(r"^(run again: )(.*)$")


def render_text(report: ReportData) -> str:
    """Return a report as text.

    Parameters
    ----------
    report : ReportData
        The report of a check that passed or failed.

    Returns
    -------
    str
        Lines of at most `LINE_WIDTH` columns. The first line states the most important
        result. Then follow the parameters with likely causes, the worst entries, and how the
        check was made and can be run again.
    """
    headline = _headline(report)
    breaches = [
        line
        for breach in report.breaches
        if breach.text not in headline
        for line in wrap_text(breach.text)
    ]
    blocks = [
        headline,
        _guessed_call(report),
        breaches,
        _parameter_table(report),
        _worst_entries(report),
        _closing(report),
    ]
    return escaped_lines("\n\n".join("\n".join(block) for block in blocks if block))


def _headline(report: ReportData) -> list[str]:
    if report.passed:
        difference = format_difference(report.relative_difference)
        return [
            (
                f"{KIND_NAMES[report.kind]} of {elide(report.forward, 40)} {report.verdict}: "
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


def _guessed_call(report: ReportData) -> list[str]:
    """Return what was guessed about the call of backward, of a check that failed."""
    texts = [
        f"{note.text}. If this is not what it takes, state the call with backward_args=(...)."
        for note in report.notes
        if note.kind == "called"
    ]
    if report.kind == "elementwise" and any(
        entry.verdict == "wrong" and entry.output_index != entry.index for entry in report.worst
    ):
        texts.append(
            "outputs depend on other entries, so what backward returned may be no elementwise "
            "derivative but a product with an upstream gradient. If it takes one, state the "
            "call, as in backward_args=('cotangent',)."
        )
    return [] if report.passed else [line for text in texts for line in wrap_text(text)]


def _parameter_table(report: ReportData) -> list[str]:
    """Return the table of parameters, with remarks indented below each row."""
    listed, counted = _listed_and_counted(report)
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
        result += _wrong_lines(report, parameter)
    if counted:
        known = [p.relative_difference for p in counted if not isnan(p.relative_difference)]
        worst = f" (largest difference {format_difference(max(known))})" if known else ""
        result.append(f"... and {len(counted)} more correct{worst}")
    return result


def _listed_and_counted(report: ReportData) -> tuple[list[ParameterReport], list[ParameterReport]]:
    """Return the parameters to list, worst verdicts first, and the correct ones to count."""
    ranked = sorted(report.parameters, key=lambda p: VERDICT_ORDER[p.verdict])
    ranked.sort(key=lambda p: _first_entry_rank(report, p))
    failing = [p for p in ranked if p.verdict != "correct"]
    correct = [p for p in ranked if p.verdict == "correct"]
    if len(correct) > LISTED_CORRECT + 1:
        return failing + correct[:LISTED_CORRECT], correct[LISTED_CORRECT:]
    return failing + correct, []


def _first_entry_rank(report: ReportData, parameter: ParameterReport) -> int:
    """Return the rank of a wrong parameter: where it first appears among the worst entries."""
    if parameter.verdict != "wrong":
        return len(report.worst) + 1
    names = [entry.parameter for entry in report.worst]
    return names.index(parameter.name) if parameter.name in names else len(names)


def _remarks(parameter: ParameterReport, passed: bool) -> Iterator[str]:
    for diagnosis in parameter.diagnosis:
        yield diagnosis.text
    for note in parameter.notes:
        if passed or not _is_distracting(note, parameter):
            yield note.text


def _wrong_lines(report: ReportData, parameter: ParameterReport) -> Iterator[str]:
    """Yield where the gradient of a parameter goes wrong; a line that was said is referred to."""
    for wrong_line in report.wrong_lines:
        if parameter.name not in wrong_line.parameters:
            continue
        location, first = wrong_line.location, wrong_line.parameters[0]
        place = f"{location.file}:{location.first_line}"
        if location.last_line > location.first_line:
            place += f"-{location.last_line}"
        if parameter.name != first:
            yield from wrap_text(f"follows from {place}, as {first} does", INDENT)
            continue
        yield f"{INDENT}goes wrong at {place}: {location.source}"
        if wrong_line.verified:
            read = ", ".join(f"{name} (line {line})" for name, line in wrong_line.verified)
            yield from wrap_text(f"what it reads is right: {read}", 2 * INDENT)


def _is_distracting(note: Note, parameter: ParameterReport) -> bool:
    """Return whether a note would distract from what made the check fail."""
    if note.kind in {"zero", "screened"}:
        return parameter.verdict == "correct"
    return note.kind == "point"


def _worst_entries(report: ReportData) -> list[str]:
    """Return the table of worst entries; nothing for a check that passed."""
    if report.passed:
        return []
    failing = [p for p in report.parameters if p.verdict != "correct"]
    entries = [e for p in failing for e in p.worst if e.verdict == p.verdict]
    entries.sort(key=lambda e: (e.verdict != "wrong", -e.excess, -abs(e.backward - e.numerical)))
    budget = ROW_BUDGET_FACTOR * max((len(p.worst) for p in failing), default=0)
    shown = entries[:budget]
    if not shown:
        return []
    heading = ("worst entries", "value", "backward", "numerical", "bound", "off by")
    rows = [heading, *map(_entry_row, shown)]
    lines = format_table(rows, (False, True, True, True, True, True))
    lines += _reason_lines(shown)
    hidden = sum(_failing_count(p) for p in failing) - len(shown)
    if hidden > 0:
        limit = report.options["max_rows"].value if "max_rows" in report.options else len(shown)
        which = "all" if report.mode == "full" else "all that were measured"
        lines.append(f"... and {hidden:,} more (max_rows={limit}; -vv shows {which})")
    return lines


def _failing_count(parameter: ParameterReport) -> int:
    if parameter.verdict == "wrong":
        return parameter.wrong
    return sum(note.count for note in parameter.notes if note.kind == "inconclusive")


def _entry_row(entry: Entry) -> tuple[str, ...]:
    return (
        entry.name,
        format_number(entry.value, 4),
        *format_pair(entry.backward, entry.numerical),
        format_bound(entry.bound),
        format_deviation(entry.backward, entry.numerical),
    )


def _reason_lines(entries: list[Entry]) -> Iterator[str]:
    """Yield the reasons of wrong entries; inconclusive entries have notes instead."""
    names: dict[str, list[str]] = {}
    for entry in entries:
        if entry.reason is not None and entry.verdict == "wrong":
            names.setdefault(entry.reason, []).append(entry.name)
    for reason, having in names.items():
        listed = having[0] if len(having) == 1 else f"{having[0]} and {len(having) - 1} more"
        yield from wrap_text(f"{listed}: {reason}", INDENT)


def _closing(report: ReportData) -> list[str]:
    settings = [f"{KIND_NAMES[report.kind]} of {report.forward} by {report.backward}"]
    settings += [f"mode {report.mode}", *_option_texts(report)]
    costs = [
        _count(report.evaluations, "evaluation"),
        _count(report.backward_calls, "backward call"),
        f"{report.seconds:.2g} s",
        f"seed {report.seed}",
    ]
    lines = [*wrap_text("; ".join(settings)), *wrap_text("; ".join(costs))]
    for note in report.notes:
        if report.passed or note.kind != "called":
            lines += wrap_text(note.text)
    if report.not_checked:
        lines += wrap_text(f"passed through unchecked: {', '.join(report.not_checked)}")
    if report.rerun is not None and not report.passed:
        lines.append(f"run again: {report.rerun}")
    return lines


def _option_texts(report: ReportData) -> Iterator[str]:
    """Yield ``rtol``, and every option that was set, with where it was set."""
    for name, option in report.options.items():
        is_shown = isinstance(option.value, SHORT_TYPES) and name not in HIDDEN_OPTIONS
        if is_shown and option.origin != "default":
            yield f"{name}={option.value!r} ({option.origin})"
        elif name == "rtol":
            yield f"rtol={option.value!r}"


def _count(count: int, singular: str, plural: str | None = None) -> str:
    return f"{count:,} {singular if count == 1 else plural or singular + 's'}"


def markup_segments(line: str) -> tuple[tuple[str, Markup], ...]:
    """Split a line of a message into segments with their markup.

    Parameters
    ----------
    line : str
        One line of `render_text`.

    Returns
    -------
    tuple of (str, mapping)
        Segments that join to the line, each with keyword arguments of pytest's
        ``TerminalWriter.write``.

    Examples
    --------
    >>> markup_segments("W1  (5, 4)  0/20  2.1e-10  correct")
    (('W1  (5, 4)  0/20  2.1e-10  ', {}), ('correct', {'green': True}))
    """
    row = _PARAMETER_ROW.match(line)
    if row:
        return (row[1], PLAIN), (row[2], VERDICT_MARKUP[row[2]])
    if _HEADING.match(line):
        return ((line, BOLD),)
    rerun = _RERUN.match(line)
    if rerun:
        return (rerun[1], PLAIN), (rerun[2], BOLD)
    return ((line, PLAIN),)
