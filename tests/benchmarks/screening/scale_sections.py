"""Sections of the page of the docs about fast mode, made of tables.

The page holds the prose; each section is made by a command of its own. The module does not check
gradients or count results.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from tests.benchmarks.docs_page import filled, version_line
from tests.benchmarks.screening.gradient_mistakes import NOTHING
from tests.benchmarks.screening.hard_cases import INVISIBLE
from tests.benchmarks.screening.mistake_results import MistakeResult
from tests.benchmarks.screening.mistake_tables import mistake_table, other_outcomes_table

__all__ = ["hard_section", "mistakes_section", "tools_section"]

#: The sentence before the tables of each type.
INTRODUCTIONS: Mapping[str, str] = {
    "float64": "In float64, {seeds} for each of the four networks:",
    "float32": (
        "With parameters and gradients in float32, {seeds} for each of the four networks. The "
        "loss is measured in float64. The check allows for the rounding of the claim, which can "
        "hide an error of a small entry:"
    ),
}

#: The packages of this project's own checks.
PACKAGES = ("numpy", "pytest-gradcheck")


def mistakes_section(results: Sequence[MistakeResult]) -> str:
    """Return the section about mistakes of every kind."""
    dtypes = dict.fromkeys(result.dtype for result in results)
    parts = [_of_type(dtype, [r for r in results if r.dtype == dtype]) for dtype in dtypes]
    return "\n\n".join([*parts, version_line(PACKAGES)])


def _of_type(dtype: str, results: Sequence[MistakeResult]) -> str:
    introduction = filled(INTRODUCTIONS[dtype].format(seeds=_number_of_seeds(results)))
    return "\n".join(
        [introduction, "", *mistake_table(results), "", *other_outcomes_table(results)]
    )


def hard_section(results: Sequence[MistakeResult]) -> str:
    """Return the section about hard cases."""
    wrong = [result for result in results if result.mistake != NOTHING]
    correct = [result for result in results if result.mistake == NOTHING]
    invisible = [result for result in wrong if result.mistake == INVISIBLE]
    reported = sum(result.parameters_with_invisible_errors > 0 for result in invisible)
    note = (
        f"Where a gradient of zero is multiplied by 2, {reported} of {len(invisible)} reports say "
        "that errors of that parameter cannot be seen."
    )
    return "\n".join(
        [
            f"In float64, {_number_of_seeds(results)} for each:",
            "",
            *mistake_table([*wrong, *correct], "case"),
            "",
            *other_outcomes_table([*wrong, *correct]),
            "",
            filled(note),
            "",
            version_line(PACKAGES),
        ]
    )


def tools_section(lines: Iterable[str], packages: Sequence[str]) -> str:
    """Return a section of tables about tools, with the versions of their packages."""
    return "\n".join([*lines, "", version_line(["numpy", *packages])])


def _number_of_seeds(results: Sequence[MistakeResult]) -> str:
    count = len({result.seed for result in results})
    return "1 seed" if count == 1 else f"{count} seeds"
