"""Gradients of what is not checked because it holds whole numbers: somebody meant it to be.

It must not match claims to parameters; it looks for claims nobody will read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pytest_gradcheck.binding.gradients import CONVENTIONS
from pytest_gradcheck.binding.tree import Leaf, describe_value, integer_leaves
from pytest_gradcheck.binding.wrt import Item, as_floats, short_name
from pytest_gradcheck.errors import GradcheckUsageError

__all__ = ["WholeNumbers", "refuse_unread_gradient"]

#: What each convention writes before and after the name of a parameter.
AFFIXES = [str(convention("\0")).split("\0") for convention in CONVENTIONS.values()]


@dataclass(frozen=True, slots=True)
class WholeNumbers:
    """The whole numbers that a check leaves out without having been told to.

    They are looked for when they are asked for: integer arrays and Python numbers.

    Attributes
    ----------
    items : tuple of Item
        What is checked: containers may hold whole numbers, too.
    others : mapping of str to Any
        Other arguments that would be checked if they were floating.
    """

    items: tuple[Item, ...]
    others: Mapping[str, Any]

    def __iter__(self) -> Iterator[Leaf]:
        values = {item.name: item.value for item in self.items} | dict(self.others)
        for name, value in values.items():
            yield from integer_leaves(name, value)

    def checked(self) -> set[str]:
        """Return the names, in full and short, by which gradients of what is checked go."""
        named = [item.name for item in self.items]
        named += [leaf.name for item in self.items for leaf in item.leaves]
        return {*named, *map(short_name, named)}


def refuse_unread_gradient(
    returned: Any, whole: WholeNumbers, positional: Sequence[str], backward_name: str
) -> None:
    """Raise when backward returns a gradient of whole numbers, which is not checked.

    Parameters
    ----------
    returned : Any
        What backward returned.
    whole : WholeNumbers
        Those left out.
    positional : sequence of str
        Names of forward's positional arguments.
    backward_name : str
        For the message.

    Raises
    ------
    GradcheckUsageError
        It would pass unseen.
    """
    if next(iter(whole), None) is None:
        return
    checked = whole.checked()
    given = {n: g for n, g in _given(returned, positional) if n not in checked}
    if all(gradient is None for gradient in given.values()):
        return
    for leaf in whole:
        if given.get(leaf.name, given.get(short_name(leaf.name))) is None:
            continue
        raise GradcheckUsageError(
            f"{backward_name} returns a gradient of {leaf.name}, which holds whole numbers "
            f"({describe_value(leaf.value)}) and would not be checked. Pass {as_floats(leaf)}, "
            "or name what is to be checked in wrt=."
        )


def _given(returned: Any, positional: Sequence[str]) -> Iterator[tuple[str, Any]]:
    """Yield the names that a tuple for all arguments, or a dict, has gradients of."""
    if isinstance(returned, tuple) and len(returned) == len(positional):
        yield from zip(positional, returned, strict=True)
    if isinstance(returned, (tuple, list)):
        for part in returned:
            if isinstance(part, Mapping):
                yield from _given(part, positional)
    if isinstance(returned, Mapping):
        for key, gradient in returned.items():
            if isinstance(gradient, Mapping):
                yield from _given(gradient, positional)
            else:
                yield from ((name, gradient) for name in _names(key))


def _names(key: Any) -> Iterator[str]:
    """Yield the parameters that a key of gradients may speak of."""
    text = str(key)
    for before, after in AFFIXES:
        if text.startswith(before) and text.endswith(after):
            yield text[len(before) : len(text) - len(after)]
