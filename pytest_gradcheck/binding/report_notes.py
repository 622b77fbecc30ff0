"""Notes about how a check was made: what was drawn, replayed, restored, cast or shared.

Each is a sentence for the report, about something that was done besides calling the functions
as they are. It does not call or compare anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import permutations

import numpy as np

from pytest_gradcheck.binding.backward.base_claim import BaseClaim
from pytest_gradcheck.binding.backward.repeatability import Repetition
from pytest_gradcheck.binding.call.backward_arguments import BackwardPlan
from pytest_gradcheck.binding.call.memory_overlap import shared_memory
from pytest_gradcheck.binding.call.resolved_call import ResolvedCall
from pytest_gradcheck.binding.call.signature import BoundArguments
from pytest_gradcheck.binding.forward.base_evaluation import BaseEvaluation
from pytest_gradcheck.binding.forward.outputs import Layout
from pytest_gradcheck.binding.forward.working_copy import WorkingCopy
from pytest_gradcheck.binding.values.complex_pairs import IMAGINARY
from pytest_gradcheck.binding.values.parameters import Block
from pytest_gradcheck.binding.values.pytree import LeafNames, describe_value, leaves, stored
from pytest_gradcheck.integrations.torch_tensors import computed_from, is_tensor_type
from pytest_gradcheck.report.report_data import Kind, Note
from pytest_gradcheck.report.representation import listed

__all__ = ["binding_notes", "convention_note", "nondifferentiable_notes", "not_checked"]

#: Of so many tensors it is noted which of them were computed from others.
MOST_TENSORS = 16


def binding_notes(
    resolved: ResolvedCall,
    base: BaseEvaluation,
    claimed: BaseClaim,
    repetition: Repetition,
    *,
    seed: int,
) -> Iterator[Note]:
    """Yield a note for everything that was done besides calling the functions as they are.

    Parameters
    ----------
    resolved : ResolvedCall
        The call.
    base, claimed, repetition : BaseEvaluation, BaseClaim, Repetition
        Forward and backward at the base point.
    seed : int
        The seed of the check.

    Yields
    ------
    Note
        None of them counts entries.
    """
    if resolved.plan is not None and resolved.plan.note is not None:
        yield resolved.plan.note
    if claimed.given.cotangent is not None:
        text = f"a random signed cotangent was drawn from seed {seed}"
        yield Note("cotangent", 0, text + _left_out(resolved.plan, base.output.layout))
    if claimed.given.tangent is not None:
        yield Note("tangent", 0, f"a random signed tangent was drawn from seed {seed}")
    if repetition.replayed:
        names = ", ".join(repetition.replayed)
        yield Note("replayed", 0, f"replayed before each evaluation: {names}")
    if repetition.draws.generators:
        names = ", ".join(repetition.draws.generators)
        text = (
            f"drawn from by {resolved.backward_name} itself, replayed before it as well: {names}"
        )
        yield Note("replayed", 0, text)
    for function, restored in (("forward", base.restored), ("backward", claimed.restored)):
        if restored:
            text = f"changed by {function}, restored each time: {', '.join(restored)}"
            yield Note("restored", 0, text)
    if claimed.result.changed:
        changed = ", ".join(claimed.result.changed)
        text = f"{resolved.backward_name} changes {changed} in place; each call was given a copy"
        yield Note("restored", 0, text)
    if claimed.result.unread:
        unread = ", ".join(claimed.result.unread)
        yield Note(
            "unread", 0, f"{resolved.backward_name} also returned {unread}; it was not looked at"
        )
    yield from _parameter_notes(resolved, base.working_copy, claimed.result.aliased)


def _left_out(plan: BackwardPlan | None, layout: Layout) -> str:
    """Return which outputs backward takes no upstream gradient of."""
    if plan is None or not plan.takes_parts:
        return ""
    left_out = [
        f"output {place}"
        for place, names in enumerate(layout.places)
        if place not in plan.parts and not set(names) <= set(layout.discrete)
    ]
    return f"; backward takes none of {listed(left_out)}, which is not checked" if left_out else ""


def _parameter_notes(
    resolved: ResolvedCall, working_copy: WorkingCopy, aliased: Sequence[str]
) -> Iterator[Note]:
    if aliased:
        itself = "itself as its gradient" if len(aliased) == 1 else "as their own gradients"
        yield Note(
            "aliased", 0, f"{resolved.backward_name} returned {', '.join(aliased)} {itself}"
        )
    for first, second in shared_memory(resolved.items):
        text = f"{first} and {second} share memory; each is perturbed alone, in a copy"
        yield Note("shared", 0, text)
    tensors = [leaf for leaf in resolved.leaves if is_tensor_type(type(leaf.value))]
    for tensor, other in permutations(tensors[:MOST_TENSORS], 2):
        if computed_from(tensor.value, other.value):
            text = f"{tensor.name} was computed from {other.name}; each is perturbed alone"
            yield Note("shared", 0, text)
    values = dict(resolved.named_arguments())
    cast = [item.name for item in resolved.items if isinstance(values.get(item.name), int)]
    if cast:
        yield Note("cast", 0, f"a Python int, checked as a float: {', '.join(cast)}")
    lifted = [p.name for p in working_copy.parameters if working_copy.is_lifted(p)]
    if lifted:
        yield Note("cast", 0, f"measured in float64, forward follows: {', '.join(lifted)}")


def nondifferentiable_notes(layout: Layout, detached: Sequence[str]) -> Iterator[Note]:
    """Yield a note for outputs without a derivative beside others."""
    if layout.discrete:
        text = f"left out, since integers have no derivative: {listed(layout.discrete)}"
        yield Note("nondifferentiable", 0, text)
    if detached:
        text = f"left out, since it requires no gradient in torch: {listed(detached)}"
        yield Note("nondifferentiable", 0, text)


def convention_note(
    kind: Kind, parameters: Sequence[Block], outputs: Sequence[Block], convention: str
) -> Iterator[Note]:
    """Yield a note on the convention of complex gradients, where the other one differs."""
    by_complex = any(block.is_complex for block in parameters)
    of_complex = [block.is_complex for block in outputs]
    if kind == "jvp" or not (
        (kind == "vjp" and any(of_complex)) or (by_complex and not all(of_complex))
    ):
        return
    sign = "+" if IMAGINARY[convention] > 0 else "-"
    text = f"complex gradients are dL/dRe {sign} i dL/dIm (convention={convention!r})"
    yield Note("convention", 0, text)


def not_checked(arguments: BoundArguments, checked: LeafNames) -> tuple[str, ...]:
    """Return the arguments that are neither checked, data nor plain options, with their types."""
    listed = []
    for name, value in zip(arguments.names, arguments.values, strict=True):
        plain = value is None or isinstance(value, (str, bytes, bool, int, float, complex))
        if plain or checked.any_within(name) or stored(value) is not None:
            continue
        is_data = not isinstance(value, Mapping) and any(leaves(name, value))
        if not is_data and not isinstance(value, (np.ndarray, np.generic)):
            listed.append(f"{name} ({describe_value(value)})")
    return tuple(listed)
