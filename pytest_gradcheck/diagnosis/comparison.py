"""The comparison of a claimed gradient with what was measured of the true one.

What is measured are linear functionals of the true gradient (`Functionals`): entries in a sweep,
in a screen some entries and products with directions. A hypothesis predicts the true gradient,
``offset + c * slope``, so that one test serves all of these: `explain` fits c to the functional
that determines it best, gives c a name, and compares all functionals within their bounds.

Evidence is counted in digits. A measurement that the claim does not explain counts as many as
the prediction agrees with beyond that; the number c costs the digits of the measurement that
it was fitted to, or of its name. It does not know why a hypothesis was made.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.diagnosis.gradient import Booleans, ClaimedGradient, Floats
from pytest_gradcheck.diagnosis.hypothesis import Agreement, Hypothesis
from pytest_gradcheck.diagnosis.named_numbers import Number, Numbers
from pytest_gradcheck.report.records import Diagnosis

__all__ = ["Comparison", "Explanation", "Functionals", "explain"]

Indices = NDArray[np.intp]

#: A measurement supports a hypothesis if the uncertainty is below this share of the claim's error.
LARGEST_RELATIVE_BOUND = 1e-2

#: Claims that differ by less than this, relatively, or by so many of their roundings, are equal.
RESOLUTION = 1e-9
ROUNDINGS = 16.0

#: A prediction may be so many error bounds away from a measurement.
BOUNDS = 2.0

#: The most digits to which numbers agree.
MOST_DIGITS = 15


@dataclass(frozen=True, slots=True, eq=False)
class Functionals:
    """Linear functionals of a gradient: entries of it, and products with directions.

    Attributes
    ----------
    entries : ndarray of int, shape (k,), or None
        Which coordinates were measured one by one; None for all.
    directions : tuple of ndarray, shape (n,)
        Directions of the parameter along which a derivative was measured.
    stand_for_directions : bool
        Whether the entries stand for as many directions, which show a relative error of all.
    """

    entries: Indices | None = None
    directions: tuple[Floats, ...] = ()
    stand_for_directions: bool = False

    @property
    def along(self) -> int:
        """The number of directions that were measured."""
        if self.stand_for_directions and self.entries is not None:
            return self.entries.size
        return len(self.directions)

    def of(self, array: Floats) -> Floats:
        """Return the functionals of an array of shape (*axes, m), shape (k + directions, m)."""
        rows = array.reshape(-1, array.shape[-1])
        some = rows if self.entries is None else rows[self.entries]
        if not self.directions:
            return some
        # Not by BLAS, whose threads wait for each other on a busy machine.
        along = [np.einsum("i,ij->j", direction, rows) for direction in self.directions]
        return np.concatenate([some, np.stack(along)])

    def size_of(self, array: Floats) -> Floats:
        """Return the size of what the functionals sum up, in the 2-norm."""
        rows = array.reshape(-1, array.shape[-1])
        some = np.abs(rows if self.entries is None else rows[self.entries])
        if not self.directions:
            return some
        along = [
            np.sqrt(np.einsum("i,i,ij,ij->j", direction, direction, rows, rows))
            for direction in self.directions
        ]
        return np.concatenate([some, np.stack(along)])


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """A claimed gradient, and what was measured of the true one.

    Attributes
    ----------
    gradient : ClaimedGradient
        The claim.
    functionals : Functionals
        What was measured.
    value, bound : ndarray, shape (k, m)
        The measurements, and bounds on their errors; NaN or infinite where nothing is known.
    is_wrong, is_right : ndarray of bool, shape (k, m)
        The verdicts.
    suspects : ndarray of bool, shape (*axes, m)
        Where claims are wrong, measured or not.
    regions : tuple of Diagnosis
        These places in words, where they are known already.
    outputs : str
        The outputs that the claims are about, in words; empty where there is one.
    """

    gradient: ClaimedGradient
    functionals: Functionals
    value: Floats
    bound: Floats
    is_wrong: Booleans
    is_right: Booleans
    suspects: Booleans
    regions: tuple[Diagnosis, ...] = ()
    outputs: str = ""
    where: Booleans = field(init=False)

    def __post_init__(self) -> None:
        known = np.isfinite(self.value) & np.isfinite(self.bound)
        object.__setattr__(self, "where", known)

    @property
    def claimed(self) -> Floats:
        """The functionals of the claim, shape (k, m)."""
        return self.functionals.of(self.gradient.claim)

    @property
    def is_sweep(self) -> bool:
        """Whether every entry was measured."""
        return self.functionals.entries is None

    @property
    def without_directions(self) -> Comparison:
        """The comparison of the single entries only."""
        count = len(self.functionals.directions)
        if not count:
            return self
        return replace(
            self,
            functionals=Functionals(self.functionals.entries),
            value=self.value[:-count],
            bound=self.bound[:-count],
            is_wrong=self.is_wrong[:-count],
            is_right=self.is_right[:-count],
        )

    def joined(self, other: Comparison) -> Comparison:
        """Return the comparison of these entries and of others."""
        parts, others = self.functionals.entries, other.functionals.entries
        if parts is None or others is None:
            raise ValueError("all entries are compared already")
        return replace(
            self,
            functionals=Functionals(np.concatenate([parts, others])),
            value=np.concatenate([self.value, other.value]),
            bound=np.concatenate([self.bound, other.bound]),
            is_wrong=np.concatenate([self.is_wrong, other.is_wrong]),
            is_right=np.concatenate([self.is_right, other.is_right]),
        )

    def inside(self, place: Booleans) -> Comparison:
        """Return the comparison of what was measured in a place, of the shape of the claims."""
        mask = self.functionals.of(place.astype(np.float64)) != 0
        return replace(
            self,
            value=np.where(mask, self.value, np.nan),
            is_wrong=self.is_wrong & mask,
            is_right=self.is_right & mask,
        )


@dataclass(frozen=True, slots=True)
class Explanation:
    """A hypothesis that explains all measurements.

    Attributes
    ----------
    hypothesis : Hypothesis
        The hypothesis.
    agreement : Agreement
        What it agrees with.
    evidence : float
        The digits of agreement that are left when the fitted number is paid for.
    """

    hypothesis: Hypothesis
    agreement: Agreement
    evidence: float

    @property
    def rank(self) -> int:
        """The complexity: a fitted number without a name counts."""
        number = self.agreement.number
        return self.hypothesis.rank + (number is not None and math.isinf(number.cost))


def explain(
    comparison: Comparison, hypothesis: Hypothesis, numbers: Numbers
) -> Explanation | None:
    """Return how a hypothesis explains all measurements, None where it does not.

    Parameters
    ----------
    comparison : Comparison
        What was claimed and measured.
    hypothesis : Hypothesis
        The prediction.
    numbers : Numbers
        Names of numbers.
    """
    functionals, known = comparison.functionals, comparison.where
    shape = comparison.gradient.claim.shape
    with np.errstate(all="ignore"):
        offset = functionals.of(_shaped(hypothesis.offset, shape))[known]
        value, is_wrong = comparison.value[known], comparison.is_wrong[known]
        resolution = max(RESOLUTION, ROUNDINGS * comparison.gradient.rounding)
        rounded = functionals.size_of(_shaped(hypothesis.offset, shape))[known]
        tolerance = BOUNDS * comparison.bound[known] + resolution * rounded
        number, cost, predicted = None, hypothesis.cost, offset
        if hypothesis.slope is not None:
            slope = functionals.of(_shaped(hypothesis.slope, shape))[known]
            found = _fit(value - offset, slope, tolerance, hypothesis, numbers)
            if found is None:
                return None
            number, uncertainty, best = found
            c = hypothesis.coefficient(number.value)
            size = functionals.size_of(_shaped(hypothesis.slope, shape))[known]
            tolerance = tolerance + (resolution * abs(c)) * size
            if math.isinf(number.cost):
                tolerance = tolerance + uncertainty * np.abs(slope)
            predicted = offset + c * slope
        error = np.abs(predicted - value)
        if not (error <= tolerance).all():
            return None
        gap = np.abs(comparison.claimed[known] - value)
        digits = np.where(is_wrong, np.log10(gap / tolerance), 0.0)
        digits = np.nan_to_num(np.clip(digits, 0.0, MOST_DIGITS), nan=0.0)
        if number is not None:
            cost += float(digits[best]) if math.isinf(number.cost) else number.cost
        supports = is_wrong & (gap > 0) & (tolerance <= LARGEST_RELATIVE_BOUND * gap)
        size = np.maximum(np.abs(value), gap)[supports]
        relative = float((error[supports] / size).max(initial=0.0))
    count = int(np.count_nonzero(supports))
    if not count:
        return None
    agreement = Agreement(
        number=number,
        count=count,
        digits=MOST_DIGITS if relative == 0 else min(MOST_DIGITS, int(-math.log10(relative))),
        directions=functionals.along,
    )
    return Explanation(hypothesis, agreement, float(digits.sum()) - cost)


def _fit(
    remainder: Floats,
    slope: Floats,
    tolerance: Floats,
    hypothesis: Hypothesis,
    numbers: Numbers,
) -> tuple[Number, float, int] | None:
    """Fit c to the measurement that determines it best, and give it a name.

    Returns
    -------
    tuple of (Number, float, int), or None
        The number that the hypothesis names, the uncertainty of c, and the measurement.
    """
    certainty = np.where(slope != 0, np.abs(slope) / tolerance, 0.0)
    certainty *= np.abs(remainder / slope) > 0  # a multiple of zero determines nothing
    certainty = np.nan_to_num(certainty, nan=0.0, posinf=0.0)
    if not certainty.size or not certainty.any():
        return None
    relative = np.nan_to_num(tolerance / np.abs(remainder), nan=np.inf)
    best = int(np.argmin(np.where(certainty > 0, relative, np.inf)))
    if relative[best] > LARGEST_RELATIVE_BOUND:
        return None
    c = float(remainder[best] / slope[best])
    uncertainty = float(relative[best])
    number = hypothesis.recognize(c, uncertainty, numbers)
    return number, abs(c) * uncertainty, best


def _shaped(array: Floats | float, shape: tuple[int, ...]) -> Floats:
    return np.broadcast_to(np.asarray(array, dtype=np.float64), shape)
