"""The call of a check: as the user wrote it, and with its names resolved.

`Call` holds the arguments of `gradcheck`. `ResolvedCall.of` takes it through the first stages
of binding: the signature of forward names the arguments (`signature`), `wrt` selects what is
checked (`wrt`, `memory_overlap`), and the signature of backward says how to call it
(`backward_arguments`). It does not evaluate anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

from numpy.typing import NDArray

from pytest_gradcheck.binding.call.argument_types import (
    read_backward,
    read_backward_args,
    read_forward,
    read_has_cache,
    read_kwargs,
    read_wrt,
)
from pytest_gradcheck.binding.call.attributes import as_method, bound_object, called_object
from pytest_gradcheck.binding.call.automatic_differentiation import (
    AutomaticBackward,
    automatic_backward,
)
from pytest_gradcheck.binding.call.backward_arguments import BackwardPlan, plan_backward
from pytest_gradcheck.binding.call.memory_overlap import refuse_overlap
from pytest_gradcheck.binding.call.signature import BoundArguments, bind_arguments, name_of
from pytest_gradcheck.binding.call.upstream_gradients import output_names
from pytest_gradcheck.binding.call.wrt import IntegerLeaves, Item, refuse_masked, select_items
from pytest_gradcheck.binding.values.pytree import (
    Leaf,
    floating_leaves,
    leaves,
)

__all__ = ["Call", "CallCounts", "ResolvedCall", "ReturnConvention"]


@dataclass(frozen=True, slots=True)
class Call:
    """A call of `gradcheck` as the user wrote it.

    Attributes
    ----------
    forward : callable
        The function to differentiate.
    backward : callable, str or True
        The hand-written derivative; the name of a package that differentiates forward
        automatically; True where forward returns ``(value, gradients)``.
    args : tuple
        Positional arguments of forward.
    kwargs : mapping or None
        Keyword arguments of forward.
    wrt : str, int or sequence of them, or None
        What to check; None for every floating argument.
    backward_args : sequence of str or None
        The positional arguments of backward, by name.
    has_cache : bool or None
        Whether forward returns ``(output, cache)``; None to infer it from backward.
    """

    forward: Callable[..., Any]
    backward: Any
    args: tuple[Any, ...] = ()
    kwargs: Any = None
    wrt: Any = None
    backward_args: Any = None
    has_cache: Any = None

    def read(self) -> Call:
        """Return the call with arguments of Python's own types, which can be read again.

        Raises
        ------
        GradcheckUsageError
            When an argument is of a type that makes no sense.
        """
        return Call(
            read_forward(self.forward),
            read_backward(self.backward),
            self.args,
            read_kwargs(self.kwargs),
            read_wrt(self.wrt),
            read_backward_args(self.backward_args),
            read_has_cache(self.has_cache),
        )


class ReturnConvention(Enum):
    """What forward returns: its output alone, or a pair with something else."""

    OUTPUT = "output"
    CACHE = "(output, cache)"
    MAYBE_CACHE = "output or (output, cache)"
    OUTPUTS_AND_CACHE = "(output, ..., output, cache)"
    GRADIENTS = "(value, gradients)"


@dataclass(slots=True)
class CallCounts:
    """The number of calls of the user's functions so far."""

    forward: int = 0
    backward: int = 0


