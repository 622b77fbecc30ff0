"""The causes that a wrong claim agrees with, found from the right claim itself.

A check knows measurements, this module the right claims to all digits. It says which kinds of
diagnosis are true of a wrong claim, whatever bug made it: of two gradients that are exchanged,
one may be twice the other. It shares no code with the diagnosis that it judges.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from tests.benchmarks.causes.claimed_gradients import Claims, Gradients
from tests.corpus.family import Array

__all__ = ["true_kinds", "upstream_kinds"]

#: The relative difference of claims that are the same.
TOLERANCE = 1e-6

#: Powers of a parameter by which its gradient may be off.
POWERS = (-2.0, -1.5, -1.0, -0.5, 0.5, 1.0, 1.5, 2.0)


@dataclass(frozen=True)
class WrongClaim:
    """A wrong claim about one parameter, and what is right."""

    gradients: Gradients
    name: str
    claims: Claims

    @property
    def wrong(self) -> Array:
        """The wrong claim."""
        return np.asarray(self.claims[self.name], dtype=np.float64)

    @property
    def right(self) -> Array:
        """The right claim."""
        return np.asarray(self.gradients.claims[self.name], dtype=np.float64)

    @property
    def parameter(self) -> Array:
        """The parameter."""
        return np.asarray(self.gradients.parameters[self.name], dtype=np.float64)

    @property
    def differs(self) -> Array:
        """Which entries are wrong."""
        scale = np.maximum(np.abs(self.right), np.abs(self.wrong))
        floor = 1e-9 * scale.max(initial=0.0)
        differs: Array = np.abs(self.wrong - self.right) > TOLERANCE * scale + floor
        return differs

    def is_(self, predicted: Array) -> bool:
        """Return whether the wrong claim is a prediction of it."""
        return _same(self.wrong, predicted)

    def is_multiple_of(self, predicted: Array) -> bool:
        """Return whether the wrong claim is a constant multiple of a prediction."""
        return _proportional(self.wrong, predicted)

    def differs_by_multiple_of(self, term: Array) -> bool:
        """Return whether the wrong claim is the right one and a multiple of a term."""
        return _proportional(self.wrong - self.right, term)


def true_kinds(gradients: Gradients, name: str, claims: Claims) -> frozenset[str]:
    """Return the kinds of diagnosis that are true of a wrong claim.

    Parameters
    ----------
    gradients : Gradients
        The right claims.
    name : str
        The parameter.
    claims : mapping of str to ndarray
        The claims about all parameters.
    """
    wrong = claims[name]
    if wrong.shape != gradients.claims[name].shape or not np.isfinite(wrong).all():
        return frozenset()
    claim = WrongClaim(gradients, name, claims)
    with np.errstate(all="ignore"):
        return frozenset(kind for kind, holds in TRUTHS.items() if holds(claim))


def upstream_kinds(gradients: Gradients, name: str) -> frozenset[str]:
    """Return what is true of how often a claim uses the upstream gradient.

    Parameters
    ----------
    gradients : Gradients
        The claims of a wrong backward.
    name : str
        The parameter.
    """
    if gradients.under_doubles is None:
        return frozenset()
    claim, doubled = gradients.claims[name], gradients.under_doubles()[name]
    degrees = {"upstream-ignored": 1, "upstream-twice": 4}
    return frozenset(kind for kind, factor in degrees.items() if _same(factor * claim, doubled))


def _same(first: Array, second: Array) -> bool:
    if first.shape != second.shape or not np.isfinite(second).all():
        return False
    scale = max(np.abs(first).max(initial=0.0), np.abs(second).max(initial=0.0))
    return bool(np.allclose(first, second, rtol=TOLERANCE, atol=1e-9 * scale))


def _proportional(first: Array, second: Array) -> bool:
    norm = float(np.vdot(second, second).real)
    if first.shape != second.shape or not np.isfinite(norm) or norm == 0 or not first.any():
        return False
    return _same(first, float(np.vdot(second, first).real) / norm * second)


def _is_factor(claim: WrongClaim) -> bool:
    return claim.is_multiple_of(claim.right) or _in_its_place(claim, _proportional)


def _in_its_place(claim: WrongClaim, agrees: Callable[[Array, Array], bool]) -> bool:
    """Return whether what is wrong, taken alone, agrees with what would be right."""
    differs = claim.differs
    return bool(differs.any()) and agrees(claim.wrong[differs], claim.right[differs])


def _is_zero(claim: WrongClaim) -> bool:
    return not claim.wrong[claim.differs].any()


def _is_power_of_value(claim: WrongClaim) -> bool:
    p = claim.parameter
    powers = [np.sign(p) ** k * np.abs(p) ** k for k in (-2, -1, 1, 2)]
    if (p > 0).all():
        powers += [p**k for k in POWERS]
    functions = [*powers, np.exp(p), np.exp(-p), 1 - p**2, p * (1 - p), 1 + p**2, p * (1 + p)]
    return any(
        claim.is_multiple_of(claim.right * function)
        or claim.is_multiple_of(claim.right / function)
        for function in functions
    )


def _is_multiple_of_output(claim: WrongClaim) -> bool:
    value = claim.gradients.value
    if not value:
        return False
    size = np.float64(abs(value))
    return any(
        _same(np.abs(claim.wrong), size**k * np.abs(claim.right))
        for k in (-2, -1, -0.5, 0.5, 1, 2)
    )


def _is_penalty(claim: WrongClaim) -> bool:
    p = claim.parameter
    return claim.differs_by_multiple_of(p) or claim.differs_by_multiple_of(np.sign(p))


def _is_constant(claim: WrongClaim) -> bool:
    return claim.differs_by_multiple_of(np.ones_like(claim.right))


def _is_data_term(claim: WrongClaim) -> bool:
    """Return whether the claim is a multiple of the right one, and of the parameter."""
    p, right, wrong = claim.parameter.ravel(), claim.right.ravel(), claim.wrong.ravel()
    if right.size < 3:
        return False
    basis = np.stack([right, p], axis=1)
    coefficients, *_ = np.linalg.lstsq(basis, wrong, rcond=None)
    has_right = np.abs(coefficients[0] * right).max() > 1e-3 * np.abs(wrong).max()
    return bool(has_right) and _same(basis @ coefficients, wrong)


def _is_transposed(claim: WrongClaim) -> bool:
    right = claim.right
    return any(claim.is_(right.swapaxes(*axes)) for axes in combinations(range(right.ndim), 2))


def _is_in_another_order(claim: WrongClaim) -> bool:
    right = claim.right
    there = right.T.reshape(right.shape)
    back = right.reshape(right.shape[::-1]).T
    return right.ndim > 1 and (claim.is_(there) or claim.is_(back))


def _is_reversed(claim: WrongClaim) -> bool:
    axes = range(claim.right.ndim)
    choices = [c for n in (1, 2) for c in combinations(axes, n)]
    return any(claim.is_(np.flip(claim.right, choice)) for choice in choices)


def _is_rolled(claim: WrongClaim) -> bool:
    right = claim.right
    shifts = [s for s in (-3, -2, -1, 1, 2, 3) if abs(s) < max(right.size, 1)]
    return any(
        claim.is_(np.roll(right, shift, axis))
        for shift in shifts
        for axis in (None, *range(right.ndim))
    )


def _others(claim: WrongClaim) -> Iterator[tuple[Array, Array]]:
    """Yield the right and the given claims about other parameters of the same shape."""
    for name, right in claim.gradients.claims.items():
        if name != claim.name and right.shape in {claim.right.shape, claim.right.shape[::-1]}:
            given = claim.claims[name]
            is_alike = right.shape == claim.right.shape
            yield (right, given) if is_alike else (right.T, given.T)


def _is_exchanged(claim: WrongClaim) -> bool:
    others = list(_others(claim))
    return _is_permuted(claim) or any(
        claim.is_(right) and _same(given, claim.right) for right, given in others
    )


def _is_permuted(claim: WrongClaim) -> bool:
    return claim.right.size > 1 and _same(
        np.sort(claim.wrong.ravel()), np.sort(claim.right.ravel())
    )


def _is_shared_term(claim: WrongClaim) -> bool:
    return any(claim.differs_by_multiple_of(right) for right, _ in _others(claim))


def _operands(claim: WrongClaim) -> Iterator[Array]:
    """Yield the arrays of the call, as they stand along the axes of the parameter."""
    shape = claim.right.shape
    for array in (*claim.gradients.arrays, *claim.gradients.parameters.values()):
        for axes in combinations(range(len(shape)), array.ndim):
            if array.size > 1 and array.shape == tuple(shape[axis] for axis in axes):
                others = [axis for axis in range(len(shape)) if axis not in axes]
                yield np.broadcast_to(np.expand_dims(array, others), shape)


def _is_operand(claim: WrongClaim) -> bool:
    return any(
        claim.is_multiple_of(claim.right * array)
        or _proportional(claim.right, claim.wrong * array)
        for array in _operands(claim)
    )


def _is_operand_term(claim: WrongClaim) -> bool:
    return any(claim.differs_by_multiple_of(array) for array in _operands(claim))


def _upstream(claim: WrongClaim) -> Iterator[Array]:
    yield from (c for c in claim.gradients.cotangents if c.shape == claim.right.shape)


def _is_upstream_term(claim: WrongClaim) -> bool:
    return any(claim.differs_by_multiple_of(cotangent) for cotangent in _upstream(claim))


def _ignores_upstream(claim: WrongClaim) -> bool:
    return any(claim.is_(claim.right / cotangent) for cotangent in _upstream(claim))


def _has_upstream_twice(claim: WrongClaim) -> bool:
    return any(claim.is_(claim.right * cotangent) for cotangent in _upstream(claim))


def _is_repeated(claim: WrongClaim) -> bool:
    wrong = claim.wrong
    return wrong.size > 1 and any(
        wrong.shape[axis] > 1 and _same(wrong, np.broadcast_to(wrong.take([0], axis), wrong.shape))
        for axis in range(wrong.ndim)
    )


def _is_imprecise(claim: WrongClaim) -> bool:
    scale = np.abs(claim.right).max(initial=0.0)
    return bool(np.abs(claim.wrong - claim.right).max(initial=0.0) <= 2e-3 * scale)


def _is_in_one_place(claim: WrongClaim) -> bool:
    """Return whether wrong entries are a product of indices along the axes, or share a pattern."""
    differs = claim.differs
    if not differs.any() or differs.all():
        return False
    place = np.ones(differs.shape, dtype=np.bool_)
    for axis in range(differs.ndim):
        rest = tuple(k for k in range(differs.ndim) if k != axis)
        place &= differs.any(axis=rest, keepdims=True)
    right = claim.right != 0
    candidates = [place, claim.parameter < 0, claim.parameter > 0, claim.parameter == 0, ~right]
    if differs.ndim >= 2:
        square = np.ones(differs.shape[-2:], dtype=np.bool_)
        triangles = [np.tril(square, -1), np.triu(square, 1), np.tril(square), np.triu(square)]
        diagonal = np.eye(*differs.shape[-2:], dtype=np.bool_)
        patterns = [*triangles, diagonal, ~diagonal]
        candidates += [np.broadcast_to(p, differs.shape) for p in patterns]
        candidates += list(_borders(differs.shape))
    return any(not (differs & ~c).any() and not ((c & ~differs) & right).any() for c in candidates)


def _borders(shape: tuple[int, ...]) -> Iterator[Array]:
    for first in range(len(shape)):
        inside = np.zeros(shape, dtype=np.bool_)
        inside[(slice(None),) * first + (slice(1, -1),) * (len(shape) - first)] = True
        yield inside
        yield ~inside


TRUTHS: dict[str, Callable[[WrongClaim], bool]] = {
    "factor": _is_factor,
    "zero": _is_zero,
    "value": _is_power_of_value,
    "output": _is_multiple_of_output,
    "penalty": _is_penalty,
    "constant": _is_constant,
    "data-term": _is_data_term,
    "transpose": _is_transposed,
    "order": _is_in_another_order,
    "reversed": _is_reversed,
    "roll": _is_rolled,
    "exchanged": _is_exchanged,
    "permutation": _is_permuted,
    "shared-term": _is_shared_term,
    "upstream-term": _is_upstream_term,
    "operand": _is_operand,
    "mask": _is_operand,
    "operand-term": _is_operand_term,
    "activation": _is_power_of_value,
    "upstream-ignored": _ignores_upstream,
    "upstream-twice": _has_upstream_twice,
    "repeated": _is_repeated,
    "precision": _is_imprecise,
    "place": _is_in_one_place,
}
