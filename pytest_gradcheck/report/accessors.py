"""Python accessors, ``layers[0].W`` or ``p['W1']``, and the short names of what they name.

A short name is the last name in an accessor: that of an attribute, or a key that is text. This
module does not know what has the name.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable, Mapping

from pytest_gradcheck.report.inert_text import shortened

__all__ = [
    "LAST_KEY",
    "STRING",
    "distinct_short_names",
    "literal",
    "replace_accessors",
    "short_name",
]

#: The pattern of a string literal.
STRING = r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\""

#: A key that ends an accessor.
LAST_KEY = re.compile(rf"\[({STRING})\]$")

#: A step from a container to what is in it.
_STEP = re.compile(rf"\.[^\W\d]\w*|\[(?:{STRING}|-?\d+)\]")

#: An accessor with at least one step, within other text.
_ACCESSOR = re.compile(rf"(?<![\w.])[^\W\d]\w*(?:{_STEP.pattern})+")

#: A short name that reads as a name where it stands alone: ``W1``, ``conv1.weight``.
_NAME = re.compile(r"[^\W\d]\w*(?:\.\w+)*")


def literal(text: str) -> str:
    """Return the string that `text` is, as Python writes it; without quotes if it is none."""
    if "\\" not in text:
        return text[1:-1]
    try:
        return str(ast.literal_eval(text))
    except (SyntaxError, ValueError):
        return text[1:-1]


def short_name(accessor: str) -> str:
    """Return the last name of an accessor; one that ends in a number has no shorter name.

    Examples
    --------
    >>> short_name("parameters['W1']"), short_name("self.b"), short_name("layers[0]")
    ('W1', 'b', 'layers[0]')
    """
    if accessor.endswith("]"):
        key = LAST_KEY.search(accessor)
        return accessor if key is None else shortened(literal(key[1]))
    return accessor.rsplit(".", 1)[-1]


def distinct_short_names(accessors: Iterable[str]) -> dict[str, str]:
    """Return the accessors that have a shorter name, which no other has, with that name.

    Examples
    --------
    >>> distinct_short_names(["p['W1']", "p['b']", "self.b", "p['a key']", "layers[0]"])
    {"p['W1']": 'W1'}
    """
    short = {accessor: short_name(accessor) for accessor in accessors}
    counts = Counter(short.values())
    return {
        accessor: name
        for accessor, name in short.items()
        if name != accessor and counts[name] == 1 and _NAME.fullmatch(name)
    }


def replace_accessors(text: str, names: Mapping[str, str]) -> str:
    """Return text with short names in the place of accessors.

    Examples
    --------
    >>> replace_accessors("wrong in p['W'][3, :], not in p['b']", {"p['W']": "W"})
    "wrong in W[3, :], not in p['b']"
    """
    return _ACCESSOR.sub(lambda match: _shorten(match[0], names), text) if names else text


def _shorten(accessor: str, names: Mapping[str, str]) -> str:
    """Return an accessor, shortened at its longest beginning that has a short name."""
    for end in reversed([step.end() for step in _STEP.finditer(accessor)]):
        if accessor[:end] in names:
            return names[accessor[:end]] + accessor[end:]
    return accessor