@dataclass(frozen=True, slots=True)
class ResolvedCall:
    """A call whose names are resolved.

    Attributes
    ----------
    forward : callable
        The user's function.
    backward : callable or None
        Likewise; None where forward returns the gradients itself.
    forward_name, backward_name : str
        Their names, for messages.
    owner : object or None
        The object that forward is bound to.
    arguments : BoundArguments
        The user's own arguments of forward.
    items : tuple of Item
        What is checked.
    plan : BackwardPlan or None
        How to call backward; None where forward returns the gradients itself.
    returns : ReturnConvention
        What forward is expected to return.
    integers : IntegerLeaves
        Integers that are left out of the check although the user did not exclude them.
    displaced : mapping of str to ndarray
        The checked leaves where the check is made at another point than the user's own.
    """

    forward: Callable[..., Any]
    backward: Callable[..., Any] | None
    forward_name: str
    backward_name: str
    owner: object | None
    arguments: BoundArguments
    items: tuple[Item, ...]
    plan: BackwardPlan | None
    returns: ReturnConvention
    integers: IntegerLeaves
    displaced: Mapping[str, NDArray[Any]] = field(default_factory=dict)

    @classmethod
    def of(cls, call: Call) -> ResolvedCall:
        """Resolve the names in `call`.

        Raises
        ------
        GradcheckUsageError
            When forward does not take these arguments, `wrt` names nothing that can be
            checked, or the arguments of backward cannot be matched.
        """
        call = call.read()
        forward, backward = call.forward, call.backward
        if any(str(wanted).startswith("self.") for wanted in call.wrt or ()):
            forward = as_method(forward)
        name = name_of(forward)
        arguments = bind_arguments(forward, call.args, call.kwargs)
        owner = bound_object(forward)
        bound = called_object(forward) if owner is None else owner
        items = select_items(call.wrt, arguments, bound=bound, forward_name=name)
        refuse_overlap(items, name)
        refuse_masked(items, name)
        integers = IntegerLeaves(items, {} if call.wrt is not None else arguments.passed())
        function = plan = None
        if isinstance(backward, str):
            function = automatic_backward(
                backward, forward, arguments, items, has_cache=bool(call.has_cache)
            )
            plan = BackwardPlan(
                function.name, tuple(arguments.names), optional_cotangent="cotangent"
            )
        elif backward is not True:
            function = backward
            plan = plan_backward(
                function,
                arguments,
                forward=forward,
                forward_name=name,
                backward_args=call.backward_args,
            )
        return cls(
            forward=forward,
            backward=function,
            forward_name=name,
            backward_name=name if plan is None else plan.name,
            owner=owner,
            arguments=arguments,
            items=items,
            plan=plan,
            returns=_return_convention(plan, call.has_cache),
            integers=integers,
        )

    def for_outputs(self, names: Sequence[str], *, is_number: bool) -> ResolvedCall:
        """Return the call, once it is known what forward returns.

        Parameters
        ----------
        names : sequence of str
            Names of the outputs in a container, empty where the container has none.
        is_number : bool
            Whether forward returns a number.

        Raises
        ------
        GradcheckUsageError
            When it is not clear how to call backward for such outputs.
        """
        if self.plan is None or not self.plan.depends_on_outputs:
            return self
        if names and not any(names):
            names = output_names(self.forward, len(names))
        return replace(self, plan=self.plan.for_outputs(names, is_number=is_number))

    @property
    def positional(self) -> tuple[str, ...]:
        """Names of forward's positional arguments."""
        return self.arguments.positional

    @property
    def after_context(self) -> tuple[str, ...]:
        """Names of those after a context: the first of forward and backward, without numbers."""
        positional = self.positional
        first = positional[0] if positional else None
        if first is None or self.plan is None or self.plan.first != first:
            return positional
        value = self.arguments.values[self.arguments.names.index(first)]
        return positional if any(leaves(first, value)) else positional[1:]

    @property
    def leaves(self) -> list[Leaf]:
        """The checked leaves, in order: the parameters."""
        return [leaf for item in self.items for leaf in item.leaves]

    @property
    def attributes(self) -> list[Item]:
        """The items that are attributes of the bound object."""
        return [item for item in self.items if item.is_attribute]

    def functions(self) -> list[Callable[..., Any]]:
        """Return the user's functions: forward, and backward where there is one of its own."""
        if self.backward is None or isinstance(self.backward, AutomaticBackward):
            return [self.forward]
        return [self.forward, self.backward]

    def named_arguments(self) -> Iterator[tuple[str, Any]]:
        """Yield name and value of every argument of forward."""
        return zip(self.arguments.names, self.arguments.values, strict=True)

    def available(self) -> tuple[Item, ...]:
        """Return what could be checked: every argument that holds a floating leaf."""
        found = []
        for name, value in self.named_arguments():
            floating = floating_leaves(name, value)
            if floating:
                found.append(Item(name, value, floating))
        return tuple(found)


def _return_convention(plan: BackwardPlan | None, has_cache: bool | None) -> ReturnConvention:
    """Infer what forward returns from what backward asks for."""
    if plan is None:
        return ReturnConvention.GRADIENTS
    if has_cache or "cache" in plan.needs:
        several = plan.asks_for_several
        return ReturnConvention.OUTPUTS_AND_CACHE if several else ReturnConvention.CACHE
    if plan.optional_cache is not None and has_cache is None:
        return ReturnConvention.MAYBE_CACHE
    return ReturnConvention.OUTPUT
