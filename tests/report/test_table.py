"""Tables of text."""

from hypothesis import given
from hypothesis import strategies as st

from pytest_gradcheck.report.table import PAGE, elide, prose, table

words = st.text(st.characters(codec="ascii", categories=("L", "N", "P")), min_size=1, max_size=200)


@given(st.lists(st.tuples(words, st.text("0123456789", max_size=12)), min_size=1))
def test_rows_are_aligned_and_fit_the_page(rows: list[tuple[str, str]]) -> None:
    """The first column gives way, the others keep every character."""
    lines = table(rows, (False, True))
    assert len(lines) == len(rows)
    assert all(len(line) <= PAGE for line in lines)
    assert all(line.endswith(row[1]) for line, row in zip(lines, rows, strict=True))


@given(words, st.integers(1, 60))
def test_elided_names_keep_their_ends(name: str, width: int) -> None:
    """Short names stay; long ones lose their middle."""
    short = elide(name, width)
    assert len(short) <= max(width, 1)
    if len(name) <= width:
        assert short == name


@given(words)
def test_prose_is_folded(text: str) -> None:
    """No line of prose is longer than it may be, however long a word is."""
    assert all(len(line) <= 72 for line in prose(text, "    "))
