"""How far a check is, for those who wait: a line now and then, once it takes long.

It must not know where lines are shown; it is handed what shows one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Self

from pytest_gradcheck.binding.gradient_problem import Problem
from pytest_gradcheck.numerics.measurement import Evaluate, Floats

__all__ = ["Progress", "describe_progress", "show_progress"]

#: Seconds until anything is shown, and between two lines.
PATIENCE = 2.0
PAUSE = 0.25


@dataclass(slots=True)
class Progress:
    """Counts evaluations, and shows how many they are.

    Attributes
    ----------
    show : callable
        Shows a line in the place of the one before; none for an empty one.
    forward : str
        Name of what is evaluated.
    entries : int or None
        How many entries are swept, two evaluations each; None for directions.
    clock : callable
        Tells the time, in seconds.
    done : int
        Evaluations so far.
    """

    show: Callable[[str], object]
    forward: str
    entries: int | None
    clock: Callable[[], float] = time.monotonic
    done: int = 0
    _begun: float = field(init=False)
    _next: float = field(init=False)
    _is_shown: bool = False

    def __enter__(self) -> Self:
        self._begun = self.clock()
        self._next = self._begun + PATIENCE
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._is_shown:
            self.show("")

    def watch(self, evaluate: Evaluate) -> Evaluate:
        """Return what evaluates the same, and is counted."""

        def watched(points: Iterable[Floats]) -> Floats:
            return evaluate(self._ticking(points))

        return watched

    def _ticking(self, points: Iterable[Floats]) -> Iterator[Floats]:
        for point in points:
            now = self.clock()
            if now >= self._next:
                self._is_shown, self._next = True, now + PAUSE
                self.show(
                    describe_progress(self.forward, self.done, self.entries, now - self._begun)
                )
            yield point
            self.done += 1


@contextmanager
def show_progress(
    problem: Problem, show: Callable[[str], object] | None, entries: int | None
) -> Iterator[Problem]:
    """Yield the problem with evaluations whose progress is shown, where somebody watches.

    Parameters
    ----------
    problem : Problem
        What is measured.
    show, entries
        As for `Progress`; None for a check that nobody watches.

    Yields
    ------
    Problem
        The same; the line is gone when the context ends.
    """
    if show is None:
        yield problem
        return
    with Progress(show, problem.forward, entries) as progress:
        yield replace(problem, evaluate=progress.watch(problem.evaluate))


def describe_progress(forward: str, done: int, entries: int | None, seconds: float) -> str:
    """Return a line about evaluations that are done, out of those of a sweep.

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
    swept, left = min(done // 2, entries), 2 * entries - done
    ahead = f"{_duration(left / rate)} left" if left > 0 and rate > 0 else "some once more"
    return f"gradcheck of {forward}: {swept:,} of {entries:,} entries, {speed}, {ahead}"


def _duration(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
