"""Values of the user's as short text, by no method of the user's classes."""

import datetime as dt
import enum
import pathlib
from collections import namedtuple
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest

from pytest_gradcheck.report.inert_text import NAME_LENGTH
from pytest_gradcheck.report.representation import listed, shown, type_name


class Color(enum.Enum):
    """An enumeration."""

    RED = 1


class Mode(enum.StrEnum):
    """An enumeration of strings."""

    FULL = "full"


@dataclass(frozen=True)
class Edge:
    """A key as graphs have them."""

    start: int
    stop: Any = None


Point = namedtuple("Point", "x y")  # noqa: PYI024  # without annotations


def _raise(*args: object) -> Any:
    raise RuntimeError("called")


class Untouchable:
    """An object whose methods must not be called."""

    __repr__ = __str__ = __format__ = __hash__ = __eq__ = __bool__ = _raise
    __len__ = __iter__ = __getattr__ = _raise


class UntouchableMeta(type):
    """The class of a class whose attributes must not be read."""

    __name__ = property(_raise)
    __hash__ = __instancecheck__ = _raise


CASES: list[tuple[Any, str]] = [
    ("W", "'W'"),
    ("\x1b", r"'\x1b'"),
    (np.str_("W"), "'W'"),
    (Mode.FULL, "'full'"),
    (Color.RED, "Color.RED"),
    (True, "True"),
    (None, "None"),
    (-1.5, "-1.5"),
    (np.float64(0.5), "np.float64(0.5)"),
    (np.int64(3), "np.int64(3)"),
    (2**128 - 1, str(2**128 - 1)),
    (10**400, "<int of 1329 bits>"),
    (b"ab", "b'ab'"),
    ((1,), "(1,)"),
    (set(), "set()"),
    ({"a": [1, {2}]}, "{'a': [1, {2}]}"),
    ([[[[[1]]]]], "[[[[...]]]]"),
    (list(range(100)), "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, ...]"),
    (Edge(0, "b"), "Edge(start=0, stop='b')"),
    (Edge(0, Untouchable()), "Edge(start=0, stop=<Untouchable>)"),
    (Point(1, 2), "Point(x=1, y=2)"),
    (dt.date(2020, 1, 2), "datetime.date(2020, 1, 2)"),
    (pathlib.PurePosixPath("a\x1b"), r"PurePosixPath('a\x1b')"),
    (np.zeros((2, 3)), "<float64 array of shape (2, 3)>"),
    (int, "int"),
    (len, "len"),
    (SimpleNamespace(a=Untouchable()), "<SimpleNamespace>"),
    (Untouchable(), "<Untouchable>"),
    (UntouchableMeta("Class", (), {}), "Class"),
    (Mock(spec=str), "<Mock>"),
]


def test_values() -> None:
    """Those of Python and numpy are shown as they are written, others by their classes."""
    for value, text in CASES:  # of which pytest could not make parameters
        assert shown(value) == text


@pytest.mark.parametrize(
    "value",
    ["x" * 10**7, b"x" * 10**7, ["x" * 10**6] * 100, dict.fromkeys(range(100), "x" * 500)],
)
def test_large_values_are_short(value: object) -> None:
    """No matter how large they are."""
    assert len(shown(value)) <= NAME_LENGTH + 2


def test_integer_that_python_refuses_to_write() -> None:
    """It has more than 4300 digits."""
    assert shown(10**5000) == "<int of 16610 bits>"


def test_class_that_breaks_every_rule() -> None:
    """There is a text for its objects, too."""
    value = UntouchableMeta("Class", (), {"__module__": property(_raise)})()
    assert shown(value) in {"<object>", "<Class>"}
    assert type_name(value) == "Class"


def test_lists_of_names_are_short() -> None:
    """Strings are names, and have no quotes."""
    assert listed(["W\n", 0]) == r"W\n, 0"
    assert listed(map(str, range(14))) == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 2 more"
