"""Which entries of the claims depend on what a statement makes."""

from __future__ import annotations

from typing import Any

import numpy as np

from pytest_gradcheck.fault_localization.execution.recorded_values import Version
from pytest_gradcheck.fault_localization.search import Search
from pytest_gradcheck.fault_localization.statement_reach import written
from tests.fault_localization.functions import line_of
from tests.fault_localization.searches import search_of

V = np.array([1.3, 0.7, 0.8, 1.9])


def differences(x: Any) -> Any:
    """Return the sum of squares of differences between neighbours."""
    return np.sum((x[1:] - x[:-1] ** 2) ** 2)


def wrong_differences(x: Any) -> Any:
    """Return its gradient by regions, the last of them wrong."""
    d = 2 * (x[1:] - x[:-1] ** 2)
    g = np.zeros_like(x)
    g[1:-1] = d[:-1] - 2 * x[1:-1] * d[1:]
    g[0] = -2 * x[0] * d[0]
    g[-1] = 3 * d[-1]
    return g


def made_by(search: Search, text: str) -> list[Version]:
    """Return what a statement of backward made."""
    line = line_of(wrong_differences, text)
    return [v for v in search.roles.gradients if v.statement and v.statement.first_line == line]


def test_entries_that_a_step_wrote_are_its_own() -> None:
    """The others of the array are as they were."""
    search = search_of(differences, wrong_differences, V)
    (version,) = made_by(search, "g[1:-1]")
    assert written(version).tolist() == [False, True, True, False]
    (version,) = made_by(search, "d = ")
    assert written(version).all()


def test_statement_reaches_what_it_wrote_or_what_was_computed_from_it() -> None:
    """By large changes, as mistakes make, and by small ones."""
    search = search_of(differences, wrong_differences, V)
    for text, reached in (("g[-1]", [0, 0, 0, 1]), ("g[1:-1]", [0, 1, 1, 0]), ("d =", [1] * 4)):
        for found in (search.reach.of_mistakes, search.reach.of_changes):
            mask = found(made_by(search, text))
            assert mask is not None
            assert mask.tolist() == [bool(k) for k in reached]


def test_reach_of_what_cannot_be_changed_is_not_known() -> None:
    """A mask has no small changes."""

    def f(x: Any) -> Any:
        return np.sum(np.maximum(x, 1.0) ** 2)

    def g(x: Any) -> Any:
        mask = x > 1.0
        return 3 * x * mask

    search = search_of(f, g, V)
    masks = [v for v in search.roles.gradients if str(v.path) == "mask"]
    assert search.reach.of_mistakes(masks) is None


def test_all_executions_of_a_statement_are_changed() -> None:
    """Also where one changes what the next ones read; everything is put back."""

    def f(x: Any) -> Any:
        return np.sum(np.sin(x))

    def g(x: Any) -> Any:
        out = np.zeros_like(x)
        for k in range(len(x)):
            out[k] += 2 * np.cos(x[k])
        return out

    search = search_of(f, g, V)
    versions = [v for v in search.roles.gradients if v.step and v.step.statement.changes]
    assert len(versions) == len(V)
    mask = search.reach.of_mistakes(versions)
    assert mask is not None
    assert mask.all()
    assert np.array_equal(search.reach.base, 2 * np.cos(V))
    assert np.array_equal(g(V), search.reach.base)
