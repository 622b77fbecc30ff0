"""Colour."""

from hypothesis import given
from hypothesis import strategies as st

from pytest_gradcheck.report.colour import segments
from tests.report.builders import correct, open_parameter, parameter, report


@given(st.text())
def test_pieces_join_to_the_line(line: str) -> None:
    """Nothing is lost or added."""
    assert "".join(piece for piece, _ in segments(line)) == line


def test_verdicts_and_headings_are_marked() -> None:
    """Only the last column of the parameter table, headings and the command."""
    text = str(report(parameter(), correct(), open_parameter(), rerun="pytest test.py"))
    marked = [
        (piece, dict(look)) for line in text.splitlines() for piece, look in segments(line) if look
    ]
    assert [(piece.split()[0], look) for piece, look in marked] == [
        ("parameter", {"bold": True}),
        ("wrong", {"red": True, "bold": True}),
        ("inconclusive", {"yellow": True}),
        ("correct", {"green": True}),
        ("worst", {"bold": True}),
        ("pytest", {"bold": True}),
    ]
