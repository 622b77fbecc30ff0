"""Leaves as they are passed to forward: whether a call has changed them."""

from typing import Any

import numpy as np
import pytest

from pytest_gradcheck import check_gradient
from pytest_gradcheck.binding.forward.passed_leaves import equal

RECORD = [("a", "f8"), ("b", "i4", (2,)), ("c", [("d", "M8[D]")])]

UNEQUAL_TO_THEMSELVES: list[Any] = [
    float("nan"),
    np.float32("nan"),
    complex("nan"),
    np.datetime64("NaT"),
    np.array(["NaT", "2020-01-01"], "M8[D]"),
    np.array(["NaT", 3], "m8[s]"),
    np.array([np.nan, 1.0], np.float16),
    np.array([np.nan, None], object),
    [float("nan"), 1.0],
    (float("nan"), np.datetime64("NaT")),
    {"a": np.datetime64("NaT"), "b": [float("nan")]},
    np.array([(np.nan, (1, 2), ("NaT",))], RECORD),
]


@pytest.mark.parametrize("value", UNEQUAL_TO_THEMSELVES, ids=range(len(UNEQUAL_TO_THEMSELVES)))
def test_what_is_not_equal_to_itself_is_not_changed(value: Any) -> None:
    """As an argument, as a default and in a container."""

    def forward(x: Any, data: Any = value) -> Any:
        return np.sum(x**2)

    x = np.ones(2)
    for report in (
        check_gradient(forward, lambda x: 2 * x, x, wrt="x"),
        check_gradient(forward, lambda x: 2 * x, x, value, wrt="x"),
        check_gradient(
            lambda p: np.sum(p["x"] ** 2),
            lambda p: {"x": 2 * p["x"]},
            {"x": x, "data": value},
            wrt="x",
        ),
    ):
        assert report.notes == ()


def test_records_are_compared_field_by_field() -> None:
    """Fields may be arrays and records."""
    before = np.array([(np.nan, (1, 2), ("NaT",))] * 4, RECORD)
    after = before.copy()
    after["a"][1] = 0
    after["b"][2, 1] = 3
    after["c"]["d"][3] = "2020-01-01"
    assert equal(before, after).tolist() == [True, False, False, False]
