"""The difference between two claims of backward that ought to be the same.

It does not call backward, nor say what a difference means.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pytest_gradcheck.binding.backward.backward_function import BackwardResult
from pytest_gradcheck.binding.values.parameters import Block, Parameter, Vector

__all__ = ["Difference", "find_difference"]

#: Coordinates that are compared at a time, so that no long claim is copied.
SPAN = 2**16

#: Two claims are one twice the other within this relative error.
DOUBLE = 1e-4


@dataclass(frozen=True, slots=True)
class Difference:
    """The largest difference between two claims about a parameter.

    Attributes
    ----------
    entry : str
        Where it is.
    before, after : float
        What was claimed first, and then.
    is_double : bool
        Whether all of the second claim is twice the first.
    """

    entry: str
    before: float
    after: float
    is_double: bool

    def __str__(self) -> str:
        return f"{self.entry} as {self.before:.8g} and then as {self.after:.8g}"


def find_difference(
    first: BackwardResult, second: BackwardResult, parameters: Sequence[Parameter], share: float
) -> Difference | None:
    """Return the difference in the first parameter where it is no rounding.

    Parameters
    ----------
    first, second : BackwardResult
        Two claims of one kind.
    parameters : sequence of Parameter
        In the order of the point.
    share : float
        The largest difference that is one of rounding, relative to the largest claim.

    Returns
    -------
    Difference or None
        None where there is none in any parameter.
    """
    if _are_identical(first, second, parameters[-1].stop):
        return None
    for block in first.outputs if first.kind == "jvp" else parameters:
        before, after = _claims(first, block), _claims(second, block)
        spans = [slice(k, k + SPAN) for k in range(0, len(before), SPAN)]
        most = max((float(np.abs(before[s] - after[s]).max()) for s in spans), default=0.0)
        size = max((float(np.abs(before[s]).max()) for s in spans), default=0.0)
        if most <= share * size:
            continue
        change = np.abs(before - after)
        worst = np.unravel_index(int(change.argmax()), change.shape)
        is_double = np.allclose(after, 2 * before, rtol=DOUBLE, atol=0)
        entry = block.entry(int(worst[0]))
        return Difference(entry, float(before[worst]), float(after[worst]), is_double)
    return None


def _are_identical(first: BackwardResult, second: BackwardResult, size: int) -> bool:
    """Return whether all claims are the same to the last bit."""
    count = 1 if first.kind == "jvp" else size
    spans = [(k, min(k + SPAN, count)) for k in range(0, count, SPAN)]
    one, two = first.claim, second.claim
    return all(np.array_equal(one.stored(*span), two.stored(*span)) for span in spans)


def _claims(result: BackwardResult, block: Block) -> Vector:
    """Return the claims about a parameter by coordinate; of a JVP, those about an output."""
    if result.kind == "jvp":
        return result.claim.rows(0, 1).T[block.start : block.stop]
    return result.claim.stored(block.start, block.stop)
