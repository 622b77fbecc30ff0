"""Differences that the tolerance of an iterative solver explains, which are no errors of claims.

A solver that stops at a tolerance returns a function that differs slightly from the exact one,
whose derivative backward returns, and that jumps between branches of different iteration counts.
Its derivative then differs slightly from the claims about many coordinates. A screen may find a
few of these differences first.

It does not search: it decides whether findings may be such differences.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pytest_gradcheck.numerics.coordinatewise.coordinate_sweep import (
    DISAGREEING_SHARE,
    NEARLY_ALL_SHARE,
)
from pytest_gradcheck.numerics.coordinatewise.solver_jumps import (
    LARGEST_SOLVER_ERROR,
    branch_slope_errors,
)
from pytest_gradcheck.numerics.measurement import Floats, Measurement
from pytest_gradcheck.numerics.screening.confirm_entries import SLIGHT, SingleEntries
from pytest_gradcheck.numerics.screening.screen_result import Finding

__all__ = ["explained_by_branches", "may_be_everywhere", "may_be_solver_error"]

#: So many wrong coordinates may be a sample of errors everywhere, however small their share.
SEVERAL = 3

#: Jumps along one direction may be smaller by chance than along most: so many are tried.
DIRECTIONS = 6


def explained_by_branches(
    findings: Sequence[Finding],
    entries: SingleEntries,
    largest: Floats,
    rng: np.random.Generator,
) -> bool:
    """Return whether jumps between branches of a solver explain findings.

    Parameters
    ----------
    findings : sequence of Finding
        Findings about one output.
    entries : SingleEntries
        Which measured their coordinates.
    largest : ndarray, shape (m,)
        The largest claims, times the scale of their coordinate.
    rng : numpy.random.Generator
        Draws the directions along which jumps are searched.

    Returns
    -------
    bool
        Whether all errors are slight relative to the largest claim, one is slight relative to its
        own, and none is larger than jumps nearby explain. Jumps are searched only where the first
        two hold, see `branch_slope_errors`.
    """
    probe = entries.probe
    function = replace(probe.function, noise=probe.line_noise)
    if not findings:
        return False
    output = findings[0].output
    measured = [one for finding in findings for one in finding.measured]
    errors = [_error(output, *one, entries) for one in measured]
    relative = [
        _relative_error(output, *one, entries)
        for one, error in zip(measured, errors, strict=True)
        if error
    ]
    if min(relative, default=1.0) > SLIGHT or max(errors) > SLIGHT * largest[output]:
        return False
    for _ in range(DIRECTIONS):
        if max(errors) <= float(branch_slope_errors(function, SLIGHT * largest, rng)[output]):
            return True
    return False


def may_be_everywhere(findings: Sequence[Finding], entries: SingleEntries) -> bool:
    """Return whether enough coordinates are wrong that claims may be wrong everywhere."""
    wrong = sum(finding.box.size for finding in findings)
    return wrong >= min(SEVERAL, DISAGREEING_SHARE * entries.probe.function.point.size)


def may_be_solver_error(
    findings: Sequence[Finding], entries: SingleEntries, largest: Floats
) -> bool:
    """Return whether findings may be the error of a solver in all derivatives: a sweep decides.

    Parameters
    ----------
    findings, entries, largest
        As for `explained_by_branches`.

    Returns
    -------
    bool
        Whether most coordinates are wrong, not by a common relative error, and none by as much
        as the largest claim.
    """
    wrong = sum(finding.box.size for finding in findings if finding.relative_error is None)
    if not wrong or wrong < NEARLY_ALL_SHARE * entries.probe.function.point.size:
        return False
    output = findings[0].output
    errors = [_error(output, *one, entries) for f in findings for one in f.measured]
    return max(errors, default=np.inf) <= LARGEST_SOLVER_ERROR * float(largest[output])


def _relative_error(
    output: int, coordinate: int, found: Measurement, entries: SingleEntries
) -> float:
    """Return the error of a claim relative to the claim or the derivative, if that is larger."""
    size = max(abs(float(entries.claim(coordinate)[output])), abs(float(found.value[0, output])))
    return abs(float(entries.errors(coordinate, found)[output])) / size


def _error(output: int, coordinate: int, found: Measurement, entries: SingleEntries) -> float:
    """Return the error of a claim in units of outputs.

    The scale is at most a typical one, since a solver makes no smaller errors for the larger of
    its arguments.
    """
    scales, index = entries.probe.function.scales, np.array([coordinate])
    scale = min(float(scales.own(index)[0]), float(scales.typical(index)[0]))
    return abs(float(entries.errors(coordinate, found)[output])) * scale
