"""Which statements can be why some entries are wrong, and others right."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pytest_gradcheck import check_gradient
from pytest_gradcheck.fault_localization.perturbed_backward.wrong_entries import regions_of
from tests.fault_localization.functions import line_of
from tests.fault_localization.perturbed_backward.test_statement_reach import (
    V,
    differences,
    wrong_differences,
)
from tests.fault_localization.searches import search_of


def test_regions_are_what_the_same_statements_reach() -> None:
    """Each is a group of coordinates of the parameter."""
    reached = [np.array([0, 1, 1, 0, 1], dtype=bool), np.array([0, 0, 1, 0, 0], dtype=bool)]
    found = [region.tolist() for region in regions_of(reached, slice(1, 5))]
    assert found == [[1, 4], [2], [3]]


def test_statement_that_does_not_reach_what_is_wrong_is_not_to_blame() -> None:
    """Nor is one that reaches what is right: a mistake would show there."""
    search = search_of(differences, wrong_differences, V)
    assert search.exclusions is not None
    unable = {s.first_line for s in search.exclusions.unable["x"]}
    assert unable == {line_of(wrong_differences, text) for text in ("g[1:-1]", "g[0]")}
    assert {s.first_line for s in search.exclusions.innocent} == {
        line_of(wrong_differences, "d =")
    }


@pytest.mark.parametrize("mode", ["full", "fast"])
def test_statement_that_wrote_all_that_is_wrong_is_named(mode: str) -> None:
    """Whether the check measures entries or directions."""
    report = check_gradient(differences, wrong_differences, V, mode=mode)
    (line,) = report.wrong_lines
    assert line.location.first_line == line_of(wrong_differences, "g[-1]")
    assert line.location.last_line == line.location.first_line


def test_sum_does_not_show_that_its_terms_are_in_order() -> None:
    """The right entry has no more to say than that the sum is right."""
    k = np.array([3, 1, 4, 2])

    def f(w: Any, b: Any) -> Any:
        return np.sum(np.sin(k * w + b))

    def g(w: Any, b: Any) -> Any:
        d = np.cos(k * w + b)
        return np.sum(d * k[::-1]), np.sum(d)

    search = search_of(f, g, 0.3, 0.2)
    assert search.exclusions is None or not search.exclusions.innocent


def test_statement_executed_for_each_entry_is_innocent_where_some_are_right() -> None:
    """What it reads differs."""

    def f(w: Any) -> Any:
        return np.sum(np.exp(w) * [1, 2, 3])

    def g(w: Any) -> Any:
        c = np.empty(3)
        c[0] = 1.0
        c[1] = 4.0
        c[2] = 3.0
        out = np.zeros(3)
        for i in range(3):
            out[i] = c[i] * np.exp(w[i])
        return out

    (line,) = check_gradient(f, g, np.array([0.3, 0.2, 0.5])).wrong_lines
    assert line.location.first_line == line_of(g, "c[1]")
