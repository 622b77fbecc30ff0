"""Numbers as the message prints them: short, aligned, and to be copied back into Python.

It must not know a report; it words one number, or two that must be told apart.
"""

from __future__ import annotations

import math

__all__ = ["bound_text", "difference_text", "number", "off_by", "pair"]

#: Digits of a derivative, where they are enough to tell claim and measurement apart.
DIGITS = 8

#: Digits that tell any two floats apart.
ALL_DIGITS = 17

#: Beyond this many times the measurement a percentage is no longer readable.
READABLE = 100.0


def number(value: float, digits: int = DIGITS) -> str:
    """Return `value` with so many significant digits, as Python reads it.

    Examples
    --------
    >>> number(0.63290787197), number(-1e300, 3), number(float("nan")), number(3.0)
    ('0.63290787', '-1e+300', 'nan', '3.0')
    """
    text = f"{value:.{digits}g}"
    if math.isfinite(value) and math.isinf(float(text)):
        text = repr(value)  # the largest floats round up to infinity
    plain = text.lstrip("-").isdigit()
    return f"{text}.0" if plain else text


def pair(backward: float, numerical: float) -> tuple[str, str]:
    """Return both sides with as many digits as it takes to tell them apart.

    Examples
    --------
    >>> pair(1.0000000001, 1.0)
    ('1.0000000001', '1.0')
    """
    for digits in range(DIGITS, ALL_DIGITS + 1):
        texts = number(backward, digits), number(numerical, digits)
        if texts[0] != texts[1] or backward == numerical:
            return texts
    return texts


def bound_text(bound: float) -> str:
    """Return an error bound with one digit: ``3e-11``; ``unknown`` where there is none."""
    if not math.isfinite(bound):
        return "unknown"
    return "0" if bound == 0 else f"{bound:.0e}"


def difference_text(difference: float) -> str:
    """Return a relative difference with two digits: ``6.0e-01``; ``-`` where none was taken."""
    if math.isnan(difference):
        return "-"
    return f"{difference:.1e}"


def off_by(backward: float, numerical: float) -> str:
    """Say how far backward is from numerical: in percent, as a factor, or absolutely.

    Examples
    --------
    >>> off_by(4.0, 1.0), off_by(-1.0, 1.0), off_by(1.0, 0.0), off_by(1e9, 1.0)
    ('+300%', 'sign', '+1', 'x1e+09')
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
