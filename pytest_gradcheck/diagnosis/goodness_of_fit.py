"""The test of hypotheses on what was measured, with the evidence counted in digits.

A hypothesis predicts the true gradient, ``offset + c * slope``, so that one test serves entries,
products with directions and rows of a Jacobian. It fits c to the measurement that determines it
best, gives c a name, and compares all measurements within their bounds.

A measurement that the claim does not explain counts as many digits as the prediction agrees
beyond that. The number c costs the digits of the measurement that it was fitted to, or those of
its name. It does not know why a hypothesis was made.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pytest_gradcheck.diagnosis.agreement import MOST_DIGITS, Agreement, digits_of_agreement
from pytest_gradcheck.diagnosis.comparison import Comparison, Functionals
from pytest_gradcheck.diagnosis.gradient import Booleans, Floats, Indices
from pytest_gradcheck.diagnosis.hypothesis import Hypothesis
from pytest_gradcheck.diagnosis.lazy_arrays import LazyArray, as_lazy
from pytest_gradcheck.diagnosis.named_numbers import Number, Numbers

__all__ = ["Explanation", "HypothesisTest"]

#: A measurement supports a hypothesis if the uncertainty is below this share of the claim's error.
LARGEST_RELATIVE_BOUND = 1e-2

#: Claims that differ by less than this, relatively, or by so many of their roundings, are equal.
RESOLUTION = 1e-9
ROUNDINGS = 16.0

#: A prediction may be so many error bounds away from a measurement.
BOUNDS = 2.0

#: So many measurements are compared first, where there are more.
FIRST = 64

#: So many claims show whether these are round numbers.
FEW = 8


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
    distinct : int
        How many different measurements it explains: zeros beside each other are one.
    written : int
        The decimal digits of the longest claim among a few that it explains.
    """

    hypothesis: Hypothesis
    agreement: Agreement
    evidence: float
    distinct: int
    written: int

    @property
    def rank(self) -> int:
        """The complexity: a fitted number without a name counts."""
        return self.hypothesis.rank + self.is_fitted

    @property
    def is_fitted(self) -> bool:
        """Whether a number was fitted that has no name."""
        number = self.agreement.number
        return number is not None and math.isinf(number.cost)


@dataclass(frozen=True, slots=True, eq=False)
class _Readings:
    """Measurements that are known, in one row: their values, bounds, claims and verdicts."""

    functionals: Functionals
    known: Booleans
    shape: tuple[int, ...]
    value: Floats
    bound: Floats
    claimed: Floats
    is_wrong: Booleans
    resolution: float

    @classmethod
    def of(cls, comparison: Comparison) -> _Readings:
        """Return what is known of a comparison."""
        known, is_wrong = comparison.where, comparison.is_wrong
        # What the verdict excuses in a claim, as its own rounding, is excused in a prediction.
        gap = np.where(is_wrong, 0.0, np.abs(comparison.claimed - comparison.value))
        return cls(
            functionals=comparison.functionals,
            known=known,
            shape=comparison.gradient.claim.shape,
            value=comparison.value[known],
            bound=np.maximum(comparison.bound, gap)[known],
            claimed=comparison.claimed[known],
            is_wrong=is_wrong[known],
            resolution=max(RESOLUTION, ROUNDINGS * comparison.gradient.rounding),
        )

    def of_array(self, array: Floats | float | LazyArray) -> tuple[Floats, Floats]:
        """Return the functionals of an array, and bounds on their rounding errors."""
        if isinstance(array, float) and array == 0:
            return np.zeros(self.value.shape), np.zeros(self.value.shape)
        found, sizes = self.functionals.with_sizes(as_lazy(array), self.shape)
        return found[self.known], self.resolution * sizes[self.known]


@dataclass(frozen=True, slots=True, eq=False)
class _Prediction:
    """Predicted measurements, how far they may be off, and the digits that the choice cost.

    `number` was fitted to the measurement `best`.
    """

    value: Floats
    tolerance: Floats
    cost: float
    number: Number | None = None
    best: int = 0


class HypothesisTest:
    """The test of hypotheses about one gradient.

    Parameters
    ----------
    comparison : Comparison
        What was claimed and measured.
    numbers : Numbers
        Names of numbers.
    """

    def __init__(self, comparison: Comparison, numbers: Numbers) -> None:
        self._comparison, self._numbers = comparison, numbers

    @cached_property
    def first(self) -> Indices | None:
        """The entries that are compared first, where there are more; None for all."""
        return _first_measurements(self._comparison)

    @cached_property
    def _few(self) -> _Readings:
        return _Readings.of(self._comparison.of_entries(self.first))

    @cached_property
    def _all(self) -> _Readings:
        return _Readings.of(self._comparison)

    def explain(self, hypothesis: Hypothesis) -> Explanation | None:
        """Return how a hypothesis explains all measurements, None where it does not."""
        with np.errstate(all="ignore"):
            if self.first is not None and _is_refuted(self._few, hypothesis, self._numbers):
                return None
            return _explain(self._all, hypothesis, self._numbers)


