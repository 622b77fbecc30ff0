"""Replay: states of random generators restored before each evaluation.

With common random numbers the outputs of a stochastic function differ by the perturbation alone.
Only generators that the functions draw from are restored. It does not evaluate anything; its
caller says when something was evaluated.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Self

from pytest_gradcheck.binding.random_state.generators import Generator, are_equal
from pytest_gradcheck.binding.random_state.turn import Turn
from pytest_gradcheck.errors import GradcheckUsageError

__all__ = ["Replay", "States"]

#: States of replayed generators, by their numbers.
States = dict[int, Any]


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
    perturbed : sequence of str
        Attributes that the check perturbs in the user's own object, which checks in other threads
        may use: they wait for the end of this one.

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

    def __init__(
        self, generators: Sequence[Generator], *, everything: bool, perturbed: Sequence[str] = ()
    ) -> None:
        self._generators = generators
        self._perturbed = perturbed
        self._everything = everything
        self._start: list[Any] = []
        self._replayed: list[int] = []
        self._from: States = {}
        self._turn = Turn()
        self._at_end: list[int] | None = None
        self._is_ended = False

    def __enter__(self) -> Self:
        try:
            # Until it is known which generators move, no other check may be replaying.
            self._turn.begin()
            self._start = [generator.read() for generator in self._generators]
        except BaseException:
            self._turn.end()
            raise
        if self._everything:
            self._replayed = list(range(len(self._generators)))
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        """Restore all generators; to be repeated where a signal may have interrupted it."""
        if self._is_ended:
            return
        try:
            moved = [k for k in range(len(self._start)) if self._has_moved(k)]
            if self._at_end is None:
                self._at_end = moved
            for k in moved:
                # Another check restores what is global when its turn ends.
                if not (self._generators[k].is_global and self._turn.is_of_another):
                    self._generators[k].write(self._start[k])
        finally:
            self._turn.end()
        self._is_ended = True

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
        if not (self._replays_global() or self._perturbed):
            self._turn.end()
        return self.names(sorted(self._replayed))

    def rewind(self) -> None:
        """Restore the replayed generators to their states at the start."""
        self._turn.next_evaluation()
        for k in self._replayed:
            self._generators[k].write(self._from.get(k, self._start[k]))

    def drawn(self) -> States:
        """Return the states of the replayed generators that have moved since `rewind`."""
        moved = [k for k in sorted(self._replayed) if self._has_moved(k)]
        return {k: self._generators[k].read() for k in moved}

    @staticmethod
    def different(states: States, others: States) -> States:
        """Return those of some states that are not among others."""
        return {k: s for k, s in states.items() if k not in others or not are_equal(s, others[k])}

    def names(self, numbers: Iterable[int]) -> tuple[str, ...]:
        """Return the names of generators."""
        return tuple(self._generators[k].name for k in numbers)

    @contextmanager
    def starting_at(self, states: States) -> Iterator[None]:
        """Let `rewind` restore other states, and so other random numbers, for some generators."""
        self._from = states
        try:
            yield
        finally:
            self._from = {}

    def refuse_mixed(self) -> None:
        """Raise where another thread may have drawn from a generator between two evaluations.

        Raises
        ------
        GradcheckUsageError
            When a check in another thread could not wait for this one, and both went on.
        """
        if self._turn.is_mixed and self._replays_global():
            names = ", ".join(self.names(self._replayed))
            raise GradcheckUsageError(
                f"forward draws from {names}, while another thread makes a check that "
                "cannot wait for the end of this one, so nothing was judged: their random numbers "
                "mix. Let forward draw from a numpy.random.Generator of its own, or make one "
                "check after the other."
            )
        if self._turn.is_mixed and self._perturbed:
            raise GradcheckUsageError(
                f"{', '.join(self._perturbed)} was perturbed while another thread made a check "
                "that cannot wait for the end of this one, so nothing was judged: both may use "
                "the same object. Give each thread an object of its own, or make one check after "
                "the other."
            )

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

    def _replays_global(self) -> bool:
        return any(self._generators[k].is_global for k in self._replayed)
