"""Numbers and durations, rounded for readers."""

from __future__ import annotations

__all__ = ["format_duration", "format_number", "format_short_time"]


def format_number(number: float) -> str:
    """Format a number with one or two significant digits, or as an integer.

    Examples
    --------
    >>> [format_number(x) for x in (0.0123, 1.234, 12.34, 12345.6)]
    ['0.01', '1.2', '12', '12,346']
    """
    if number < 0.1:
        return f"{number:.1g}"
    return f"{number:,.1f}" if number < 10 else f"{number:,.0f}"


def format_duration(seconds: float) -> str:
    """Format a duration in seconds, minutes, hours or days.

    Examples
    --------
    >>> [format_duration(x) for x in (90, 200, 20_000)]
    ['90 seconds', '3 minutes', '6 hours']
    """
    if seconds < 120:
        return f"{seconds:.0f} seconds"
    if seconds < 3600:
        return f"{seconds / 60:.0f} minutes"
    hours = seconds / 3600
    return f"{hours:,.0f} hours" if hours < 48 else f"{hours / 24:,.0f} days"


def format_short_time(seconds: float) -> str:
    """Format a short duration in microseconds, milliseconds or seconds.

    Examples
    --------
    >>> [format_short_time(x) for x in (0.00002, 0.0123, 3.21)]
    ['20 us', '12 ms', '3.2 s']
    """
    if seconds < 1e-3:
        return f"{seconds * 1e6:.0f} us"
    return f"{seconds * 1e3:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
