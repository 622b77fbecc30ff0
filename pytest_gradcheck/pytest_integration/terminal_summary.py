"""The end of the output: what failing checks have in common, and one line for each failure.

It is written by the process that has the terminal, from the data on test reports. This module
does not decide what checks have in common: `failure_groups` does.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pytest

from pytest_gradcheck.pytest_integration.failure_groups import CheckedTest, describe_groups
from pytest_gradcheck.pytest_integration.node_id import relative_node_id
from pytest_gradcheck.pytest_integration.terminal import is_on_ci
from pytest_gradcheck.report.formatting import cut_after_word

__all__ = ["fit_first_lines", "write_groups"]

#: What pytest writes before the first line of a message.
SEPARATOR = " - "


def write_groups(terminal: pytest.TerminalReporter, reports: Sequence[Any]) -> None:
    """Write a section on what failing checks have in common, if they have.

    Parameters
    ----------
    terminal : pytest.TerminalReporter
        Where to write.
    reports : sequence of pytest.TestReport
        Those that have data of checks.
    """
    lines = describe_groups(_checked_tests(reports))
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


def _checked_tests(reports: Iterable[Any]) -> Iterator[CheckedTest]:
    """Yield the tests that passed or failed by a check, each as it ran last."""
    tests = {}
    for report in reports:
        if report.gradcheck and report.when == "call":
            tests[report.nodeid] = CheckedTest(
                nodeid=report.nodeid,
                parameters=report.gradcheck_parametrization,
                checks=tuple(report.gradcheck),
                passed=report.outcome == "passed",
            )
    for test in tests.values():
        if test.passed or test.failing:
            yield test


def fit_first_lines(terminal: pytest.TerminalReporter, reports: Iterable[Any]) -> None:
    """Shorten the first lines of failures between words, so that pytest does not cut a word.

    Parameters
    ----------
    terminal : pytest.TerminalReporter
        The terminal, whose width is known here alone.
    reports : sequence of pytest.TestReport
        Those that have data of checks. Other plugins have received them before.
    """
    config = terminal.config
    is_whole = is_on_ci() or config.option.verbose > 1
    if is_whole and not config.option.force_short_summary:
        return
    for report in reports:
        crash = getattr(report.longrepr, "reprcrash", None)
        if report.failed and crash is not None:
            crash.message = cut_after_word(crash.message, _columns_left(config, report))


def _columns_left(config: pytest.Config, report: pytest.TestReport) -> int:
    """Return the columns that pytest leaves for a message in the short summary."""
    writer = config.get_terminal_writer()
    if writer.hasmarkup:  # pytest does not count what it writes in colour
        return writer.fullwidth - len(SEPARATOR)
    _, _, word = config.hook.pytest_report_teststatus(report=report, config=config)
    word = word if isinstance(word, str) else word[0]
    before = f"{word} {relative_node_id(config, report.nodeid)}{SEPARATOR}"
    return writer.fullwidth - len(before)
