"""Selection of what is checked: from the option `wrt` to leaves in the arguments of forward.

Names are those of arguments, accessors of leaves inside them (``params['W']``, or ``W`` where
that is unambiguous) or attributes of the bound object (``self.W``). It does not copy or perturb
anything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any

import numpy as np

from pytest_gradcheck.binding.call.attributes import follow
from pytest_gradcheck.binding.call.signature import BoundArguments
from pytest_gradcheck.binding.values.conversion import data_attribute
from pytest_gradcheck.binding.values.masked_arrays import first_masked
from pytest_gradcheck.binding.values.pytree import (
    Leaf,
    contents,
    describe_value,
    empty_containers,
    floating_leaves,
    integer_leaves,
    is_computed,
    leaves,
    places,
    with_article,
)
from pytest_gradcheck.binding.values.user_attributes import attribute, has_attribute
from pytest_gradcheck.errors import GradcheckUsageError
from pytest_gradcheck.report.accessors import short_name
from pytest_gradcheck.report.inert_text import shortened
from pytest_gradcheck.report.representation import listed, shown, type_name
from pytest_gradcheck.report.spelling import closest

__all__ = ["Item", "as_floats", "refuse_masked", "select_items"]

#: A search for the numbers of an object ends after so many places.
MOST_PLACES = 1000


@dataclass(frozen=True, slots=True)
class Item:
    """A selected argument, a part of one, or an attribute.

    Attributes
    ----------
    name : str
        Its accessor.
    value : Any
        Its value.
    leaves : tuple of Leaf
        The floating leaves in it, in order: the parameters.
    is_attribute : bool
        Whether it is an attribute of the bound object.
    """

    name: str
    value: Any
    leaves: tuple[Leaf, ...]
    is_attribute: bool = False


@dataclass(frozen=True, slots=True)
class IntegerLeaves:
    """Integers that are left out of a check although the user did not exclude them.

    Iterating over them finds them, in integer arrays and Python numbers.

    Attributes
    ----------
    items : tuple of Item
        What is checked: its containers may hold integers, too.
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
        """Return all names, in full and short, that a gradient of what is checked may have."""
        named = [item.name for item in self.items]
        named += [leaf.name for item in self.items for leaf in item.leaves]
        return {*named, *map(short_name, named)}


def select_items(
    wrt: Sequence[str | int] | None,
    arguments: BoundArguments,
    *,
    bound: object | None,
    forward_name: str,
) -> tuple[Item, ...]:
    """Select what is checked.

    Parameters
    ----------
    wrt : sequence of str or int, or None
        Names or positions of arguments, accessors of leaves, attributes; None for every
        floating argument that was passed.
    arguments : BoundArguments
        Forward's arguments.
    bound : object or None
        The object that forward is bound to.
    forward_name : str
        For messages.

    Returns
    -------
    tuple of Item
        In the order of `wrt`.

    Raises
    ------
    GradcheckUsageError
        For an unknown name, an integer array, or nothing to check.
    """
    if wrt is None:
        return _all_floating_items(arguments, forward_name)
    if not wrt:
        raise GradcheckUsageError(
            f"wrt is empty: there is nothing to check. Arguments of {forward_name}: "
            f"{_listed(arguments)}."
        )
    found = _Contents(arguments)
    items = [_find(name, found, bound, forward_name) for name in wrt]
    counts = Counter(leaf.name for item in items for leaf in item.leaves)
    for name, count in counts.items():
        if count > 1:
            raise GradcheckUsageError(f"wrt={shown(wrt)} names {name} twice: name it once.")
    return tuple(items)


def refuse_masked(items: Sequence[Item], forward_name: str) -> None:
    """Raise where an entry of a parameter is masked, and so is no number to perturb."""
    for item in items:
        for leaf in item.leaves:
            masked = first_masked(leaf.value)
            if masked is not None:
                raise GradcheckUsageError(
                    f"{leaf.name} of {forward_name} is a masked array: {leaf.name}{masked} is "
                    "masked, and so is no number to differentiate by. Pass "
                    f"{leaf.name}.compressed(), or {leaf.name}.filled(0.0), or leave "
                    f"{leaf.name} out of wrt=."
                )


def _all_floating_items(arguments: BoundArguments, forward_name: str) -> tuple[Item, ...]:
    pairs = zip(arguments.names, arguments.values, strict=True)
    items = [
        Item(name, value, found)
        for name, value in pairs
        if name not in arguments.defaulted and (found := floating_leaves(name, value))
    ]
    if not items:
        passed = arguments.passed().items()
        items = [
            Item(name, value, found)
            for name, value in passed
            if (found := empty_containers(name, value))
        ]
    if not items:
        raise GradcheckUsageError(_nothing_to_check(arguments, forward_name))
    return tuple(items)


