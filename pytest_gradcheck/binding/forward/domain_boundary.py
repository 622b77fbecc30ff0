"""The boundary of forward's domain: perturbed points where it raises or changes its output.

A step that the check chose may leave the domain of a function that is right where it is used,
so an exception there is a result: it is reported where it prevents a measurement. It does not
call forward, nor decide what an edge means for the verdict.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from pytest_gradcheck.binding.call.installed_code import is_installed
from pytest_gradcheck.errors import PACKAGE_DIRECTORY
from pytest_gradcheck.report.inert_text import escaped
from pytest_gradcheck.report.representation import type_name

__all__ = ["DOMAIN_EXCEPTIONS", "Edge", "Edges", "edge_of"]

#: What functions raise where they are undefined; numpy's LinAlgError is a ValueError.
DOMAIN_EXCEPTIONS = (ArithmeticError, ValueError)

#: The most characters of an exception that are quoted.
MAX_LENGTH = 100

Kind = Literal["domain", "error", "output"]


@dataclass(frozen=True, slots=True)
class Edge:
    """A perturbed point at which forward is undefined.

    Attributes
    ----------
    kind : {"domain", "error", "output"}
        Whether it raised one of `DOMAIN_EXCEPTIONS` or returned complex numbers, raised another
        exception, or returned another kind or number of outputs.
    what : str
        What it did: ``raises ValueError: math domain error (line 12 of loss)``.
    start, stop : int
        The perturbed coordinates are in ``start:stop``.
    step : float
        The perturbation; the largest one of several coordinates.
    """

    kind: Kind
    what: str
    start: int
    stop: int
    step: float

    @property
    def is_single_coordinate(self) -> bool:
        """Whether a single coordinate was perturbed."""
        return self.stop - self.start == 1

    def is_nearer(self, other: Edge) -> bool:
        """Return whether it is nearer to the base point; of two equally near the right one is."""
        return (abs(self.step), self.step < 0) < (abs(other.step), other.step < 0)


class Edges:
    """The nearest edge for each range of perturbed coordinates."""

    def __init__(self) -> None:
        self._nearest: dict[tuple[int, int], Edge] = {}

    def add(self, edges: Iterable[Edge]) -> None:
        """Keep those that are nearer than the known ones."""
        for edge in edges:
            known = self._nearest.get((edge.start, edge.stop))
            if known is None or edge.is_nearer(known):
                self._nearest[edge.start, edge.stop] = edge

    def drain(self) -> tuple[Edge, ...]:
        """Return all edges and forget them."""
        found = tuple(self._nearest.values())
        self._nearest.clear()
        return found

    def nearest(self, start: int, stop: int) -> Edge | None:
        """Return the nearest edge at which nothing but ``start:stop`` was perturbed.

        Examples
        --------
        >>> edges = Edges()
        >>> edges.add([Edge("domain", "raises ValueError", 2, 3, step) for step in (0.5, -0.1)])
        >>> edges.nearest(0, 4).step, edges.nearest(0, 2)
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


def edge_of(error: Exception) -> tuple[Kind, str]:
    """Return the kind of edge that an exception of forward means, and what forward did.

    Examples
    --------
    >>> edge_of(ValueError("no such place"))
    ('domain', 'raises ValueError: no such place')
    """
    kind: Kind = "domain" if isinstance(error, DOMAIN_EXCEPTIONS) else "error"
    said = _message(error)
    text = type_name(error) + (f": {said}" if said else "")
    if len(text) > MAX_LENGTH:
        text = text[: MAX_LENGTH - 3] + "..."
    place = _location(error)
    return kind, f"raises {text}" + (f" ({place})" if place else "")


def _message(error: Exception) -> str:
    """Return the first line of the message of an exception."""
    try:
        message = str(error)
    except Exception:  # noqa: BLE001  # the class is the user's
        return "<exception str() failed>"
    return escaped(next(iter(message[: 2 * MAX_LENGTH].splitlines()), ""))


def _location(error: Exception) -> str:
    """Return the innermost line of the user's own code where an exception was raised.

    The line is of a function, not of a file, since a function that was sent to another process
    has no file there.
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
