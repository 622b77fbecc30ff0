"""Colour for our failure messages, where pytest writes them to a terminal.

It must not know a report: it is given lines, and asks report/ what to mark. It
rests on private classes of pytest; where they change, messages lose colour.
"""

from __future__ import annotations

from typing import Any

import pytest
from _pytest._code import code

from pytest_gradcheck.report.colour import segments

__all__ = ["colour"]


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
    """A terminal writer that asks `segments` how to mark a failure line."""

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
            for piece, look in segments(text[1:]):
                self._tw.write(piece, **look)
            self._tw.line()
