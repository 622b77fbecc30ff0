"""Side effects of the user's functions that make a derivative meaningless.

A function must not change its arguments, and must return the same for the same arguments. It
does not call the functions; it compares what calls returned and left behind.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

import numpy as np

from pytest_gradcheck.binding.forward.outputs import Output
from pytest_gradcheck.binding.forward.working_copy import WorkingCopy
from pytest_gradcheck.binding.random_state.generators import SEARCHED
from pytest_gradcheck.binding.values.parameters import Block
from pytest_gradcheck.errors import GradcheckUsageError

__all__ = ["REPEATABLE", "refuse_changed_arguments", "refuse_unrepeatable"]

#: Two evaluations at one point may differ by this, relative to the largest output, as noise.
REPEATABLE = 1e-4


def refuse_changed_arguments(working_copy: WorkingCopy, function_name: str) -> None:
    """Raise where a call changed a checked parameter in place; the point is restored first."""
    change = working_copy.find_change()
    if change is None:
        return
    subscript = f"[{', '.join(map(str, change.index))}]" if change.index else ""
    name = change.parameter
    raise GradcheckUsageError(
        f"{function_name} changes its argument {name} in place: {name}{subscript} was "
        f"{change.before} and became {change.after}. Work on a copy, for example "
        f"{name.split('[')[0].split('.')[-1]} = {name}.copy(), so that the derivative is that of "
        "the value passed in."
    )


def refuse_unrepeatable(
    first: Output, second: Output, forward_name: str, replayed: Sequence[str]
) -> None:
    """Raise where two calls at one point differ in structure, or by more than noise."""
    for before, after in zip_longest(first.blocks, second.blocks):
        was, became = _described(before), _described(after)
        if was != became:
            raise GradcheckUsageError(
                f"{forward_name} returned {was} and then {became} at the same point: names, "
                "shapes and dtypes of its outputs must not depend on what was called before."
            )
    size = float(np.abs(first.value).max(initial=0.0))
    difference = np.abs(first.value - second.value)
    if float(difference.max(initial=0.0)) <= REPEATABLE * size:
        return
    worst = int(np.argmax(difference))
    tried = f" {', '.join(replayed)} was put back each time." if replayed else ""
    raise GradcheckUsageError(
        f"{forward_name} is not repeatable: at the same point it gave {first.value[worst]:.8g} "
        f"and then {second.value[worst]:.8g}, so no derivative of it can be measured.{tried} Its "
        f"randomness was looked for in {SEARCHED}. If it draws from another generator, say "
        "replay=generator; if it keeps state between calls, reset that in forward."
    )


def _described(block: Block | None) -> str:
    """Return an output in words."""
    if block is None:
        return "no more outputs"
    place = "" if block.name == "output" else f" as {block.name}"
    return f"{block.dtype} of shape {block.shape}{place}"
