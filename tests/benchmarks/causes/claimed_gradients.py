"""What a bug of backward sees: the right claims, and what else backward has at hand."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from pytest_gradcheck.report.report import Report
from tests.corpus.family import Array

__all__ = ["Claims", "Gradients", "Subject", "Transformation"]

#: Claims by the names of their parameters.
Claims = Mapping[str, Array]


@dataclass(frozen=True)
class Gradients:
    """The right claims of one call of backward.

    Attributes
    ----------
    claims, parameters : mapping of str to ndarray
        The claims and the parameters, by the names that a report gives to the parameters.
    value : float or None
        What forward returned, where it is a number.
    numbers : mapping of str to float
        The numbers among the arguments.
    arrays : sequence of ndarray
        The arrays among the arguments.
    cotangents : sequence of ndarray
        The upstream gradients.
    under_ones, under_squares, under_doubles : callable or None
        Return the claims under ones for the upstream gradients, under their squares, and under
        twice them.
    origin : mapping of str to ndarray
        The parameters at the point of the check, wherever backward is called.
    elsewhere : callable or None
        ``elsewhere(name, parameter)`` returns the right claim about that parameter at another
        point.
    """

    claims: Claims
    parameters: Claims
    value: float | None = None
    numbers: Mapping[str, float] = field(default_factory=dict)
    arrays: Sequence[Array] = ()
    cotangents: Sequence[Array] = ()
    under_ones: Callable[[], Claims] | None = None
    under_squares: Callable[[], Claims] | None = None
    under_doubles: Callable[[], Claims] | None = None
    origin: Claims = field(default_factory=dict)
    elsewhere: Callable[[str, Array], Array] | None = None


#: Returns the claims that a bug changes, by their parameters.
Transformation = Callable[[Gradients], Claims]


class Subject(Protocol):
    """A function with a right backward, into which bugs are injected."""

    @property
    def name(self) -> str:
        """Its name in the tables."""
        ...  # pragma: no cover

    def gradients(self) -> Gradients:
        """Return the right gradients at the point of its check."""
        ...  # pragma: no cover

    def check(self, transformation: Transformation, **options: Any) -> Report:
        """Check it with a bug in its backward."""
        ...  # pragma: no cover
