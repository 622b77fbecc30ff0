"""Whether a derivative claim is right, by a numerical method independent of the package.

The derivative is taken by the complex step ``Im f(x + ih) / h`` (W. Squire and G. Trapp, SIAM
Review 40 (1998)), where forward accepts complex numbers. Otherwise it is taken by central
differences at many steps, each pair of steps extrapolated (L. F. Richardson, 1927), at the step
where neighbouring extrapolations differ least. The module does not use the package.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.suites.derivative_claim import (
    DerivativeClaim,
    as_float_arrays,
    as_list,
    contracted,
    with_entry_moved,
)

__all__ = ["is_right"]

Floats = NDArray[np.float64]

#: Steps of the central differences, relative to an entry.
STEPS = 0.25 * 2.0 ** -np.arange(44)

#: The step of the complex-step derivative.
COMPLEX_STEP = 1e-30

#: The largest relative disagreement of neighbouring extrapolations at which a derivative is known.
KNOWN = 1e-4

#: A claim is not right if its relative error exceeds this and the uncertainty of the differences.
WRONG = 1e-6

#: Points within a rounding of the point, at which backward is evaluated for its own accuracy.
ROUNDED_POINTS = 5

#: A larger change of the claim between these points is a jump, not rounding.
JUMP = 1e-6

#: Entries of an array that are compared, evenly spaced.
COMPARED_ENTRIES = 300


def is_right(claim: DerivativeClaim) -> bool | None:
    """Return whether a claim is the derivative.

    Parameters
    ----------
    claim : DerivativeClaim
        The claim.

    Returns
    -------
    bool or None
        None where neither method determines the derivative.
    """
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        agreements = list(_agreements(contracted(claim)))
    if any(agreement is False for agreement in agreements):
        return False
    return None if None in agreements else True


def _agreements(claim: DerivativeClaim) -> Iterator[bool | None]:
    """Yield for each compared entry whether the claim about it agrees with the derivative."""
    derivatives = as_list(claim.claimed())
    scatters = _scatter(claim, derivatives)
    outputs = np.size(claim.forward(claim.point))
    for array, (x, claimed) in enumerate(zip(as_list(claim.point), derivatives, strict=True)):
        is_diagonal = claimed.shape == x.shape and outputs > 1
        columns = np.diag(claimed.ravel()) if is_diagonal else claimed.reshape(outputs, x.size)
        size = float(np.max(np.abs(claimed), initial=0.0))
        scatter = scatters[array]
        count = min(x.size, COMPARED_ENTRIES)
        for entry in np.unique(np.linspace(0, x.size - 1, count).astype(int)):
            derivative, error = _column(claim, array, int(entry))
            yield _agrees(columns[:, entry], derivative, error, size, scatter)


def _scatter(claim: DerivativeClaim, derivatives: list[Floats]) -> list[float]:
    """Return the change of the claim about each array within the rounding of the point.

    That is the accuracy of backward. A change far above rounding is a jump, and does not count.
    """
    rng = np.random.default_rng(0)
    scatters = [0.0] * len(derivatives)
    for _ in range(ROUNDED_POINTS):
        arrays = [
            x * (1 + np.finfo(float).eps * rng.integers(-2, 3, x.shape))
            for x in as_list(claim.point)
        ]
        point = arrays if isinstance(claim.point, list) else arrays[0]
        nearby = as_list(as_float_arrays(claim.backward(point)))
        for array, (near, claimed) in enumerate(zip(nearby, derivatives, strict=True)):
            change = float(np.max(np.abs(near - claimed), initial=0.0))
            scatters[array] = max(scatters[array], change if change < JUMP else 0.0)
    return scatters


def _agrees(
    claimed: Floats, derivative: Floats, error: Floats, size: float, scatter: float
) -> bool | None:
    distance = np.maximum(np.abs(claimed - derivative) - 10 * scatter, 0)
    scale = np.maximum(np.maximum(np.abs(claimed), np.abs(derivative)), 1e-9 * size)
    if np.any(distance > WRONG * scale + 10 * error):
        return False
    return True if np.all((error <= KNOWN * scale) | (distance + error < 1e-9)) else None


def _column(claim: DerivativeClaim, array: int, entry: int) -> tuple[Floats, Floats]:
    """Return one column of the Jacobian, and the uncertainty of each of its entries."""
    x = as_list(claim.point)[array].reshape(-1)[entry]
    complex_slope = _complex_step(claim, array, entry)
    differences = []
    steps = STEPS * max(abs(float(x)), 1e-2)
    for h in steps:
        above, below = (_value(claim, array, entry, by) for by in (h, -h))
        differences.append((above - below) / (2 * h))
    slopes = np.array(differences)
    extrapolated = (4 * slopes[1:] - slopes[:-1]) / 3
    changes = np.abs(np.diff(extrapolated, axis=0))
    rounding = np.outer(1 / steps[2:-1], np.finfo(float).eps * np.abs(above))
    errors = np.maximum(np.maximum(changes[1:], changes[:-1]), rounding)
    errors = np.where(np.isfinite(errors), errors, np.inf)
    best = np.argmin(errors, axis=0)
    index = np.arange(errors.shape[1])
    slope, error = extrapolated[best + 1, index], errors[best, index]
    if complex_slope is not None and np.all(np.abs(complex_slope - slope) <= 10 * error + 1e-4):
        return complex_slope, 1e-12 * np.abs(complex_slope)
    return slope, error


def _value(claim: DerivativeClaim, array: int, entry: int, by: complex) -> NDArray[np.inexact]:
    """Return forward's value with one entry moved; NaN where forward raises."""
    try:
        return np.asarray(claim.forward(with_entry_moved(claim.point, array, entry, by))).ravel()
    except Exception:  # noqa: BLE001  # the edge of forward's domain
        return np.full(np.size(claim.forward(claim.point)), np.nan)


def _complex_step(claim: DerivativeClaim, array: int, entry: int) -> Floats | None:
    point = with_entry_moved(claim.point, array, entry, COMPLEX_STEP * 1j)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a discarded imaginary part is no derivative
        try:
            value = np.asarray(claim.forward(point))
        except Exception:  # noqa: BLE001  # forward does not accept complex numbers
            return None
    return value.ravel().imag / COMPLEX_STEP if np.iscomplexobj(value) else None
