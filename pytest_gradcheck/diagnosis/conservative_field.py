"""Which side is wrong: whether a claimed gradient is the gradient of any function.

A field that has a potential, a conservative field, has a symmetric Jacobian J: mixed second
derivatives do not depend on their order (H. A. Schwarz, 1873). So ``u . J v = v . J u`` for all
directions u and v. Where that fails, no function has the claimed gradient, and backward is wrong
whatever forward computes. Where it holds, backward is the gradient of another function than
forward; this is evidence only as far as claims depend on other entries, so the directions move
different ones. It does not know how the products were measured.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pytest_gradcheck.diagnosis.agreement import counted, digits_of_agreement
from pytest_gradcheck.diagnosis.gradient import Floats
from pytest_gradcheck.report.report_data import Diagnosis

__all__ = ["MixedDerivatives", "diagnose_potential"]

#: Products differ where they are this many bounds apart, and by this share of the relative error
#: of the wrong claim: claims that are merely approximate are less asymmetric than that.
SIGNIFICANT = 2.0
ASYMMETRIC = 0.05

#: Products are equal where the bound is below this share of the relative error of the wrong claim.
SYMMETRIC = 0.02

#: Claims do not depend on each other where a product is below this share of the claims, or of how
#: fast other claims change along the same direction, again relative to the error of the wrong one.
INDEPENDENT = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class MixedDerivatives:
    """The products ``u_i . J u_j`` of the Jacobian of a claimed gradient with k directions.

    No two directions move the same entry. The first moves one whose claim is wrong.

    Attributes
    ----------
    value, bound : ndarray, shape (k, k)
        The products, and bounds on their errors.
    size : ndarray, shape (k,)
        The sums of the terms of ``u_i . claim``, in magnitude.
    relative_error : float
        The error of the wrong claim, relative to the larger one of claim and measurement.
    """

    value: Floats
    bound: Floats
    size: Floats
    relative_error: float

    @property
    def changes(self) -> Floats:
        """What a product amounts to where claims change as the fastest along its direction."""
        with np.errstate(all="ignore"):
            rates = np.abs(self.value) / self.size[:, None]
        fastest = np.nan_to_num(rates, nan=0.0, posinf=0.0).max(axis=0)
        return np.asarray(self.size[:, None] * np.maximum(fastest, 1.0))


def diagnose_potential(derivatives: MixedDerivatives, claimed: str) -> Diagnosis | None:
    """Return whether the claimed gradient is the gradient of any function.

    Parameters
    ----------
    derivatives : MixedDerivatives
        How claims change along several directions.
    claimed : str
        What is claimed, in words: ``"this gradient"``.

    Returns
    -------
    Diagnosis or None
        Of kind ``"no-potential"`` or ``"consistent"``; None where the bounds leave it open.

    Examples
    --------
    >>> def measured(a, b):
    ...     return MixedDerivatives(
    ...         np.array([[3.0, a], [b, 5.0]]), np.full((2, 2), 1e-9), np.ones(2), 0.5
    ...     )
    >>> diagnose_potential(measured(2.0, 1.0), "this gradient").kind
    'no-potential'
    >>> diagnose_potential(measured(1.0, 1.0), "this gradient").kind
    'consistent'
    """
    first, second = np.triu_indices(len(derivatives.size), 1)
    value, error = derivatives.value, derivatives.relative_error
    bound = (derivatives.bound + derivatives.bound.T)[first, second]
    difference = np.abs(value - value.T)[first, second]
    larger = np.maximum(np.abs(value), np.abs(value.T))[first, second]
    differs = difference > SIGNIFICANT * bound
    asymmetric = differs & (difference > ASYMMETRIC * error * larger)
    if asymmetric.any():
        worst = int(np.argmax(np.where(asymmetric, difference / np.maximum(larger, bound), 0.0)))
        asymmetry = float(difference[worst] / larger[worst])
        text = (
            f"no function has {claimed} (its own derivative is not symmetric: two entries that "
            f"must be equal differ by {asymmetry:.2g} of the larger one): backward is "
            "inconsistent in itself"
        )
        return Diagnosis("no-potential", text, {"asymmetry": asymmetry})
    equal = ~differs & (bound <= SYMMETRIC * error * larger) & (larger > 0)
    independent = ~differs & (bound <= INDEPENDENT * error * derivatives.changes[second, first])
    if not (equal | independent).all() or not equal[first == 0].any():
        return None
    relative = float(np.max(difference[equal] / larger[equal]))
    digits = digits_of_agreement(relative)
    text = (
        "backward is consistent in itself (its own derivative is symmetric to "
        f"{counted(digits, 'digit')}), so look at forward too, or for a term that they do not "
        "share: the gradient of another function?"
    )
    return Diagnosis("consistent", text, {"digits": digits})
