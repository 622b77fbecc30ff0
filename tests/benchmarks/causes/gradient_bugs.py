"""Bugs of backward, as transformations of its right claims, and the diagnoses that are right.

Each bug concerns the claim about one parameter. It is a function of what backward has at hand,
so that backward stays wrong in the same way at other points and for other upstream gradients.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tests.benchmarks.causes.claimed_gradients import Claims, Gradients
from tests.corpus.family import Array

__all__ = ["BUGS", "NOISE", "Bug"]

#: ``make(gradients, name)`` returns the claims that are wrong; empty where the bug makes no sense.
Make = Callable[[Gradients, str], Claims]

#: Changes the claim about one parameter, given the parameter; None where that makes no sense.
Change = Callable[[Array, Array], Array | None]


@dataclass(frozen=True)
class Bug:
    """A bug of backward.

    Attributes
    ----------
    name : str
        Its name in the tables.
    kinds : frozenset of str
        The kinds of diagnosis that are right; empty where none is.
    make : callable
        ``make(gradients, name)`` returns the claims that the bug changes.
    """

    name: str
    kinds: frozenset[str]
    make: Make = field(compare=False)


def _bug(name: str, kinds: str, change: Change) -> Bug:
    def make(gradients: Gradients, parameter: str) -> Claims:
        claim = gradients.claims[parameter]
        changed = change(claim.copy(), gradients.parameters[parameter])
        return {} if changed is None else {parameter: changed}

    return Bug(name, frozenset(kinds.split()), make)


def _bug_of_value(name: str, kinds: str, change: Change) -> Bug:
    """Return a bug that makes sense in the gradient of a number: a term of it."""
    bug = _bug(name, kinds, change)

    def make(gradients: Gradients, parameter: str) -> Claims:
        return {} if gradients.value is None else bug.make(gradients, parameter)

    return Bug(bug.name, bug.kinds, make)


def _bug_in_call(name: str, kinds: str, make: Make) -> Bug:
    return Bug(name, frozenset(kinds.split()), make)


def _random(shape: tuple[int, ...]) -> Array:
    """Return factors that no cause predicts, the same in each call."""
    return np.random.default_rng([*shape, 17]).normal(size=shape)


# Factors.


def _times(factor: float) -> Change:
    return lambda claim, parameter: factor * claim


def _times_size(claim: Array, parameter: Array) -> Array | None:
    return len(claim) * claim if claim.ndim and len(claim) > 1 else None


def _over_size(claim: Array, parameter: Array) -> Array | None:
    return claim / claim.shape[-1] if claim.ndim and claim.shape[-1] > 1 else None


def _times_number(gradients: Gradients, name: str) -> Claims:
    factor = next((n for n in gradients.numbers.values() if n > 1e-3), None)
    return {} if factor is None else {name: factor * gradients.claims[name]}


# Parametrizations.


def _power_of_value(power: float, factor: float = 1.0) -> Change:
    def change(claim: Array, parameter: Array) -> Array | None:
        if claim.size < 2 or not (parameter > 0).all():
            return None
        return factor * claim * parameter**power

    return change


def _times_value(claim: Array, parameter: Array) -> Array | None:
    return claim * parameter if claim.size > 1 else None


def _times_exponential(sign: float) -> Change:
    def change(claim: Array, parameter: Array) -> Array | None:
        if claim.size < 2 or np.abs(parameter).max() > 50:
            return None
        return claim * np.exp(sign * parameter)

    return change


def _power_of_output(power: int) -> Make:
    def make(gradients: Gradients, name: str) -> Claims:
        if not gradients.value:
            return {}
        return {name: gradients.claims[name] * np.float64(gradients.value) ** power}

    return make


# Places.


def _transpose(claim: Array, parameter: Array) -> Array | None:
    return claim.T.copy() if claim.ndim == 2 and claim.shape[0] == claim.shape[1] else None


def _other_order(claim: Array, parameter: Array) -> Array | None:
    if claim.ndim != 2 or claim.shape[0] == claim.shape[1] or 1 in claim.shape:
        return None
    return claim.T.reshape(claim.shape)


def _reversed(claim: Array, parameter: Array) -> Array | None:
    return claim[::-1].copy() if claim.ndim and len(claim) > 1 else None


def _rolled(claim: Array, parameter: Array) -> Array | None:
    return np.roll(claim, 1, axis=0) if claim.ndim and len(claim) > 2 else None


def _rows_exchanged(claim: Array, parameter: Array) -> Array | None:
    if claim.ndim < 1 or len(claim) < 3:
        return None
    claim[[0, -1]] = claim[[-1, 0]]
    return claim


def _exchanged(gradients: Gradients, name: str) -> Claims:
    claims = gradients.claims
    shape = claims[name].shape
    other = next((k for k in claims if k != name and claims[k].shape == shape), None)
    return {} if other is None else {name: claims[other], other: claims[name]}


def _in(select: Callable[[Array], Array | None], change: Change) -> Change:
    """Return a change of the claims in one place only."""

    def within(claim: Array, parameter: Array) -> Array | None:
        place = select(claim)
        if place is None:
            return None
        changed = change(claim.copy(), parameter)
        return None if changed is None else np.where(place, changed, claim)

    return within


def _where(claim: Array, *index: Any) -> Array:
    place = np.zeros(claim.shape, dtype=np.bool_)
    place[index] = True
    return place


def _row(claim: Array) -> Array | None:
    return _where(claim, 1) if claim.ndim > 1 and len(claim) > 1 else None


def _column(claim: Array) -> Array | None:
    return _where(claim, ..., -1) if claim.ndim > 1 and claim.shape[-1] > 1 else None


def _later_rows(claim: Array) -> Array | None:
    return _where(claim, slice(1, None)) if claim.ndim > 1 and len(claim) > 2 else None


def _gate(claim: Array) -> Array | None:
    n = claim.shape[-1] // 4 if claim.ndim else 0
    return _where(claim, ..., slice(n, 2 * n)) if n > 1 and claim.shape[-1] == 4 * n else None


def _first_half(claim: Array) -> Array | None:
    n = len(claim) // 2 if claim.ndim else 0
    return _where(claim, slice(n)) if n > 1 else None


def _last_entry(claim: Array) -> Array | None:
    return _where(claim, -1) if claim.ndim == 1 and len(claim) > 2 else None


def _border(claim: Array) -> Array | None:
    if claim.ndim < 2 or min(claim.shape[-2:]) < 3:
        return None
    return ~_where(claim, ..., slice(1, -1), slice(1, -1))


def _noise(claim: Array, parameter: Array) -> Array | None:
    return claim * _random(claim.shape)


def _small_noise(claim: Array, parameter: Array) -> Array | None:
    return claim * (1 + 0.1 * _random(claim.shape))


def _zero(claim: Array, parameter: Array) -> Array | None:
    return np.zeros_like(claim)


# Terms.


def _plus_penalty(weight: float) -> Change:
    return lambda claim, parameter: claim + weight * parameter


def _plus_sign(weight: float) -> Change:
    def change(claim: Array, parameter: Array) -> Array | None:
        signs = np.sign(parameter)
        # With one sign everywhere it is a constant.
        return claim + weight * signs if len(np.unique(signs)) > 1 else None

    return change


def _plus_constant(claim: Array, parameter: Array) -> Array | None:
    return claim + 0.5 * np.abs(claim).max() if claim.size > 1 else None


def _data_term(factor: float) -> Make:
    def make(gradients: Gradients, name: str) -> Claims:
        reg, claim = gradients.numbers.get("reg"), gradients.claims[name]
        if reg is None or claim.ndim < 2:
            return {}
        weight = 2 * reg if reg < 0.1 else reg
        penalty = weight * gradients.parameters[name]
        return {name: factor * (claim - penalty) + penalty}

    return make


def _penalty_missing(gradients: Gradients, name: str) -> Claims:
    claims = _data_term(0.0)(gradients, name)
    return {k: gradients.claims[k] - penalty for k, penalty in claims.items()}


# Sums over axes.


def _repeated(claim: Array, parameter: Array) -> Array | None:
    if claim.ndim < 2 or len(claim) < 2:
        return None
    return np.broadcast_to(claim[:1], claim.shape).copy()


def _mean_of_entries(claim: Array, parameter: Array) -> Array | None:
    return np.full_like(claim, claim.mean()) if claim.size > 2 else None


# Upstream gradients.


def _ones_upstream(gradients: Gradients, name: str) -> Claims:
    return {} if gradients.under_ones is None else {name: gradients.under_ones()[name]}


def _upstream_twice(gradients: Gradients, name: str) -> Claims:
    return {} if gradients.under_squares is None else {name: gradients.under_squares()[name]}


# Other.


def _cast(dtype: type[np.floating]) -> Change:
    def change(claim: Array, parameter: Array) -> Array | None:
        if claim.size < 3 or np.abs(claim).max() > 1e4:
            return None
        with np.errstate(all="ignore"):
            return claim.astype(dtype).astype(claim.dtype)

    return change


def _stale_point(gradients: Gradients, name: str) -> Claims:
    """Return the claim at a point that moves along with that of the check."""
    return _near(gradients, name, gradients.parameters[name])


def _stale_cache(gradients: Gradients, name: str) -> Claims:
    """Return the claim of an earlier call, which stays what it is."""
    return _near(gradients, name, gradients.origin.get(name))


def _near(gradients: Gradients, name: str, point: Array | None) -> Claims:
    if gradients.elsewhere is None or point is None:
        return {}
    moved = (point * (1 + 1e-2 * _random(point.shape))).astype(point.dtype)
    try:
        with np.errstate(all="ignore"):
            claim = gradients.elsewhere(name, moved)
    except Exception:  # noqa: BLE001  # outside of its domain backward may raise anything
        return {}
    return {name: claim} if np.isfinite(claim).all() else {}


def _all(factor: float) -> Make:
    return lambda gradients, name: {k: factor * claim for k, claim in gradients.claims.items()}


BUGS = (
    _bug("factor 2", "factor", _times(2.0)),
    _bug("factor 1/3", "factor", _times(1 / 3)),
    _bug("factor len(x)", "factor", _times_size),
    _bug("factor 1/shape[-1]", "factor", _over_size),
    _bug_in_call("factor reg", "factor", _times_number),
    _bug("factor 180/pi", "factor", _times(180 / np.pi)),
    _bug("factor ln 2", "factor", _times(np.log(2))),
    _bug("factor 2 pi", "factor", _times(2 * np.pi)),
    _bug("sign", "factor", _times(-1.0)),
    _bug_in_call("force: all negative", "factor force", _all(-1.0)),
    _bug("derivative by log p", "value", _power_of_value(1.0)),
    _bug("derivative by sqrt p", "value", _power_of_value(0.5, 2.0)),
    _bug("derivative by p^2", "value", _power_of_value(-1.0, 0.5)),
    _bug("derivative by 1/p", "value", _power_of_value(2.0, -1.0)),
    _bug("derivative by exp p", "value", _times_exponential(-1.0)),
    _bug("inner derivative exp p twice", "value", _times_exponential(1.0)),
    _bug("times p", "value", _times_value),
    _bug_in_call("derivative of log f", "output factor", _power_of_output(-1)),
    _bug_in_call("times f", "output factor", _power_of_output(1)),
    _bug("transpose", "transpose", _transpose),
    _bug("memory order", "order", _other_order),
    _bug("reversed", "reversed", _reversed),
    _bug("rolled", "roll", _rolled),
    _bug("two rows exchanged", "exchanged permutation", _rows_exchanged),
    _bug_in_call("two parameters exchanged", "exchanged", _exchanged),
    _bug("zero", "zero", _zero),
    _bug("zero row", "zero place", _in(_row, _zero)),
    _bug("zero half", "zero place", _in(_first_half, _zero)),
    _bug("last entry not written", "zero place", _in(_last_entry, _zero)),
    _bug("gate times 2", "place", _in(_gate, _times(2.0))),
    _bug("row times 2", "place", _in(_row, _times(2.0))),
    _bug("row wrong", "place", _in(_row, _noise)),
    _bug("column wrong", "place", _in(_column, _noise)),
    _bug("gate wrong", "place", _in(_gate, _noise)),
    _bug("border wrong", "place", _in(_border, _noise)),
    _bug("wrong from the second row on", "place", _in(_later_rows, _noise)),
    _bug_of_value("penalty 0.01 too many", "penalty", _plus_penalty(0.01)),
    _bug_of_value("penalty 0.5 missing", "penalty", _plus_penalty(-0.5)),
    _bug_in_call("penalty reg missing", "penalty", _penalty_missing),
    _bug_of_value("L1 penalty too many", "penalty", _plus_sign(0.1)),
    _bug_in_call("data term times 2", "data-term", _data_term(2.0)),
    _bug_in_call("data term over 3", "data-term", _data_term(1 / 3)),
    _bug_of_value("constant added", "constant", _plus_constant),
    _bug("first row for all", "repeated", _repeated),
    _bug("mean of entries for all", "repeated", _mean_of_entries),
    _bug("float32 inside", "precision", _cast(np.float32)),
    _bug("float16 inside", "precision", _cast(np.float16)),
    _bug_in_call("ones for the upstream gradient", "upstream-ignored", _ones_upstream),
    _bug_in_call("upstream gradient twice", "upstream-twice", _upstream_twice),
    _bug_in_call("stale cache", "stale", _stale_cache),
    _bug_in_call("stale point", "stale", _stale_point),
)

#: Errors that have no cause.
NOISE = (
    _bug("noise", "", _noise),
    _bug("noise of 10%", "", _small_noise),
)
