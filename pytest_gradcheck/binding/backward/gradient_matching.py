"""Matching: which part of what backward returned is the gradient of which parameter.

By structure, as `jax.grad` returns the structure of its arguments, or by the keys of a dict under
one of the naming conventions, as ``{"dW": ...}``. The fields of named tuples, dataclasses and
namespaces are names like the keys of a dict; only sequences are matched by position. It does not
know shapes or numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np

from pytest_gradcheck.binding.call.wrt import Item
from pytest_gradcheck.binding.values.pytree import (
    LeafNames,
    accessors,
    contents,
    counted,
    describe_value,
    named_children,
)
from pytest_gradcheck.errors import GradcheckUsageError
from pytest_gradcheck.report.accessors import short_name
from pytest_gradcheck.report.representation import key_text, listed, shown
from pytest_gradcheck.report.spelling import closest

__all__ = [
    "KEY_CONVENTIONS",
    "Matched",
    "match_gradients",
    "parameter_names",
    "refuse_value_and_gradient",
    "two_derivatives_hint",
]

Claims = dict[str, Any]

#: How the key of a gradient is made from the name of its parameter; all keys follow one of these.
KEY_CONVENTIONS: dict[str, Callable[[Any], Any]] = {
    "the parameter's name": lambda key: key,
    "'d' + name": lambda key: f"d{_text(key)}",
    "'grad_' + name": lambda key: f"grad_{_text(key)}",
    "name + '_grad'": lambda key: f"{_text(key)}_grad",
}


def _text(key: Any) -> str:
    """Return a key as text, by no method of its own."""
    return str.__str__(key) if isinstance(key, str) else shown(key)


#: The prefix and suffix of each convention.
AFFIXES = [str(convention("\0")).split("\0") for convention in KEY_CONVENTIONS.values()]


def parameter_names(key: Any) -> Iterator[str]:
    """Yield the names of the parameters that a key may mean, under any convention.

    Examples
    --------
    >>> list(parameter_names("dW_grad"))
    ['dW_grad', 'W_grad', 'dW']
    """
    text = key_text(key)
    for before, after in AFFIXES:
        if text.startswith(before) and text.endswith(after):
            yield text[len(before) : len(text) - len(after)]


def refuse_value_and_gradient(
    name: str, positional: Sequence[str], wrt: Sequence[str]
) -> NoReturn:
    """Raise for a function that returns the value before its gradient, with its own call."""
    function = "backward" if name == "lambda" else name
    raise GradcheckUsageError(
        f"{name} returned two results, and the first is what forward returns, no gradient. A "
        "function that returns its value and the gradient is checked by "
        f"gradcheck({function}, True, {', '.join(positional)}, {_wrt(wrt)})."
    )


def two_derivatives_hint(
    call: str,
    positional: Sequence[str],
    forward_name: str,
    wrt: str | None = None,
    *,
    of_objective: str | None = None,
) -> str:
    """Return how to check a first and a second derivative that backward returns together.

    Other floating arguments than `wrt`, if that is given, are not checked. Where backward may be
    an objective, `of_objective` is the name of the predictions.

    Examples
    --------
    >>> for call in two_derivatives_hint("both(x)", ["x"], "f").partition(": ")[2].split(" and "):
    ...     print(call)
    gradcheck(f, lambda x: both(x)[0], x)
    gradcheck(lambda x: both(x)[0], lambda x: both(x)[1], x).
    """
    names = ", ".join(positional)
    forward = "forward" if forward_name == "lambda" else forward_name
    if call.startswith("lambda("):
        call = "backward" + call.removeprefix("lambda")
    first, second = (f"lambda {names}: {call}[{k}]" for k in (0, 1))
    given = names if wrt is None else f"{names}, wrt={wrt!r}"
    what = " A first and a second derivative are checked by a call each: "
    if of_objective is not None:
        place = positional.index(of_objective)
        place_given = f", predictions={place}" if place else ""
        objective = f"check_objective({forward}, {call.partition('(')[0]}, {names}{place_given})"
        what = (
            f" An objective of a boosting library is checked by {objective}, any other first and "
            "second derivative by a call each: "
        )
    return (
        f"{what}gradcheck({forward}, {first}, {given}) and gradcheck({first}, {second}, {given})."
    )


@dataclass(frozen=True, slots=True)
class Matched:
    """What backward returned, matched to what is checked.

    Attributes
    ----------
    claims : dict of str to Any
        The gradient of each leaf, by the leaf's name, as it was returned.
    others : mapping of str to Any
        What was returned for arguments that are not checked: in their places in a tuple, by
        their names; or under a key that no parameter has, by every name that it may mean.
    """

    claims: Claims
    others: Mapping[str, Any]


def match_gradients(
    returned: Any,
    items: Sequence[Item],
    *,
    positional: Sequence[str],
    available: Callable[[], Sequence[Item]],
    backward_name: str,
    two_derivatives: Callable[[], str] = str,
) -> Matched:
    """Find the gradient of every checked parameter in what backward returned.

    Parameters
    ----------
    returned : Any
        One gradient; a tuple of them, in the order of `items` or for each positional argument
        of forward; or a dict whose keys follow one convention.
    items : sequence of Item
        What is checked.
    positional : sequence of str
        Names of forward's positional arguments.
    available : callable
        Returns what could be checked, for the advice in an error.
    backward_name : str
        For messages.
    two_derivatives : callable
        Returns a hint for the case that these are a first and a second derivative.

    Returns
    -------
    Matched
        The gradients, and what was returned besides.

    Raises
    ------
    GradcheckUsageError
        When a checked parameter has no gradient, or possibly two.
    """
    matching = _Matching(items, positional, available, backward_name, two_derivatives)
    claims = matching.item(items[0], returned) if len(items) == 1 else matching.several(returned)
    return Matched(claims, matching.others)


class _Matching:
    """One matching, with what all its steps need for their messages."""

    def __init__(
        self,
        items: Sequence[Item],
        positional: Sequence[str],
        available: Callable[[], Sequence[Item]],
        backward_name: str,
        two_derivatives: Callable[[], str],
    ) -> None:
        self._two_derivatives = two_derivatives
        self._items = items
        self._positional = positional
        self._available = available
        self._backward = backward_name
        self._leaves = LeafNames(leaf.name for item in items for leaf in item.leaves)
        self.others = dict[str, Any]()

    def several(self, returned: Any) -> Claims:
        """Match the gradients of several items."""
        named = named_children(returned)
        if named is not None:
            return self._by_name(returned, named)
        count = len(self._items)
        if isinstance(returned, (tuple, list)):
            if len(returned) == count:
                pairs = list(zip(self._items, returned, strict=True))
            elif len(returned) == len(self._positional):
                by_name = self._one_for_each_argument(returned)
                pairs = [(item, by_name.get(item.name)) for item in self._items]
            else:
                raise self._wrong_count(len(returned))
            missing = [item.name for item, gradient in pairs if gradient is None]
            if missing:
                raise self._missing(missing, [i.name for i, g in pairs if g is not None])
            return {k: v for item, gradient in pairs for k, v in self.item(item, gradient).items()}
        if returned is None:
            raise self._none_returned()
        raise GradcheckUsageError(
            f"{self._backward} returned {describe_value(returned)} for {count} checked arguments "
            f"({self._names()}): return a tuple of {count} gradients in that order, or a dict, or "
            f"check one of them, for example wrt={self._items[0].name!r}."
        )

    def item(self, item: Item, returned: Any) -> Claims:
        """Match the gradient of one item."""
        if returned is None and len(self._items) == 1:
            raise self._none_returned()
        if returned is None:
            raise self._missing([item.name], [])
        if len(self._items) == 1:
            returned = self._take_from_tuple(item, returned)
            named = _names_to_match(item.value, returned)
            if named and (item.name in self._leaves or not self._fits(item, named)):
                return self._by_name(returned, named)
        claims: Claims = {}
        self._match_structure(item.name, item.value, returned, claims)
        return claims

    def _take_from_tuple(self, item: Item, returned: Any) -> Any:
        """Return the gradient of `item` in a tuple for all arguments, or of one element."""
        if not isinstance(returned, tuple) or hasattr(returned, "_fields"):
            return returned
        inside = contents(item.value)
        if (
            inside is not None
            and len(inside) == len(returned)
            and not isinstance(item.value, dict)
        ):
            return returned
        if len(returned) == 1:
            return returned[0]
        if item.name in self._positional and len(returned) == len(self._positional):
            mine = self._one_for_each_argument(returned)[item.name]
            if mine is None:
                raise self._missing([item.name], [])
            return mine
        raise self._wrong_count(len(returned))

    def _one_for_each_argument(self, returned: Sequence[Any]) -> dict[str, Any]:
        """Return what was returned for each argument, and keep what is for unchecked ones."""
        by_name = dict(zip(self._positional, returned, strict=True))
        checked = {item.name for item in self._items}
        self.others = {
            name: part
            for name, part in by_name.items()
            if name not in checked and part is not None
        }
        return by_name

    def _by_name(self, returned: Any, gradients: Mapping[Any, Any]) -> Claims:
        """Match the named parts of what was returned, one for every item, or every leaf in it."""
        # Short names of parameters are shortened, too, where they are long or not printable.
        gradients = {
            key_text(key) if isinstance(key, str) else key: part for key, part in gradients.items()
        }
        found = {}
        for name, convention in KEY_CONVENTIONS.items():
            used = dict[Any, str]()
            claims = self._match_convention(convention, gradients, used)
            if claims is not None:
                found[name] = claims, used
        if len(found) == 1:
            ((claims, used),) = found.values()
            self.others = {
                name: part
                for key, part in gradients.items()
                if key not in used and part is not None
                for name in parameter_names(key)
            }
            return claims
        if found:
            raise self._ambiguous(list(found), returned)
        missing = [name for name in self._leaf_names() if not self._has(name, gradients)]
        if not missing:
            raise GradcheckUsageError(
                f"{self._backward} returned {counted(returned)}, which follow no one convention. "
                f"Name all gradients alike: {', or '.join(KEY_CONVENTIONS)}."
            )
        available = [
            item.name
            for item in self._available()
            if all(self._has(leaf.name, gradients) for leaf in item.leaves)
        ]
        raise self._missing(missing, available, returned)

    def _match_convention(
        self,
        convention: Callable[[Any], Any],
        gradients: Mapping[Any, Any],
        used: dict[Any, str],
    ) -> Claims | None:
        claims: Claims = {}
        for item in self._items:
            key = _key_of(item.name, convention, gradients)
            if key is not None:
                self._use(key, item.name, used)
                self._match_structure(item.name, item.value, gradients[key], claims)
                continue
            for leaf in item.leaves:
                key = _key_of(leaf.name, convention, gradients)
                if key is None:
                    return None
                self._use(key, leaf.name, used)
                claims[leaf.name] = gradients[key]
        return claims

    def _use(self, key: Any, name: str, used: dict[Any, str]) -> None:
        """Take the gradient under a key for a parameter, or raise where another has taken it."""
        if key in used:
            raise GradcheckUsageError(
                f"{self._backward} returned a gradient called {key}, which may be that of "
                f"{used[key]} or of {name}: return the structure of the arguments."
            )
        used[key] = name

    def _match_structure(self, name: str, value: Any, gradient: Any, claims: Claims) -> None:
        """Match an argument and its gradient of the same structure, down to the leaves."""
        pending = [(name, value, gradient)]
        while pending:
            name, value, gradient = pending.pop()
            if name in self._leaves:
                claims[name] = gradient
                continue
            inside = contents(value) or []
            names = [name + accessor for accessor in accessors(value)] if inside else []
            wanted = [k for k, inner in enumerate(names) if self._leaves.any_within(inner)]
            parts = self._parts_of(name, value, gradient, names, wanted)
            pairs = zip(wanted, parts, strict=True)
            pending += reversed([(names[k], inside[k], part) for k, part in pairs])

    def _parts_of(
        self,
        name: str,
        value: Any,
        gradient: Any,
        names: Sequence[str],
        wanted: Sequence[int],
    ) -> list[Any]:
        """Return the gradients of the wanted ones of the children of a container."""
        named = _names_to_match(value, gradient)
        if named is not None:
            keys = dict(zip(_keys(value), names, strict=True))
            keys = {key: keys[key] for key in [list(keys)[k] for k in wanted]}
            found = [
                name
                for name, convention in KEY_CONVENTIONS.items()
                if all(named.get(convention(key)) is not None for key in keys)
            ]
            if len(found) > 1:
                raise self._ambiguous(found, gradient)
            if found:
                return [named[KEY_CONVENTIONS[found[0]](key)] for key in keys]
            missing = [
                inner
                for key, inner in keys.items()
                if all(named.get(c(key)) is None for c in KEY_CONVENTIONS.values())
            ]
            raise self._missing(missing or [name], [], gradient)
        parts = list(gradient) if isinstance(gradient, (list, tuple)) else contents(gradient)
        if isinstance(value, np.ndarray) and isinstance(gradient, np.ndarray):
            parts = parts if gradient.shape == value.shape else None
        if parts is not None and len(parts) == len(names):
            return [parts[k] for k in wanted]
        raise GradcheckUsageError(
            f"{self._backward} returned {counted(gradient)} as the gradient of {name}, "
            f"which is {counted(value)}: return the same structure."
        )

    def _fits(self, item: Item, gradients: Mapping[Any, Any]) -> bool:
        """Return whether named gradients may have the structure of a container."""
        pairs = zip(_keys(item.value), accessors(item.value), strict=True)
        keys = [key for key, inner in pairs if self._leaves.any_within(item.name + inner)]
        return any(all(c(key) in gradients for key in keys) for c in KEY_CONVENTIONS.values())

    @staticmethod
    def _has(name: str, gradients: Mapping[Any, Any]) -> bool:
        return any(_key_of(name, c, gradients) is not None for c in KEY_CONVENTIONS.values())

    def _leaf_names(self) -> list[str]:
        return [leaf.name for item in self._items for leaf in item.leaves]

    def _names(self) -> str:
        return listed(item.name for item in self._items)

    def _wrong_count(self, count: int) -> GradcheckUsageError:
        names = [item.name for item in self._available()][:count]
        fewer = f", or name those it does: {_wrt(names)}" if 0 < len(names) == count else ""
        hint = self._two_derivatives() if count == 2 and len(self._items) == 1 else ""
        return GradcheckUsageError(
            f"{self._backward} returned {count} gradients, but {len(self._items)} "
            f"{'is' if len(self._items) == 1 else 'are'} checked: {self._names()}. Return one for "
            f"each, in that order{fewer}.{hint}"
        )

    def _ambiguous(self, found: Sequence[str], returned: Any) -> GradcheckUsageError:
        return GradcheckUsageError(
            f"{self._backward} returned {counted(returned)}, which name the gradients in more "
            f"than one way ({' and '.join(found)}). Return each once."
        )

    def _none_returned(self) -> GradcheckUsageError:
        return GradcheckUsageError(
            f"{self._backward} returned None, so there is no gradient for {self._names()}: is its "
            "return statement missing?"
        )

    def _missing(
        self, missing: Iterable[str], available: Sequence[str], returned: Any = None
    ) -> GradcheckUsageError:
        missing = list(missing)
        said = "" if returned is None else f"; it returned {counted(returned)}"
        sentences = [f"{self._backward} gives no gradient for {listed(missing)}{said}."]
        if named_children(returned) is not None:
            questions = list(_questions(missing, returned))
            sentences += questions
            if isinstance(returned, tuple):
                sentences.append("Only a plain tuple goes by position.")
            if not (questions or available):
                short = short_name(missing[0])
                keys = [convention(short) for convention in KEY_CONVENTIONS.values()]
                sentences.append(f"That of {missing[0]} may be called {', '.join(keys)}.")
        sentences.append(
            f"Check what it does return with {_wrt(available)}."
            if available
            else "Return it, or leave the parameter out of wrt=."
        )
        return GradcheckUsageError(" ".join(sentences))


def _key_of(
    name: str, convention: Callable[[Any], Any], gradients: Mapping[Any, Any]
) -> str | None:
    """Return the key of the gradient of a parameter, by its short name or in full, else None."""
    for key in (convention(short_name(name)), convention(name)):
        if gradients.get(key) is not None:
            return str(key)
    return None


def _questions(missing: Iterable[str], returned: Any) -> Iterator[str]:
    """Ask of every missing gradient that has a name like one that was returned."""
    names = [name for name in named_children(returned) or () if isinstance(name, str)]
    for parameter in missing:
        for convention in reversed(KEY_CONVENTIONS.values()):
            key = str(convention(short_name(parameter)))
            close = closest(key, names, cutoff=0.8)
            if close:
                yield f"Did you mean {key!r} by {close!r}?"
                break


def _names_to_match(value: Any, gradient: Any) -> Mapping[Any, Any] | None:
    """Return the parts of the gradient of `value` by name; None where they go by position.

    A named tuple is a tuple too: to a sequence, whose items have no names, it goes by position.
    """
    if isinstance(gradient, tuple) and contents(value) is not None:
        return None if named_children(value) is None else named_children(gradient)
    return named_children(gradient)


def _keys(container: Any) -> Iterable[Any]:
    """Return the keys of the children of a container; of a sequence their positions."""
    named = named_children(container)
    return range(len(contents(container) or ())) if named is None else named


def _wrt(names: Sequence[str]) -> str:
    return f"wrt={names[0]!r}" if len(names) == 1 else f"wrt={list(names)!r}"