def _nothing_to_check(arguments: BoundArguments, forward_name: str) -> str:
    """Return why there is nothing to check, and what to pass instead, in words."""
    if not arguments.names:
        return (
            f"nothing to check: {forward_name} has no argument to differentiate by. Let it take "
            "its parameters as arguments; those of a marked test come from fixtures and "
            "parametrize."
        )
    pairs = list(zip(arguments.names, arguments.values, strict=True))
    floating = [name for name, value in pairs if floating_leaves(name, value)]
    if floating:
        return (
            f"nothing to check: {floating[0]} of {forward_name} is left at its default. Pass a "
            f"value, or say wrt={floating[0]!r}."
        )
    found = [leaf for name, value in pairs for leaf in islice(integer_leaves(name, value), 1)]
    leaf = found[0] if found else None
    advice = "Pass the parameter as a floating number or array."
    tensors = map(_tensor_data, arguments.names, arguments.values)
    place = next((place for place in tensors if place is not None), None)
    if place is not None:
        advice = f"The numbers of a parameter may be in {place}: let forward take these, and make "
        advice += "the object of them."
    computed = [name for name, value in arguments.passed().items() if is_computed(value)]
    if computed:
        advice = f"The values of {computed[0]} are made anew when they are read: if they are "
        advice += f"parameters, pass dict({computed[0]})."
    elif len(found) > 1:
        advice = f"Pass what is to be checked as floats, {' or '.join(map(as_floats, found))}."
    elif leaf is not None:
        advice = f"Pass {leaf.name} as floats, {as_floats(leaf)}."
        if leaf.name in arguments.names and isinstance(leaf.value, int):
            advice = f"Pass {leaf.name} as {as_floats(leaf)}, or say wrt={leaf.name!r}."
    return (
        f"nothing to check: no argument of {forward_name} is a floating number or array. It was "
        f"given {_listed(arguments)}. {advice}"
    )


def as_floats(leaf: Leaf) -> str:
    """Return an expression that converts an integer leaf to floating point."""
    if isinstance(leaf.value, int):
        return repr(float(leaf.value))
    if has_attribute(leaf.value, "double"):
        return f"{leaf.name}.double()"  # a tensor of PyTorch
    if has_attribute(leaf.value, "astype"):
        return f"{leaf.name}.astype(float)"
    return f"np.array({leaf.name}, dtype=float)"


class _Contents:
    """Everything in the arguments of forward, by accessor; searched when it is first needed."""

    def __init__(self, arguments: BoundArguments) -> None:
        self.arguments = arguments
        self.values = dict(zip(arguments.names, arguments.values, strict=True))

    @cached_property
    def inside(self) -> dict[str, Any]:
        """Everything inside the arguments, at any depth."""
        return {
            place: item
            for name, value in self.values.items()
            for place, item, _ in islice(places(name, value), 1, None)
        }

    @cached_property
    def by_short_name(self) -> dict[str, list[str]]:
        """Their accessors by short name."""
        found: dict[str, list[str]] = {}
        for name in self.inside:
            found.setdefault(short_name(name), []).append(name)
        return found


def _find(wanted: str | int, places: _Contents, bound: object | None, forward_name: str) -> Item:
    arguments = places.arguments
    if isinstance(wanted, int):
        positional = arguments.positional
        if not -len(positional) <= wanted < len(positional):
            raise GradcheckUsageError(
                f"wrt={shown(wanted)}: {forward_name} was given {len(positional)} positional "
                "arguments."
            )
        wanted = positional[wanted]
    if wanted not in places.values and wanted not in places.inside:
        wanted = shortened(wanted)  # as names of arguments and of keys are
    if wanted.startswith("self.") and bound is not None:
        return _attribute_item(wanted, bound)
    if wanted in places.values:
        return _item(wanted, places.values[wanted], forward_name)
    if wanted in places.inside:
        return _item(wanted, places.inside[wanted], forward_name)
    found = places.by_short_name.get(wanted, [])
    if len(found) == 1:
        return _item(found[0], places.inside[found[0]], forward_name)
    if found:
        raise GradcheckUsageError(
            f"wrt={shown(wanted)} could be any of {listed(found)}: write one of them in full."
        )
    known = [*places.values, *places.inside]
    raise GradcheckUsageError(_unknown(wanted, known, arguments, bound, forward_name))


