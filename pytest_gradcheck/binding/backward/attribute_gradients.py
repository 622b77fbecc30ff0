"""Gradients that backward stores as attributes of its object instead of returning them.

A layer with the parameter ``self.W`` may set ``self.dW`` or ``self.grads["W"]``. It does not call
anything; it reads the attributes after backward has run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pytest_gradcheck.binding.backward.gradient_matching import KEY_CONVENTIONS, match_gradients
from pytest_gradcheck.binding.call.attributes import follow
from pytest_gradcheck.binding.call.wrt import Item
from pytest_gradcheck.binding.values.conversion import DATA_ATTRIBUTES
from pytest_gradcheck.binding.values.pytree import contents, named_children
from pytest_gradcheck.binding.values.user_attributes import attribute, has_attribute
from pytest_gradcheck.errors import GradcheckUsageError
from pytest_gradcheck.report.accessors import LAST_KEY, short_name

__all__ = ["find_attribute_gradients", "prefer_attribute_gradients"]


def find_attribute_gradients(bound: object, item: Item) -> dict[str, Any]:
    """Find the gradients of an attribute among the other attributes of its object.

    Parameters
    ----------
    bound : object
        The object after backward has run.
    item : Item
        The attribute that is checked.

    Returns
    -------
    dict of str to Any
        Gradients by the leaf's name.

    Raises
    ------
    GradcheckUsageError
        When there is none, or more than one candidate.
    """
    parent, name = _split(item.name)
    beside = _attributes(bound if parent == "self" else follow(bound, parent[len("self") :]))
    keys = [convention(name) for convention in KEY_CONVENTIONS.values()]
    if name in DATA_ATTRIBUTES:
        # The numbers of a tensor, which is named by its own attribute: self.W.data, self.W.grad.
        keys += ["grad", "gradient"]
        name = short_name(parent) if parent != "self" else name
    found = {
        f"{parent}.{key}": beside[key]
        for key in keys
        if beside.get(key) is not None and f"{parent}.{key}" != item.name
    }
    inside = _containers(bound)
    for holder, attributes in {"self.": _attributes(bound), **inside}.items():
        for convention in KEY_CONVENTIONS.values():
            key = convention(name)
            place = f"self.{key}" if holder == "self." else f"{holder}[{key!r}]"
            if key in attributes and not (holder == "self." and key == name):
                found[place] = attributes[key]
    if not found and contents(item.value) is not None:
        # A dict of parameters and one of gradients, under the same keys.
        found = dict(inside)
    if len(found) == 1:
        (value,) = found.values()
        return match_gradients(
            value, [item], positional=(), available=tuple, backward_name="backward"
        ).claims
    if len(found) > 1:
        raise GradcheckUsageError(
            f"more than one attribute could be the gradient of {item.name}: {', '.join(found)}. "
            "Keep one, or return the gradients from backward."
        )
    beside_data = f"{parent}.grad, " if item.name.endswith(DATA_ATTRIBUTES) else ""
    raise GradcheckUsageError(
        f"no gradient for {item.name}: backward neither returned one nor left one in "
        f"{beside_data}self.d{name}, self.grad_{name}, self.{name}_grad or self.grads[{name!r}]."
        f"{_nearly_named(bound, name)}"
    )


def _split(accessor: str) -> tuple[str, str]:
    """Return the accessor of the object that has an attribute or a key, and its name."""
    key = LAST_KEY.search(accessor)
    end = key.start() if key else accessor.rindex("[" if accessor.endswith("]") else ".")
    return accessor[:end], short_name(accessor)


def _attributes(holder: object) -> Mapping[str, Any]:
    """Return the attributes of an object, those in slots too; of anything else nothing."""
    own = attribute(holder, "__dict__")
    if isinstance(own, dict):
        return own
    slots = [name for kind in type(holder).__mro__ for name in getattr(kind, "__slots__", ())]
    return {name: getattr(holder, name) for name in slots if has_attribute(holder, name)}


def _nearly_named(bound: object, name: str) -> str:
    """Return a question about an attribute that differs by capitals only, as ``dw`` for ``W``."""
    keys = [str(convention(name)) for convention in KEY_CONVENTIONS.values()]
    meant = {key.lower(): key for key in keys if key != name}
    alike = next(
        (attribute for attribute in _attributes(bound) if attribute.lower() in meant), None
    )
    return "" if alike is None else f" Did you mean self.{meant[alike.lower()]} by self.{alike}?"


def _containers(bound: object) -> dict[str, Mapping[Any, Any]]:
    """Return the named gradients in attributes of an object, by the accessor of the container."""
    attributes = {name: _attributes(bound).get(name) for name in ("grads", "gradients")}
    named = ((name, named_children(value)) for name, value in attributes.items())
    return {f"self.{name}": children for name, children in named if children is not None}


def prefer_attribute_gradients(
    claims: Mapping[str, Any], bound: object, items: Sequence[Item], backward_name: str
) -> dict[str, Any]:
    """Replace returned gradients by stored ones, where only these have the right shape.

    The backward of a layer often returns the gradient of its input, and stores those of its
    parameters as attributes.

    Parameters
    ----------
    claims : mapping of str to Any
        Returned gradients, by the leaf's name.
    bound : object
        The object after backward has run.
    items : sequence of Item
        Its attributes that are checked.
    backward_name : str
        For the message.

    Returns
    -------
    dict of str to Any
        Gradients by the leaf's name.

    Raises
    ------
    GradcheckUsageError
        When both have the right shape and are not equal.
    """
    chosen = dict(claims)
    for item in items:
        try:
            stored = find_attribute_gradients(bound, item)
        except GradcheckUsageError:
            continue
        for leaf in item.leaves:
            returned, attribute = chosen[leaf.name], stored[leaf.name]
            shape = leaf.array.shape
            if np.shape(attribute) != shape:
                continue
            if np.shape(returned) != shape:
                chosen[leaf.name] = attribute
            elif not np.array_equal(returned, attribute):
                raise GradcheckUsageError(
                    f"{backward_name} returned one array of shape {shape} and left another "
                    f"beside {leaf.name}: either may be its gradient. If the one it returned is "
                    f"that of an argument, name that first, as in wrt=['x', {item.name!r}]; else "
                    "return the gradients in a dict."
                )
    return chosen
