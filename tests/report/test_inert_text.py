"""Text of the user's: short, and harmless wherever it is shown."""

import pytest

from pytest_gradcheck.report.inert_text import NAME_LENGTH, escaped, escaped_lines, shortened


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("params['W'][1, 2]", "params['W'][1, 2]"),
        ("\u03b8 \u4e2d", "\u03b8 \u4e2d"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("two\nlines\r\t", r"two\nlines\r\t"),
        ("\ud800", r"\ud800"),
        ("\u202eright to left", r"\u202eright to left"),
        ("\x00\x85\u2028", r"\x00\x85\u2028"),
    ],
)
def test_what_cannot_be_printed_is_escaped(text: str, shown: str) -> None:
    """Letters of every script stay."""
    assert escaped(text) == shown
    assert escaped(shown) == shown


def test_lines_stay() -> None:
    """A message has several."""
    assert escaped_lines("a\x1b\nb\n") == "a\\x1b\nb\n"


def test_text_of_a_subclass_becomes_text() -> None:
    """No method of the subclass is called."""

    class Text(str):
        __slots__ = ()

        def __str__(self) -> str:
            raise RuntimeError

        __len__ = __iter__ = __getitem__ = __repr__ = __str__  # type: ignore[assignment]

    for function in (escaped, escaped_lines, shortened):
        assert type(function(Text("W"))) is str
        assert function(Text("W")) == "W"


def test_long_text_is_short() -> None:
    """Its hash tells it from another that begins and ends alike."""
    one, other = (shortened("a" * 10**6 + middle + "a" * 10**6) for middle in "bc")
    assert one != other
    assert len(one) <= NAME_LENGTH
    assert len(shortened("\x1b" * 10**6)) <= NAME_LENGTH
    assert shortened("W" * NAME_LENGTH) == "W" * NAME_LENGTH
