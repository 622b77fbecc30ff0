"""Numbers, tables and wrapped sentences as plain text.

Numbers are short, and Python reads them back; a table has aligned columns and no line longer
than `LINE_WIDTH`. This module does not know reports or what the cells of a table mean.
"""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Sequence

__all__ = [
    "LINE_WIDTH",
    "TEXT_WIDTH",
    "cut_after_clause",
    "cut_after_word",
    "elide",
    "format_bound",
    "format_deviation",
    "format_difference",
    "format_number",
    "format_pair",
    "format_table",
    "wrap_text",
]

#: Significant digits of a derivative, where they distinguish claim and measurement.
DIGITS = 8

#: Significant digits that distinguish any two float64 numbers.
ALL_DIGITS = 17

#: Percentages outside of this interval are written with an exponent.
PLAIN_PERCENTAGES = (1e-3, 1e5)

#: The length of the longest line of a message.
LINE_WIDTH = 92

#: The width at which sentences are wrapped. It is smaller than `LINE_WIDTH` because pytest
#: indents a message by up to 12 columns and many terminals have 80.
TEXT_WIDTH = 72

#: A space between words, outside of an index in brackets.
_SPACE = re.compile(r" (?![^\[\]]*\])")

#: What follows a clause.
_CLAUSE_END = re.compile(r"; | \(")

#: A text is cut after a clause that takes this share of the width, or more.
LEAST_SHARE = 0.5

#: The space between the columns of a table.
COLUMN_GAP = "  "


def format_number(value: float, digits: int = DIGITS) -> str:
    """Return `value` with `digits` significant digits, as a Python float literal.

    A number whose integer part has as many digits is given one more, and no false zero.

    Examples
    --------
    >>> format_number(0.63290787197), format_number(-1e300, 3)
    ('0.63290787', '-1e+300')
    >>> format_number(float("nan")), format_number(3.0), format_number(1403.72, 4)
    ('nan', '3.0', '1403.7')
    """
    text = f"{value:.{digits}g}"
    if math.isfinite(value) and math.isinf(float(text)):
        text = repr(value)  # the largest floats round up to infinity
    if not text.lstrip("-").isdigit():
        return text
    is_rounded = abs(value) >= 10 ** (digits - 1) and float(text) != value
    return f"{value:.1f}" if is_rounded else f"{text}.0"


def format_pair(backward: float, numerical: float, digits: int = DIGITS) -> tuple[str, str]:
    """Return both numbers with `digits` significant digits, or as many as distinguish them.

    Examples
    --------
    >>> format_pair(2.5316315, 0.63290787, 4), format_pair(1.0000000001, 1.0)
    (('2.532', '0.6329'), ('1.0000000001', '1.0'))
    """
    for more in range(digits, ALL_DIGITS + 1):
        texts = format_number(backward, more), format_number(numerical, more)
        if texts[0] != texts[1] or backward == numerical:
            return texts
    return texts


def format_bound(bound: float) -> str:
    """Return an error bound with one digit, ``3e-11``; ``unknown`` for one that is not finite."""
    if not math.isfinite(bound):
        return "unknown"
    return "0" if bound == 0 else f"{bound:.0e}"


def format_difference(difference: float) -> str:
    """Return a relative difference with two digits, ``6.0e-01``; ``-`` for NaN."""
    if math.isnan(difference):
        return "-"
    return f"{difference:.1e}"


def format_deviation(deviation: float) -> str:
    """Return a relative deviation in percent, with a sign and up to three digits.

    Examples
    --------
    >>> format_deviation(3.0), format_deviation(-2.0), format_deviation(1.2e-5)
    ('+300%', '-200%', '+0.0012%')
    >>> format_deviation(1e11), format_deviation(float("inf"))
    ('+1e+13%', '+inf%')
    """
    percentage = 100 * deviation
    low, high = PLAIN_PERCENTAGES
    if deviation and not low <= abs(percentage) < high:
        return f"{percentage:+.0e}%"
    return f"{percentage:+.0f}%" if abs(percentage) >= 100 else f"{percentage:+.3g}%"


def format_table(rows: Sequence[Sequence[str]], right_aligned: Sequence[bool]) -> list[str]:
    """Lay out `rows` in columns, and shorten the first column where a line would be too long.

    Parameters
    ----------
    rows : sequence of sequence of str
        Cells, the same number in each row; the first row is the heading.
    right_aligned : sequence of bool
        Whether each column is aligned to the right.

    Returns
    -------
    list of str
        One line per row, without trailing space.

    Examples
    --------
    >>> for line in format_table([("name", "n"), ("W", "10")], (False, True)):
    ...     print(line)
    name   n
    W     10
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    rest = sum(widths[1:]) + len(COLUMN_GAP) * (len(widths) - 1)
    widths[0] = min(widths[0], LINE_WIDTH - rest)
    lines = []
    for row in rows:
        cells = [elide(row[0], widths[0]), *row[1:]]
        padded = [
            cell.rjust(width) if is_right else cell.ljust(width)
            for cell, width, is_right in zip(cells, widths, right_aligned, strict=True)
        ]
        lines.append(COLUMN_GAP.join(padded).rstrip())
    return lines


def cut_after_word(text: str, width: int) -> str:
    """Shorten `text` at its end; words and indices in brackets stay whole.

    Examples
    --------
    >>> cut_after_word("W[0, 1]: backward 2.5, numerical 1.25", 28)
    'W[0, 1]: backward 2.5 ...'
    >>> cut_after_word("W[0, 1]: backward 2.5", 9)
    '...'
    """
    if len(text) <= width:
        return text
    ends = [space.start() for space in _SPACE.finditer(text) if space.start() + 4 <= width]
    return f"{text[: ends[-1]].rstrip(',;:')} ..." if ends else "..."[:width]


def cut_after_clause(text: str, width: int) -> str:
    """Shorten `text` at the end of a clause if it is long enough, else as `cut_after_word`.

    A clause ends at a semicolon or before a parenthesis. It is complete without dots.

    Examples
    --------
    >>> cut_after_clause("W[0, 1]: backward 2.5 (a factor 2?); 1 of 6 entries wrong", 50)
    'W[0, 1]: backward 2.5 (a factor 2?)'
    >>> cut_after_clause("W[0, 1]: backward 2.5 (a factor 2?); 1 of 6 entries wrong", 34)
    'W[0, 1]: backward 2.5'
    """
    ends = [end.start() for end in _CLAUSE_END.finditer(text) if end.start() <= width]
    is_long = len(text) > width and ends and ends[-1] >= LEAST_SHARE * width
    return text[: ends[-1]] if is_long else cut_after_word(text, width)


def elide(name: str, width: int) -> str:
    """Shorten `name` in its middle, so that an index at its end stays readable.

    Examples
    --------
    >>> elide("parameters['a_long_name'][3, 4]", 24)
    "parameter...name'][3, 4]"
    """
    if len(name) <= width:
        return name
    tail = (width - 3) * 3 // 5
    return f"{name[: width - 3 - tail]}...{name[-tail:]}" if tail > 0 else name[:width]


def wrap_text(text: str, indent: str = "") -> list[str]:
    """Wrap a sentence at `TEXT_WIDTH`; continuation lines are indented two columns more."""
    return textwrap.wrap(
        text,
        TEXT_WIDTH,
        initial_indent=indent,
        subsequent_indent=f"{indent}  ",
        break_on_hyphens=False,
        break_long_words=True,
    )
