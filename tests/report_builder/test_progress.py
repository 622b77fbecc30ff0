"""The line of progress: when it is shown, and its text."""

import numpy as np
import pytest

from pytest_gradcheck.report_builder.progress import Progress, describe_progress
from tests.numerics.functions import Counted, Floats

POINTS = np.zeros((100, 2))


def lines(seconds: float, entries: int | None = None) -> tuple[list[str], Counted]:
    """Evaluate at a hundred points of `seconds` each; return the lines and the counter."""
    now, shown = [0.0], list[str]()

    def slow(point: Floats) -> Floats:
        now[0] += seconds
        return np.array([point.sum()])

    counted = Counted(slow)
    with Progress(shown.append, "f", entries, lambda: now[0]) as progress:
        assert progress.watch(counted)(iter(POINTS)).shape == (100, 1)
    return shown, counted


def test_short_check_shows_nothing() -> None:
    """There is not even an empty line."""
    shown, counted = lines(0.019)
    assert shown == []
    assert counted.calls == 100


def test_long_check_shows_lines_at_intervals_and_removes_the_last() -> None:
    """The first is shown after two seconds, the others four times a second."""
    shown, _ = lines(1 / 16, entries=100)
    assert shown[0] == "gradcheck of f: 16 of 100 entries, 16 evaluations/s, 10 s left"
    assert shown[1] == "gradcheck of f: 18 of 100 entries, 16 evaluations/s, 10 s left"
    assert len(shown) == 17 + 1
    assert shown[-1] == ""


def test_line_is_removed_if_an_evaluation_raises() -> None:
    """The line is removed however the check ends."""
    shown, clock = list[str](), iter(range(9))

    def fails(point: Floats) -> Floats:
        if len(shown) > 1:
            raise KeyError
        return point

    with Progress(shown.append, "f", None, clock.__next__) as progress, pytest.raises(KeyError):
        progress.watch(Counted(fails))(POINTS)
    assert len(shown) == 3
    assert shown[-1] == ""


@pytest.mark.parametrize(
    ("done", "entries", "seconds", "text"),
    [
        (0, None, 3.0, "0 evaluations along directions, 0.0 evaluations/s"),
        (23, None, 2.0, "23 evaluations along directions, 12 evaluations/s"),
        (100, 5000, 10.0, "50 of 5,000 entries, 10 evaluations/s, 16 min left"),
        (10, 5000, 10.0, "5 of 5,000 entries, 1.0 evaluations/s, 2.8 h left"),
        (10_001, 5000, 10.0, "5,000 of 5,000 entries, 1,000 evaluations/s, some once more"),
    ],
)
def test_text(done: int, entries: int | None, seconds: float, text: str) -> None:
    """The text has the entries or evaluations, their rate, and the time left."""
    assert describe_progress("f", done, entries, seconds) == f"gradcheck of f: {text}"
