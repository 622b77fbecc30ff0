"""Classes of claims by the size of their largest relative error.

A claim is correct, or its error is fine (about 1e-4), coarse (0.1% or more) or gross (1% or
more, and so coarse as well). The module does not know how a claim was judged.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar

from tests.corpus.claim_check import CORRECT

__all__ = ["coarse", "correct", "fine", "gross", "visible"]

#: The smallest gross error. A factor of 1.01 must be one, whichever way it is rounded.
GROSS = 0.999e-2

#: The smallest coarse error.
COARSE = 0.999e-3

#: The smallest fine error. Nearly all fine errors are 1e-4.
FINE = 1e-5


class ClaimError(Protocol):
    """What is known about a claim before it is checked."""

    @property
    def mutant(self) -> str:
        """The mutation that made the claim, or ``"correct"``."""
        ...  # pragma: no cover

    @property
    def error(self) -> float:
        """The largest relative error of an entry; infinite for a NaN."""
        ...  # pragma: no cover

    @property
    def visible(self) -> bool:
        """Whether the error changes forward's value by more than its rounding error."""
        ...  # pragma: no cover


AnyClaim = TypeVar("AnyClaim", bound=ClaimError)


def correct(claims: Iterable[AnyClaim]) -> list[AnyClaim]:
    """Return the correct claims."""
    return [claim for claim in claims if claim.mutant == CORRECT]


def gross(claims: Iterable[AnyClaim]) -> list[AnyClaim]:
    """Return the wrong claims with an entry that is 1% or more off, or a NaN."""
    return [claim for claim in claims if claim.mutant != CORRECT and claim.error >= GROSS]


def coarse(claims: Iterable[AnyClaim]) -> list[AnyClaim]:
    """Return the wrong claims with an entry that is 0.1% or more off, or a NaN."""
    return [claim for claim in claims if claim.mutant != CORRECT and claim.error >= COARSE]


def fine(claims: Iterable[AnyClaim]) -> list[AnyClaim]:
    """Return the wrong claims whose largest error is about 1e-4 of an entry."""
    return [claim for claim in claims if claim.mutant != CORRECT and FINE <= claim.error < COARSE]


def visible(claims: Iterable[AnyClaim]) -> list[AnyClaim]:
    """Return the claims whose error is visible in forward's values.

    No tool that only evaluates forward can find the others.
    """
    return [claim for claim in claims if claim.visible]
