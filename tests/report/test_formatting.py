"""Numbers, tables and wrapped sentences as plain text."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_gradcheck.report.formatting import (
    LINE_WIDTH,
    TEXT_WIDTH,
    cut_after_clause,
    cut_after_word,
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


@given(floats)
def test_deviation_is_always_short(deviation: float) -> None:
    """The column stays narrow, with a sign and in percent, whatever the number."""
    text = format_deviation(deviation)
    assert len(text) <= 9
    assert text[0] in "+-"
    assert text[-1] == "%"


@pytest.mark.parametrize(
    ("deviation", "text"),
    [
        (3.0, "+300%"),
        (-0.5, "-50%"),
        (1e-4, "+0.01%"),
        (-2.0, "-200%"),
        (0.741, "+74.1%"),
        (12.2, "+1220%"),
        (1e9, "+1e+11%"),
        (-math.inf, "-inf%"),
    ],
)
def test_deviation(deviation: float, text: str) -> None:
    """It is in percent, with three digits, or one if it is large."""
    assert format_deviation(deviation) == text


@given(st.lists(st.text("ab1[],:", min_size=1, max_size=9), min_size=1), st.integers(4, 60))
def test_text_is_cut_between_words(words: list[str], width: int) -> None:
    """What is left are whole words of the text, and three dots that fit."""
    text = " ".join(words)
    cut = cut_after_word(text, width)
    assert len(cut) <= width
    if cut != text:
        kept = cut.removesuffix("...").split()
        assert cut.endswith("...")
        assert [word.rstrip(",;:") for word in kept] == [
            word.rstrip(",;:") for word in words[: len(kept)]
        ]


@given(st.integers(4, 60))
def test_text_is_cut_after_a_clause(width: int) -> None:
    """A clause is complete without dots; before the first one, the text ends after a word."""
    text = "W[0, 1]: backward 2.5 (a factor 2?); 1 of 6 entries wrong"
    cut = cut_after_clause(text, width)
    assert len(cut) <= width
    assert cut in {
        *("...", "W[0, 1] ...", "W[0, 1]: backward ..."),
        *("W[0, 1]: backward 2.5", "W[0, 1]: backward 2.5 (a factor 2?)", text),
    }


def test_an_early_clause_is_not_all_that_is_left() -> None:
    """Most of the width is used."""
    text = "x (call): this is no name of an argument of f; write wrt='x'"
    assert cut_after_clause(text, 40) == "x (call): this is no name of an ..."


def test_an_index_is_not_cut() -> None:
    """A space in brackets does not end a word."""
    assert cut_after_word("W[10, 11]: backward 2", 17) == "W[10, 11] ..."
    assert cut_after_word("W[10, 11]: backward 2", 12) == "..."


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
