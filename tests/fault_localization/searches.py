"""Searches for wrong lines, as a failing check makes them, to be looked into."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from pytest_gradcheck import check_gradient
from pytest_gradcheck.fault_localization import locate_wrong_lines
from pytest_gradcheck.fault_localization.blame import Suspicion
from pytest_gradcheck.fault_localization.execution.recorded_values import Version
from pytest_gradcheck.fault_localization.search import Search

__all__ = ["made_at", "search_of"]


def search_of(*args: Any, **options: Any) -> Search:
    """Return the search of a check that fails, after it has measured everything."""
    with _searches() as found:
        check_gradient(*args, **options)
    (search,) = found
    return search


def made_at(search: Search, name: str) -> Version:
    """Return the last value that a variable of backward had."""
    return [v for v in search.roles.gradients if str(v.path) == name][-1]


@contextmanager
def _searches() -> Iterator[list[Search]]:
    found: list[Search] = []

    def explained(search: Search) -> list[Suspicion]:
        found.append(search)
        return []

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(locate_wrong_lines, "explained", explained)
        patch.setattr(Search, "repaired", lambda search: None)
        yield found
