"""The verdict on each entry, from a claim and a measurement with its error bound.

A claim is wrong if it differs from the measurement by more than ``rtol`` and by more than twice
the error bound. `numpy.isclose` and `torch.autograd.gradcheck` compare by a tolerance that the
caller chooses, ``atol + rtol * |value|``; here the error bound of the measurement takes the
place of ``atol``, and a third verdict, inconclusive, is given where that bound could hide an
error. This module does not evaluate functions, and it does not know names: it works on arrays.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.judgement.subgradients import SubgradientChoice, classify_subgradient

__all__ = [
    "CLAIM_ROUNDINGS",
    "SCATTER_FACTOR",
    "SUBNORMAL_TOLERANCE",
    "Judgement",
    "VerdictCode",
    "are_verified_zero",
    "is_scatter_conclusive",
    "judge",
    "relative_deviation",
]

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]
Indices = NDArray[np.intp]
Place = tuple[int, int]

#: A claim is wrong only if it is at least this many error bounds away from the measurement.
BOUND_FACTOR = 2.0

#: A verdict is informative if it would detect an error of this share of the derivative. An
#: error of a thousandth is then detected wherever within its bound the measurement lies.
INFORMATIVE_SHARE = 6e-4

#: An error of this share of the natural slope need not be detected: float64 cannot resolve it.
NEGLIGIBLE_SHARE = 1e-14

#: A claim counts as zero if it is below this share of the smallest detectable error.
ZERO_SHARE = 1e-2

#: For a claim that counts as zero it suffices to detect this share of the largest derivative.
VANISHING_SHARE = 1e-6

#: Where no derivative of a parameter can be distinguished from zero, or all are below
#: `VANISHING_SHARE` of the natural slope, it suffices to detect this share of that scale.
ALL_ZERO_SHARE = 1e-4

#: For a coordinate that leaves forward unchanged, bit by bit, it suffices to detect this share
#: of the natural slope: noise that other coordinates cause is no noise along this one.
UNCHANGED_SHARE = 1e-2

#: A claim may be off by this many roundings of its type, relative to the largest claim of its
#: parameter: a sum whose terms cancel leaves such an error.
CLAIM_ROUNDINGS = 8.0

#: A claim may be off by this many times its scatter at points one rounding away. Three claims
#: drawn at random all differ by less than a sixteenth of their error in a few cases of 1e5.
SCATTER_FACTOR = 16.0

#: A difference this many times larger than the scatter explains is no rounding error.
FAR_BEYOND_SCATTER = 100.0

#: Rounding errors are below this share of the derivative or of the natural slope.
SLIGHT_SHARE = 0.1

#: A claim that changes by more than this share, one rounding away, is discontinuous there: for
#: example, backward reads a label that is held as a float.
DISCONTINUOUS_SHARE = 1e-2

#: Forward is zero around the point if the bound on its derivative is below this. A claim there
#: may be the residue of terms of order one that cancel.
VANISHED_BOUND = 1e-200

#: The least distance that is allowed between numbers that may be subnormal, whose roundings are
#: absolute: many of them, since every term of a sum is rounded.
SUBNORMAL_TOLERANCE = 64 * float(np.finfo(np.float64).smallest_subnormal)

#: Roundings of larger numbers exceed those of subnormal ones.
MOST_SUBNORMAL = 1e-300

#: The smallest number that has all its digits.
SMALLEST_NORMAL = float(np.finfo(np.float64).smallest_normal)

#: The largest excess.
MOST_EXCESS = 1e300


class VerdictCode(IntEnum):
    """The verdict on one derivative, as it is stored in arrays."""

    CORRECT = 0
    WRONG = 1
    INCONCLUSIVE = 2


@dataclass(frozen=True, slots=True)
class Judgement:
    """Verdicts on the derivatives of one parameter.

    Attributes
    ----------
    codes : ndarray of int8, shape (n, m)
        Values of `VerdictCode`.
    excess : ndarray, shape (n, m)
        Distance between claim and measurement over the allowed distance, rounded to three
        digits: a constant factor then gives all entries the same excess, in spite of noise.
    allowed : ndarray, shape (n, m)
        The allowed distance, which is the smallest error that would be detected.
    zeros : ndarray of bool, shape (n, m)
        Derivatives that are verified to be zero within the resolution of the measurement.
        Nothing else about their formula was tested.
    slightly_wrong : ndarray of bool, shape (n, m)
        Claims that are wrong by so little that their own rounding may explain it.
    excused_by_rounding : ndarray of bool, shape (n, m)
        Claims that would be wrong but for their own rounding.
    subgradients : mapping of (int, int) to SubgradientChoice
        Claims that were accepted at a kink, and the subgradient that they are.
    unclassified : tuple of (int, int)
        Claims at a kink that are no common choice of a subgradient: inconclusive between the
        one-sided slopes, else wrong.
    """

    codes: NDArray[np.int8]
    excess: Floats
    allowed: Floats
    zeros: Booleans
    slightly_wrong: Booleans
    excused_by_rounding: Booleans
    subgradients: Mapping[Place, SubgradientChoice]
    unclassified: tuple[Place, ...]

    def has_code(self, code: VerdictCode) -> Booleans:
        """Return which derivatives have this verdict."""
        # A plain number: comparison with a member of an enumeration is ten times as slow.
        return np.asarray(self.codes == code.value)

    def counts(self) -> list[int]:
        """Return the number of derivatives with each verdict, indexed by `VerdictCode`."""
        counts: list[int] = np.bincount(self.codes.ravel(), minlength=len(VerdictCode)).tolist()
        return counts

    def select_rows(
        self,
        rows: slice,
        subgradients: Mapping[Place, SubgradientChoice],
        unclassified: Iterable[Place],
    ) -> Judgement:
        """Return the verdicts on some rows, given the claims at kinks among them."""
        return Judgement(
            self.codes[rows],
            self.excess[rows],
            self.allowed[rows],
            self.zeros[rows],
            self.slightly_wrong[rows],
            self.excused_by_rounding[rows],
            subgradients,
            tuple(unclassified),
        )

    def decide_kinks(self, correct: Sequence[Place], wrong: Sequence[Place]) -> Judgement:
        """Return the same verdicts, with some unclassified claims at kinks decided.

        Parameters
        ----------
        correct : sequence of (int, int)
            Claims that several kinks at one point explain.
        wrong : sequence of (int, int)
            Claims at one kink alone, or of a backward that is wrong beside the kink as well.
        """
        codes = self.codes.copy()
        for place in correct:
            codes[place] = VerdictCode.CORRECT
        for place in wrong:
            codes[place] = VerdictCode.WRONG
        accepted = dict.fromkeys(correct, SubgradientChoice.SEVERAL)
        undecided = tuple(p for p in self.unclassified if p not in {*correct, *wrong})
        return replace(
            self,
            codes=codes,
            subgradients={**self.subgradients, **accepted},
            unclassified=undecided,
        )


def is_scatter_conclusive(distance: Floats, scatter: Floats, largest: float) -> bool:
    """Return whether the scatter of claims explains every difference, or is far from it.

    A claim that is rounded to one of few numbers may by chance not scatter where others do.

    Parameters
    ----------
    distance, scatter : ndarray, shape (k,)
        Distances between claims and measurements, and between claims one rounding apart.
    largest : float
        The largest scatter of many claims about the parameter.

    Examples
    --------
    >>> one = np.ones(1)
    >>> cases = (0.1, 0.1), (0.0, 0.1), (0.0, 1e-9)
    >>> [is_scatter_conclusive(one, scatter * one, largest) for scatter, largest in cases]
    [True, False, True]
    """
    if FAR_BEYOND_SCATTER * SCATTER_FACTOR * largest < distance.min(initial=np.inf):
        return True
    return bool((SCATTER_FACTOR * scatter >= distance).all())


def are_verified_zero(size: Floats, detectable: Floats, natural: Floats) -> Booleans:
    """Return which derivatives are zero within the resolution, provided that all may be.

    Parameters
    ----------
    size, detectable, natural : ndarray of one shape
        The magnitude of the derivatives, claimed or measured; the smallest error that would
        be detected; and their natural slope, see `judge`.

    Examples
    --------
    >>> size, detectable = np.array([1e-9, 1e-15, 1e-5]), np.array([1e-10, 1e-6, 1e-10])
    >>> are_verified_zero(size, detectable, np.ones(3))
    array([ True,  True, False])
    """
    unresolved = (size <= detectable) & (detectable <= ALL_ZERO_SHARE * natural)
    return np.asarray(unresolved | (size + detectable <= VANISHING_SHARE * natural))


def judge(
    claim: Floats,
    value: Floats,
    bound: Floats,
    kinks: Mapping[Place, tuple[float, float]],
    *,
    unchanged: Booleans,
    natural: Floats,
    rtol: float,
    rounding: float | Floats,
    scatter: Floats | float = 0.0,
    starts: Indices | None = None,
) -> Judgement:
    """Judge the claims about one parameter, or about several at once.

    A claim is wrong if ``|claim - value|`` exceeds both ``rtol`` times the larger of the two
    and twice the error bound. There is no absolute tolerance: the bound is one, in the units
    of the entry. A claim that agrees is correct if the bound is small against the derivative,
    against the allowed error, or against what float64 resolves. For a claim of zero the bound
    must be small against the largest derivative of the parameter. All other claims are
    inconclusive, since the bound could hide an error.

    A derivative that cannot be distinguished from zero is verified as zero if its bound is
    small against the natural slope. At an optimum, claims of 0, 1e-15 and -1e-15 then have
    the same verdict. Nothing about their formula was tested.

    Parameters
    ----------
    claim, value, bound : ndarray, shape (n, m)
        The claimed derivatives, the measured ones, and their error bounds.
    kinks : mapping of (int, int) to (float, float)
        One-sided slopes where they differ; `classify_subgradient` says which claims are
        accepted there.
    unchanged : ndarray of bool, shape (n, m)
        Whether the output was unchanged, bit by bit, at every step.
    natural : ndarray, shape (n, m)
        The natural slope of a derivative: the variation of the output over the scale of the
        coordinate. It is far above rounding, and measures a gradient that vanishes.
    rtol : float
        The relative error that is always allowed.
    rounding : float or ndarray, shape (n, 1)
        Relative rounding error of the type of the claims.
    scatter : ndarray, shape (n, m), or float
        The differences between claims at points one rounding apart. They excuse slight
        differences only, and make no correct claim inconclusive.
    starts : ndarray of int, shape (k,), or None
        The first coordinate of each parameter, none of which is empty; None for one
        parameter.

    Returns
    -------
    Judgement
        Verdict, excess and allowed distance of every derivative.

    Examples
    --------
    >>> import numpy as np
    >>> claim, value, bound = np.array([[2.0], [3.0]]), np.full((2, 1), 2.0), np.full((2, 1), 1e-9)
    >>> context = {"unchanged": np.zeros((2, 1), bool), "natural": np.ones((2, 1))}
    >>> judged = judge(claim, value, bound, {}, **context, rtol=1e-6, rounding=2e-16)
    >>> judged.codes.ravel().tolist()
    [0, 1]
    """
    smooth = _without(kinks, claim.shape)
    with np.errstate(all="ignore"):
        claimed, measured = np.abs(claim), np.abs(value)
        size = np.maximum(claimed, measured)
        has_vanished = _has_vanished(value, bound, natural, size)
        natural = np.where(has_vanished, 1.0, natural)
        is_residue = has_vanished & (claim != 0)
        # Entries may have units of their own: compare with the largest in units of the entry.
        shares = np.where(natural > 0, measured / natural, 0.0)
        largest = _largest(shares, starts) * natural
        largest = np.fmin(largest, _largest(measured, starts))
        claim_error = CLAIM_ROUNDINGS * rounding * np.maximum(size, largest)
        detectable = np.maximum(BOUND_FACTOR * bound, np.where(is_residue, rounding, claim_error))
        detectable = np.maximum(detectable, _subnormal_rounding(size))
        distance, known = np.abs(claim - value), np.isfinite(value) & np.isfinite(bound)
        differs = known & smooth & (distance > np.maximum(rtol * size, detectable))
        slightly = differs & (distance <= SLIGHT_SHARE * np.maximum(size, natural))
        excusable = slightly & (scatter <= DISCONTINUOUS_SHARE * np.maximum(size, natural))
        detectable = np.where(
            excusable, np.maximum(detectable, SCATTER_FACTOR * scatter), detectable
        )
        allowed = np.maximum(rtol * size, detectable)
        ratio = np.minimum(distance / np.maximum(allowed, SUBNORMAL_TOLERANCE), MOST_EXCESS)
        excess = np.where(known, ratio, 0.0)
        wrong = known & (excess > 1)
        share = max(INFORMATIVE_SHARE, rtol)
        # Types of few digits would leave no claim informative: the measurement itself must be.
        is_coarse = (CLAIM_ROUNDINGS * rounding > share) & ~is_residue
        own = np.maximum(BOUND_FACTOR * bound, _subnormal_rounding(size))
        detectable = np.where(is_coarse, own, detectable)
        required = np.maximum(share * size, NEGLIGIBLE_SHARE * natural)
        is_zero = claimed <= ZERO_SHARE * detectable
        required = np.where(is_zero, VANISHING_SHARE * largest, required)
        informative = detectable <= required
        informative |= is_zero & unchanged & (detectable <= UNCHANGED_SHARE * natural)
        may_be_zero = (size <= detectable) | (size + detectable <= VANISHING_SHARE * natural)
        informative |= are_verified_zero(size, detectable, natural) & _all_of_parameter(
            may_be_zero | ~known, starts
        )
        correct = known & informative & ~wrong
        zeros = correct & ((detectable > share * size) | (size == 0))
    codes = np.full(claim.shape, VerdictCode.INCONCLUSIVE, dtype=np.int8)
    codes[correct] = VerdictCode.CORRECT
    codes[wrong] = VerdictCode.WRONG
    subgradients, unclassified = dict[Place, SubgradientChoice](), list[Place]()
    for place, slopes in kinks.items():
        zeros[place] = False
        choice = classify_subgradient(
            float(claim[place]), slopes, mean=float(value[place]), allowed=float(allowed[place])
        )
        if choice:
            codes[place], excess[place] = VerdictCode.CORRECT, 0.0
            subgradients[place] = choice
            continue
        is_between = slopes[0] <= claim[place] <= slopes[1]
        codes[place] = VerdictCode.INCONCLUSIVE if is_between else VerdictCode.WRONG
        unclassified.append(place)
    is_wrong = codes == VerdictCode.WRONG.value
    return Judgement(
        codes,
        _round_to_three_digits(excess),
        allowed,
        zeros,
        slightly & is_wrong,
        differs & ~is_wrong,
        subgradients,
        tuple(unclassified),
    )


def relative_deviation(claim: Floats, value: Floats, bound: Floats) -> Floats:
    """Return how far claims are from the measured values, relative to these.

    Parameters
    ----------
    claim, value, bound : ndarray of one shape
        The claimed derivatives, the measured ones, and their error bounds.

    Returns
    -------
    ndarray
        ``(claim - value) / value``, or ``(claim - value) / bound`` where the value is zero
        within its bound; 0 where nothing was measured. It is rounded to three digits: a
        constant factor then gives all entries the same deviation, in spite of noise.

    Examples
    --------
    >>> claim, value = np.array([4.0, -0.5, 1e-3]), np.array([1.0, -1.0, 0.0])
    >>> relative_deviation(claim, value, np.full(3, 1e-5)).tolist()
    [3.0, -0.5, 100.0]
    """
    with np.errstate(all="ignore"):
        is_zero = (np.abs(value) <= bound) & np.isfinite(bound)
        deviation = (claim - value) / np.where(is_zero, bound, value)
        known = ~np.isnan(deviation) & np.isfinite(value)
        return np.where(known, _round_to_three_digits(deviation), 0.0)


def _without(places: Iterable[Place], shape: tuple[int, ...]) -> Booleans:
    """Return an array that is True at all places but some."""
    kept = np.ones(shape, dtype=np.bool_)
    for place in places:
        kept[place] = False
    return kept


def _has_vanished(value: Floats, bound: Floats, natural: Floats, size: Floats) -> Booleans:
    """Return where forward is zero around the point, not only small."""
    is_zero = (natural == 0) | ((SLIGHT_SHARE * natural <= size) & (size >= SMALLEST_NORMAL))
    return np.asarray((value == 0) & (bound <= VANISHED_BOUND) & is_zero)


def _subnormal_rounding(size: Floats) -> Floats:
    """Return the rounding of derivatives that may be subnormal, zero for all others."""
    return np.where((size > 0) & (size < MOST_SUBNORMAL), SUBNORMAL_TOLERANCE, 0.0)


def _round_to_three_digits(number: Floats) -> Floats:
    unit = 10.0 ** np.floor(np.log10(np.clip(np.abs(number), 1e-300, 1e300)) - 2)
    return np.where(np.isfinite(number), np.rint(number / unit) * unit, number)


def _largest(values: Floats, starts: Indices | None) -> Floats | float:
    """Return the largest number of each parameter that is no NaN, at least 0."""
    if starts is None:
        return float(np.fmax.reduce(values, axis=None, initial=0.0))
    largest = np.fmax.reduceat(np.fmax.reduce(values, axis=1, initial=0.0), starts)
    return np.repeat(largest, np.diff(starts, append=len(values)))[:, None]


def _all_of_parameter(condition: Booleans, starts: Indices | None) -> Booleans:
    """Return for each output whether a condition holds for all coordinates of a parameter."""
    if starts is None:
        return np.asarray(condition.all(axis=0))
    every = np.logical_and.reduceat(condition, starts, axis=0)
    return np.repeat(every, np.diff(starts, append=len(condition)), axis=0)
