"""The problem a check poses, as numbers: what binding makes and numerics measures.

It must not know how the user's functions are called, nor what a verdict is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from pytest_gradcheck.binding.backward.claims import Claim, OtherCotangents
from pytest_gradcheck.binding.call.resolved_call import CallCounts
from pytest_gradcheck.binding.forward.domain_boundary import Edge
from pytest_gradcheck.binding.values.parameters import Block, Parameter, Vector
from pytest_gradcheck.report.report_data import Kind, Note

__all__ = ["Problem", "no_edge", "no_others", "nowhere"]


def no_others() -> Iterator[OtherCotangents]:
    """Return what backward says of other cotangents where it takes none."""
    return iter(())


def no_edge(start: int, stop: int) -> Edge | None:
    """Return the edge that was met near a point around which there is none."""
    del start, stop
    return None


def nowhere(*_: object) -> None:
    """Return what backward says at another point where it cannot be asked there."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A gradient check as numbers: a function of a vector, a point and a claim.

    Attributes
    ----------
    kind : Kind
        Which derivative is claimed.
    forward, backward : str
        Names of the user's functions, for people.
    parameters : tuple of Parameter
        In order; together they cover the point without gaps.
    point : ndarray of float64, shape (n,)
        The point of the check. Whoever measures may change it in place and
        must put it back.
    here : ndarray of float64, shape (n,)
        A copy of it that stays.
    evaluate : callable
        ``evaluate(points) -> ndarray, shape (k, m)``: at vectors that do not depend on
        each other, each good until the next is asked for; NaN where the user's function
        left its domain, by whatever it raised. Cheapest when handed `point`.
    attempt : callable
        The same, but that it raises what the user's function raises.
    base : ndarray of float64, shape (m,)
        The outputs at `point`, as found at the start.
    repeat : ndarray of float64, shape (m,)
        The same, evaluated again: what differs is noise.
    claim : Claim
        For a ``jvp`` its one row is the claim about the direction `tangent`.
    outputs : tuple of Block
        The outputs that claims are about; empty where they were reduced to one
        number (a scalar forward, or a cotangent).
    tangent : ndarray of float64, shape (n,), or None
        The direction of a ``jvp``.
    counts : CallCounts
        Calls so far; grows while measuring.
    notes : tuple of Note
        What is to be known of how the functions were called.
    not_checked : tuple of str
        Arguments that were neither checked nor data.
    roundings : tuple of float
        For each parameter the relative rounding of its claim (2e-16 for float64).
    others : callable
        ``others() -> iterator of OtherCotangents`` asks backward about other cotangents, and
        as often as wanted about some close to them; empty where it takes none.
    claimed_at : callable
        ``claimed_at(point) -> Claim or None`` asks backward at another point, straight after a
        forward there; None where that makes no sense, or raises.
    claimed_rounded : callable
        ``claimed_rounded(rng, times) -> Claim or None`` asks likewise where all coordinates are
        a rounding of their types away, or a few, up or down; those of float64 so many times as
        far. A cotangent or tangent is handed in times a random factor, by which claims are
        divided.
    randomness_moved : callable
        ``randomness_moved() -> bool``, asked when the check is over and generators are
        put back: whether one that is not being replayed had moved.
    edge : callable
        ``edge(start, stop) -> Edge or None``: the nearest that was met while none but these
        coordinates were moved.
    unmoved : callable
        ``unmoved() -> frozenset of str``, asked likewise: parameters with a claim of
        zeros under which forward never changed.
    """

    kind: Kind
    forward: str
    backward: str
    parameters: tuple[Parameter, ...]
    point: Vector
    here: Vector
    evaluate: Callable[[Iterable[Vector]], Vector]
    attempt: Callable[[Iterable[Vector]], Vector]
    base: Vector
    repeat: Vector
    claim: Claim
    outputs: tuple[Block, ...]
    tangent: Vector | None
    counts: CallCounts
    notes: tuple[Note, ...] = ()
    not_checked: tuple[str, ...] = ()
    roundings: tuple[float, ...] = ()
    others: Callable[[], Iterator[OtherCotangents]] = no_others
    claimed_at: Callable[[Vector], Claim | None] = nowhere
    claimed_rounded: Callable[[np.random.Generator, int], Claim | None] = nowhere
    randomness_moved: Callable[[], bool] = bool
    edge: Callable[[int, int], Edge | None] = no_edge
    unmoved: Callable[[], frozenset[str]] = frozenset
