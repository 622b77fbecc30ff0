"""How far a prediction and measurements agree: how many of them, and to how many digits."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pytest_gradcheck.diagnosis.named_numbers import Number

__all__ = ["MOST_DIGITS", "Agreement", "counted", "digits_of_agreement"]

#: The most digits to which numbers agree.
MOST_DIGITS = 15


@dataclass(frozen=True, slots=True)
class Agreement:
    """What a hypothesis agrees with.

    Attributes
    ----------
    number : Number or None
        The number that was fitted.
    count : int
        The number of wrong claims, or of directions, that it explains.
    digits : int
        The digits to which the prediction agrees with all of these.
    directions : int
        How many of them are along directions; the others are of single entries.
    """

    number: Number | None
    count: int
    digits: int
    directions: int = 0

    def __str__(self) -> str:
        digits = f"to {counted(self.digits, 'digit')}"
        directions = counted(self.directions, "direction")
        if self.directions == 2:
            directions = "two directions"
        entries = self.count - self.directions
        if entries <= 0:
            return f"along {directions}, {digits}"
        measured = counted(entries, "entry", "entries")
        if self.directions:
            measured += f" and {directions}"
        return f"{measured}, {digits}"


def digits_of_agreement(relative_difference: float) -> int:
    """Return to how many digits two numbers agree that differ by a share of them.

    Examples
    --------
    >>> [digits_of_agreement(difference) for difference in (0.2, 3e-6, 0.0)]
    [0, 5, 15]
    """
    if relative_difference == 0:
        return MOST_DIGITS
    return min(MOST_DIGITS, int(-math.log10(relative_difference)))


def counted(count: int, one: str, several: str = "") -> str:
    """Return a number of things in words.

    Examples
    --------
    >>> counted(1, "entry", "entries"), counted(2, "direction")
    ('1 entry', '2 directions')
    """
    return f"{count:,} {one if count == 1 else several or one + 's'}"
