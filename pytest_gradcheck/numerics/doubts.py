"""Coordinates that still differ from their claims: which of them deserve a ladder.

It must not evaluate anything; it ranks, and keeps a bounded number.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from pytest_gradcheck.numerics.measurement import Floats, Indices

__all__ = ["UNCLEAR", "Doubts"]

#: The doubt about a coordinate that differs from its claim by nothing that can be told.
UNCLEAR = 1e-300

#: How many coordinates get a ladder of their own: the worst, and a sample of the others.
WORST = 40
SAMPLED = 20


def _no_floats() -> Floats:
    return np.empty(0)


def _no_indices() -> Indices:
    return np.empty(0, dtype=np.intp)


@dataclass(slots=True)
class Doubts:
    """The worst doubts met so far, and a random sample of the rest.

    Every doubt draws a lottery number when it comes; the lowest of those that
    are not among the worst are the sample, whatever the order they came in.

    Attributes
    ----------
    rng : numpy.random.Generator
        Draws the numbers.
    """

    rng: np.random.Generator
    _index: Indices = field(default_factory=_no_indices)
    _excess: Floats = field(default_factory=_no_floats)
    _scale: Floats = field(default_factory=_no_floats)
    _number: Floats = field(default_factory=_no_floats)

    def add(self, indices: Indices, excess: Floats, scale: Floats) -> None:
        """Take coordinates with how doubtful each is (0: not at all) and its ladder's scale."""
        doubtful = np.flatnonzero(excess)
        if not doubtful.size:
            return
        self._index = np.concatenate([self._index, indices[doubtful]])
        self._excess = np.concatenate([self._excess, excess[doubtful]])
        self._scale = np.concatenate([self._scale, scale[doubtful]])
        self._number = np.concatenate([self._number, self.rng.random(doubtful.size)])
        ranked = np.argsort(-self._excess, kind="stable")
        drawn = np.argsort(self._number, kind="stable")[: WORST + SAMPLED]
        self._keep(np.union1d(ranked[:WORST], drawn))

    def chosen(self) -> list[tuple[int, float]]:
        """Return the coordinates that get a ladder with their scales, the worst first.

        Those that are merely unclear are among the sample only.
        """
        if not self._index.size:
            return []
        ranked = np.argsort(-self._excess, kind="stable")
        worst = min(WORST, int(np.count_nonzero(self._excess > UNCLEAR)))
        rest = ranked[worst:]
        sample = rest[np.argsort(self._number[rest], kind="stable")[:SAMPLED]]
        rows = np.concatenate([ranked[:worst], sample])
        return list(zip(self._index[rows].tolist(), self._scale[rows].tolist(), strict=True))

    def _keep(self, rows: Indices) -> None:
        self._index, self._excess = self._index[rows], self._excess[rows]
        self._scale, self._number = self._scale[rows], self._number[rows]
