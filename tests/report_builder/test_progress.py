"""Progress: when a line is shown, and what it says."""

import numpy as np
import pytest

from pytest_gradcheck.report_builder.progress import Progress, describe_progress
from tests.numerics.functions import Counted, Floats

POINTS = np.zeros((100, 2))


def lines(seconds: float, entries: int | None = None) -> tuple[list[str], Counted]:
    """Evaluate at a hundred points, each for so long; return what was shown."""
    now, told = [0.0], list[str]()

    def slow(point: Floats) -> Floats:
        now[0] += seconds
        return np.array([point.sum()])

    counted = Counted(slow)
    with Progress(told.append, "f", entries, lambda: now[0]) as progress:
        assert progress.watch(counted)(iter(POINTS)).shape == (100, 1)
    return told, counted


def test_short_check_shows_nothing() -> None:
    """Not even an empty line."""
    told, counted = lines(0.019)
    assert told == []
    assert counted.calls == 100


def test_long_check_shows_a_line_now_and_then_and_takes_it_away() -> None:
    """First after two seconds, then four times a second."""
    told, _ = lines(1 / 16, entries=100)
    assert told[0] == "gradcheck of f: 16 of 100 entries, 16 evaluations/s, 10 s left"
    assert told[1] == "gradcheck of f: 18 of 100 entries, 16 evaluations/s, 10 s left"
    assert len(told) == 17 + 1
    assert told[-1] == ""


def test_line_is_taken_away_when_a_check_fails() -> None:
    """Whatever ends it."""
    told, clock = list[str](), iter(range(9))

    def fails(point: Floats) -> Floats:
        if len(told) > 1:
            raise KeyError
        return point

    with Progress(told.append, "f", None, clock.__next__) as progress, pytest.raises(KeyError):
        progress.watch(Counted(fails))(POINTS)
    assert len(told) == 3
    assert told[-1] == ""


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
    """Entries or directions done, evaluations per second, time left."""
    assert describe_progress("f", done, entries, seconds) == f"gradcheck of f: {text}"
