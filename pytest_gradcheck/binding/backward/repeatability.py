"""Asking backward again: whether it repeats itself, and what it says of other cotangents.

It must not judge: that a VJP is linear in its cotangent is for others to see.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from pytest_gradcheck.binding.backward.backward_function import BackwardInput, BackwardResult
from pytest_gradcheck.binding.backward.claims import Claim, OtherCotangents
from pytest_gradcheck.binding.forward.side_effects import REPEATABLE
from pytest_gradcheck.binding.values.parameters import Block, Parameter, Vector
from pytest_gradcheck.errors import GradcheckUsageError

__all__ = ["ask_other_cotangents", "one_rounding_away", "refuse_unrepeatable_backward"]

Ask = Callable[[BackwardInput], BackwardResult]

#: Of the second cotangent in the combination of two: no sum or difference of bugs undoes it.
WEIGHT = -2.5

#: The types of real and imaginary parts that round more coarsely than float64.
PARTS = {"float16": np.float16, "float32": np.float32, "complex64": np.float32}

#: At most so many roundings is what claims are asked a rounding away; of coarser types fewer,
#: so that no derivative changes by itself.
SEVERAL = 32
FEW = 2

#: How far cotangents that are asked about once more are from those before, relative to each
#: entry: far enough for another rounding in any type, too close for another nonlinearity.
BESIDE = 1e-3

#: Coordinates that are compared at a time: no copies are made of long claims.
SPAN = 2**16

ADDS = (
    "The second call differs by the first: it adds to an array that is still filled. Let it "
    "assign (grad = ...) where it adds (grad += ...), or begin with zeros in every call."
)

DIFFERS = (
    "If it adds to an array that is still filled, let it assign; if it draws random numbers, say "
    "replay=generator; if it keeps state between calls, reset that in forward."
)


def refuse_unrepeatable_backward(
    first: BackwardResult,
    again: BackwardResult,
    parameters: Sequence[Parameter],
    backward_name: str,
) -> None:
    """Raise when backward says something else the second time.

    Parameters
    ----------
    first, again : BackwardResult
        What it claimed, handed the same.
    parameters : sequence of Parameter
        In the order of the point.
    backward_name : str
        For the message.

    Raises
    ------
    GradcheckUsageError
        When the claims differ by more than rounding; it says so when the
        second call added to the first.
    """
    if first.kind != again.kind:
        raise GradcheckUsageError(
            f"{backward_name} is not repeatable: called twice with the same arguments it returned "
            f"gradients of other shapes ({first.kind}, then {again.kind})."
        )
    if _are_same(first, again, parameters[-1].stop):
        return
    for block in first.outputs if first.kind == "jvp" else parameters:
        before, after = _claims(first, block), _claims(again, block)
        spans = [slice(k, k + SPAN) for k in range(0, len(before), SPAN)]
        most = max((float(np.abs(before[s] - after[s]).max()) for s in spans), default=0.0)
        size = max((float(np.abs(before[s]).max()) for s in spans), default=0.0)
        if most <= REPEATABLE * size:
            continue
        apart = np.abs(before - after)
        worst = np.unravel_index(int(apart.argmax()), apart.shape)
        adds = np.allclose(after, 2 * before, rtol=REPEATABLE, atol=0)
        raise GradcheckUsageError(
            f"{backward_name} is not repeatable: called twice with the same arguments it gave "
            f"{block.entry(int(worst[0]))} as {before[worst]:.8g} and then as {after[worst]:.8g}. "
            + (ADDS if adds else DIFFERS)
        )


def ask_other_cotangents(
    ask: Ask,
    first: Vector,
    second: Vector,
    *,
    claim: Claim,
    parameters: tuple[Parameter, ...],
    rng: np.random.Generator,
) -> Iterator[OtherCotangents]:
    """Ask a VJP for a cotangent of zeros, another one, and a combination.

    Parameters
    ----------
    ask : callable
        ``ask(request)`` calls backward straight after a forward.
    first : ndarray
        The cotangent that the check is made with.
    second : ndarray
        Another.
    claim : Claim
        What it gave for the first.
    parameters : tuple of Parameter
        All that is claimed about.
    rng : numpy.random.Generator
        Draws cotangents close to these two.

    Yields
    ------
    OtherCotangents
        What it gave, by entry; then, as often as that is asked for, what it gives for
        cotangents a thousandth away: what is rounded is rounded otherwise there.
    """
    size = parameters[-1].stop

    def claims(cotangent: Vector) -> Vector:
        return ask(BackwardInput(cotangent=cotangent)).claim.rows(0, size)[:, 0].copy()

    def beside(cotangent: Vector) -> Vector:
        return np.asarray(cotangent * (1 + BESIDE * rng.uniform(-1, 1, cotangent.size)))

    other, combined = claims(second), claims(first + WEIGHT * second)
    try:
        zero = claims(np.zeros_like(first))
    except GradcheckUsageError:
        # What can be read of other cotangents but not of this one: 0 / 0, or nothing at all.
        zero = np.full_like(other, np.nan)
    yield OtherCotangents(parameters, claim.rows(0, size)[:, 0], zero, other, combined, WEIGHT)
    while True:
        one, two = beside(first), beside(second)
        yield OtherCotangents(
            parameters, claims(one), zero, claims(two), claims(one + WEIGHT * two), WEIGHT
        )


def one_rounding_away(
    vector: Vector, blocks: Sequence[Block], rng: np.random.Generator, times: int = 1
) -> Vector:
    """Move every number by a rounding of its type, or a few, up or down; zeros stay.

    Functions that are flat do not show a single rounding of what they are handed.

    Parameters
    ----------
    vector : ndarray, shape (n,)
        Numbers, real and imaginary parts one after the other.
    blocks : sequence of Block
        Whose they are, with the types in which they are handed out.
    rng : numpy.random.Generator
        Draws the directions.
    times : int
        How many times as far those of float64 go.

    Returns
    -------
    ndarray, shape (n,)
        The numbers beside them.
    """
    moved = vector.copy()
    for block in blocks:
        part = slice(block.start, block.stop)
        values = vector[part].astype(PARTS.get(block.dtype, np.float64))
        most = FEW if block.dtype in PARTS else times * SEVERAL
        roundings = rng.choice([-1, 1], values.size) * rng.integers(1, most + 1, values.size)
        moved[part] = values + roundings.astype(values.dtype) * np.spacing(values)
    return np.where(vector == 0, 0.0, moved)


def _are_same(first: BackwardResult, again: BackwardResult, size: int) -> bool:
    """Tell claims that are the same to the last bit, of many parameters at a time."""
    last = 1 if first.kind == "jvp" else size
    spans = [(k, min(k + SPAN, last)) for k in range(0, last, SPAN)]
    one, two = first.claim, again.claim
    return all(np.array_equal(one.stored(*span), two.stored(*span)) for span in spans)


def _claims(asked: BackwardResult, block: Block) -> Vector:
    """Return the claims about a parameter by coordinate; of a JVP, those about an output."""
    if asked.kind == "jvp":
        return asked.claim.rows(0, 1).T[block.start : block.stop]
    return asked.claim.stored(block.start, block.stop)
