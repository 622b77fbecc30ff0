"""The problem that a check poses, in numbers: binding makes it and numerics measures it.

It does not know how the user's functions are called, nor what a verdict is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from pytest_gradcheck.binding.backward.claims import Claim, OtherCotangents
from pytest_gradcheck.binding.call.call_values import CallValues
from pytest_gradcheck.binding.call.resolved_call import CallCounts
from pytest_gradcheck.binding.forward.domain_boundary import Edge
from pytest_gradcheck.binding.forward.outputs import whole
from pytest_gradcheck.binding.values.parameters import Block, Parameter, Vector
from pytest_gradcheck.report.report_data import Kind, Note

__all__ = ["KernelErrors", "Problem", "no_claim", "no_claims", "no_edge", "no_other_cotangents"]


def no_other_cotangents() -> Iterator[OtherCotangents]:
    """Return no claims for other cotangents: backward takes no cotangent."""
    return iter(())


def no_edge(start: int, stop: int) -> Edge | None:
    """Return no edge: forward is defined wherever it was called."""
    del start, stop
    return None


def no_claim(*_: object) -> None:
    """Return no claim: backward cannot be called at another point."""


def no_claims() -> Iterator[None]:
    """Return no claims: backward cannot be called again."""
    return iter(())


def no_advice(name: str) -> str:
    """Return nothing."""
    del name
    return ""


@dataclass(frozen=True, slots=True, eq=False)
class KernelErrors:
    """The errors of a kernel against its reference, and those of the reference in its types.

    Attributes
    ----------
    reference : str
        The name of the reference.
    outputs : ndarray, shape (m,)
        The errors of the kernel's outputs ...
    blocks : tuple of Block
        ... by output ...
    roundings : tuple of float
        ... with the relative rounding of the type of each ...
    exact : ndarray, shape (m,)
        ... and the outputs of the reference in float64 ...
    scatter : ndarray, shape (m,)
        ... with how much these change where the parameters are rounded once more.
    claim_roundings : tuple of float
        For each parameter the relative rounding of the type of its claim.
    plain_outputs : ndarray, shape (m,), or None
        The errors of the outputs of the reference in the types of the kernel.
    plain_claim : Claim or None
        The claim of its backward in the types of the kernel, where it has one ...
    exact_claim : Claim or None
        ... and in float64; without a backward, what a measurement can confirm.
    """

    reference: str
    outputs: Vector
    blocks: tuple[Block, ...]
    roundings: tuple[float, ...]
    exact: Vector
    scatter: Vector
    claim_roundings: tuple[float, ...]
    plain_outputs: Vector | None = None
    plain_claim: Claim | None = None
    exact_claim: Claim | None = None

    def plain_errors(self, start: int, stop: int) -> tuple[Vector, Vector] | None:
        """Return the errors of the plain claim about coordinates, and the exact one."""
        if self.plain_claim is None or self.exact_claim is None:
            return None
        exact = self.exact_claim.stored(start, stop)
        return self.plain_claim.stored(start, stop) - exact, exact


@dataclass(frozen=True, slots=True)
class Problem:
    """A gradient check in numbers: a function of a vector, a point, and claimed derivatives.

    Attributes
    ----------
    kind : Kind
        Which derivative is claimed.
    forward, backward : str
        Names of the user's functions, for messages.
    parameters : tuple of Parameter
        In order; together they cover the point without gaps.
    point : ndarray of float64, shape (n,)
        The base point. Whoever measures may change it in place and must restore it.
    here : ndarray of float64, shape (n,)
        The base point, never changed.
    evaluate : callable
        ``evaluate(points) -> ndarray, shape (k, m)`` evaluates forward at independent vectors,
        each of which need be valid only until the next is asked for. NaN where forward leaves
        its domain, whatever it raises there. Cheapest when given `point` itself.
    attempt : callable
        The same, but raises what forward raises.
    base : ndarray of float64, shape (m,)
        The outputs at the base point.
    repeat : ndarray of float64, shape (m,)
        The same from a second evaluation; the difference is noise.
    claim : Claim
        By coordinate and output. Of a ``jvp`` it has one row, for the direction `tangent`.
    outputs : tuple of Block
        The outputs that the claim is about; empty where they are reduced to one number (a
        scalar forward, or a cotangent).
    tangent : ndarray of float64, shape (n,), or None
        The direction of a ``jvp``.
    counts : CallCounts
        The calls so far; it grows while numerics measures.
    notes : tuple of Note
        How the functions were called.
    not_checked : tuple of str
        Arguments that are neither checked nor data.
    roundings : tuple of float
        For each parameter the relative rounding of its claim (2e-16 for float64).
    other_cotangents : callable
        ``other_cotangents() -> iterator of OtherCotangents`` calls backward for other
        cotangents, first independent ones, then some close to these without end; empty where
        backward takes none.
    claim_at : callable
        ``claim_at(point) -> Claim or None`` calls forward and backward at another point; None
        where that makes no sense, or one of them raises.
    claims_again : callable
        ``claims_again() -> iterator of Claim or None`` calls forward once and backward again
        and again; empty where that makes no sense.
    claim_of_multiple : callable
        ``claim_of_multiple(factor) -> Claim or None`` calls backward with a multiple of its
        cotangent; None where it takes none.
    claim_of_two_uses : callable
        ``claim_of_two_uses() -> Claim or None`` differentiates the sum of two calls of forward
        with the same objects of an engine; None where there are none.
    claim_one_rounding_away : callable
        ``claim_one_rounding_away(rng, times) -> Claim or None`` does the same where all
        coordinates are a few roundings of their types away, those of float64 `times` as far.
        A cotangent or tangent is multiplied by a random factor, and the claim divided by it.
    randomness_moved : callable
        ``randomness_moved() -> bool`` returns whether a generator that is not replayed has
        moved; to be called after the check, when generators are restored.
    random_claim : str
        Why a failing check is refused instead: the claim depends on random numbers that backward
        draws and forward may not have drawn. Empty where it does not.
    two_derivatives : callable
        ``two_derivatives(name) -> str`` returns how to check a first and a second derivative
        with respect to a parameter that backward returns together, if that is known.
    edge : callable
        ``edge(start, stop) -> Edge or None`` returns the nearest point at which forward was
        undefined while only the coordinates ``start:stop`` were perturbed.
    checks_nothing : bool
        Whether there is no derivative to measure: no parameter has an entry, or no output has one
        and the claims are zero.
    outputs_at_base : tuple of Block
        The outputs of forward, before a cotangent reduces them ...
    output_values : ndarray of float64, shape (coordinates of these,), or None
        ... and their values at the base point.
    cotangent : ndarray of float64, or None
        The upstream gradient that backward was given, in the same coordinates.
    call_values : callable
        ``call_values() -> CallValues`` returns sizes, numbers and arrays of the call by name.
    functions : tuple of callable
        The user's functions: forward, and backward where it is one of its own. The last of them
        computes the derivative.
    is_automatic : bool
        Whether backward is what a package makes of forward.
    take_outputs : callable
        ``take_outputs(returned)`` returns the outputs in what forward returned, without a cache.
    unmoved : callable
        ``unmoved() -> frozenset of str`` returns the parameters with a claim of zeros under
        which no output ever changed; to be called after the check.
    kernel_errors : KernelErrors or None
        How far forward is from its reference, where the derivatives are those of one.
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
    other_cotangents: Callable[[], Iterator[OtherCotangents]] = no_other_cotangents
    claim_at: Callable[[Vector], Claim | None] = no_claim
    claims_again: Callable[[], Iterator[Claim | None]] = no_claims
    claim_of_multiple: Callable[[float], Claim | None] = no_claim
    claim_of_two_uses: Callable[[], Claim | None] = no_claim
    claim_one_rounding_away: Callable[[np.random.Generator, int], Claim | None] = no_claim
    randomness_moved: Callable[[], bool] = bool
    random_claim: str = ""
    two_derivatives: Callable[[str], str] = no_advice
    edge: Callable[[int, int], Edge | None] = no_edge
    checks_nothing: bool = False
    outputs_at_base: tuple[Block, ...] = ()
    output_values: Vector | None = None
    cotangent: Vector | None = None
    call_values: Callable[[], CallValues] = CallValues
    functions: tuple[Callable[..., Any], ...] = ()
    is_automatic: bool = False
    take_outputs: Callable[[Any], Any] = whole
    unmoved: Callable[[], frozenset[str]] = frozenset
    kernel_errors: KernelErrors | None = None
