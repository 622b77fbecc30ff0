"""Hypotheses that the claims are right, but at other places.

They are transposed, in another memory order, reversed or rolled along an axis, or those of
another parameter or output.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import combinations
from math import prod

import numpy as np

from pytest_gradcheck.diagnosis.gradient import CheckedCall, ClaimedGradient
from pytest_gradcheck.diagnosis.hypothesis import Hypothesis
from pytest_gradcheck.diagnosis.lazy_arrays import Index, Rearranged

__all__ = ["exchanged", "rearranged"]

#: How far claims may be rolled along an axis.
SHIFTS = (1, -1, 2, -2)


def rearranged(gradient: ClaimedGradient, call: CheckedCall) -> Iterator[Hypothesis]:
    """Yield the hypotheses that entries of the gradient are at other places."""
    del call
    if gradient.is_array:
        yield from _transposed(gradient)
        yield from _other_order(gradient)
        yield from _reversed(gradient)
        yield from _rolled(gradient)


def _transposed(gradient: ClaimedGradient) -> Iterator[Hypothesis]:
    """Yield the gradient with two axes of one length exchanged."""
    axes = gradient.axes
    for first, second in combinations(range(len(axes)), 2):
        if axes[first] == axes[second] > 1:
            which = "" if len(axes) == 2 else f" over axes {first} and {second}"
            yield Hypothesis(
                "transpose",
                f"consistent with the transpose of the true gradient{which} ({{agreement}}): "
                "a .T missing, or one too many?",
                gradient.claim.swapaxes(first, second),
            )


def _reversed(gradient: ClaimedGradient) -> Iterator[Hypothesis]:
    """Yield the gradient reversed along one axis, or along two."""
    long = [axis for axis, length in enumerate(gradient.axes) if length > 1]
    for axis in long:
        along = f" along axis {axis}" if len(gradient.axes) > 1 else ""
        yield Hypothesis(
            "reversed",
            f"consistent with the true gradient in reverse order{along} ({{agreement}}): "
            "an order reversed, or not reversed back?",
            np.flip(gradient.claim, axis),
        )
    for first, second in combinations(long, 2):
        yield Hypothesis(
            "reversed",
            f"consistent with the true gradient in reverse order along axes {first} and "
            f"{second} ({{agreement}}): a kernel flipped, or not flipped?",
            np.flip(gradient.claim, (first, second)),
        )


def _rolled(gradient: ClaimedGradient) -> Iterator[Hypothesis]:
    """Yield the gradient rolled along one axis, or over all entries in C order."""
    claim, axes = gradient.claim, gradient.axes
    words = (
        "consistent with the true gradient rolled by {by} ({{agreement}}): an index off by one?"
    )
    for axis, length in enumerate(axes):
        along = f" along axis {axis}" if len(axes) > 1 else ""
        for shift in SHIFTS[: length - 1]:
            text = words.format(by=f"{shift}{along}")
            yield Hypothesis("roll", text, Rearranged(claim, partial(_along, axis, shift, length)))
    if len(axes) > 1:
        for shift in SHIFTS[:2]:
            moved = Rearranged(claim, partial(_in_c_order, shift, axes))
            yield Hypothesis("roll", words.format(by=f"{shift} in C order"), moved)


def _along(axis: int, shift: int, length: int, index: Index) -> Index:
    """Return where the entries are that were rolled along an axis."""
    return (*index[:axis], (index[axis] + shift) % length, *index[axis + 1 :])


def _in_c_order(shift: int, axes: tuple[int, ...], index: Index) -> Index:
    """Return where the entries are that were rolled in C order."""
    place = (np.ravel_multi_index(index, axes) + shift) % prod(axes)
    return np.unravel_index(place, axes)


def _in_other_order(axes: tuple[int, ...], index: Index) -> Index:
    """Return where the entries are in C order that are in Fortran order of reversed axes."""
    place = np.ravel_multi_index(index, axes)
    return np.unravel_index(place, axes[::-1])[::-1]


def _other_order(gradient: ClaimedGradient) -> Iterator[Hypothesis]:
    """Yield the gradient in Fortran order, read as C order, and the other way round."""
    claim, axes = gradient.claim, gradient.axes
    is_transposed = len(axes) == 2 and axes[0] == axes[1]
    if is_transposed or sum(length > 1 for length in axes) < 2:
        return
    outputs = claim.shape[-1]
    backwards = (*reversed(range(len(axes))), len(axes))
    words = (
        "consistent with the true gradient transposed and reshaped ({agreement}): another memory "
        "order, or a reshape for a .T?"
    )
    yield Hypothesis("order", words, claim.reshape(*reversed(axes), outputs).transpose(backwards))
    yield Hypothesis("order", words, Rearranged(claim, partial(_in_other_order, axes)))


def exchanged(gradient: ClaimedGradient, call: CheckedCall) -> Iterator[Hypothesis]:
    """Yield the hypotheses that the gradients of two parameters or outputs are exchanged."""
    for other in call.others(gradient):
        words = f"consistent with the gradient returned for {other.name} ({{agreement}}): "
        if other.axes == gradient.axes:
            yield Hypothesis("exchanged", f"{words}two gradients exchanged?", other.claim)
        elif other.axes == gradient.axes[::-1] and len(other.axes) == 2:
            yield Hypothesis(
                "exchanged",
                f"{words}two gradients exchanged, and transposed?",
                other.claim.swapaxes(0, 1),
            )
    claim = gradient.claim
    outputs = claim.shape[-1]
    if len(gradient.axes) == 1 and gradient.axes[0] == outputs > 1 and gradient.is_array:
        yield Hypothesis(
            "transpose",
            "consistent with the transposed Jacobian ({agreement}): outputs and entries "
            "exchanged?",
            claim.T,
        )
    if 1 < outputs <= MOST_OUTPUTS:
        yield Hypothesis(
            "outputs",
            "consistent with the derivatives of the outputs in reverse order ({agreement}): two "
            "outputs exchanged?",
            claim[..., ::-1],
        )
        for shift in SHIFTS[: min(2, outputs - 1)]:
            yield Hypothesis(
                "outputs",
                f"consistent with the derivatives of the outputs rolled by {shift} "
                "({agreement}): an index off by one?",
                np.roll(claim, -shift, axis=-1),
            )


#: The most outputs whose exchange is tried.
MOST_OUTPUTS = 1000
