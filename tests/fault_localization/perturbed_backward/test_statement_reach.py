"""Which entries of the claims depend on what a statement makes."""

from __future__ import annotations

from typing import Any

import numpy as np

from pytest_gradcheck.fault_localization.execution.recorded_values import Version
from pytest_gradcheck.fault_localization.perturbed_backward.statement_reach import (
    blocks_of,
    written,
)
from pytest_gradcheck.fault_localization.search import Search
from tests.fault_localization.functions import line_of
from tests.fault_localization.searches import made_at, search_of

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
        versions = made_by(search, text)
        by_mistakes = search.reach.of_mistakes(versions)
        by_changes = search.reach.of_changes(versions[0], written(versions[0]))
        for mask in (by_mistakes, by_changes):
            assert mask is not None
            assert mask.tolist() == [bool(k) for k in reached]


def test_masks_are_changed_to_the_opposite_and_indices_cannot_be() -> None:
    """The reach of these is not known."""

    def f(x: Any) -> Any:
        return np.sum(np.maximum(x, 1.0) ** 2)

    def g(x: Any) -> Any:
        mask = x > 1.0
        order = np.argsort(x)
        return (3 * x * mask)[order]

    search = search_of(f, g, V)
    mask, order = made_at(search, "mask"), made_at(search, "order")
    reached = search.reach.of_mistakes([mask])
    assert reached is not None
    assert reached.all()
    assert search.reach.of_mistakes([order]) is None


def test_blocks_are_parts_of_each_axis() -> None:
    """With the entries that the statement wrote."""
    search = search_of(differences, wrong_differences, V)
    (version,) = made_by(search, "g[1:-1]")
    blocks = [mask.tolist() for mask in blocks_of(version)]
    assert blocks == [[False, True, False, False], [False, False, True, False]]


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


def test_small_claims_beside_large_ones_are_reached() -> None:
    """Each claim is compared with its own size."""

    def f(x: Any) -> Any:
        return np.sum(np.exp(x))

    def g(x: Any) -> Any:
        d = 2 * np.exp(x)
        return d + 0

    search = search_of(f, g, np.array([20.0, 0.0]))
    mask = search.reach.of_mistakes([made_at(search, "d")])
    assert mask is not None
    assert mask.all()


def test_claims_with_the_other_sign() -> None:
    """Of all values that a statement made."""

    def f(x: Any) -> Any:
        return np.sum(np.sin(x))

    def g(x: Any) -> Any:
        d = 2 * np.cos(x)
        return d + 0

    search = search_of(f, g, V)
    claims = search.reach.opposite([made_at(search, "d")])
    assert claims is not None
    assert np.array_equal(claims, -g(V))
