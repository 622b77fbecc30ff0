"""Numbers as the message prints them: short, aligned, and to be copied back into Python.

It must not know a report; it words one number, or two that must be told apart.
"""

# MERGED Tables of text: aligned columns, no line longer than a page is wide.
#
# It must not know what the cells mean.

from __future__ import annotations

import math
import textwrap
from collections.abc import Sequence

__all__ = [
    "LINE_WIDTH",
    "TEXT_WIDTH",
    "elide",
    "format_bound",
    "format_deviation",
    "format_difference",
    "format_number",
    "format_pair",
    "format_table",
    "wrap_text",
]


#: Digits of a derivative, where they are enough to tell claim and measurement apart.
DIGITS = 8

#: Digits that tell any two floats apart.
ALL_DIGITS = 17

#: Beyond this many times the measurement a percentage is no longer readable.
READABLE = 100.0


def format_number(value: float, digits: int = DIGITS) -> str:
    """Return `value` with so many significant digits, as Python reads it.

    Examples
    --------
    >>> format_number(0.63290787197), format_number(-1e300, 3)
    ('0.63290787', '-1e+300')
    >>> format_number(float("nan")), format_number(3.0)
    ('nan', '3.0')
    """
    text = f"{value:.{digits}g}"
    if math.isfinite(value) and math.isinf(float(text)):
        text = repr(value)  # the largest floats round up to infinity
    plain = text.lstrip("-").isdigit()
    return f"{text}.0" if plain else text


def format_pair(backward: float, numerical: float) -> tuple[str, str]:
    """Return both sides with as many digits as it takes to tell them apart.

    Examples
    --------
    >>> format_pair(1.0000000001, 1.0)
    ('1.0000000001', '1.0')
    """
    for digits in range(DIGITS, ALL_DIGITS + 1):
        texts = format_number(backward, digits), format_number(numerical, digits)
        if texts[0] != texts[1] or backward == numerical:
            return texts
    return texts


def format_bound(bound: float) -> str:
    """Return an error bound with one digit: ``3e-11``; ``unknown`` where there is none."""
    if not math.isfinite(bound):
        return "unknown"
    return "0" if bound == 0 else f"{bound:.0e}"


def format_difference(difference: float) -> str:
    """Return a relative difference with two digits: ``6.0e-01``; ``-`` where none was taken."""
    if math.isnan(difference):
        return "-"
    return f"{difference:.1e}"


def format_deviation(backward: float, numerical: float) -> str:
    """Say how far backward is from numerical: in percent, as a factor, or absolutely.

    Examples
    --------
    >>> format_deviation(4.0, 1.0), format_deviation(-1.0, 1.0)
    ('+300%', 'sign')
    >>> format_deviation(1.0, 0.0), format_deviation(1e9, 1.0)
    ('+1', 'x1e+09')
    """
    if not (math.isfinite(backward) and math.isfinite(numerical)):
        return "-"
    if numerical == 0:
        return f"{backward:+.2g}"
    ratio = backward / numerical
    if not math.isfinite(ratio) or abs(ratio) > READABLE:
        return f"x{ratio:.0e}"
    if abs(ratio + 1) < 1e-9:
        return "sign"
    percent = 100 * (ratio - 1)
    return f"{percent:+.0f}%" if abs(percent) >= 10 else f"{percent:+.2g}%"


#: No line of a message is longer.
LINE_WIDTH = 92

#: Sentences are folded earlier: pytest indents a message by up to 12 columns,
#: and many terminals have 80.
TEXT_WIDTH = 72

#: Space between columns.
GAP = "  "


def format_table(rows: Sequence[Sequence[str]], right: Sequence[bool]) -> list[str]:
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
    >>> for line in format_table([("name", "n"), ("W", "10")], (False, True)):
    ...     print(line)
    name   n
    W     10
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    rest = sum(widths[1:]) + len(GAP) * (len(widths) - 1)
    widths[0] = min(widths[0], LINE_WIDTH - rest)
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


def wrap_text(text: str, indent: str = "") -> list[str]:
    """Fold a sentence into lines, those after the first indented once more."""
    return textwrap.wrap(
        text,
        TEXT_WIDTH,
        initial_indent=indent,
        subsequent_indent=f"{indent}  ",
        break_on_hyphens=False,
        break_long_words=True,
    )
