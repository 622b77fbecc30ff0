"""A call with its names resolved: whose arguments, what is checked, how backward is called.

It must not evaluate anything.
"""

# MERGED The call of a check as the user wrote it, before anything is made of it.

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from pytest_gradcheck.binding.call.attributes import bound_object, copy_object, rebind
from pytest_gradcheck.binding.call.backward_arguments import BackwardPlan, plan_backward
from pytest_gradcheck.binding.call.memory_overlap import refuse_overlap
from pytest_gradcheck.binding.call.signature import BoundArguments, bind_arguments, name_of
from pytest_gradcheck.binding.call.wrt import Item, WholeNumbers, select_items
from pytest_gradcheck.binding.values.pytree import describe_value, floating_leaves, with_article
from pytest_gradcheck.errors import GradcheckUsageError

__all__ = ["Call", "CallCounts", "ResolvedCall", "ReturnConvention"]


@dataclass(frozen=True, slots=True)
class Call:
    """What was asked: two functions, their arguments, and how to match them.

    Attributes
    ----------
    forward : callable
        The function differentiated.
    backward : callable or True
        The hand-written derivative; True where forward returns both.
    args : tuple
        Positional arguments of forward.
    kwargs : mapping
        Keyword arguments of forward.
    wrt : str, int or sequence of them, or None
        What is checked; None for every floating argument.
    backward_args : sequence of str or None
        The positional call of backward, stated outright.
    has_cache : bool or None
        Whether forward returns ``(output, cache)``; None to tell from backward.
    """

    forward: Callable[..., Any]
    backward: Callable[..., Any] | bool
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    wrt: str | int | Sequence[str | int] | None = None
    backward_args: Sequence[str] | None = None
    has_cache: bool | None = None


class ReturnConvention(Enum):
    """What forward returns beside its output."""

    NOTHING = "output"
    CACHE = "(output, cache)"
    MAYBE_CACHE = "output or (output, cache)"
    GRADIENTS = "(value, gradients)"


@dataclass(slots=True)
class CallCounts:
    """How often the user's functions were called."""

    forward: int = 0
    backward: int = 0


@dataclass(frozen=True, slots=True)
class ResolvedCall:
    """A call with names resolved and, where its attributes are checked, its object copied.

    Attributes
    ----------
    forward : callable
        The user's function, or the same method of a copy of its object.
    backward : callable or None
        Likewise; None where forward returns the gradients itself.
    forward_name, backward_name : str
        Their names, for people.
    owner : object or None
        What forward is bound to.
    arguments : BoundArguments
        Forward's arguments, the user's own.
    items : tuple of Item
        What is checked.
    plan : BackwardPlan or None
        How backward is called.
    whole : WholeNumbers
        Whole numbers that are not checked, though nobody said so.
    """

    forward: Callable[..., Any]
    backward: Callable[..., Any] | None
    forward_name: str
    backward_name: str
    owner: object | None
    arguments: BoundArguments
    items: tuple[Item, ...]
    plan: BackwardPlan | None
    whole: WholeNumbers

    @classmethod
    def of(cls, call: Call) -> ResolvedCall:
        """Resolve names, copy the bound object where its attributes are checked."""
        forward, backward = call.forward, call.backward
        if not callable(forward):
            raise GradcheckUsageError(
                f"forward is {with_article(describe_value(forward))}, not a function: the call is "
                "gradcheck(forward, backward, *arguments)."
            )
        if backward is not True and not callable(backward):
            raise GradcheckUsageError(
                f"backward is {with_article(describe_value(backward))}, not a function: the call "
                "is gradcheck(forward, backward, *arguments), with backward=True where forward "
                "returns (value, gradients)."
            )
        name = name_of(forward)
        arguments = bind_arguments(forward, call.args, call.kwargs)
        owner = bound_object(forward)
        items = select_items(call.wrt, arguments, bound=owner, forward_name=name)
        refuse_overlap(items, name)
        whole = WholeNumbers(items, {} if call.wrt is not None else arguments.passed())
        if owner is not None and any(item.is_attribute for item in items):
            copied = copy_object(owner, "wrt names attributes")
            forward = rebind(forward, owner, copied)
            backward = backward if backward is True else rebind(backward, owner, copied)
            items = select_items(call.wrt, arguments, bound=copied, forward_name=name)
            owner = copied
        if backward is True:
            return cls(forward, None, name, name, owner, arguments, items, None, whole)
        plan = plan_backward(
            backward, arguments, forward_name=name, backward_args=call.backward_args
        )
        back = name_of(backward)
        return cls(forward, backward, name, back, owner, arguments, items, plan, whole)

    def beside(self, has_cache: bool | None) -> ReturnConvention:
        """Tell what forward is expected to return beside its output."""
        if self.plan is None:
            return ReturnConvention.GRADIENTS
        if has_cache or "cache" in self.plan.needs:
            return ReturnConvention.CACHE
        if self.plan.optional_cache is not None and has_cache is None:
            return ReturnConvention.MAYBE_CACHE
        return ReturnConvention.NOTHING

    def available(self) -> tuple[Item, ...]:
        """Return what could have been checked: every argument and leaf that floats."""
        found = []
        for name, value in zip(self.arguments.names, self.arguments.values, strict=True):
            floating = floating_leaves(name, value)
            if floating:
                found.append(Item(name, value, floating))
        return tuple(found)
