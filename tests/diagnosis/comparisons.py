"""Comparisons of wrong claims with measurements of a known gradient."""

from __future__ import annotations

import numpy as np

from pytest_gradcheck.diagnosis.comparison import Comparison, Functionals
from pytest_gradcheck.diagnosis.diagnose import diagnose
from pytest_gradcheck.diagnosis.gradient import Booleans, CheckedCall, ClaimedGradient, Floats
from pytest_gradcheck.report.report_data import Diagnosis

__all__ = ["TRUE", "VALUE", "causes", "compare", "sampled"]

RNG = np.random.default_rng(16)

#: A gradient, and the parameter that it belongs to.
TRUE, VALUE = RNG.normal(size=(5, 4)), RNG.normal(size=(5, 4))


def compare(
    claim: Floats,
    true: Floats = TRUE,
    value: Floats = VALUE,
    *,
    accuracy: float = 1e-10,
    name: str = "W",
    imaginary: Booleans | None = None,
) -> Comparison:
    """Return the comparison of a claim with all entries of a gradient, of one output."""
    noise = np.random.default_rng(0).uniform(-1, 1, true.shape)
    bound = np.full((true.size, 1), accuracy * np.abs(true).max())
    measured = (true + bound.max() * noise).reshape(-1, 1)
    gradient = ClaimedGradient(
        name=name,
        value=value,
        claim=np.asarray(claim, dtype=np.float64)[..., None],
        is_array=True,
        imaginary=np.zeros(1, dtype=bool) if imaginary is None else imaginary[..., None],
        rounding=2e-16,
    )
    wrong = np.abs(gradient.claim - true[..., None]) > 1e-6 * np.abs(true).max()
    is_wrong = wrong.reshape(-1, 1)
    return Comparison(gradient, Functionals(), measured, bound, is_wrong, ~is_wrong, wrong)


def sampled(comparison: Comparison, entries: list[int], directions: int) -> Comparison:
    """Return what a screen measures of it: some entries, and derivatives along directions."""
    rng = np.random.default_rng(1)
    true = comparison.value[:, 0]
    along = tuple(rng.normal(size=true.size) for _ in range(directions))
    value = np.concatenate([true[entries], [direction @ true for direction in along]])
    functionals = Functionals(np.array(entries, dtype=np.intp), along)
    claimed = functionals.of(comparison.gradient.claim)
    bound = np.full(claimed.shape, 1e-9 * np.abs(true).max())
    is_wrong = np.abs(claimed - value[:, None]) > 1e-6 * np.abs(true).max()
    return Comparison(
        comparison.gradient,
        functionals,
        value[:, None],
        bound,
        is_wrong,
        ~is_wrong,
        comparison.suspects,
    )


def causes(comparison: Comparison, call: CheckedCall | None = None) -> tuple[Diagnosis, ...]:
    """Return the likely causes of one wrong gradient."""
    call = CheckedCall((comparison.gradient,)) if call is None else call
    found = diagnose([comparison], call)
    return (*found.of_all, *found.of_parameters[0])
