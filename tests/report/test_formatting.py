"""Numbers, tables and wrapped sentences as plain text."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_gradcheck.report.formatting import (
    LINE_WIDTH,
    TEXT_WIDTH,
    elide,
    format_bound,
    format_deviation,
    format_difference,
    format_number,
    format_pair,
    format_table,
    wrap_text,
)

floats = st.floats()


@given(floats)
def test_numbers_can_be_copied_back(value: float) -> None:
    """The text is a Python float, accurate to eight digits."""
    text = format_number(value)
    assert float(text) == pytest.approx(value, rel=1e-7, abs=0, nan_ok=True)
    assert not text.lstrip("-").isdigit()


def test_largest_float_does_not_become_infinite() -> None:
    """The largest float would round up to infinity."""
    assert format_number(1.7976e308, 4) == "1.7976e+308"


@given(floats, floats)
def test_different_numbers_have_different_texts(backward: float, numerical: float) -> None:
    """As many digits are shown as it takes to distinguish claim and measurement."""
    left, right = format_pair(backward, numerical)
    if backward != numerical and not (math.isnan(backward) and math.isnan(numerical)):
        assert left != right


@given(floats, floats)
def test_deviation_is_always_short(backward: float, numerical: float) -> None:
    """The column stays narrow for all pairs of numbers."""
    assert 0 < len(format_deviation(backward, numerical)) <= 9


@pytest.mark.parametrize(
    ("backward", "numerical", "text"),
    [
        (4.0, 1.0, "+300%"),
        (0.5, 1.0, "-50%"),
        (1.0001, 1.0, "+0.01%"),
        (-1.0, 1.0, "sign"),
        (-2.0, 1.0, "-300%"),
        (1e9, 1.0, "x1e+09"),
        (-1e9, 1.0, "x-1e+09"),
        (0.0, 0.25, "-100%"),
        (0.25, 0.0, "+0.25"),
        (-0.25, 0.0, "-0.25"),
        (math.nan, 1.0, "-"),
        (1e308, 1e-308, "xinf"),
    ],
)
def test_deviation(backward: float, numerical: float, text: str) -> None:
    """It is in percent or, if large, a ratio; it is absolute where one side is zero."""
    assert format_deviation(backward, numerical) == text


@pytest.mark.parametrize(
    ("bound", "text"), [(3.4e-11, "3e-11"), (0.0, "0"), (math.inf, "unknown"), (2.0, "2e+00")]
)
def test_bounds_have_one_digit(bound: float, text: str) -> None:
    """An error bound is not accurate to more than one digit."""
    assert format_bound(bound) == text


@pytest.mark.parametrize(
    ("difference", "text"),
    [(0.6, "6.0e-01"), (1.26e-9, "1.3e-09"), (0.0, "0.0e+00"), (math.nan, "-"), (math.inf, "inf")],
)
def test_differences_have_two_digits(difference: float, text: str) -> None:
    """A difference that was not computed is shown as a dash."""
    assert format_difference(difference) == text


words = st.text(st.characters(codec="ascii", categories=("L", "N", "P")), min_size=1, max_size=200)


@given(st.lists(st.tuples(words, st.text("0123456789", max_size=12)), min_size=1))
def test_rows_are_aligned_and_fit_the_line_width(rows: list[tuple[str, str]]) -> None:
    """The first column is shortened; the others keep every character."""
    lines = format_table(rows, (False, True))
    assert len(lines) == len(rows)
    assert all(len(line) <= LINE_WIDTH for line in lines)
    assert all(line.endswith(row[1]) for line, row in zip(lines, rows, strict=True))


@given(words, st.integers(1, 60))
def test_elided_names_keep_their_ends(name: str, width: int) -> None:
    """Short names are unchanged; long ones lose their middle."""
    short = elide(name, width)
    assert len(short) <= max(width, 1)
    if len(name) <= width:
        assert short == name


@given(words)
def test_text_is_wrapped(text: str) -> None:
    """No line exceeds the width, however long a word is."""
    assert all(len(line) <= TEXT_WIDTH for line in wrap_text(text, "    "))
