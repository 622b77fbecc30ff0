"""A gradient of the wrong shape: what may turn it into the right one.

A transpose, a sum over broadcast axes, a reshape, or the other way around; or another order of
all gradients. Here only shapes decide what is possible. What is proposed is tested by
`trial_derivative` first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice, permutations
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.binding.values.parameters import Block, Parameter
from pytest_gradcheck.errors import GradcheckUsageError

__all__ = [
    "Correction",
    "ShapeMismatchError",
    "Trial",
    "corrections",
    "explain_shape",
    "wanted_shape",
]

Shape = tuple[int, ...]

#: ``trial(array, parameter, summed) -> bool or None`` returns whether an array is the derivative
#: with respect to a parameter, along `summed` axes in the mean; None if that is not known.
Trial = Callable[[NDArray[Any], Parameter, Shape], bool | None]

#: At most so many choices of axes are proposed, where several have the same length.
MOST_CHOICES = 12

#: Axes of arrays with more than so many are not permuted.
MOST_PERMUTED = 4

#: More gradients than so many are not tried in another order.
MOST_ORDERED = 8

#: The most proposals that a message makes.
MOST_PROPOSED = 3


class ShapeMismatchError(GradcheckUsageError):
    """A gradient has neither the shape of its parameter nor that of a Jacobian.

    Parameters
    ----------
    message : str
        What was returned, and which shape it should have.
    claims : mapping of str to ndarray
        What was returned for every parameter, by its name.
    parameter : Parameter
        The parameter.
    output : Block
        What it should be the derivative of.
    parameters : sequence of Parameter
        Everything that is checked.
    """

    def __init__(
        self,
        message: str,
        claims: Mapping[str, NDArray[Any]],
        *,
        parameter: Parameter,
        output: Block,
        parameters: Sequence[Parameter],
    ) -> None:
        super().__init__(message)
        self.claims = claims
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


def wanted_shape(parameter: Parameter, output: Block) -> Shape:
    """Return the shape of a gradient of one number, or of the Jacobian of an array."""
    return parameter.shape if output.size == 1 else (*output.shape, *parameter.shape)


def explain_shape(mismatch: ShapeMismatchError, trial: Trial) -> str:
    """Return what would give a gradient the right shape and values, in words.

    Another order that makes all gradients right is said alone: it is one change. Of corrections
    of this one gradient, all that are right are said.

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
    parameter, output = mismatch.parameter, mismatch.output
    order, is_certain = _order(mismatch, trial)
    if is_certain:
        return f"{order}."
    proposed = list(corrections(mismatch.claims[parameter.name], wanted_shape(parameter, output)))
    verdicts = [trial(each.array, parameter, each.summed) for each in proposed]
    pairs = list(zip(proposed, verdicts, strict=True))
    right = [each.right for each, verdict in pairs if verdict]
    unknown = [each.unknown for each, verdict in pairs if verdict is None]
    wrong = [each.wrong for each in proposed[:1]]
    return _joined(right or [*([order] if order else []), *unknown] or wrong)


def _joined(texts: Sequence[str]) -> str:
    """Return proposals as one sentence."""
    first, *others = list(dict.fromkeys(texts))[:MOST_PROPOSED] or [""]
    return "; or ".join([first, *(text[0].lower() + text[1:] for text in others)]) + (
        "." if first else ""
    )


def _order(mismatch: ShapeMismatchError, trial: Trial) -> tuple[str, bool]:
    """Return the order in which gradients of another order may be, and whether they are right.

    It is searched for depth first: every parameter takes one of the gradients of its shape.
    """
    parameters, claims = mismatch.parameters, mismatch.claims
    count = len(parameters)
    if not 1 < count <= MOST_ORDERED:
        return "", False

    @cache
    def fits(k: int, j: int) -> bool | None:
        """Return whether gradient j is that of parameter k, None if that is not known."""
        claim = claims[parameters[j].name]
        if claim.shape != wanted_shape(parameters[k], mismatch.output):
            return False
        return trial(claim, parameters[k], ())

    orders: list[Shape] = [()]
    while orders and len(orders[-1]) < count:
        taken = orders.pop()
        free = [j for j in range(count) if j not in taken]
        orders += [(*taken, j) for j in reversed(free) if fits(len(taken), j) is not False]
    if not orders:
        return "", False
    found = orders[-1]
    own = ", ".join(p.name for p in parameters)
    others = ", ".join(parameters[found.index(j)].name for j in range(count))
    is_certain = all(fits(k, j) for k, j in enumerate(found))
    verb = "are" if is_certain else "may be"
    return f"The gradients returned for {own} {verb} those of {others}", is_certain


def corrections(claim: NDArray[Any], wanted: Shape) -> Iterator[Correction]:
    """Yield what would give an array the shape `wanted`, the simplest first.

    Examples
    --------
    >>> [c.right for c in corrections(np.ones((3, 3)), (3,))]
    ['Its sum over axis 0 is right', 'Its sum over axis 1 is right']
    >>> [c.right for c in corrections(np.ones((3, 4)), (4, 3))]
    ['Its transpose is right', 'Its reshape((4, 3)) is right']
    >>> [c.right for c in corrections(np.ones(4), (3, 4))]
    ['It was summed over axis 0: leave out that sum', 'It is right when broadcast along axis 0']
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
        right=f"{what} is right",
        wrong=f"{what} would have that shape, but is not right either",
        unknown=f"{what} would have that shape",
    )


def _spread(claim: NDArray[Any], wanted: Shape, axes: Shape) -> Iterator[Correction]:
    """Yield a claim spread along axes that it lacks, as a mean of the sum and as it is."""
    words, it = _in_words(axes), "it" if len(axes) == 1 else "them"
    wrong = f"It lacks {words}, and is no sum over {it}"
    unknown = f"It may have been summed over {words}, or not broadcast along {it}"
    spread = np.broadcast_to(claim, wanted)
    count = prod(wanted[axis] for axis in axes)
    right = f"It was summed over {words}: leave out that sum"
    yield Correction(spread / max(count, 1), right, wrong, unknown, axes)
    yield Correction(spread, f"It is right when broadcast along {words}", wrong, unknown)


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
