"""What is to be known of how a check was made: called, replayed, restored, cast, tied.

It must not call or compare anything; it words what was seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from pytest_gradcheck.binding.backward.backward_function import BackwardInput, BackwardResult
from pytest_gradcheck.binding.call.memory_overlap import shared_memory
from pytest_gradcheck.binding.call.resolved_call import ResolvedCall
from pytest_gradcheck.binding.call.signature import BoundArguments
from pytest_gradcheck.binding.forward.working_copy import WorkingCopy
from pytest_gradcheck.binding.values.complex_pairs import IMAGINARY
from pytest_gradcheck.binding.values.parameters import Block
from pytest_gradcheck.binding.values.pytree import contents, describe_value, leaves
from pytest_gradcheck.report.report_data import Kind, Note

__all__ = ["Seen", "convention_note", "not_checked", "notes_on"]


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen while the user's functions were called at the point.

    Attributes
    ----------
    moving : sequence of str
        Random generators that moved, and are replayed.
    by_forward, by_backward : sequence of str
        Unchecked arguments that each of them changed, and that are restored.
    """

    moving: Sequence[str]
    by_forward: Sequence[str]
    by_backward: Sequence[str]


def notes_on(
    binding: ResolvedCall,
    workspace: WorkingCopy,
    request: BackwardInput,
    asked: BackwardResult,
    *,
    seen: Seen,
    seed: int,
) -> Iterator[Note]:
    """Yield a note for everything that was done beside calling the functions as they are.

    Parameters
    ----------
    binding : ResolvedCall
        The call.
    workspace : WorkingCopy
        What forward was called with.
    request, asked : BackwardInput, Asked
        What backward was handed, and what it claims.
    seen : Seen
        What else happened.
    seed : int
        Of the check.

    Yields
    ------
    Note
        None of them counts entries.
    """
    if binding.plan is not None and binding.plan.note is not None:
        yield binding.plan.note
    if request.cotangent is not None:
        yield Note("cotangent", 0, f"a random signed cotangent was drawn from seed {seed}")
    if request.tangent is not None:
        yield Note("tangent", 0, f"a random signed tangent was drawn from seed {seed}")
    yield from _seen(seen)
    yield from _parameters(binding, workspace, asked)


def _seen(seen: Seen) -> Iterator[Note]:
    if seen.moving:
        yield Note("replayed", 0, f"replayed before each evaluation: {', '.join(seen.moving)}")
    for function, changed in (("forward", seen.by_forward), ("backward", seen.by_backward)):
        if changed:
            text = f"changed by {function}, restored each time: {', '.join(changed)}"
            yield Note("restored", 0, text)


def _parameters(
    binding: ResolvedCall, workspace: WorkingCopy, asked: BackwardResult
) -> Iterator[Note]:
    if asked.aliased:
        itself = "itself as its gradient" if len(asked.aliased) == 1 else "as their own gradients"
        text = f"{binding.backward_name} returned {', '.join(asked.aliased)} {itself}"
        yield Note("aliased", 0, text)
    for first, second in shared_memory(binding.items):
        text = f"{first} and {second} share memory; each is perturbed alone, in a copy"
        yield Note("shared", 0, text)
    values = dict(zip(binding.arguments.names, binding.arguments.values, strict=True))
    cast = [item.name for item in binding.items if isinstance(values.get(item.name), int)]
    if cast:
        yield Note("cast", 0, f"a Python int, checked as a float: {', '.join(cast)}")
    lifted = [p.name for p in workspace.parameters if workspace.is_lifted(p)]
    if lifted:
        yield Note("cast", 0, f"measured in float64, forward follows: {', '.join(lifted)}")


def convention_note(
    kind: Kind, parameters: Sequence[Block], outputs: Sequence[Block], convention: str
) -> Iterator[Note]:
    """Say which convention gradients were read by, where the other means something else."""
    by_complex = any(block.is_complex for block in parameters)
    of_complex = [block.is_complex for block in outputs]
    if kind == "jvp" or not (
        (kind == "vjp" and any(of_complex)) or (by_complex and not all(of_complex))
    ):
        return
    sign = "+" if IMAGINARY[convention] > 0 else "-"
    text = f"complex gradients are dL/dRe {sign} i dL/dIm (convention={convention!r})"
    yield Note("convention", 0, text)


def not_checked(arguments: BoundArguments) -> tuple[str, ...]:
    """Name the arguments that are neither data nor plain options of forward."""
    listed = []
    for name, value in zip(arguments.names, arguments.values, strict=True):
        plain = value is None or isinstance(value, (str, bytes, bool, int, float, complex))
        if plain or contents(value) is not None or any(leaves(name, value)):
            continue
        if not isinstance(value, (np.ndarray, np.generic)):
            listed.append(f"{name} ({describe_value(value)})")
    return tuple(listed)
