"""pytest-gradcheck itself, called like the other tools."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from pytest_gradcheck import check_gradient
from pytest_gradcheck.report.report import Report
from tests.benchmarks.rivals.rival import Floats, Rival

__all__ = ["OURS", "STRICT", "report"]


def accepts(
    forward: Callable[[Floats], Any], claim: Floats, point: Floats, **options: Any
) -> bool:
    """Return whether a check with a fixed seed passes."""
    return report(forward, claim, point, **options).passed


def report(
    forward: Callable[[Floats], Any], claim: Floats, point: Floats, **options: Any
) -> Report:
    """Return the report of a check with a fixed seed."""
    return check_gradient(forward, lambda x: claim, point, backward_args=("x",), seed=0, **options)


OURS = Rival(
    "pytest-gradcheck",
    "pytest-gradcheck",
    accepts,
    "defaults; accepted when the check passes",
    names_entry="yes",
    has_bound="yes",
)
STRICT = Rival(
    "pytest-gradcheck, strict",
    "pytest-gradcheck",
    partial(accepts, strict=True, kinks="accept"),
    '`strict=True, kinks="accept"`: a partly inconclusive check fails',
    names_entry="yes",
    has_bound="yes",
)
