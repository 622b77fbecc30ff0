"""A line of progress for a check that takes long.

It counts evaluations as they are made, like `tqdm` around their points, and shows a line at
intervals. This module does not know where a line is shown.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Self

from pytest_gradcheck.binding.gradient_problem import Problem
from pytest_gradcheck.numerics.measurement import Evaluate, Floats

__all__ = ["Progress", "describe_progress", "show_progress"]

#: Seconds until the first line is shown, and between two lines.
DELAY = 2.0
INTERVAL = 0.25


@dataclass(slots=True)
class Progress:
    """A counter of evaluations that shows their number.

    Attributes
    ----------
    show : callable
        Replaces the line that is shown; an empty line removes it.
    forward : str
        The name of the function that is evaluated.
    entries : int or None
        The number of entries to measure, two evaluations each; None for a screen.
    clock : callable
        Returns the time in seconds.
    done : int
        The number of evaluations so far.
    """

    show: Callable[[str], object]
    forward: str
    entries: int | None
    clock: Callable[[], float] = time.monotonic
    done: int = 0
    _started: float = field(init=False)
    _next: float = field(init=False)
    _is_shown: bool = False

    def __enter__(self) -> Self:
        self._started = self.clock()
        self._next = self._started + DELAY
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_shown:
            self.show("")

    def watch(self, evaluate: Evaluate) -> Evaluate:
        """Return `evaluate` with its evaluations counted."""

        def counted(points: Iterable[Floats]) -> Floats:
            return evaluate(self._counting(points))

        return counted

    def _counting(self, points: Iterable[Floats]) -> Iterator[Floats]:
        for point in points:
            now = self.clock()
            if now >= self._next:
                self._is_shown, self._next = True, now + INTERVAL
                self.show(
                    describe_progress(self.forward, self.done, self.entries, now - self._started)
                )
            yield point
            self.done += 1


@contextmanager
def show_progress(
    problem: Problem, show: Callable[[str], object] | None, entries: int | None
) -> Iterator[Problem]:
    """Show the progress of evaluations while the context lasts.

    Parameters
    ----------
    problem : Problem
        The problem.
    show, entries
        As for `Progress`; `show` is None where no progress is shown.

    Yields
    ------
    Problem
        The problem, with evaluations that are counted.
    """
    if show is None:
        yield problem
        return
    with Progress(show, problem.forward, entries) as progress:
        yield replace(problem, evaluate=progress.watch(problem.evaluate))


def describe_progress(forward: str, done: int, entries: int | None, seconds: float) -> str:
    """Return the line for a number of evaluations, with the time left if it is known.

    Examples
    --------
    >>> describe_progress("loss", 960, 5000, 2.0)
    'gradcheck of loss: 480 of 5,000 entries, 480 evaluations/s, 19 s left'
    >>> describe_progress("loss", 23, None, 10.0)
    'gradcheck of loss: 23 evaluations along directions, 2.3 evaluations/s'
    >>> describe_progress("loss", 10020, 5000, 20.0)
    'gradcheck of loss: 5,000 of 5,000 entries, 501 evaluations/s, some once more'
    """
    rate = done / seconds
    speed = f"{rate:,.0f} evaluations/s" if rate >= 10 else f"{rate:.1f} evaluations/s"
    if entries is None:
        return f"gradcheck of {forward}: {done:,} evaluations along directions, {speed}"
    measured, left = min(done // 2, entries), 2 * entries - done
    remaining = f"{_duration(left / rate)} left" if left > 0 and rate > 0 else "some once more"
    return f"gradcheck of {forward}: {measured:,} of {entries:,} entries, {speed}, {remaining}"


def _duration(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
