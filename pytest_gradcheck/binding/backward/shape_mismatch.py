"""A gradient of the wrong shape: what may turn it into the right one.

A transpose, a sum over broadcast axes, a reshape, or the other way around. Here only shapes
decide what is possible. What is proposed is tested by `trial_derivative` first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, permutations
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.binding.values.parameters import Block, Parameter
from pytest_gradcheck.errors import GradcheckUsageError

__all__ = ["Correction", "ShapeMismatchError", "Trial", "corrections", "explain_shape"]

Shape = tuple[int, ...]

#: ``trial(array, parameter, summed) -> bool or None`` returns whether an array is the derivative
#: with respect to a parameter, along `summed` axes in the mean; None if that is not known.
Trial = Callable[[NDArray[Any], Parameter, Shape], bool | None]

#: At most so many choices of axes are proposed, where several have the same length.
MOST_CHOICES = 12

#: Axes of arrays with more than so many are not permuted.
MOST_PERMUTED = 4


class ShapeMismatchError(GradcheckUsageError):
    """A gradient has neither the shape of its parameter nor that of a Jacobian.

    Parameters
    ----------
    message : str
        What was returned, and which shape it should have.
    claim : ndarray
        What was returned.
    wanted : tuple of int
        That shape.
    parameter : Parameter
        What it should be the derivative with respect to.
    output : Block
        What it should be the derivative of.
    parameters : sequence of Parameter
        Everything that is checked.
    """

    def __init__(
        self,
        message: str,
        claim: NDArray[Any],
        wanted: Shape,
        *,
        parameter: Parameter,
        output: Block,
        parameters: Sequence[Parameter],
    ) -> None:
        super().__init__(message)
        self.claim = claim
        self.wanted = wanted
        self.parameter = parameter
        self.output = output
        self.parameters = parameters


@dataclass(frozen=True, slots=True)
class Correction:
    """An array of the right shape, made of one of the wrong shape.

    Attributes
    ----------
    array : ndarray
        The array.
    right, wrong, unknown : str
        What to say where it is the derivative, where it is not, and where it was not tested.
    summed : tuple of int
        Axes along which it is known in the mean only.
    """

    array: NDArray[Any]
    right: str
    wrong: str
    unknown: str
    summed: Shape = ()


def explain_shape(mismatch: ShapeMismatchError, trial: Trial) -> str:
    """Return what would give a gradient the right shape and values, in words.

    Parameters
    ----------
    mismatch : ShapeMismatchError
        The gradient.
    trial : callable
        Tests what is proposed.

    Returns
    -------
    str
        A sentence, or an empty text where nothing simple does.
    """
    claim, parameter = mismatch.claim, mismatch.parameter
    if mismatch.output.size == 1:
        for other in mismatch.parameters:
            if other.shape == claim.shape and trial(claim, other, ()) is not False:
                order = ", ".join(p.name for p in mismatch.parameters)
                return (
                    f"That is the shape of {other.name}: are the gradients in the order {order}?"
                )
    proposed = list(corrections(claim, mismatch.wanted))
    verdicts = []
    for correction in proposed:
        verdicts.append(trial(correction.array, parameter, correction.summed))
        if verdicts[-1]:
            return correction.right
    if not proposed:
        return ""
    return proposed[0].unknown if None in verdicts else proposed[0].wrong


def corrections(claim: NDArray[Any], wanted: Shape) -> Iterator[Correction]:
    """Yield what would give an array the shape `wanted`, the simplest first.

    Examples
    --------
    >>> [c.right for c in corrections(np.ones((3, 3)), (3,))]
    ['Its sum over axis 0 is right.', 'Its sum over axis 1 is right.']
    >>> [c.right for c in corrections(np.ones((3, 4)), (4, 3))]
    ['Its transpose is right.', 'Its reshape((4, 3)) is right.']
    >>> [c.right for c in corrections(np.ones(4), (3, 4))]
    ['It was summed over axis 0: leave out that sum.', 'It is right when broadcast along axis 0.']
    """
    found = claim.shape
    if found == wanted:
        return
    for axes in _permutations(found, wanted):
        reverses = axes == tuple(reversed(range(claim.ndim)))
        yield _made(f"Its transpose{'' if reverses else axes}", claim.transpose(axes))
    for axes in islice(_axes_dropped(found, wanted, may_drop_ones=False), MOST_CHOICES):
        yield _made(f"Its sum over {_in_words(axes)}", claim.sum(axis=axes))
    collapsed = _axes_collapsed(found, wanted)
    if collapsed:
        array = claim.sum(axis=collapsed, keepdims=True)
        yield _made(f"Its sum over {_in_words(collapsed)} with keepdims=True", array)
    if prod(found) == prod(wanted):
        yield _made(f"Its reshape({wanted})", claim.reshape(wanted))
        return
    # The other way around: the axes that the right shape has more, or longer.
    for axes in islice(_axes_dropped(wanted, found, may_drop_ones=True), MOST_CHOICES):
        yield from _spread(np.expand_dims(claim, axes), wanted, axes)
    collapsed = _axes_collapsed(wanted, found)
    if collapsed:
        yield from _spread(claim, wanted, collapsed)


def _made(what: str, array: NDArray[Any]) -> Correction:
    return Correction(
        array,
        right=f"{what} is right.",
        wrong=f"{what} would have that shape, but is not right either.",
        unknown=f"{what} would have that shape.",
    )


def _spread(claim: NDArray[Any], wanted: Shape, axes: Shape) -> Iterator[Correction]:
    """Yield a claim spread along axes that it lacks, as a mean of the sum and as it is."""
    words = _in_words(axes)
    wrong = f"It lacks {words}, and is no sum over it."
    unknown = f"It lacks {words}: a sum too many, or not broadcast?"
    spread = np.broadcast_to(claim, wanted)
    count = prod(wanted[axis] for axis in axes)
    right = f"It was summed over {words}: leave out that sum."
    yield Correction(spread / max(count, 1), right, wrong, unknown, axes)
    yield Correction(spread, f"It is right when broadcast along {words}.", wrong, unknown)


def _permutations(found: Shape, wanted: Shape) -> Iterator[Shape]:
    """Yield the orders of axes that give the shape `wanted`, the reversed one first."""
    if sorted(found) != sorted(wanted):
        return
    axes = tuple(reversed(range(len(found))))
    orders = permutations(axes) if len(axes) <= MOST_PERMUTED else iter([axes])
    yield from (order for order in orders if tuple(found[k] for k in order) == wanted)


def _axes_dropped(longer: Shape, shorter: Shape, *, may_drop_ones: bool) -> Iterator[Shape]:
    """Yield the axes that `longer` has more than `shorter`, in every possible choice.

    This is subsequence matching by dynamic programming: ``fits[i][j]`` is whether ``longer[i:]``
    becomes ``shorter[j:]`` when axes are dropped. Only choices that fit are followed.
    """
    n, m = len(longer), len(shorter)
    if n <= m:
        return
    fits = [[False] * (m + 1) for _ in range(n + 1)]
    fits[n][m] = True
    may_drop = [may_drop_ones or length != 1 for length in longer]
    for i in reversed(range(n)):
        for j in range(m + 1):
            is_kept = j < m and longer[i] == shorter[j] and fits[i + 1][j + 1]
            fits[i][j] = is_kept or (may_drop[i] and fits[i + 1][j])
    choices: list[tuple[int, int, Shape]] = [(0, 0, ())] if fits[0][0] else []
    while choices:
        i, j, axes = choices.pop()
        if i == n:
            yield axes
            continue
        if j < m and longer[i] == shorter[j] and fits[i + 1][j + 1]:
            choices.append((i + 1, j + 1, axes))
        if may_drop[i] and fits[i + 1][j]:
            choices.append((i + 1, j, (*axes, i)))  # taken from the end: dropped first


def _axes_collapsed(longer: Shape, shorter: Shape) -> Shape | None:
    """Return the axes along which `shorter` has one entry and `longer` has more."""
    if len(longer) != len(shorter):
        return None
    axes = tuple(k for k in range(len(longer)) if longer[k] != shorter[k])
    return axes if axes and all(shorter[k] == 1 for k in axes) else None


def _in_words(axes: Shape) -> str:
    return f"axis {axes[0]}" if len(axes) == 1 else f"axes {axes}"
