"""Where claims are off: decoding where one place explains a residual, cutting where several do.

It must not judge or name; it says which boxes are off, and what was measured in them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from pytest_gradcheck.numerics.measurement import Measurement
from pytest_gradcheck.numerics.screening.digits import Excess, Reader
from pytest_gradcheck.numerics.screening.entries import Entries
from pytest_gradcheck.numerics.screening.places import Box, cut
from pytest_gradcheck.numerics.screening.sights import APART

__all__ = ["Finding", "Search", "Suspect"]

#: A box in which no single place is off is sampled when it is no larger than this, or
#: after so many cuts in a row with errors on both sides.
SMALL = 256
DEEP = 5

#: Coordinates that are sampled, and how many must be off for all of it to be called so.
SAMPLE = 6
ENOUGH = 2


@dataclass(frozen=True, slots=True)
class Suspect:
    """A coordinate whose claim explains a residual: not confirmed yet.

    Attributes
    ----------
    box : Box
        The coordinate.
    error, bound : float
        By how much more is claimed than is true, and how well that is known.
    step : float
        That it was seen with, in its own units.
    """

    box: Box
    error: float
    bound: float
    step: float


@dataclass(frozen=True, slots=True)
class Finding:
    """A box in which claims are off.

    Attributes
    ----------
    box : Box
        Where; a single coordinate, a row, or all of a segment.
    output : int
        Of which output.
    measured : tuple of (int, Measurement)
        Coordinates in it that were measured one by one.
    off : int
        How many of these are off.
    share : float or None
        By which share of itself every claim in it is off, None where that varies.
    doubt : float
        How uncertain the share is.
    """

    box: Box
    output: int
    measured: tuple[tuple[int, Measurement], ...]
    off: int
    share: float | None = None
    doubt: float = 0.0


@dataclass(slots=True)
class Search:
    """A search for what is off in one output.

    Attributes
    ----------
    reader : Reader
        Measures residuals.
    entries : Entries
        Measures coordinates.
    goes_on : callable
        ``goes_on() -> bool``, whether more evaluations are affordable.
    rng : numpy.random.Generator
        Draws samples.
    suspects : list of Suspect
        What explains residuals, by what was read.
    findings : list of Finding
        Boxes that are off, by what was measured in them.
    left : list of Excess
        What was not explained when the budget was spent.
    """

    reader: Reader
    entries: Entries
    goes_on: Callable[[], bool]
    rng: np.random.Generator
    suspects: list[Suspect] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    left: list[Excess] = field(default_factory=list)

    def run(self, excess: Excess) -> None:
        """Search until every residual is explained, or the budget is spent."""
        queue = self._explain_all(excess)
        while queue:
            queue.sort(key=lambda part: part.clear)
            worst = queue.pop()
            if worst.clear <= APART:
                return
            if not self.goes_on():
                self.left += [worst, *queue]
                return
            queue += self._explain(worst)

    def _explain_all(self, excess: Excess) -> list[Excess]:
        """Explain the residual of everything: most often one place does."""
        box = self.reader.box(excess)
        return self._cut(excess) if box is None else self._explain(replace(excess, region=(box,)))

    def _explain(self, excess: Excess) -> list[Excess]:
        """Find what is off in a region; return what remains to be explained."""
        if len(excess.region) == 1 and excess.region[0].is_whole:
            place = self.reader.place(excess)
            if place.size == 1:
                return self._suspect(excess, place)
            if self._all_off(place, tries=SAMPLE if place.size < excess.size else ENOUGH):
                return []
        elif (coordinate := self.reader.coordinate(excess)) is not None:
            for box in excess.region:
                if box.holds(coordinate):
                    return self._suspect(excess, box.segment.single(coordinate))
        small = excess.size <= SMALL < 2 * excess.size
        if len(excess.region) == 1 and (small or excess.depth >= DEEP):
            if self._all_off(excess.region[0], tries=ENOUGH):
                return []
            excess = replace(excess, depth=0)
        return self._cut(excess)

    def _suspect(self, excess: Excess, box: Box) -> list[Excess]:
        """Explain a residual by the error of one coordinate."""
        weight = self.reader.weight(box.start)
        self.suspects.append(
            Suspect(
                box,
                excess.residual / weight,
                excess.bound / abs(weight),
                self.reader.step * abs(weight),
            )
        )
        return []

    def _cut(self, excess: Excess) -> list[Excess]:
        """Measure one half of a region, and get the other by subtraction."""
        excess = self.reader.with_code(excess)
        first, second = cut(excess.region)
        part = self.reader.with_code(self.reader.measure(first))
        parts = [part, excess.minus(second, part)]
        both = all(p.clear > APART for p in parts)
        depth = excess.depth + 1 if both else excess.depth
        return [replace(p, depth=depth) for p in parts]

    def _all_off(self, box: Box, *, tries: int) -> bool:
        """Sample a box in which no single place is off; take it as found where enough are."""
        numbers = self.rng.choice(box.size, min(tries, box.size), replace=False)
        measured, off = list[tuple[int, Measurement]](), 0
        for number in numbers.tolist():
            if off + numbers.size - len(measured) < min(ENOUGH, box.size):
                return False
            coordinate = box.coordinate(number)
            measured.append((coordinate, self.entries.measure(coordinate)))
            off += bool(self.entries.errors(*measured[-1])[0][self.reader.output])
            if off == ENOUGH:
                break
        if off < min(ENOUGH, box.size):
            return False
        self.findings.append(Finding(box, self.reader.output, tuple(measured), off))
        return True
