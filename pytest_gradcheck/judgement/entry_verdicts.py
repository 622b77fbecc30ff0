"""From a claim and a measurement with its bound to a verdict, entry by entry.

It must not evaluate anything or know names; arrays in, arrays out.
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
    "Judgement",
    "VerdictCode",
    "are_verified_zero",
    "is_scatter_conclusive",
    "judge",
]

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

#: A claim is wrong only when it is this many bounds away from the measurement.
KAPPA = 2.0

#: A verdict says something when an error of this share of the derivative would be seen,
#: so that one of a thousandth is, wherever within its bound the measurement lies ...
INFORMATIVE = 6e-4

#: ... or of this share of what is natural: float64 itself shows no more.
NEGLIGIBLE = 1e-14

#: A claim is zero when it is below this share of what can be seen. Then it is enough
#: to see this share of the largest.
ZERO = 1e-2
VANISHING = 1e-6

#: Where none of a parameter can be told from zero, or from that share of what is natural, it
#: is enough to see this share of that.
UNTOLD = 1e-4

#: One by which forward did not move at all, not by a bit, is zero when this share could be
#: seen: noise that other coordinates make is none along this one.
STILL = 1e-2

#: How many roundings of its type, of the parameter's largest claim, a claim may be off by:
#: what a sum of terms that cancel leaves.
CLAIM_ROUNDINGS = 8.0


#: How many times its scatter one rounding away a claim may be off by. Of three that are drawn
#: at random all lie closer to each other than a sixteenth of the error of one in a few of 1e5.
SCATTER_FACTOR = 16.0

#: A difference so many times larger than what scatter explains is no rounding.
FAR_BEYOND = 100.0

#: Rounding makes slight differences: below this share of the derivative or of what is natural.
SLIGHT = 0.1

#: A claim that changes by more than this share of that, one rounding away, jumps there: a label
#: held as a number is another then.
JUMPS = 1e-2


#: Forward is zero around the point where the bound on its derivative is below this. A claim may
#: be left by terms of order one that cancel there, whatever other coordinates move it by.
NOTHING = 1e-200

#: The least normal number, in the place of nothing that is divided by.
TINY = float(np.finfo(np.float64).tiny)


class VerdictCode(IntEnum):
    """Verdict of one derivative, as it is kept in arrays."""

    CORRECT = 0
    WRONG = 1
    INCONCLUSIVE = 2


@dataclass(frozen=True, slots=True)
class Judgement:
    """Verdicts on the derivatives of one parameter.

    Attributes
    ----------
    marks : ndarray of int8, shape (n, m)
        Values of `VerdictCode`.
    excess : ndarray, shape (n, m)
        Distance between claim and measurement in units of what is allowed, to three digits: a
        factor puts all entries equally far off, but for noise.
    allowed : ndarray, shape (n, m)
        The distance that is allowed: the smallest error that would be seen.
    zeros : ndarray of bool, shape (n, m)
        Which are verified as zero within what can be resolved, and no more: nothing about
        their formula was tested.
    slight : ndarray of bool, shape (n, m)
        Claims that are wrong by so little that their own rounding may explain it.
    rounded : ndarray of bool, shape (n, m)
        Claims that would be wrong but for their own rounding.
    conventions : mapping of (int, int) to Convention
        Claims that were accepted at a kink, and as what.
    unexplained : tuple of (int, int)
        Those there that are nothing one would write: between the slopes inconclusive, else
        wrong.
    """

    marks: NDArray[np.int8]
    excess: Floats
    allowed: Floats
    zeros: NDArray[np.bool_]
    slight: NDArray[np.bool_]
    rounded: NDArray[np.bool_]
    conventions: Mapping[tuple[int, int], SubgradientChoice]
    unexplained: tuple[tuple[int, int], ...]

    def are(self, mark: VerdictCode) -> NDArray[np.bool_]:
        """Tell which derivatives have this verdict."""
        # A plain number: numpy takes ten times as long to look at a member of an enumeration.
        return np.asarray(self.marks == mark.value)

    def counts(self) -> list[int]:
        """Return how many derivatives have each verdict, by its value."""
        counts: list[int] = np.bincount(self.marks.ravel(), minlength=len(VerdictCode)).tolist()
        return counts

    def part(
        self,
        rows: slice,
        conventions: Mapping[tuple[int, int], SubgradientChoice],
        unexplained: Iterable[tuple[int, int]],
    ) -> Judgement:
        """Return the verdicts on some rows, with what is known of claims at a kink there."""
        return Judgement(
            self.marks[rows],
            self.excess[rows],
            self.allowed[rows],
            self.zeros[rows],
            self.slight[rows],
            self.rounded[rows],
            conventions,
            tuple(unexplained),
        )

    def settle(
        self, several: Sequence[tuple[int, int]], off: Sequence[tuple[int, int]]
    ) -> Judgement:
        """Return the same with verdicts on some claims at a kink.

        Parameters
        ----------
        several : sequence of (int, int)
            Those that several kinks at once explain.
        off : sequence of (int, int)
            Those of a backward that is off beside the kink as well, or of one kink alone.
        """
        marks = self.marks.copy()
        for place in several:
            marks[place] = VerdictCode.CORRECT
        for place in off:
            marks[place] = VerdictCode.WRONG
        known = dict.fromkeys(several, SubgradientChoice.SEVERAL)
        left = tuple(place for place in self.unexplained if place not in {*several, *off})
        return replace(
            self, marks=marks, conventions={**self.conventions, **known}, unexplained=left
        )


def is_scatter_conclusive(distance: Floats, scatter: Floats, largest: float) -> bool:
    """Tell whether the scatter of claims explains all differences, or is far from it.

    A claim that is rounded to one of few numbers may not scatter by chance where others do.

    Parameters
    ----------
    distance, scatter : ndarray, shape (k,)
        Between claims and measurements, and between claims a rounding away.
    largest : float
        Scatter of many claims about the parameter.

    Examples
    --------
    >>> one = np.ones(1)
    >>> [is_scatter_conclusive(one, s * one, m) for s, m in ((0.1, 0.1), (0.0, 0.1), (0.0, 1e-9))]
    [True, False, True]
    """
    if FAR_BEYOND * SCATTER_FACTOR * largest < distance.min(initial=np.inf):
        return True
    return bool((SCATTER_FACTOR * scatter >= distance).all())


def are_verified_zero(size: Floats, unseen: Floats, natural: Floats) -> NDArray[np.bool_]:
    """Tell which derivatives are zero within what can be resolved, where all of them may be.

    Parameters
    ----------
    size, unseen, natural : ndarray of one shape
        How large they are, as claimed or measured, the smallest error that would be seen,
        and what outputs vary by over the scales of the coordinates.

    Examples
    --------
    >>> size, unseen = np.array([1e-9, 1e-15, 1e-5]), np.array([1e-10, 1e-6, 1e-10])
    >>> are_verified_zero(size, unseen, np.ones(3))
    array([ True,  True, False])
    """
    untold = (size <= unseen) & (unseen <= UNTOLD * natural)
    return np.asarray(untold | (size + unseen <= VANISHING * natural))


def judge(
    claim: Floats,
    value: Floats,
    bound: Floats,
    kinks: Mapping[tuple[int, int], tuple[float, float]],
    *,
    still: NDArray[np.bool_],
    natural: Floats,
    rtol: float,
    rounding: float | Floats,
    scatter: Floats | float = 0.0,
    starts: Indices | None = None,
) -> Judgement:
    """Judge the claims about one parameter, or about several at once.

    A claim is wrong only if ``|claim - value|`` exceeds both ``rtol`` times the
    larger of the two and twice the error bound. There is no absolute tolerance:
    the bound is the right one, in the entry's own units. A claim that agrees is
    correct only where the bound is small against the derivative, or shows what is allowed
    anyway, or is small against what float64 can show at all; where it is zero, against the
    largest of the parameter. Else it could hide anything and is inconclusive.

    A derivative that cannot be told from zero, with a bound that is small against what
    forward varies by, is verified as zero: at an optimum a claim of 1e-15 is, whatever
    its sign, as is one of 0. Nothing about its formula was tested then.

    Parameters
    ----------
    claim, value, bound : ndarray, shape (n, m)
        What backward says, what was measured, and how well.
    kinks : mapping of (int, int) to (float, float)
        Slopes on both sides where they differ; for what is accepted there see
        `classify_subgradient`.
    still : ndarray of bool, shape (n, m)
        Where the output did not move at all, not by a bit.
    natural : ndarray, shape (n, m)
        What outputs vary by over scales of the coordinates: what a derivative is small
        against where all of them vanish. Far above rounding.
    rtol : float
        Relative error that is allowed anyway.
    rounding : float or ndarray, shape (n, 1)
        Relative rounding of the claim's type.
    scatter : ndarray, shape (n, m), or float
        How much claims differ one rounding away. That is no excuse for more than slight
        differences, nor for what is right anyway.
    starts : ndarray of int, shape (k,), or None
        The first coordinate of each parameter, none of them empty; None of one.

    Returns
    -------
    Judgement
        Verdict, excess and allowance of every derivative.

    Examples
    --------
    >>> import numpy as np
    >>> claim, value = np.array([[2.0], [3.0]]), np.array([[2.0], [2.0]])
    >>> bound, natural, still = np.full((2, 1), 1e-9), np.ones((2, 1)), np.zeros((2, 1), bool)
    >>> around = {"still": still, "natural": natural}
    >>> judge(claim, value, bound, {}, **around, rtol=1e-6, rounding=2e-16).marks.ravel().tolist()
    [0, 1]
    """
    smooth = np.ones(claim.shape, dtype=np.bool_)
    for place in kinks:
        smooth[place] = False
    with np.errstate(all="ignore"):
        claimed, measured = np.abs(claim), np.abs(value)
        size = np.maximum(claimed, measured)
        is_nothing = (value == 0) & (bound <= NOTHING) & (SLIGHT * natural <= size)
        natural = np.where(is_nothing, 1.0, natural)
        is_left = is_nothing & (claim != 0)
        # Entries of one parameter may have units of their own: the largest is meant in theirs.
        shares = np.where(natural > 0, measured / natural, 0.0)
        largest = _largest(shares, starts) * natural
        largest = np.fmin(largest, _largest(measured, starts))
        rounded = CLAIM_ROUNDINGS * rounding * np.maximum(size, largest)
        unseen = np.maximum(KAPPA * bound, np.where(is_left, rounding, rounded))
        distance = np.abs(claim - value)
        known = np.isfinite(value) & np.isfinite(bound)
        beyond = known & smooth & (distance > np.maximum(rtol * size, unseen))
        slightest = SLIGHT * np.maximum(size, natural)
        slight = beyond & (distance <= slightest)
        doubted = slight & (scatter <= JUMPS * np.maximum(size, natural))
        unseen = np.where(doubted, np.maximum(unseen, SCATTER_FACTOR * scatter), unseen)
        allowed = np.maximum(rtol * size, unseen)
        excess = np.where(known, distance / np.maximum(allowed, TINY), 0.0)
        wrong = known & (excess > 1)
        excess = _rounded(excess)
        share = max(INFORMATIVE, rtol)
        telling = np.maximum(share * size, NEGLIGIBLE * natural)
        is_zero = claimed <= ZERO * unseen
        telling = np.where(is_zero, VANISHING * largest, telling)
        informative = unseen <= telling
        informative |= is_zero & still & (unseen <= STILL * natural)
        untold = (size <= unseen) | (size + unseen <= VANISHING * natural)
        informative |= are_verified_zero(size, unseen, natural) & _all(untold | ~known, starts)
        correct = known & informative & ~wrong
        zeros = correct & ((unseen > share * size) | (size == 0))
    marks = np.empty(claim.shape, dtype=np.int8)
    marks[...] = VerdictCode.INCONCLUSIVE
    marks[correct] = VerdictCode.CORRECT
    marks[wrong] = VerdictCode.WRONG
    conventions, unexplained = dict[tuple[int, int], SubgradientChoice](), list[tuple[int, int]]()
    for place, slopes in kinks.items():
        zeros[place] = False
        found = classify_subgradient(
            float(claim[place]), slopes, mean=float(value[place]), allowed=float(allowed[place])
        )
        if found:
            marks[place], excess[place] = VerdictCode.CORRECT, 0.0
            conventions[place] = found
            continue
        is_between = slopes[0] <= claim[place] <= slopes[1]
        marks[place] = VerdictCode.INCONCLUSIVE if is_between else VerdictCode.WRONG
        unexplained.append(place)
    is_wrong = marks == VerdictCode.WRONG.value
    return Judgement(
        marks,
        excess,
        allowed,
        zeros,
        slight & is_wrong,
        beyond & ~is_wrong,
        conventions,
        tuple(unexplained),
    )


def _rounded(excess: Floats) -> Floats:
    """Round to three digits."""
    unit = 10.0 ** np.floor(np.log10(np.maximum(excess, 1e-300)) - 2)
    return np.asarray(np.rint(excess / unit) * unit)


def _largest(values: Floats, starts: Indices | None) -> Floats | float:
    """Return the largest number that is known of each parameter, at least 0."""
    if starts is None:
        return float(np.fmax.reduce(values, axis=None, initial=0.0))
    largest = np.fmax.reduceat(np.fmax.reduce(values, axis=1, initial=0.0), starts)
    return np.repeat(largest, np.diff(starts, append=len(values)))[:, None]


def _all(where: NDArray[np.bool_], starts: Indices | None) -> NDArray[np.bool_]:
    """Tell of each output whether that is so by all coordinates of a parameter."""
    if starts is None:
        return np.asarray(where.all(axis=0))
    every = np.logical_and.reduceat(where, starts, axis=0)
    return np.repeat(every, np.diff(starts, append=len(where)), axis=0)
