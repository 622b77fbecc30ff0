"""Tables of text: aligned columns, no line longer than a page is wide.

It must not know what the cells mean.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

__all__ = ["PAGE", "PROSE", "elide", "prose", "table"]

#: No line of a message is longer.
PAGE = 92

#: Sentences are folded earlier: pytest indents a message by up to 12 columns,
#: and many terminals have 80.
PROSE = 72

#: Space between columns.
GAP = "  "


def table(rows: Sequence[Sequence[str]], right: Sequence[bool]) -> list[str]:
    """Lay out `rows` in columns; the first column gives way where a line would be too long.

    Parameters
    ----------
    rows : sequence of sequence of str
        Cells, as many in each row; the first row is the heading.
    right : sequence of bool
        Whether a column is aligned to the right.

    Returns
    -------
    list of str
        One line a row, without trailing space.

    Examples
    --------
    >>> for line in table([("name", "n"), ("W", "10")], (False, True)):
    ...     print(line)
    name   n
    W     10
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    rest = sum(widths[1:]) + len(GAP) * (len(widths) - 1)
    widths[0] = min(widths[0], PAGE - rest)
    lines = []
    for row in rows:
        cells = [elide(row[0], widths[0]), *row[1:]]
        padded = [
            cell.rjust(width) if at_right else cell.ljust(width)
            for cell, width, at_right in zip(cells, widths, right, strict=True)
        ]
        lines.append(GAP.join(padded).rstrip())
    return lines


def elide(name: str, width: int) -> str:
    """Shorten a name in its middle, so that its index at the end can still be read.

    Examples
    --------
    >>> elide("parameters['a_long_name'][3, 4]", 20)
    'paramete…ame'][3, 4]'
    """
    if len(name) <= width:
        return name
    tail = (width - 1) * 3 // 5
    return f"{name[: width - 1 - tail]}…{name[-tail:]}" if tail > 0 else name[:width]


def prose(text: str, indent: str = "") -> list[str]:
    """Fold a sentence into lines, those after the first indented once more."""
    return textwrap.wrap(
        text,
        PROSE,
        initial_indent=indent,
        subsequent_indent=f"{indent}  ",
        break_on_hyphens=False,
        break_long_words=True,
    )