def _item(name: str, value: Any, forward_name: str) -> Item:
    """Make an item of a value that was named, and so must be differentiable, or raise."""
    floating = floating_leaves(name, value) or empty_containers(name, value)
    if contents(value) is not None and floating:
        return Item(name, value, floating)
    inside = tuple(leaves(name, value))
    if is_computed(value):
        raise GradcheckUsageError(
            f"wrt={shown(name)}: {name} of {forward_name} is "
            f"{with_article(describe_value(value))}, whose values are made anew when they are "
            f"read. Pass dict({name})."
        )
    if len(inside) != 1 or inside[0].value is not value:
        raise GradcheckUsageError(
            f"wrt={shown(name)}: {name} of {forward_name} is "
            f"{with_article(describe_value(value))}, {_no_numbers(name, value)}"
        )
    (leaf,) = inside
    if leaf.is_differentiable:
        return Item(name, value, (leaf,))
    if isinstance(value, int):
        number = _as_float(name, value)
        return Item(name, number, (Leaf(name, number),))
    raise GradcheckUsageError(
        f"wrt={shown(name)}: {name} of {forward_name} is {with_article(describe_value(value))}; "
        f"{_no_derivative(leaf, 'Pass')}"
    )


def _as_float(name: str, value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        raise GradcheckUsageError(
            f"wrt={shown(name)}: {name} is {shown(value)}, larger than any float. Pass a smaller "
            "number."
        ) from None


def _no_derivative(leaf: Leaf, advice: str) -> str:
    """Return why there is no derivative with respect to a leaf, and a remedy, in words."""
    kind = "whole numbers" if leaf.is_integer else "booleans"
    data = " or leave it out of wrt, if it is data as labels are" if advice == "Pass" else ""
    return f"there is no derivative by {kind}. {advice} {as_floats(leaf)}{data}."


def _no_numbers(name: str, value: Any) -> str:
    """Return why no parameter is found in a value, and where there may be one, in words."""
    place = _tensor_data(name, value)
    if place is None and has_attribute(value, "__array__"):
        return "which is not an array of NumPy. Let forward take one."
    if place is None:
        return "which holds no floating numbers to differentiate by."
    if name.startswith("self."):
        return f"which holds no floating numbers itself. They are in {place}: say wrt={place!r}."
    return (
        f"which holds no floating numbers itself. They are in {place}: let forward take these, "
        "and make the object of them."
    )


def _tensor_data(name: str, value: Any) -> str | None:
    """Return the accessor of the numbers of the first tensor in a value, None if there is none."""
    for place, item, inside in islice(places(name, value), MOST_PLACES):
        attribute = None if inside is not None else data_attribute(item)
        if attribute is not None:
            return f"{place}.{attribute}"
    return None


def _attribute_item(wanted: str, bound: object) -> Item:
    try:
        value = follow(bound, wanted.removeprefix("self"))
    except Exception as error:  # noqa: BLE001  # whatever the user's class raises
        close = closest(wanted[5:], attribute(bound, "__dict__", ()))
        hint = f" Did you mean 'self.{close}'?" if close else ""
        is_missing = isinstance(error, (AttributeError, LookupError, TypeError, ValueError))
        what = "has no such attribute" if is_missing else f"raises {type_name(error)} for it"
        raise GradcheckUsageError(
            f"wrt={shown(wanted)}: the {type_name(bound)} that forward is bound to {what}.{hint}"
        ) from None
    found = floating_leaves(wanted, value) or empty_containers(wanted, value)
    if isinstance(value, np.ndarray) and value.dtype.kind in "biu":
        raise GradcheckUsageError(
            f"wrt={shown(wanted)}: it is {with_article(describe_value(value))}; "
            f"{_no_derivative(Leaf(wanted, value), 'Make it')}"
        )
    if not found:
        raise GradcheckUsageError(
            f"wrt={shown(wanted)}: it is {with_article(describe_value(value))}, "
            f"{_no_numbers(wanted, value)}"
        )
    return Item(wanted, value, found, is_attribute=True)


def _unknown(
    name: str,
    known: Sequence[str],
    arguments: BoundArguments,
    bound: object | None,
    forward_name: str,
) -> str:
    text = (
        f"wrt={shown(name)}: {forward_name} has no argument, and no parameter in one, of that "
        "name."
    )
    if _is_attribute(name, bound):
        return f"{text} The {type_name(bound)} it belongs to has: write wrt='self.{name}'."
    close = closest(name, [*known, *map(short_name, known)])
    hint = f" Did you mean {close!r}?" if close else ""
    return f"{text}{hint} It was given {_listed(arguments)}."


def _is_attribute(name: str, bound: object | None) -> bool:
    """Return whether a name without ``self.`` leads to an attribute with floating numbers."""
    try:
        return bool(floating_leaves(name, follow(bound, f".{name}")))
    except Exception:  # noqa: BLE001  # whatever the user's class raises
        return False


def _listed(arguments: BoundArguments) -> str:
    pairs = zip(arguments.names, arguments.values, strict=True)
    return listed(f"{name} ({describe_value(value)})" for name, value in pairs) or "no argument"
