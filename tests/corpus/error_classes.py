"""How wrong claims are: the classes that are counted apart.

It must not know what became of a claim.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol, TypeVar

from tests.corpus.claim_check import CORRECT

__all__ = ["coarse", "correct", "fine", "gross", "visible"]

#: Relative errors of 1% and more are gross. A factor of 1.01 is one, rounded as it may be.
GROSS = 0.999e-2

#: Of 0.1% and more they are coarse.
COARSE = 0.999e-3

#: From here up to the coarse ones errors are fine; nearly all of them are of 1e-4.
FINE = 1e-5


class ClaimError(Protocol):
    """What is known of a claim before anybody judges it."""

    @property
    def mutant(self) -> str:
        """How it was made."""
        ...  # pragma: no cover

    @property
    def error(self) -> float:
        """How wrong it is, relatively, in its worst entry; infinite for a NaN."""
        ...  # pragma: no cover

    @property
    def visible(self) -> bool:
        """Whether the error moves forward by more than its own rounding."""
        ...  # pragma: no cover


AnyClaim = TypeVar("AnyClaim", bound=ClaimError)


def correct(claims: Iterable[AnyClaim]) -> list[AnyClaim]:
    """Return the claims that are as they should be."""
    return [claim for claim in claims if claim.mutant == CORRECT]


def gross(claims: Iterable[AnyClaim]) -> list[AnyClaim]:
    """Return the claims that are wrong by 1% or more of one entry, or not numbers."""
    return [claim for claim in claims if claim.mutant != CORRECT and claim.error >= GROSS]


def coarse(claims: Iterable[AnyClaim]) -> list[AnyClaim]:
    """Return the claims that are wrong by 0.1% or more of one entry, or not numbers."""
    return [claim for claim in claims if claim.mutant != CORRECT and claim.error >= COARSE]


def fine(claims: Iterable[AnyClaim]) -> list[AnyClaim]:
    """Return the claims that are wrong by less, about 1e-4 of one entry."""
    return [c for c in claims if c.mutant != CORRECT and FINE <= c.error < COARSE]


def visible(claims: Iterable[AnyClaim]) -> list[AnyClaim]:
    """Return the claims whose errors forward can show; below that no tool can know better."""
    return [claim for claim in claims if claim.visible]
