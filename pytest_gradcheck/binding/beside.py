"""Gradients that backward left beside the parameters of an object, not in its return value.

It must not call anything; it looks at the object's attributes after backward ran.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_gradcheck.binding.gradients import CONVENTIONS, match_gradients
from pytest_gradcheck.binding.wrt import Item, short_name
from pytest_gradcheck.errors import GradcheckUsageError

__all__ = ["find_beside"]


def find_beside(bound: object, item: Item) -> dict[str, Any]:
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
    holders: dict[str, Mapping[str, Any]] = {"self.": vars(bound)}
    for holder in ("grads", "gradients"):
        inside = vars(bound).get(holder)
        if isinstance(inside, Mapping):
            holders[f"self.{holder}"] = inside
    found = {}
    for holder, attributes in holders.items():
        for convention in CONVENTIONS.values():
            key = convention(name)
            if key in attributes and not (holder == "self." and key == name):
                place = f"self.{key}" if holder == "self." else f"{holder}[{key!r}]"
                found[place] = attributes[key]
    if len(found) == 1:
        (value,) = found.values()
        return match_gradients(
            value, [item], positional=(), available=(), backward_name="backward"
        )
    if found:
        raise GradcheckUsageError(
            f"more than one attribute could be the gradient of {item.name}: {', '.join(found)}. "
            "Keep one, or return the gradients from backward."
        )
    raise GradcheckUsageError(
        f"no gradient for {item.name}: backward neither returned one nor left one in "
        f"self.d{name}, self.grad_{name}, self.{name}_grad or self.grads[{name!r}]."
    )
