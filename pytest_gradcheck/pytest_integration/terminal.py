"""Output to a terminal: colours in failure messages, and a line of progress.

Colours depend on private classes of pytest; if those change, messages have no colours. The line
of progress follows what pytest has written on its current line. This module does not know
reports or checks: `report.message` decides what to highlight.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest
from _pytest._code import code

from pytest_gradcheck.report.message import markup_segments

__all__ = ["colour", "is_on_ci", "progress_line"]


def colour(report: pytest.TestReport) -> None:
    """Show the failure of a check in colour."""
    traceback = getattr(report.longrepr, "reprtraceback", None)
    entries = getattr(traceback, "reprentries", None)
    if entries and type(entries[-1]) is code.ReprEntry:
        entries[-1] = ReprEntry(**vars(entries[-1]))


class ReprEntry(code.ReprEntry):
    """A traceback entry whose failure lines have markup in parts.

    It has the name of its base class, since a report that another plugin stores or sends
    names the type of its entries.
    """

    def toterminal(self, tw: Any) -> None:
        """Write the entry, in colour if the terminal has colours."""
        writer: Any = _MarkupWriter(tw) if tw.hasmarkup else tw
        super().toterminal(writer)


class _MarkupWriter:
    """A terminal writer that marks up failure lines with `markup_segments`."""

    def __init__(self, tw: Any) -> None:
        self._tw = tw
        self._is_first = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tw, name)

    def line(self, text: str = "", **markup: bool) -> None:
        """Write a line; the first of a failure as pytest does, the others with markup in parts."""
        if not text.startswith("E") or not markup.get("red"):
            self._tw.line(text, **markup)
        elif self._is_first:
            self._is_first = False
            self._tw.line(text, **markup)
        else:
            self._tw.write("E", red=True, bold=True)
            for segment, segment_markup in markup_segments(text[1:]):
                self._tw.write(segment, **segment_markup)
            self._tw.line()


#: Terminal control: save the cursor, restore it, erase to the end of the line.
SAVE_CURSOR, RESTORE_CURSOR, ERASE_LINE = "\x1b7", "\x1b8", "\x1b[K"

#: The fewest columns in which a line of progress is shown.
FEWEST_COLUMNS = 40


def is_on_ci() -> bool:
    """Return whether this is a continuous integration system, by the variables that pytest reads.

    There it shows messages in full, and a terminal is a log.
    """
    return bool({"CI", "BUILD_NUMBER"} & os.environ.keys())


def progress_line(config: pytest.Config) -> Callable[[str], None] | None:
    """Return a function that shows a line of progress; None without an interactive terminal.

    There is none in an xdist worker or on CI.
    """
    reporter = config.pluginmanager.getplugin("terminalreporter")
    is_interactive = not is_on_ci() and os.environ.get("TERM") != "dumb"
    if (
        reporter is None
        or not reporter.isatty
        or not is_interactive
        or hasattr(config, "workerinput")
    ):
        return None
    capture = config.pluginmanager.getplugin("capturemanager")
    writer = config.get_terminal_writer()
    stream = writer._file  # writer.write_raw came with pytest 9

    def show(text: str) -> None:
        width = writer.fullwidth - writer.width_of_current_line - 2
        if width < FEWEST_COLUMNS:
            return
        line = f"{SAVE_CURSOR}{ERASE_LINE} {text[:width]}{RESTORE_CURSOR}" if text else ERASE_LINE
        with capture.global_and_fixture_disabled() if capture else nullcontext():
            try:
                stream.write(line)
            except UnicodeEncodeError:  # of a locale that cannot write a name
                stream.write(line.encode("ascii", "replace").decode())
            stream.flush()

    return show
