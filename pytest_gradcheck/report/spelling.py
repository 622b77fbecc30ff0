"""Suggestions for misspelt names.

This module does not know what a name is for.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from pytest_gradcheck.report.inert_text import NAME_LENGTH

__all__ = ["closest"]


def closest(name: object, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """Return the name that was probably meant, whatever its case; None if there is none.

    Examples
    --------
    >>> closest("w1", ["W1", "W2"]), closest("alpha", ["W1", "W2"])
    ('W1', None)
    """
    plain = str.__str__(name) if isinstance(name, str) else ""
    if not 0 < len(plain) <= NAME_LENGTH:
        return None
    texts = map(str.__str__, known)
    alike = {text.lower(): text for text in texts if len(text) <= NAME_LENGTH}
    found = difflib.get_close_matches(plain.lower(), alike, n=1, cutoff=cutoff)
    return alike[found[0]] if found else None
