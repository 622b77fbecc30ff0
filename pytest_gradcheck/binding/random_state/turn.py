"""Turns: one check at a time restores state that belongs to the whole process.

A check that waits for its turn may be what the other check waits for: a thread that forward
joins, or the forward of another check that has to arrive first. So nobody waits for a check that
makes no progress. It goes ahead then, and both are told, should they go on side by side.
"""

from __future__ import annotations

import threading
import time
from typing import ClassVar

__all__ = ["Turn"]

#: Seconds without an evaluation after which nobody waits for a check any longer; a check whose
#: evaluations take long is given this many times the longest of them.
PATIENCE = 1.0
LONGEST = 10.0

#: Seconds between two looks.
INTERVAL = 1e-3


class Turn:
    """The right of a check to restore state that belongs to the whole process.

    Checks of one thread are inside each other, and share it. Its end may be announced several
    times, and before it began: whoever announces it in a ``finally`` block can begin afterwards.

    Attributes
    ----------
    is_mixed : bool
        Whether a check in another thread went ahead, and both went on side by side.
    """

    #: Unlike `threading.Condition` it is written in C: no signal is handled between its
    #: acquisition and the beginning of the block that releases it.
    _lock: ClassVar = threading.RLock()
    _taken: ClassVar[list[Turn]] = []

    def __init__(self) -> None:
        self.is_mixed = False
        self._thread = threading.get_ident()
        self._evaluations = 0
        self._is_stalled = False
        self._guests: list[Turn] = []

    @property
    def is_of_another(self) -> bool:
        """Whether a check of another thread has its turn, and this one has not."""
        return self not in Turn._taken and bool(self._others())

    def begin(self) -> None:
        """Wait until no check of another thread has its turn, or none of them makes progress."""
        observed = dict[Turn, _Progress]()
        while not self._begin_if_free():
            for other in self._others():
                progress = observed.setdefault(other, _Progress())
                other._is_stalled |= progress.is_stalled(other._evaluations)
            time.sleep(INTERVAL)

    def end(self) -> None:
        """Let others have their turn."""
        with Turn._lock:
            if self in Turn._taken:
                Turn._taken.remove(self)

    def next_evaluation(self) -> None:
        """Note that the check makes progress."""
        self._evaluations += 1
        if self._guests:
            self._find_mixed()

    def _find_mixed(self) -> None:
        """Find checks that went ahead during an evaluation and are not at their end after it."""
        with Turn._lock:
            guests = [guest for guest in self._guests if guest in Turn._taken]
            self._guests = []
        for turn in (self, *guests) if guests else ():
            turn.is_mixed = True

    def _begin_if_free(self) -> bool:
        with Turn._lock:
            others = self._others()
            if not all(other._is_stalled for other in others):
                return False
            for other in others:
                other._guests.append(self)
            Turn._taken.append(self)
            return True

    def _others(self) -> list[Turn]:
        """Return the checks of other threads that have their turn."""
        with Turn._lock:
            return [turn for turn in Turn._taken if turn._thread != self._thread]


class _Progress:
    """The progress of another check, as one that waits for it observes it."""

    def __init__(self) -> None:
        self._evaluations = -1
        self._since = time.monotonic()
        self._longest = 0.0

    def is_stalled(self, evaluations: int) -> bool:
        """Return whether the other check has made no progress for too long."""
        now = time.monotonic()
        if evaluations != self._evaluations:
            if self._evaluations >= 0:
                self._longest = max(self._longest, now - self._since)
            self._evaluations, self._since = evaluations, now
        return now - self._since > max(PATIENCE, LONGEST * self._longest)
