"""A record as GitHub-flavoured Markdown, for the summary of a step on GitHub and for comments.

GitHub drops a summary of more than 1 MiB as a whole. Therefore the text is made of blocks, the
most important first, and ends before the limit, whatever the record holds. Names cannot be read
as Markdown or HTML: they are written with character references, and messages are in fences.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import chain

from pytest_gradcheck.renderings.baseline_lines import baseline_state_lines
from pytest_gradcheck.renderings.coverage_lines import coverage_headline
from pytest_gradcheck.renderings.failure_groups import checked_tests, describe_groups
from pytest_gradcheck.renderings.summary import summary_line
from pytest_gradcheck.report.formatting import format_difference
from pytest_gradcheck.report.from_builtins import report_from_dict
from pytest_gradcheck.report.inert_text import without_middle
from pytest_gradcheck.report.message import render_text
from pytest_gradcheck.run_record.derivative_coverage import derivative_coverage
from pytest_gradcheck.run_record.findings import Finding, findings
from pytest_gradcheck.run_record.record import (
    Check,
    Record,
    RecordedTest,
    failed_checks,
    lost_tests,
)

__all__ = ["STEP_SUMMARY_BYTES", "render_markdown"]

#: The largest summary that GitHub shows for a step.
STEP_SUMMARY_BYTES = 1024 * 1024

#: Bytes that the last block may need.
CLOSING_BYTES = 400

#: The most rows of a table, the most characters of a cell and of a message.
TABLE_ROWS = 50
CELL_LENGTH = 200
MESSAGE_LENGTH = 20_000

#: Characters that mean nothing in Markdown and HTML.
_SPECIAL = re.compile(r"[^\w .,/()=+-]|_", re.ASCII)


def render_markdown(record: Record, limit: int = STEP_SUMMARY_BYTES) -> str:
    """Return a record as Markdown, failures first.

    Parameters
    ----------
    record : Record
        The record of one or more runs.
    limit : int, optional
        The most bytes of the text in UTF-8.

    Returns
    -------
    str
        The text. If it does not hold every failure, it says how many are left out.
    """
    failures = list(failed_checks(record))
    left = limit - CLOSING_BYTES
    first = _fitting(_first_blocks(record), left)
    left -= _size(first)
    last = _fitting(_last_blocks(record), left)
    left -= _size(last)
    messages = _fitting((_message(test, check) for test, check in failures), left)
    written = [*first, *messages, *last]
    if left_out := len(failures) - len(messages):
        written.append(f"... and {left_out:,} more failures, which are in the record")
    return "\n\n".join(written) + "\n"


def _fitting(blocks: Iterable[str], limit: int) -> list[str]:
    """Return the blocks up to the first that does not fit; the others are not made."""
    fitting: list[str] = []
    size = 0
    for block in blocks:
        size += _size([block])
        if size > limit:
            break
        fitting.append(block)
    return fitting


def _size(blocks: Iterable[str]) -> int:
    """Return the bytes of blocks, each with the empty line after it."""
    return sum(len(block.encode()) + 2 for block in blocks)


def _first_blocks(record: Record) -> Iterator[str]:
    """Yield what is before the messages of failures."""
    yield f"### {_inert(summary_line(record))}"
    yield from _table_of_findings(findings(record))
    if groups := describe_groups(checked_tests(record)):
        text = "\n".join(groups)
        yield f"#### Failures that are alike\n\n{_fenced(text)}"


def _last_blocks(record: Record) -> Iterator[str]:
    """Yield what is after them."""
    yield from _table_of_lost_tests(list(lost_tests(record)))
    if lines := list(baseline_state_lines(record)):
        yield "\n".join(f"- {_inert(line.strip())}" for line in lines)
    yield from _table_of_unchecked_derivatives(record)
    yield "\n".join(_run_lines(record))


def _table_of_findings(found: list[Finding]) -> Iterator[str]:
    if not found:
        return
    rows = [
        (
            _inert(finding.what),
            _where(finding),
            _code(finding.parameter or ""),
            _difference(finding),
            _tests(finding),
        )
        for finding in found[:TABLE_ROWS]
    ]
    yield _table(("what", "where", "parameter", "difference", "tests"), rows, len(found))


def _table_of_lost_tests(lost: list[RecordedTest]) -> Iterator[str]:
    if not lost:
        return
    yield "#### Tests whose checks are missing"
    rows = [
        (_code(test["nodeid"]), test["outcome"], _inert(test["message"] or ""))
        for test in lost[:TABLE_ROWS]
    ]
    yield _table(("test", "outcome", "message"), rows, len(lost))


def _table_of_unchecked_derivatives(record: Record) -> Iterator[str]:
    coverage = derivative_coverage(record)
    if coverage is None:
        return
    yield f"#### {_inert(coverage_headline(coverage))}"
    if unchecked := coverage.unchecked:
        rows = [
            (_code(f"{derivative.file}:{derivative.line}"), _code(derivative.name))
            for derivative in unchecked[:TABLE_ROWS]
        ]
        yield _table(("not checked", "derivative"), rows, len(unchecked))


def _table(heading: tuple[str, ...], rows: Iterable[tuple[str, ...]], count: int) -> str:
    lines = ["|".join(("", *row, "")) for row in chain([heading], rows)]
    lines.insert(1, "|---" * len(heading) + "|")
    if count > TABLE_ROWS:
        lines.append(f"\n... and {count - TABLE_ROWS:,} more")
    return "\n".join(lines)


def _where(finding: Finding) -> str:
    line = "" if finding.first_line is None else f":{finding.first_line}"
    return _code(f"{finding.file or ''}{line}")


def _difference(finding: Finding) -> str:
    if finding.check is None:
        return ""
    return format_difference(float(finding.check["relative_difference"]))


def _tests(finding: Finding) -> str:
    others = len(finding.nodeids) - 1
    more = f" and {others:,} more" if others else ""
    return _code(finding.nodeids[0]) + more


def _message(test: RecordedTest, check: Check) -> str:
    """Return the message of a failure, folded below the name of its test."""
    message = render_text(report_from_dict(check))
    summary = f"<summary>{_code(test['nodeid'])}</summary>"
    return f"<details>{summary}\n\n{_fenced(message)}\n\n</details>"


def _fenced(text: str) -> str:
    """Return text that is shown as it is."""
    short = without_middle(text, MESSAGE_LENGTH)
    fence = "`" * (1 + max(map(len, re.findall("`{2,}", short)), default=2))
    return f"{fence}text\n{short}\n{fence}"


def _run_lines(record: Record) -> Iterator[str]:
    for run in record["runs"]:
        versions = ", ".join(f"{name} {version}" for name, version in run["versions"].items())
        why = f"; stopped: {run['interrupted']}" if run["interrupted"] else ""
        yield f"- {_inert(f'{versions}{why}')}"


def _code(text: str) -> str:
    return f"<code>{_inert(text)}</code>" if text else ""


def _inert(text: str) -> str:
    """Return a short text in which no character means anything in Markdown or HTML."""
    short = without_middle(text, CELL_LENGTH)
    return _SPECIAL.sub(lambda found: f"&#{ord(found[0])};", short)
