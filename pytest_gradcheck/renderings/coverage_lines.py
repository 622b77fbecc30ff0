"""Gradient coverage in words: how many derivatives were checked, and which were not."""

from __future__ import annotations

import math
from collections.abc import Iterator

from pytest_gradcheck.report.inert_text import without_middle
from pytest_gradcheck.run_record.derivative_coverage import DerivativeCoverage

__all__ = ["coverage_headline", "coverage_shortfall", "format_percent", "unchecked_derivatives"]

#: The most characters of a name.
NAME_LENGTH = 200


def coverage_headline(coverage: DerivativeCoverage) -> str:
    """Return how many derivatives of which packages were checked."""
    packages = ", ".join(coverage.packages)
    total = len(coverage.derivatives)
    if not total:
        return f"gradient coverage of {packages}: no function has the name of a derivative"
    checked = total - len(coverage.unchecked)
    derivatives = "1 derivative" if total == 1 else f"{total:,} derivatives"
    return (
        f"gradient coverage of {packages}: {checked:,} of {derivatives} checked "
        f"({format_percent(coverage.percent)})"
    )


def coverage_shortfall(coverage: DerivativeCoverage) -> str:
    """Return that too few derivatives were checked; empty if that is not so."""
    if not coverage.is_too_low or coverage.required is None:
        return ""
    return (
        f"gradient coverage is {format_percent(coverage.percent)}, and must be "
        f"{coverage.required:g}%"
    )


def unchecked_derivatives(coverage: DerivativeCoverage) -> Iterator[str]:
    """Yield a line for each derivative that no check exercised: its place and its name."""
    for derivative in coverage.unchecked:
        file = without_middle(derivative.file, NAME_LENGTH)
        name = without_middle(derivative.name.partition(":")[2], NAME_LENGTH)
        yield f"{file}:{derivative.line}: {name}"


def format_percent(percent: float) -> str:
    """Return a percentage, rounded down, so that only all of them are 100%.

    Examples
    --------
    >>> format_percent(99.99), format_percent(100.0), format_percent(66.7)
    ('99.9%', '100%', '66.7%')
    """
    return f"{math.floor(10 * percent) / 10:g}%"
