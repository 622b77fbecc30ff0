"""Colour for our failure messages, where pytest writes them to a terminal.

It must not know a report: it is given lines, and asks report/ what to mark. It
rests on private classes of pytest; where they change, messages lose colour.
"""

# MERGED Where progress is shown: behind what pytest has written on its line, on a terminal alone.
#
# It must not know what is shown.

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pytest
from _pytest._code import code

from pytest_gradcheck.report.message import markup_segments

__all__ = ["colour", "progress_line"]


def colour(report: pytest.TestReport) -> None:
    """Let the failure of one of our checks be shown in colour."""
    traceback = getattr(report.longrepr, "reprtraceback", None)
    entries = getattr(traceback, "reprentries", None)
    if entries and type(entries[-1]) is code.ReprEntry:
        entries[-1] = ReprEntry(**vars(entries[-1]))


class ReprEntry(code.ReprEntry):
    """A traceback entry whose failure lines are painted piece by piece.

    It has the name of its base, which is how a report that another plugin
    stores or sends names the type of its entries.
    """

    def toterminal(self, tw: Any) -> None:
        """Write the entry, in colour where the terminal has any."""
        painter: Any = _Painter(tw) if tw.hasmarkup else tw
        super().toterminal(painter)


class _Painter:
    """A terminal writer that asks `markup_segments` how to mark a failure line."""

    def __init__(self, tw: Any) -> None:
        self._tw = tw
        self._is_first = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tw, name)

    def line(self, text: str = "", **markup: bool) -> None:
        """Write a line; the first of a failure as pytest does, the others by their parts."""
        if not text.startswith("E") or not markup.get("red"):
            self._tw.line(text, **markup)
        elif self._is_first:
            self._is_first = False
            self._tw.line(text, **markup)
        else:
            self._tw.write("E", red=True, bold=True)
            for piece, look in markup_segments(text[1:]):
                self._tw.write(piece, **look)
            self._tw.line()


#: Terminal control: keep the place, go back to it, erase what is behind it.
KEEP, BACK, ERASE = "\x1b7", "\x1b8", "\x1b[K"

#: Columns that are too few to say anything.
NARROW = 40


def progress_line(config: pytest.Config) -> Callable[[str], None] | None:
    """Return what shows a line of progress, None where there is no terminal to show it on.

    Neither is there one in a worker of xdist, nor does anybody watch one on CI.
    """
    reporter = config.pluginmanager.getplugin("terminalreporter")
    is_watched = (
        not ({"CI", "BUILD_NUMBER"} & os.environ.keys()) and os.environ.get("TERM") != "dumb"
    )
    if reporter is None or not reporter.isatty or not is_watched or hasattr(config, "workerinput"):
        return None
    capture = config.pluginmanager.getplugin("capturemanager")
    writer = config.get_terminal_writer()

    def show(text: str) -> None:
        room = writer.fullwidth - writer.width_of_current_line - 2
        if room < NARROW:
            return
        with capture.global_and_fixture_disabled() if capture else nullcontext():
            writer.write_raw(f"{KEEP}{ERASE} {text[:room]}{BACK}" if text else ERASE, flush=True)

    return show
