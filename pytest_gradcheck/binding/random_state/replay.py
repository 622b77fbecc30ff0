"""Replay: randomness put back before each evaluation, so that it is always the same.

It must not evaluate anything: it is told when something was, and looks which
generators moved.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from pytest_gradcheck.binding.random_state.generators import Generator

__all__ = ["Replay"]

#: Checks that put back a state which belongs to the whole process take turns.
_TURN = threading.RLock()


class Replay:
    """Keeps the states that generators had at the start of a check.

    OutputReader and writing states is slow beside a small forward, so only those that are seen to
    move are put back, and all are looked at once more at the end: what moved is known from
    then on.

    Parameters
    ----------
    generators : sequence of Generator
        Every generator that may be drawn from.
    everything : bool
        Put all of them back each time, without waiting to see them move.

    Examples
    --------
    >>> import numpy as np
    >>> from pytest_gradcheck.binding.random_state.generators import as_generator
    >>> rng = np.random.default_rng(0)
    >>> with Replay([as_generator("rng", rng)], everything=False) as replay:
    ...     first = rng.random()
    ...     replay.observe()
    ...     replay.rewind()
    ...     again = rng.random()
    ...     moving = replay.confirm()
    >>> moving, first == again == rng.random()
    (('rng',), True)
    """

    def __init__(self, generators: Sequence[Generator], *, everything: bool) -> None:
        self._generators = generators
        self._everything = everything
        self._start: list[Any] = []
        self._moving: list[int] = []
        self._has_turn = False
        self._at_end: list[int] | None = None

    def __enter__(self) -> Self:
        # Until it is known who moves, no other check may be in the middle of a replay.
        self._take_turn()
        self._start = [generator.read() for generator in self._generators]
        if self._everything:
            self._moving = list(range(len(self._generators)))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        at_end = [k for k in range(len(self._generators)) if self._has_moved(k)]
        for k in at_end:
            self._generators[k].write(self._start[k])
        self._end_turn()
        self._at_end = at_end

    def observe(self) -> None:
        """Look which generators have moved since the start; those are replayed from now on."""
        self._moving += self._moved()

    def confirm(self) -> tuple[str, ...]:
        """Go on with those alone that moved again: a thread in the background moves some, too.

        Returns
        -------
        tuple of str
            Their names.
        """
        if not self._everything:
            self._moving = [k for k in self._moving if self._has_moved(k)]
        if not any(self._generators[k].is_global for k in self._moving):
            self._end_turn()
        return tuple(self._generators[k].name for k in sorted(self._moving))

    def rewind(self) -> None:
        """Put the generators that move back to where they were at the start."""
        for k in self._moving:
            self._generators[k].write(self._start[k])

    def moved(self) -> bool:
        """Tell whether a generator that is not replayed has moved since the start.

        After the end it tells what had moved until then.
        """
        return bool(self._moved())

    def _moved(self) -> list[int]:
        replayed = set(self._moving)
        if self._at_end is not None:
            return [k for k in self._at_end if k not in replayed]
        others = (k for k in range(len(self._generators)) if k not in replayed)
        return [k for k in others if self._has_moved(k)]

    def _has_moved(self, k: int) -> bool:
        return not self._generators[k].is_at(self._start[k])

    def _take_turn(self) -> None:
        if not self._has_turn:
            _TURN.acquire()
            self._has_turn = True

    def _end_turn(self) -> None:
        if self._has_turn:
            self._has_turn = False
            _TURN.release()
