"""The end of the output: what failing checks have in common, a table, and the totals.

It is written by the process that has the terminal, from the record of the run. This module
does not decide what checks have in common: `failure_groups` does.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from itertools import chain
from typing import Any

import pytest

from pytest_gradcheck.pytest_integration.node_id import relative_node_id
from pytest_gradcheck.pytest_integration.terminal import is_on_ci
from pytest_gradcheck.renderings.baseline_lines import baseline_state_lines
from pytest_gradcheck.renderings.coverage_lines import (
    coverage_headline,
    coverage_shortfall,
    unchecked_derivatives,
)
from pytest_gradcheck.renderings.failure_groups import checked_tests, describe_groups
from pytest_gradcheck.renderings.summary import (
    TABLE_ROWS,
    lost_line,
    summary_line,
    summary_table,
    unchecked_lines,
)
from pytest_gradcheck.report.formatting import cut_after_clause
from pytest_gradcheck.run_record.derivative_coverage import derivative_coverage
from pytest_gradcheck.run_record.record import Record, totals

__all__ = [
    "fit_first_lines",
    "write_baseline",
    "write_coverage",
    "write_groups",
    "write_shortfall",
    "write_table",
    "write_totals",
]

#: What pytest writes before the first line of a message.
SEPARATOR = " - "


def write_groups(terminal: pytest.TerminalReporter, record: Record) -> None:
    """Write a section on what failing checks have in common, if they have.

    Parameters
    ----------
    terminal : pytest.TerminalReporter
        Where to write.
    record : Record
        The record of the run.
    """
    lines = describe_groups(checked_tests(record))
    if not lines:
        return
    terminal.section("gradient checks that fail alike")
    writer = terminal.config.get_terminal_writer()
    for line in lines:
        indent = line[: len(line) - len(line.lstrip())]
        for part in textwrap.wrap(
            line,
            writer.fullwidth - 1,
            subsequent_indent=f"{indent}  ",
            break_on_hyphens=False,
            break_long_words=False,
        ):
            terminal.write_line(part)


def write_table(terminal: pytest.TerminalReporter, record: Record) -> None:
    """Write a section with a table of the checks."""
    is_whole = terminal.config.get_verbosity("gradcheck") > 0
    if lines := list(summary_table(record, None if is_whole else TABLE_ROWS)):
        terminal.section("gradient checks")
        for line in lines:
            terminal.write_line(line)


def write_coverage(terminal: pytest.TerminalReporter, record: Record) -> None:
    """Write a section with the derivatives that no check exercised, if that was asked for."""
    coverage = derivative_coverage(record)
    if coverage is not None:
        terminal.section("gradient coverage")
        for line in unchecked_derivatives(coverage):
            terminal.write_line(line)
        terminal.write_line(coverage_headline(coverage))


def write_baseline(terminal: pytest.TerminalReporter, record: Record) -> None:
    """Write what became of the derivatives that are known to be wrong."""
    for line in baseline_state_lines(record):
        terminal.write_line(line, yellow=True)


def write_shortfall(terminal: pytest.TerminalReporter, record: Record) -> None:
    """Write why the run fails if too few derivatives were checked."""
    coverage = derivative_coverage(record)
    if coverage is not None and (text := coverage_shortfall(coverage)):
        terminal.write_line(f"gradcheck: {text}", red=True)


def write_totals(terminal: pytest.TerminalReporter, record: Record) -> None:
    """Write one line on all checks, and the tests that completed none."""
    for line in filter(None, (*unchecked_lines(record), lost_line(record))):
        terminal.write_line(line, yellow=True)
    all_checks = totals(record)
    if all_checks.checks:
        markup = {"red": bool(all_checks.failed), "green": not all_checks.failed}
        terminal.write_line(summary_line(record), **markup)


def fit_first_lines(terminal: pytest.TerminalReporter) -> None:
    """Shorten the first lines of failures to whole clauses or words, before pytest cuts a word.

    Parameters
    ----------
    terminal : pytest.TerminalReporter
        The terminal, whose width is known here alone, with the reports of tests. Other plugins
        have received these before.
    """
    config = terminal.config
    is_whole = is_on_ci() or config.option.verbose > 1
    if is_whole and not config.option.force_short_summary:
        return
    reports: Iterator[Any] = chain.from_iterable(terminal.stats.values())
    for report in reports:
        if not hasattr(report, "gradcheck") or not report.failed:
            continue
        crash = getattr(report.longrepr, "reprcrash", None)
        if crash is not None:
            crash.message = cut_after_clause(crash.message, _columns_left(config, report))


def _columns_left(config: pytest.Config, report: pytest.TestReport) -> int:
    """Return the columns that pytest leaves for a message in the short summary."""
    writer = config.get_terminal_writer()
    if writer.hasmarkup:  # pytest does not count what it writes in colour
        return writer.fullwidth - len(SEPARATOR)
    _, _, word = config.hook.pytest_report_teststatus(report=report, config=config)
    word = word if isinstance(word, str) else word[0]
    before = f"{word} {relative_node_id(config, report.nodeid)}{SEPARATOR}"
    return writer.fullwidth - len(before)
