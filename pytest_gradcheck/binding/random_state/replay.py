"""Replay: states of random generators restored before each evaluation.

With common random numbers the outputs of a stochastic function differ by the perturbation alone.
Only generators that the functions draw from are restored. It does not evaluate anything; its
caller says when something was evaluated.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from pytest_gradcheck.binding.random_state.generators import Generator

__all__ = ["Replay"]

#: Held by the one check that restores state which belongs to the whole process.
_TURN = threading.RLock()


class Replay:
    """Restores the states that generators had at the start of a check.

    Reading and writing states takes longer than a small forward. So only generators that have
    moved during the first evaluation are restored, and the others are compared once more at the
    end.

    Parameters
    ----------
    generators : sequence of Generator
        Every generator that may be drawn from.
    everything : bool
        Restore all of them each time, whether they have moved or not.

    Examples
    --------
    >>> import numpy as np
    >>> from pytest_gradcheck.binding.random_state.generators import as_generator
    >>> rng = np.random.default_rng(0)
    >>> with Replay([as_generator("rng", rng)], everything=False) as replay:
    ...     first = rng.random()
    ...     replay.observe()
    ...     replay.rewind()
    ...     second = rng.random()
    ...     replayed = replay.confirm()
    >>> replayed, first == second == rng.random()
    (('rng',), True)
    """

    def __init__(self, generators: Sequence[Generator], *, everything: bool) -> None:
        self._generators = generators
        self._everything = everything
        self._start: list[Any] = []
        self._replayed: list[int] = []
        self._has_turn = False
        self._at_end: list[int] | None = None

    def __enter__(self) -> Self:
        # Until it is known which generators move, no other check may be replaying.
        self._take_turn()
        self._start = [generator.read() for generator in self._generators]
        if self._everything:
            self._replayed = list(range(len(self._generators)))
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
        """Replay, from now on, the generators that have moved since the start."""
        self._replayed += self._others_moved()

    def confirm(self) -> tuple[str, ...]:
        """Stop replaying generators that did not move again: another thread moved them.

        Returns
        -------
        tuple of str
            The names of those that are replayed.
        """
        if not self._everything:
            self._replayed = [k for k in self._replayed if self._has_moved(k)]
        if not any(self._generators[k].is_global for k in self._replayed):
            self._end_turn()
        return tuple(self._generators[k].name for k in sorted(self._replayed))

    def rewind(self) -> None:
        """Restore the replayed generators to their states at the start."""
        for k in self._replayed:
            self._generators[k].write(self._start[k])

    def moved(self) -> bool:
        """Return whether a generator that is not replayed has moved since the start.

        After the end of the context it is whether one had moved until then.
        """
        return bool(self._others_moved())

    def _others_moved(self) -> list[int]:
        replayed = set(self._replayed)
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
