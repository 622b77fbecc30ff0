"""All cases, in the order of their kinds."""

from __future__ import annotations

from importlib import import_module

from tests.robustness.case import Case

__all__ = ["MODULES", "all_cases"]

MODULES = (
    "upstream_gradients",
    "reached_objects",
    "evaluation_points",
    "names_of_gradients",
    "strange_values",
    "conventions",
    "containers",
    "threads_and_signals",
    "exceptions",
    "argument_types",
    "suggestions",
    "hostile_names",
)


def all_cases() -> list[Case]:
    """Return all cases."""
    modules = [import_module(f"tests.robustness.cases.{name}") for name in MODULES]
    return [case for module in modules for case in module.cases()]
