"""numdifftools and jacobi: derivatives with error estimates, compared with the claim."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import jacobi
import numdifftools
import numpy as np

from tests.benchmarks.rivals.rival import Floats, Rival

__all__ = ["JACOBI", "NUMDIFFTOOLS"]

#: The relative error of a claim that is allowed in addition to the tool's error estimate.
RTOL = 1e-6

SETTINGS = "defaults; accepted when every entry is within its error estimate and 1e-6"


def _flat(forward: Callable[[Floats], Any], point: Floats) -> Callable[[Floats], float]:
    return lambda x: float(forward(np.array(x, dtype=np.float64).reshape(point.shape)))


def _agree(claim: Floats, value: Floats, error: Floats) -> bool:
    size = np.maximum(np.abs(claim), np.abs(value))
    return bool(np.all(np.abs(claim - value) <= error + RTOL * size))


@contextmanager
def _lapack_silenced() -> Iterator[None]:
    """Redirect what LAPACK prints to the standard output about a fit to NaN."""
    stdout, devnull = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(devnull, 1)
        yield
    finally:
        os.dup2(stdout, 1)
        os.close(stdout)
        os.close(devnull)


def by_numdifftools(forward: Callable[[Floats], Any], claim: Floats, point: Floats) -> bool:
    """Compare with `numdifftools.Gradient`."""
    gradient = numdifftools.Gradient(_flat(forward, point), full_output=True)
    found = gradient(point.ravel())
    return _agree(claim.ravel(), np.ravel(found.estimate), np.ravel(found.error_estimate))


def by_jacobi(forward: Callable[[Floats], Any], claim: Floats, point: Floats) -> bool:
    """Compare with `jacobi.jacobi`."""
    with _lapack_silenced():
        value, error = jacobi.jacobi(_flat(forward, point), point.ravel())
    return _agree(claim.ravel(), np.ravel(value), np.ravel(error))


NUMDIFFTOOLS = Rival(
    "numdifftools Gradient",
    "numdifftools",
    by_numdifftools,
    SETTINGS,
    names_entry="by own comparison",
    has_bound="an estimate",
)
JACOBI = Rival(
    "jacobi",
    "jacobi",
    by_jacobi,
    SETTINGS,
    names_entry="by own comparison",
    has_bound="an estimate",
)
