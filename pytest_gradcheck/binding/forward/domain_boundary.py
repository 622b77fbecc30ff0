"""Edges of forward's domain: points around the user's where it raises, or returns another size.

A step that the check chose may lead out of the domain of a function that is right where it is
used. What forward raises there is data: it is told where nothing could be measured for it.

It must not call forward or decide what an edge means.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from pytest_gradcheck.binding.random_state.generators import is_installed
from pytest_gradcheck.errors import PACKAGE_DIRECTORY

__all__ = ["DOMAIN_ERRORS", "Edge", "Edges", "is_outcome", "raising"]

#: By these functions say that they have no value; numpy's LinAlgError is a ValueError.
DOMAIN_ERRORS = (ArithmeticError, ValueError)

#: Characters of an exception's text that are told.
LONGEST = 100

Kind = Literal["domain", "error", "size"]


@dataclass(frozen=True, slots=True)
class Edge:
    """A point around the user's at which forward gave no outputs.

    Attributes
    ----------
    kind : {"domain", "error", "size"}
        Whether it raised what means that there is no value, raised anything else, or
        returned another number of outputs.
    what : str
        What it did: ``raises ValueError: math domain error (line 12 of loss)``.
    start, stop : int
        Coordinates outside of ``start:stop`` were as at the user's point.
    step : float
        By how much the one coordinate was moved; of several the largest change.
    """

    kind: Kind
    what: str
    start: int
    stop: int
    step: float

    @property
    def is_of_one(self) -> bool:
        """Whether one coordinate alone was moved."""
        return self.stop - self.start == 1

    def is_nearer(self, other: Edge) -> bool:
        """Tell whether it is nearer to the point; of two as near the one to the right is."""
        return (abs(self.step), self.step < 0) < (abs(other.step), other.step < 0)


class Edges:
    """The nearest edge that was met for each set of coordinates that were moved."""

    def __init__(self) -> None:
        self._nearest: dict[tuple[int, int], Edge] = {}

    def add(self, edges: Iterable[Edge]) -> None:
        """Keep those that are nearer than what is known."""
        for edge in edges:
            known = self._nearest.get((edge.start, edge.stop))
            if known is None or edge.is_nearer(known):
                self._nearest[edge.start, edge.stop] = edge

    def drain(self) -> tuple[Edge, ...]:
        """Return all that are kept, and keep none."""
        found = tuple(self._nearest.values())
        self._nearest.clear()
        return found

    def near(self, start: int, stop: int) -> Edge | None:
        """Return the nearest edge that was met while nothing but ``start:stop`` was moved.

        Examples
        --------
        >>> edges = Edges()
        >>> edges.add([Edge("domain", "raises ValueError", 2, 3, step) for step in (0.5, -0.1)])
        >>> edges.near(0, 4).step, edges.near(0, 2)
        (-0.1, None)
        """
        if stop - start == 1:
            return self._nearest.get((start, stop))
        nearest = None
        for edge in self._nearest.values():
            inside = start <= edge.start and edge.stop <= stop
            if inside and (nearest is None or edge.is_nearer(nearest)):
                nearest = edge
        return nearest


def raising(error: Exception) -> tuple[Kind, str]:
    """Return the kind of edge that an exception of forward is, and what forward did.

    Examples
    --------
    >>> raising(ValueError("no such place"))
    ('domain', 'raises ValueError: no such place')
    """
    kind: Kind = "domain" if isinstance(error, DOMAIN_ERRORS) else "error"
    text = traceback.format_exception_only(error)[0].splitlines()[0]
    name = type(error).__name__
    text = name + text[len(text.partition(":")[0]) :]
    if len(text) > LONGEST:
        text = text[: LONGEST - 3] + "..."
    place = _place(error)
    return kind, f"raises {text}" + (f" ({place})" if place else "")


def is_outcome(error: Exception) -> bool:
    """Tell what ends a test without being a failure of forward: a skip in unittest's words.

    Those of pytest, like KeyboardInterrupt and SystemExit, are no `Exception` at all.
    """
    from unittest import SkipTest

    return isinstance(error, SkipTest)


def _place(error: Exception) -> str:
    """Return the line of the user's where an exception was raised, else the innermost.

    By its function: functions that were sent to another process have lost their file.
    """
    codes = [
        (frame.f_code, line)
        for frame, line in traceback.walk_tb(error.__traceback__)
        if not frame.f_code.co_filename.startswith(PACKAGE_DIRECTORY)
    ]
    own = [(code, line) for code, line in codes if not is_installed(code.co_filename)]
    for code, line in (own or codes)[-1:]:
        name = "a lambda" if code.co_name == "<lambda>" else code.co_name
        return f"line {line} of {name}"
    return ""
