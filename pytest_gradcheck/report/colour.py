"""Which parts of a message deserve a colour, where there is a terminal to show it.

It must not write anything: text stays free of escape codes, and whoever writes
to a terminal asks here what to mark.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

__all__ = ["segments"]

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


def segments(line: str) -> tuple[tuple[str, Markup], ...]:
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
    >>> segments("W1  (5, 4)  0/20  2.1e-10  correct")
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
