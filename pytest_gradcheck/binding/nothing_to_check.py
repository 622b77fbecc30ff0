"""Checks of nothing: of parameters without an entry, or of an output without one.

They are refused unless the user accepts them: a suite that is parametrized over sizes may have an
empty case, but a check that passes because there is nothing to check should be seen. An empty
parameter beside others is no check of nothing. It does not evaluate anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pytest_gradcheck.binding.backward.claims import ClaimView
from pytest_gradcheck.binding.call.wrt import as_floats
from pytest_gradcheck.binding.forward.outputs import Output, cache_hint
from pytest_gradcheck.binding.values.parameters import Block, Parameter
from pytest_gradcheck.binding.values.pytree import EmptyContainer, Leaf
from pytest_gradcheck.errors import GradcheckUsageError
from pytest_gradcheck.report.representation import listed

__all__ = ["is_nothing", "refuse_empty_output", "refuse_empty_parameters"]

#: What to write where an empty case is meant.
ACCEPT = "If a suite has empty cases on purpose, say empty='accept'."


def refuse_empty_parameters(
    leaves: Sequence[Leaf], integers: Iterable[Leaf], forward_name: str
) -> None:
    """Raise where no parameter has an entry.

    Parameters
    ----------
    leaves : sequence of Leaf
        The parameters.
    integers : iterable of Leaf
        What may be meant instead.
    forward_name : str
        For the message.

    Raises
    ------
    GradcheckUsageError
        With what to write.
    """
    if any(leaf.array.size for leaf in leaves):
        return
    named = listed(
        leaf.name
        if isinstance(leaf, EmptyContainer)
        else f"{leaf.name} of shape {leaf.array.shape}"
        for leaf in leaves
    )
    other = next(iter(integers), None)
    instead = "" if other is None else f"To check {other.name}, pass {as_floats(other)}. "
    raise GradcheckUsageError(
        f"nothing to check: {named} of {forward_name} {'is' if len(leaves) == 1 else 'are'} "
        f"empty. {instead}{ACCEPT}"
    )


def refuse_empty_output(output: Output, forward_name: str) -> None:
    """Raise where an output has no entry."""
    for block in output.blocks:
        if not block.size:
            place = "" if block.name == "output" else f" as {block.name}"
            hint = "" if output.has_auxiliary else cache_hint(output.raw)
            raise GradcheckUsageError(
                f"{forward_name} returned an empty array{place}: nothing to check.{hint} {ACCEPT}"
            )


def is_nothing(
    parameters: Sequence[Parameter], outputs: Sequence[Block], claim: ClaimView
) -> bool:
    """Return whether there is no derivative to measure.

    The gradient of an output without entries is zero; a claim of anything else is to be checked.
    """
    count = parameters[-1].stop
    return not count or (
        not any(block.size for block in outputs) and not claim.rows(0, count).any()
    )