def _first_measurements(comparison: Comparison) -> Indices | None:
    """Return the entries to compare first, None for all of them.

    Half of them are the most significant ones; these may all be alike.
    """
    entries = comparison.functionals.entries
    if entries is not None:
        has_both = entries.size and comparison.functionals.directions
        return np.arange(entries.size) if has_both else None
    if len(comparison.value) <= FIRST:
        return None
    with np.errstate(all="ignore"):
        gap = np.abs(comparison.claimed - comparison.value) / comparison.bound
    gap = np.nan_to_num(gap, nan=0.0, posinf=0.0).max(axis=1, initial=0.0)
    significant = np.argpartition(-gap, FIRST // 2)[: FIRST // 2]
    spread = np.linspace(0, gap.size - 1, FIRST // 2).astype(np.intp)
    return np.union1d(significant, spread)


def _explain(readings: _Readings, hypothesis: Hypothesis, numbers: Numbers) -> Explanation | None:
    """Return how a hypothesis explains some measurements, None where it does not."""
    for prediction in _predictions(readings, hypothesis, numbers) or ():
        if _agrees(readings, prediction):
            return _explanation(readings, hypothesis, prediction)
    return None


def _is_refuted(readings: _Readings, hypothesis: Hypothesis, numbers: Numbers) -> bool:
    """Return whether some measurements contradict a hypothesis."""
    predictions = _predictions(readings, hypothesis, numbers)
    if predictions is None:
        return False
    return not any(_agrees(readings, prediction) for prediction in predictions)


def _predictions(
    readings: _Readings, hypothesis: Hypothesis, numbers: Numbers
) -> Iterator[_Prediction] | None:
    """Return what a hypothesis predicts; None where no measurement determines its number."""
    offset, rounding = readings.of_array(hypothesis.offset)
    tolerance = BOUNDS * readings.bound + rounding
    if hypothesis.slope is None:
        return iter([_Prediction(offset, tolerance, hypothesis.cost)])
    slope, rounding = readings.of_array(hypothesis.slope)
    found = _fit(readings.value - offset, slope, tolerance)
    if found is None:
        return None
    c, uncertainty, best = found

    def predict(number: Number) -> _Prediction:
        own = hypothesis.coefficient(number.value)
        allowed, cost = tolerance + abs(own) * rounding, number.cost
        if math.isinf(cost):
            allowed, cost = allowed + abs(c) * uncertainty * np.abs(slope), 0.0
        return _Prediction(offset + own * slope, allowed, hypothesis.cost + cost, number, best)

    named = hypothesis.recognize(c, uncertainty, numbers)
    return map(predict, _numbers(named, hypothesis, c))


def _numbers(named: Number, hypothesis: Hypothesis, c: float) -> Iterator[Number]:
    """Yield a number with its name, then as it was fitted: the name may be chance."""
    yield named
    if not math.isinf(named.cost):
        value = hypothesis.coefficient(c)
        yield Number(value, f"{value:.6g}")


def _agrees(readings: _Readings, prediction: _Prediction) -> bool:
    """Return whether a prediction agrees with all measurements that it is about, and with any."""
    error = np.abs(prediction.value - readings.value)
    return not (error > prediction.tolerance).any() and not np.isnan(error).all()


def _explanation(
    readings: _Readings, hypothesis: Hypothesis, prediction: _Prediction
) -> Explanation | None:
    """Return how a prediction that agrees explains claims, None where it explains none."""
    value, is_wrong = readings.value, readings.is_wrong
    number, tolerance, cost = prediction.number, prediction.tolerance, prediction.cost
    error = np.abs(prediction.value - value)
    gap = np.abs(readings.claimed - value)
    digits = np.where(is_wrong & ~np.isnan(error), np.log10(gap / tolerance), 0.0)
    digits = np.nan_to_num(np.clip(digits, 0.0, MOST_DIGITS), nan=0.0)
    if number is not None and math.isinf(number.cost):
        cost += float(digits[prediction.best])
    supports = is_wrong & (gap > 0) & (tolerance <= LARGEST_RELATIVE_BOUND * gap)
    supports &= ~np.isnan(error)
    count = int(np.count_nonzero(supports))
    if not count:
        return None
    size = np.maximum(np.abs(value), gap)[supports]
    relative = float((error[supports] / size).max())
    agreement = Agreement(
        number=number,
        count=count,
        digits=digits_of_agreement(relative),
        directions=len(readings.functionals.directions),
    )
    different = _best_of_each(readings.claimed, prediction.value, digits)
    distinct = int(np.count_nonzero(supports & different))
    return Explanation(
        hypothesis,
        agreement,
        evidence=float(digits[different].sum()) - cost,
        distinct=distinct,
        written=max(map(_written_digits, readings.claimed[supports][:FEW].tolist())),
    )


def _written_digits(number: float) -> int:
    """Return how many digits a decimal number has.

    Examples
    --------
    >>> _written_digits(-0.075), _written_digits(300.0), _written_digits(1 / 3)
    (2, 1, 15)
    """
    mantissa, _ = f"{abs(number):.{MOST_DIGITS - 1}e}".split("e")
    return len(mantissa.replace(".", "").rstrip("0"))


def _best_of_each(claimed: Floats, predicted: Floats, digits: Floats) -> Booleans:
    """Return the measurement with the most digits of each claim and prediction.

    Of many measurements all are different.
    """
    best = np.ones(claimed.shape, dtype=np.bool_)
    if best.size <= FIRST:
        by_digits = np.argsort(-digits, kind="stable")
        pairs = np.stack([claimed, np.nan_to_num(predicted)])[:, by_digits]
        best[:] = False
        best[by_digits[np.unique(pairs, axis=1, return_index=True)[1]]] = True
    return best


def _fit(remainder: Floats, slope: Floats, tolerance: Floats) -> tuple[float, float, int] | None:
    """Fit c to the measurement that determines it best.

    Returns
    -------
    tuple of (float, float, int), or None
        The number c, its relative uncertainty, and the measurement; None where none determines it.
    """
    is_usable = np.isfinite(slope) & (slope != 0) & (remainder != 0)
    relative = np.where(is_usable, tolerance / np.abs(remainder), np.inf)
    relative = np.nan_to_num(relative, nan=np.inf)
    if not relative.size:
        return None
    best = int(np.argmin(relative))
    if relative[best] > LARGEST_RELATIVE_BOUND:
        return None
    return float(remainder[best] / slope[best]), float(relative[best]), best
