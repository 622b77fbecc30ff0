"""Whether a claim is right, by means that are not ours.

It is asked where a claim of a suite does not pass our check. It must not use the package.
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

#: Steps of the differences, relative to an entry; Richardson's extrapolation between neighbours.
STEPS = 0.25 * 2.0 ** -np.arange(44)

#: A derivative by differences is known if neighbouring extrapolations agree as well as this.
KNOWN = 1e-4

#: A claim that differs by more than this, and by more than differences scatter, is not right.
WRONG = 1e-6

#: So many points one rounding away are asked about.
ROUNDED = 5

#: A change of the claim by more than this, there, is not rounding.
JUMP = 1e-6

#: So many entries of a point are looked at, evenly spread.
LOOKS = 300


def is_right(question: DerivativeClaim) -> bool | None:
    """Tell whether a claim is the derivative.

    By the complex step (Squire and Trapp 1998) where forward takes complex numbers, else by
    central differences extrapolated at whichever step they scatter least.

    Parameters
    ----------
    question : DerivativeClaim
        What is claimed.

    Returns
    -------
    bool or None
        None where neither method can tell.
    """
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        found = list(_looks(contracted(question)))
    if any(look is False for look in found):
        return False
    return None if None in found else True


def _looks(question: DerivativeClaim) -> Iterator[bool | None]:
    claims = as_list(question.claim())
    scatters = _scatter(question, claims)
    outputs = np.size(question.forward(question.point))
    for array, (x, claim) in enumerate(zip(as_list(question.point), claims, strict=True)):
        is_diagonal = claim.shape == x.shape and outputs > 1
        columns = np.diag(claim.ravel()) if is_diagonal else claim.reshape(outputs, x.size)
        size = float(np.max(np.abs(claim), initial=0.0))
        scatter = scatters[array]
        for entry in np.unique(np.linspace(0, x.size - 1, min(x.size, LOOKS)).astype(int)):
            derivative, error = _column(question, array, int(entry))
            yield _agrees(columns[:, entry], derivative, error, size, scatter)


def _scatter(question: DerivativeClaim, claims: list[Floats]) -> list[float]:
    """Return how far the claim about each array changes within the rounding of the point.

    That is backward's own precision; where it is far more than rounding, it is a jump.
    """
    rng = np.random.default_rng(0)
    found = [0.0] * len(claims)
    for _ in range(ROUNDED):
        arrays = [
            x * (1 + np.finfo(float).eps * rng.integers(-2, 3, x.shape))
            for x in as_list(question.point)
        ]
        near = as_float_arrays(
            question.backward(arrays if isinstance(question.point, list) else arrays[0])
        )
        for array, (one, claim) in enumerate(zip(as_list(near), claims, strict=True)):
            change = float(np.max(np.abs(one - claim), initial=0.0))
            found[array] = max(found[array], change if change < JUMP else 0.0)
    return found


def _agrees(
    claim: Floats, derivative: Floats, error: Floats, size: float, scatter: float
) -> bool | None:
    distance = np.maximum(np.abs(claim - derivative) - 10 * scatter, 0)
    scale = np.maximum(np.maximum(np.abs(claim), np.abs(derivative)), 1e-9 * size)
    if np.any(distance > WRONG * scale + 10 * error):
        return False
    return True if np.all((error <= KNOWN * scale) | (distance + error < 1e-9)) else None


def _column(question: DerivativeClaim, array: int, entry: int) -> tuple[Floats, Floats]:
    """Return one column of the Jacobian, and how far it may be off."""
    x = as_list(question.point)[array].reshape(-1)[entry]
    complexly = _complex_step(question, array, entry)
    ladder = []
    steps = STEPS * max(abs(float(x)), 1e-2)
    for h in steps:
        above, below = (_value(question, array, entry, by) for by in (h, -h))
        ladder.append((above - below) / (2 * h))
    slopes = np.array(ladder)
    better = (4 * slopes[1:] - slopes[:-1]) / 3
    changes = np.abs(np.diff(better, axis=0))
    rounding = np.outer(1 / steps[2:-1], np.finfo(float).eps * np.abs(above))
    errors = np.maximum(np.maximum(changes[1:], changes[:-1]), rounding)
    errors = np.where(np.isfinite(errors), errors, np.inf)
    best = np.argmin(errors, axis=0)
    index = np.arange(errors.shape[1])
    derivative, error = better[best + 1, index], errors[best, index]
    if complexly is not None and np.all(np.abs(complexly - derivative) <= 10 * error + 1e-4):
        return complexly, 1e-12 * np.abs(complexly)
    return derivative, error


def _value(question: DerivativeClaim, array: int, entry: int, by: complex) -> NDArray[np.inexact]:
    try:
        return np.asarray(
            question.forward(with_entry_moved(question.point, array, entry, by))
        ).ravel()
    except Exception:  # noqa: BLE001  # the edge of its domain
        return np.full(np.size(question.forward(question.point)), np.nan)


def _complex_step(question: DerivativeClaim, array: int, entry: int) -> Floats | None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a discarded imaginary part is no derivative
        try:
            value = np.asarray(
                question.forward(with_entry_moved(question.point, array, entry, 1e-30j))
            )
        except Exception:  # noqa: BLE001  # forward does not take complex numbers
            return None
    return value.ravel().imag / 1e-30 if np.iscomplexobj(value) else None
