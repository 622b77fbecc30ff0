"""The text of a report, whose first line is complete without the rest.

`render_text` selects, orders and words what a report holds, and `render_brief` leaves out how it
was found. `markup_segments` says how a terminal may highlight a line of that text. This module
does not compute results and writes no escape codes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from math import isnan

from pytest_gradcheck.report.accessors import distinct_short_names, replace_accessors
from pytest_gradcheck.report.formatting import (
    LINE_WIDTH,
    cut_after_word,
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
from pytest_gradcheck.report.report_data import (
    Diagnosis,
    Entry,
    Note,
    ParameterReport,
    ReportData,
    WrongLine,
)
from pytest_gradcheck.report.representation import listed
from pytest_gradcheck.report.short_names import parameter_with_short_names, with_short_names

__all__ = ["likely_cause", "markup_segments", "render_brief", "render_text"]


#: Parameters of one verdict that are listed one by one; the others are counted.
LISTED_PARAMETERS = 12

#: Reasons of a failure without a wrong entry.
LISTED_REASONS = 5

#: Lines beneath a parameter of a failed check.
REMARK_LINES = 3

#: Significant digits in the first line; the table has more.
HEADLINE_DIGITS = 4

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
VERDICT_ORDER = ("wrong", "inconclusive", "correct")

#: Kinds of diagnoses that tell backward from forward, but no mistake.
WHICH_SIDE = frozenset({"no-potential", "consistent"})

#: The indentation of remarks below a parameter.
INDENT = "    "

#: Columns of an entry's name that the first line keeps.
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

#: What a number is called in the call, as in ``a stray factor 8 = len(X)?``.
_NAME_OF_NUMBER = re.compile(r" = .+?(?=(?: missing)?\?\)$)")

_PARAMETER_ROW = re.compile(r"^(.*\s\d+/\d+\s+\S+\s+)(wrong|inconclusive|correct)$")
_HEADING = re.compile(r"^(parameter\s+shape|worst entries\s+value)\s")
_WITH_BOLD_PART = (
    re.compile(r"^(run again: )(.*)()$"),
    re.compile(r"^(\s*(?:goes wrong|or) at )(.+?:[\d-]+)(: .*|)$"),
)


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
    report, names = _with_names(report)
    return _joined([*_result(report, names), _worst_entries(report), _closing(report)])


def render_brief(report: ReportData) -> str:
    """Return the first lines of `render_text`: the result, likely causes and the parameters.

    Parameters
    ----------
    report : ReportData
        The report of a check that passed or failed.

    Returns
    -------
    str
        Lines of at most `LINE_WIDTH` columns.
    """
    return _joined(_result(*_with_names(report)))


def _with_names(report: ReportData) -> tuple[ReportData, Mapping[str, str]]:
    """Return the report with short names, and these by accessor."""
    names = distinct_short_names(parameter.name for parameter in report.parameters)
    return with_short_names(report, names), names


def _joined(blocks: Iterable[list[str]]) -> str:
    return escaped_lines("\n\n".join("\n".join(block) for block in blocks if block))


def _result(report: ReportData, names: Mapping[str, str]) -> list[list[str]]:
    """Return blocks of lines: the first line, what concerns all parameters, and their table."""
    headline = _headline(report, names)
    breaches = [
        line
        for breach in report.breaches
        if breach.text not in headline
        for line in wrap_text(breach.text)
    ]
    return [
        headline,
        _guessed_call(report),
        breaches,
        _common_causes(report, names),
        _parameter_table(report, names),
    ]


def _headline(report: ReportData, names: Mapping[str, str]) -> list[str]:
    if report.passed:
        difference = format_difference(report.relative_difference)
        return [
            (
                f"{KIND_NAMES[report.kind]} of {elide(report.forward, 40)} {report.verdict}: "
                f"{_count(report.checked, 'entry', 'entries')}, relative difference {difference}"
            )
        ]
    if not report.wrong:
        reasons = [replace_accessors(text, names) for text in report.failures[:LISTED_REASONS]]
        lines = [cut_after_word(reason, LINE_WIDTH) for reason in reasons]
        if more := len(report.failures[LISTED_REASONS:]):
            lines.append(f"... and {_count(more, 'more reason')}")
        return lines
    wrong = f"{report.wrong:,} of {_count(report.checked, 'entry', 'entries')} wrong"
    worst = report.worst[0] if report.worst else None
    if worst is None or worst.verdict != "wrong":
        return [wrong]
    backward, numerical = format_pair(worst.backward, worst.numerical, HEADLINE_DIGITS)
    values = f": backward {backward}, numerical {numerical}"
    line = elide(worst.name, max(LINE_WIDTH - len(values), SHORTEST_NAME)) + values
    own = next(p for p in report.parameters if names.get(p.name, p.name) == worst.parameter)
    own = parameter_with_short_names(own, names)
    place = list(_wrong_place(report, own))
    cause = likely_cause((*own.diagnosis, *report.diagnosis), is_located=bool(place))
    clauses = [f" ({cause})" if cause else "", f"; {wrong}"]
    if len(line + "".join(clauses)) > LINE_WIDTH:
        clauses[0] = _NAME_OF_NUMBER.sub("", clauses[0])
    for clause in (*clauses, *place):
        if len(line + clause) <= LINE_WIDTH:
            line += clause
    return [line]


def likely_cause(diagnoses: Iterable[Diagnosis], *, is_located: bool) -> str:
    """Return the cause to name if there is room for one; it is empty if there is none.

    One that is a question comes first. Which side is wrong comes last, and is left out if the
    wrong line is known.

    Examples
    --------
    >>> factor = Diagnosis("factor", "consistent with 2 x the true gradient: a factor 2?", {})
    >>> likely_cause([Diagnosis("place", "wrong only in W[0, :]", {}), factor], is_located=True)
    'a factor 2?'
    """
    found = [one for one in diagnoses if not (is_located and one.kind in WHICH_SIDE)]
    found.sort(key=lambda one: (one.kind in WHICH_SIDE, not one.cause.endswith("?")))
    return found[0].cause if found else ""


def _wrong_place(report: ReportData, parameter: ParameterReport) -> Iterator[str]:
    """Yield a clause on the line at which the gradient of a parameter goes wrong."""
    for wrong_line in report.wrong_lines:
        if parameter.name in wrong_line.parameters:
            first, files = wrong_line.location, {place.file for place in wrong_line.places}
            others = [
                place.place.removeprefix(f"{first.file}:" if len(files) == 1 else "")
                for place in wrong_line.alternatives
            ]
            yield f"; goes wrong at {' or '.join([first.place, *others])}"


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


def _common_causes(report: ReportData, names: Mapping[str, str]) -> list[str]:
    """Return the likely causes, and the wrong lines, that concern several parameters."""
    causes = {False: list[str](), True: list[str]()}
    for each in report.diagnosis:
        if each.kind == "no-potential" and _is_located(report):
            continue  # backward is wrong, and its reader knows where
        causes[each.kind in WHICH_SIDE] += _wrap_cause(each.text, "")
    lines = causes[False]
    for wrong_line in report.wrong_lines:
        if len(wrong_line.parameters) > 1:
            following = listed(names.get(name, name) for name in wrong_line.parameters)
            lines += chain.from_iterable(_wrong_line(wrong_line, ""))
            lines += wrap_text(f"{following} follow from it", INDENT)
    return lines + causes[True]


def _is_located(report: ReportData) -> bool:
    """Return whether there is a wrong line for every wrong parameter."""
    located = {name for wrong_line in report.wrong_lines for name in wrong_line.parameters}
    return all(p.name in located for p in report.parameters if p.verdict == "wrong")


def _wrap_cause(text: str, indent: str) -> list[str]:
    """Wrap a diagnosis; a question that ends it has its own line, if two lines are enough."""
    lines = wrap_text(text, indent)
    finding, colon, question = text.rpartition(": ")
    parts = [*wrap_text(finding + colon, indent), *wrap_text(question, f"{indent}  ")]
    return parts if len(lines) == len(parts) and question.endswith("?") else lines


def _wrong_line(wrong_line: WrongLine, indent: str) -> Iterator[list[str]]:
    """Yield the line at which a gradient goes wrong, and what was verified before it."""
    texts = [f"goes wrong at {wrong_line.location}"]
    texts += [f"        or at {location}" for location in wrong_line.alternatives]
    yield [cut_after_word(f"{indent}{text}", LINE_WIDTH) for text in texts]
    if wrong_line.repair:
        text = f"all gradients are right with {wrong_line.repair}"
        yield wrap_text(text, f"{indent}{INDENT}")
    if wrong_line.verified:
        read = ", ".join(f"{name} (line {line})" for name, line in wrong_line.verified)
        yield wrap_text(f"what it reads is right: {read}", f"{indent}{INDENT}")


def _parameter_table(report: ReportData, names: Mapping[str, str]) -> list[str]:
    """Return the table of parameters, with remarks indented below each row."""
    shown, counted = _shown_and_counted(report)
    rows = [("parameter", "shape", "wrong", "difference", "verdict")]
    rows += [
        (
            p.name,
            str(p.shape) if p.shape else "scalar",
            f"{p.wrong}/{p.checked}",
            format_difference(p.relative_difference),
            p.verdict,
        )
        for p in shown
    ]
    heading, *lines = format_table(rows, (False, False, True, True, False))
    result = [heading]
    for parameter, line in zip(shown, lines, strict=True):
        result += [line, *_remarks(report, parameter_with_short_names(parameter, names))]
    for verdict in VERDICT_ORDER:
        same = [p for p in counted if p.verdict == verdict]
        if same:
            known = [p.relative_difference for p in same if not isnan(p.relative_difference)]
            worst = f" (largest difference {format_difference(max(known))})" if known else ""
            result.append(f"... and {len(same)} more {verdict}{worst}")
    return result


def _shown_and_counted(report: ReportData) -> tuple[list[ParameterReport], list[ParameterReport]]:
    """Return the parameters to show, worst first, and those to count."""
    ranked = sorted(report.parameters, key=_severity, reverse=True)
    shown, counted = list[ParameterReport](), list[ParameterReport]()
    for verdict in VERDICT_ORDER:
        same = [p for p in ranked if p.verdict == verdict]
        limit = max(LISTED_PARAMETERS, len(report.worst))
        limit += len(same) == limit + 1  # one line for one parameter
        shown += same[:limit]
        counted += same[limit:]
    return shown, counted


def _severity(parameter: ParameterReport) -> tuple[int, float, float]:
    """Return the severity of the worst entry of a wrong parameter; others keep their order."""
    is_known = parameter.verdict == "wrong" and parameter.worst
    return parameter.worst[0].severity if is_known else (0, 0.0, 0.0)


def _remarks(report: ReportData, parameter: ParameterReport) -> list[str]:
    """Return the lines beneath a parameter: all of a check that passed, else the first few."""
    if report.passed:
        return [line for note in parameter.notes for line in wrap_text(note.text, INDENT)]
    place = [
        lines
        for wrong_line in report.wrong_lines
        if wrong_line.parameters == (parameter.name,)
        for lines in _wrong_line(wrong_line, INDENT)
    ]
    causes = [_wrap_cause(diagnosis.text, INDENT) for diagnosis in parameter.diagnosis]
    if sum(map(len, [*causes, *place])) > REMARK_LINES:
        causes = [_wrap_cause(diagnosis.brief, INDENT) for diagnosis in parameter.diagnosis]
    notes = [
        wrap_text(n.text, INDENT) for n in parameter.notes if not _is_distracting(n, parameter)
    ]
    return _fitting([*causes[:1], *place[:1], *causes[1:], *place[1:], *notes])


def _fitting(remarks: Iterable[list[str]]) -> list[str]:
    """Return the lines of the remarks that fit beneath a parameter, the first ones first."""
    result = list[str]()
    for remark in remarks:
        if len(result) + len(remark) <= REMARK_LINES:
            result += remark
        elif not result:
            result = [*remark[: REMARK_LINES - 1], f"{remark[REMARK_LINES - 1]} ..."]
    return result


def _is_distracting(note: Note, parameter: ParameterReport) -> bool:
    """Return whether a note would distract from what made the check fail."""
    if note.kind in {"zero", "screened"}:
        return parameter.verdict == "correct"
    return note.kind == "point"


def _worst_entries(report: ReportData) -> list[str]:
    """Return the table of worst entries; nothing for a check that passed."""
    if report.passed:
        return []
    verdict = "wrong" if report.wrong else "inconclusive"
    shown = [entry for entry in report.worst if entry.verdict == verdict]
    if not shown:
        return []
    heading = ("worst entries", "value", "backward", "numerical", "bound", "off by")
    rows = [heading, *map(_entry_row, shown)]
    lines = format_table(rows, (False, True, True, True, True, True))
    lines += _reason_lines(shown)
    failing = [p for p in report.parameters if p.verdict == verdict]
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
        format_deviation(entry.deviation),
    )


def _reason_lines(entries: list[Entry]) -> Iterator[str]:
    """Yield the reasons of wrong entries; inconclusive entries have notes instead."""
    names: dict[str, list[str]] = {}
    for entry in entries:
        if entry.reason is not None and entry.verdict == "wrong":
            names.setdefault(entry.reason, []).append(entry.name)
    for reason, having in names.items():
        subject = having[0] if len(having) == 1 else f"{having[0]} and {len(having) - 1} more"
        yield from wrap_text(f"{subject}: {reason}", INDENT)


def _closing(report: ReportData) -> list[str]:
    definition = report.backward_definition
    where = f" ({definition.file}:{definition.first_line})" if definition else ""
    subject = f"{KIND_NAMES[report.kind]} of {report.forward} by {report.backward}{where}"
    settings = [f"mode {report.mode}", *_option_texts(report), f"seed {report.seed}"]
    costs = [
        _count(report.evaluations, "evaluation"),
        _count(report.backward_calls, "backward call"),
        f"{report.seconds:.2g} s",
    ]
    lines = [line for each in ([subject], settings, costs) for line in wrap_text("; ".join(each))]
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
    for pattern in _WITH_BOLD_PART:
        if match := pattern.match(line):
            return (match[1], PLAIN), (match[2], BOLD), (match[3], PLAIN)
    return ((line, PLAIN),)
