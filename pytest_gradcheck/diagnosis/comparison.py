"""The comparison of a claimed gradient with what was measured of the true one.

What is measured are linear functionals of the true gradient (`Functionals`): entries in a sweep,
in a screen some entries and products with directions. It does not test hypotheses.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.diagnosis.gradient import Booleans, ClaimedGradient, Floats, Indices
from pytest_gradcheck.diagnosis.lazy_arrays import LazyArray, as_lazy
from pytest_gradcheck.report.report_data import Diagnosis

__all__ = ["Comparison", "Functionals", "no_comparison"]


@dataclass(frozen=True, slots=True, eq=False)
class Functionals:
    """Linear functionals of a gradient: entries of it, and products with directions.

    Attributes
    ----------
    entries : ndarray of int, shape (k,), or None
        Which coordinates were measured one by one; None for all.
    directions : tuple of ndarray, shape (n,)
        Directions of the parameter along which a derivative was measured.
    """

    entries: Indices | None = None
    directions: tuple[Floats, ...] = ()

    def of(self, array: NDArray[Any]) -> NDArray[Any]:
        """Return the functionals of an array of shape (*axes, m), shape (k + directions, m)."""
        return self.with_sizes(as_lazy(array), array.shape)[0]

    def with_sizes(self, array: LazyArray, shape: tuple[int, ...]) -> tuple[NDArray[Any], Floats]:
        """Return the functionals, and the sizes of what they sum up, in the 2-norm."""
        some = self._entries_of(array, shape)
        size: Floats = np.abs(some)
        if not self.directions:
            return some, size
        columns = array.everywhere(shape).reshape(-1, shape[-1]).T
        # Not by BLAS, whose threads wait for each other on a busy machine.
        terms = [[direction * column for column in columns] for direction in self.directions]
        sums = np.array([[np.sum(term) for term in row] for row in terms])
        sizes = np.sqrt([[np.einsum("i,i->", term, term) for term in row] for row in terms])
        return np.concatenate([some, sums]), np.concatenate([size, sizes])

    def _entries_of(self, array: LazyArray, shape: tuple[int, ...]) -> NDArray[Any]:
        if self.entries is None:
            return array.everywhere(shape).reshape(-1, shape[-1])
        return array.at(np.unravel_index(self.entries, shape[:-1]), shape)


def no_comparison() -> None:
    """Return no comparison: nothing would be gained."""


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
    closer : callable
        Return the comparison with bounds that allow for the rounding of each claim; None where
        nothing would be gained.
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
    closer: Callable[[], Comparison | None] = no_comparison

    @property
    def where(self) -> Booleans:
        """Which measurements are known, shape (k, m)."""
        return np.isfinite(self.value) & np.isfinite(self.bound)

    @property
    def claimed(self) -> Floats:
        """The functionals of the claim, shape (k, m)."""
        return self.functionals.of(self.gradient.claim)

    @property
    def is_sweep(self) -> bool:
        """Whether every entry was measured."""
        return self.functionals.entries is None

    @property
    def has_entries(self) -> bool:
        """Whether any entry was measured by itself."""
        return len(self.value) > len(self.functionals.directions)

    @property
    def without_directions(self) -> Comparison:
        """The comparison of the single entries only."""
        count = len(self.value) - len(self.functionals.directions)
        return self.of_entries(np.arange(count)) if count < len(self.value) else self

    def of_entries(self, which: Indices | None) -> Comparison:
        """Return the comparison of some of the single entries, by their numbers; None for all."""
        if which is None:
            return self
        entries = self.functionals.entries
        return replace(
            self,
            functionals=Functionals(which if entries is None else entries[which]),
            value=self.value[which],
            bound=self.bound[which],
            is_wrong=self.is_wrong[which],
            is_right=self.is_right[which],
        )

    def joined(self, other: Comparison) -> Comparison:
        """Return the comparison of these entries and of others."""
        parts, others = self.functionals.entries, other.functionals.entries
        if parts is None or others is None:
            raise ValueError("all entries are compared already")
        return replace(
            self,
            functionals=replace(self.functionals, entries=np.concatenate([parts, others])),
            value=np.concatenate([self.value, other.value]),
            bound=np.concatenate([self.bound, other.bound]),
            is_wrong=np.concatenate([self.is_wrong, other.is_wrong]),
            is_right=np.concatenate([self.is_right, other.is_right]),
        )

    def inside(self, place: Booleans) -> Comparison:
        """Return the comparison of what was measured in a place, of the shape of the claims."""
        mask = self.functionals.of(place) != 0
        return replace(
            self,
            value=np.where(mask, self.value, np.nan),
            is_wrong=self.is_wrong & mask,
            is_right=self.is_right & mask,
        )
