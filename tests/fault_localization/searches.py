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

__all__ = ["made_at", "returned_in_search", "search_of"]


def search_of(*args: Any, **options: Any) -> Search:
    """Return the search of a check that fails, after it has measured everything."""
    with _searches() as found:
        check_gradient(*args, **options)
    (search,) = found
    return search


def returned_in_search(method: str, *args: Any, **options: Any) -> tuple[Search, Any]:
    """Return the search of a check that fails, and what a method of it returned, called once."""
    original, found = getattr(Search, method), list[tuple[Search, Any]]()

    def remember(search: Search, *given: Any) -> Any:
        found.append((search, original(search, *given)))
        return found[-1][1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Search, method, remember)
        report = check_gradient(*args, **options)
    assert report.verdict == "wrong"
    (result,) = found
    return result


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
        patch.setattr(Search, "changed", lambda search, repaired: None)
        yield found
