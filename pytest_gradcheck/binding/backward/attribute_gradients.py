"""Gradients that backward left beside the parameters of an object, not in its return value.

It must not call anything; it looks at the object's attributes after backward ran.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pytest_gradcheck.binding.backward.gradient_matching import CONVENTIONS, match_gradients
from pytest_gradcheck.binding.call.wrt import Item, short_name
from pytest_gradcheck.binding.values.pytree import contents
from pytest_gradcheck.errors import GradcheckUsageError

__all__ = ["find_attribute_gradients", "prefer_attribute_gradients"]


def find_attribute_gradients(bound: object, item: Item) -> dict[str, Any]:
    """Find the gradients of an object's attribute beside it: ``self.dW``, ``self.grads["W"]``.

    Parameters
    ----------
    bound : object
        The object after backward ran.
    item : Item
        One attribute that is checked.

    Returns
    -------
    dict of str to Any
        Claims by the leaf's name.

    Raises
    ------
    GradcheckUsageError
        When there is none, or more than one.
    """
    name = short_name(item.name)
    inside = _dicts(bound)
    found = {}
    for holder, attributes in {"self.": vars(bound), **inside}.items():
        for convention in CONVENTIONS.values():
            key = convention(name)
            if key in attributes and not (holder == "self." and key == name):
                place = f"self.{key}" if holder == "self." else f"{holder}[{key!r}]"
                found[place] = attributes[key]
    if not found and contents(item.value) is not None:
        # A dict of parameters and one of gradients, under the same keys.
        found = inside
    if len(found) == 1:
        (value,) = found.values()
        return match_gradients(
            value, [item], positional=(), available=tuple, backward_name="backward"
        )
    if len(found) > 1:
        raise GradcheckUsageError(
            f"more than one attribute could be the gradient of {item.name}: {', '.join(found)}. "
            "Keep one, or return the gradients from backward."
        )
    raise GradcheckUsageError(
        f"no gradient for {item.name}: backward neither returned one nor left one in "
        f"self.d{name}, self.grad_{name}, self.{name}_grad or self.grads[{name!r}]."
    )


def _dicts(bound: object) -> dict[str, Any]:
    """Return the dicts of gradients that an object holds, by accessor."""
    return {
        f"self.{name}": vars(bound)[name]
        for name in ("grads", "gradients")
        if isinstance(vars(bound).get(name), Mapping)
    }


def prefer_attribute_gradients(
    claims: Mapping[str, Any], bound: object, items: Sequence[Item], backward_name: str
) -> dict[str, Any]:
    """Take gradients left beside attributes for what was returned without a name.

    A layer's backward often returns the gradient of its input, and leaves those
    of its parameters beside them.

    Parameters
    ----------
    claims : mapping of str to Any
        What was returned, by the leaf's name.
    bound : object
        The object after backward ran.
    items : sequence of Item
        Its attributes that are checked.
    backward_name : str
        For the message.

    Returns
    -------
    dict of str to Any
        Claims by the leaf's name: those beside where only they have the right
        shape.

    Raises
    ------
    GradcheckUsageError
        When both might be meant.
    """
    chosen = dict(claims)
    for item in items:
        try:
            beside = find_attribute_gradients(bound, item)
        except GradcheckUsageError:
            continue
        for leaf in item.leaves:
            returned, left = chosen[leaf.name], beside[leaf.name]
            shape = leaf.array.shape
            if np.shape(left) != shape:
                continue
            if np.shape(returned) != shape:
                chosen[leaf.name] = left
            elif not np.array_equal(returned, left):
                raise GradcheckUsageError(
                    f"{backward_name} returned one array of shape {shape} and left another "
                    f"beside {leaf.name}: either may be its gradient. If the one it returned is "
                    f"that of an argument, name that first, as in wrt=['x', {item.name!r}]; else "
                    "return the gradients in a dict."
                )
    return chosen
