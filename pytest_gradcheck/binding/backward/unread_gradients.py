"""What backward returned and no comparison would look at.

A gradient of integers is refused, and so is anything in the place of an argument that has no
gradient: a second derivative, as objectives for gradient boosting return it, or the like. A
gradient of an argument that could be checked, but is not, is noted. It does not match gradients.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from pytest_gradcheck.binding.backward.gradient_matching import parameter_names
from pytest_gradcheck.binding.call.signature import BoundArguments
from pytest_gradcheck.binding.call.wrt import IntegerLeaves, as_floats
from pytest_gradcheck.binding.values.pytree import (
    Leaf,
    describe_value,
    empty_containers,
    leaves,
    with_article,
)
from pytest_gradcheck.errors import GradcheckUsageError
from pytest_gradcheck.report.accessors import short_name

__all__ = ["refuse_integer_gradients", "unread_gradients"]

#: The most names that a message proposes for `wrt`.
MOST_NAMES = 8


def refuse_integer_gradients(
    returned: Any,
    others: Mapping[str, Any],
    integers: IntegerLeaves,
    *,
    backward_name: str,
    two_derivatives: Callable[[], str],
) -> None:
    """Raise where backward returns a gradient of integers, which would not be checked.

    Parameters
    ----------
    returned : Any
        What backward returned.
    others : mapping of str to Any
        What of it is for arguments that are not checked, see `Matched`.
    integers : IntegerLeaves
        The leaves that are left out of the check.
    backward_name : str
        For the message.
    two_derivatives : callable
        Returns a hint for the case that this is a second derivative.

    Raises
    ------
    GradcheckUsageError
        With what to pass instead; an error in that gradient would go unnoticed.
    """
    if next(iter(integers), None) is None:
        return
    checked = integers.checked()
    named = dict(_named_gradients(returned)) | dict(others)
    given = {name: gradient for name, gradient in named.items() if name not in checked}
    if all(gradient is None for gradient in given.values()):
        return
    for leaf in integers:
        if given.get(leaf.name, given.get(short_name(leaf.name))) is None:
            continue
        is_pair = isinstance(returned, tuple) and len(returned) == 2
        hint = two_derivatives() if is_pair else ""
        raise GradcheckUsageError(
            f"{backward_name} returns a gradient of {leaf.name}, which holds whole numbers "
            f"({describe_value(leaf.value)}) and would not be checked. If these are data, as "
            f"labels are, return None for it or {_wrt_without(leaf, integers)}; if they are to be "
            f"checked, pass {as_floats(leaf)}.{hint}"
        )


def _wrt_without(leaf: Leaf, integers: IntegerLeaves) -> str:
    """Return what to say in order to check all that is checked now, but nothing beside `leaf`."""
    names = [
        name
        for item in integers.items
        for name in (
            [inside.name for inside in item.leaves]
            if leaf.name.startswith((f"{item.name}[", f"{item.name}."))
            else [item.name]
        )
    ]
    if len(names) > MOST_NAMES:
        return "name in wrt= what is checked"
    return f"say wrt={names[0]!r}" if len(names) == 1 else f"say wrt={names!r}"


def _named_gradients(returned: Any) -> Iterator[tuple[str, Any]]:
    """Yield name and gradient of every entry of a dict, also of one in a tuple or in a dict."""
    if isinstance(returned, (tuple, list)):
        for part in returned:
            if isinstance(part, Mapping):
                yield from _named_gradients(part)
    if isinstance(returned, Mapping):
        for key, gradient in returned.items():
            if isinstance(gradient, Mapping):
                yield from _named_gradients(gradient)
            else:
                yield from ((name, gradient) for name in parameter_names(key))


def unread_gradients(
    others: Mapping[str, Any],
    arguments: BoundArguments,
    *,
    backward_name: str,
    two_derivatives: Callable[[], str],
) -> tuple[str, ...]:
    """Return what backward returned for arguments that are not checked.

    Parameters
    ----------
    others : mapping of str to Any
        What was returned for arguments that are not checked, see `Matched`.
    arguments : BoundArguments
        The arguments of forward.
    backward_name : str
        For messages.
    two_derivatives : callable
        Returns a hint for the case that this is a second derivative.

    Returns
    -------
    tuple of str
        Each in words, for a note.

    Raises
    ------
    GradcheckUsageError
        When the argument has no gradient at all, or what was returned for it is not finite.
    """
    if not others:
        return ()
    values = arguments.passed()
    found = []
    for name in [name for name in values if name in others]:
        part, value = others[name], values[name]
        if isinstance(part, (int, float)) and part == 0:
            continue  # it claims nothing
        if empty_containers(name, value) and empty_containers(name, part):
            continue  # nor does this
        if next(leaves(name, value), None) is None:
            what = describe_value(value)
            why = f"{name} ({what}), in which nothing is checked"
        elif not _is_finite(part):
            why = f"{name}, which is not checked, although it is not finite"
        else:
            found.append(f"{with_article(describe_value(part))} for {name}")
            continue
        raise GradcheckUsageError(
            f"{backward_name} returned {with_article(describe_value(part))} in the place of "
            f"{why}: nobody would look at it. Return None there.{two_derivatives()}"
        )
    return tuple(found)


def _is_finite(part: Any) -> bool:
    """Return whether all numbers in a gradient are finite, as far as it holds any."""
    return all(bool(np.isfinite(leaf.array).all()) for leaf in leaves("", part))
