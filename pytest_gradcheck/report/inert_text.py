"""Text that is short and harmless wherever it is shown: in a terminal, a log, XML or UTF-8.

Names come from the user, and may hold anything: escape sequences, line breaks, halves of
surrogate pairs, a megabyte. This module does not know what a text says.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator

__all__ = ["NAME_LENGTH", "escaped", "escaped_lines", "shortened", "told_apart", "without_middle"]

#: The most characters of a name or of a value.
NAME_LENGTH = 200


def escaped(text: str) -> str:
    r"""Return text with everything escaped that is not printable, as a built-in string.

    Examples
    --------
    >>> escaped("a\x1b[31m\nb\ud800")
    'a\\x1b[31m\\nb\\ud800'
    """
    plain = str.__str__(text)
    if plain.isprintable():
        return plain
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in plain)


def escaped_lines(text: str) -> str:
    """Return text with everything escaped that is not printable, except the ends of its lines."""
    return "\n".join(escaped(line) for line in str.__str__(text).split("\n"))


def shortened(text: str, length: int = NAME_LENGTH) -> str:
    """Return text, escaped, of about `length` characters; a hash tells long ones apart.

    Examples
    --------
    >>> shortened("layer" * 9, 30), shortened("W1")
    ('layerlayer~894093b4~layer', 'W1')
    """
    plain = str.__str__(text)
    if len(plain) <= length:
        whole = escaped(plain)
        if len(whole) <= length:
            return whole
    number = hashlib.sha256(plain.encode(errors="surrogatepass")).hexdigest()[:8]
    head = escaped(plain[: length // 3])[: length // 3]
    tail = escaped(plain[-(length // 6) :])[-(length // 6) :]
    return f"{head}~{number}~{tail}"  # no dots: they divide an accessor


def without_middle(text: str, length: int) -> str:
    """Return text without its middle, where it is longer than `length`.

    Examples
    --------
    >>> without_middle("abcdefghijkl", 9)
    'abc...jkl'
    """
    half = (length - 3) // 2
    return text if len(text) <= length else f"{text[:half]}...{text[-half:]}"


def told_apart(texts: Iterable[str]) -> Iterator[str]:
    """Yield texts, those that were there before with a number after them.

    Examples
    --------
    >>> list(told_apart(["a", "b", "a"]))
    ['a', 'b', 'a(2)']
    """
    counts: dict[str, int] = {}
    for text in texts:
        counts[text] = count = counts[text] + 1 if text in counts else 1
        yield text if count == 1 else f"{text}({count})"
