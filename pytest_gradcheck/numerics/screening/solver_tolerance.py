"""What a stopped solver leaves: slight differences everywhere, which are no error.

It must not search; it looks at what was found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pytest_gradcheck.numerics.coordinate_sweep import DISAGREEING_SHARE, NEARLY_ALL_SHARE
from pytest_gradcheck.numerics.discontinuities import LARGEST_SOLVER_ERROR, branch_slope_errors
from pytest_gradcheck.numerics.measurement import Floats, Measurement
from pytest_gradcheck.numerics.screening.confirm_entries import SLIGHT, SingleEntries
from pytest_gradcheck.numerics.screening.screen_result import Finding

__all__ = ["explained_by_branches", "may_be_everywhere", "may_be_solver_error"]

#: So many coordinates that are off may be everywhere, though they be few of all.
SEVERAL = 3

#: Jumps along one direction may be smaller by chance than along most: so many are asked.
ASKED = 6


def explained_by_branches(
    findings: Sequence[Finding],
    entries: SingleEntries,
    largest: Floats,
    rng: np.random.Generator,
) -> bool:
    """Tell whether findings are what the jumps between branches of a solver leave.

    Parameters
    ----------
    findings : sequence of Finding
        Of one output.
    entries : SingleEntries
        Which measured them.
    largest : ndarray, shape (m,)
        The largest claims, times the scale of their coordinate.
    rng : numpy.random.Generator
        Draws the directions in which jumps are looked for.

    Returns
    -------
    bool
        Whether they are slight beside the largest claim, one beside its own, and no larger than
        jumps nearby make good: `branch_slope_errors` is asked only then.
    """
    probe = entries.probe
    function = replace(probe.function, noise=probe.line_noise)
    if not findings:
        return False
    output = findings[0].output
    measured = [one for finding in findings for one in finding.measured]
    errors = [_error(output, *one, entries) for one in measured]
    shares = [_share(output, *one, entries) for one, e in zip(measured, errors, strict=True) if e]
    if min(shares, default=1.0) > SLIGHT or max(errors) > SLIGHT * largest[output]:
        return False
    for _ in range(ASKED):
        if max(errors) <= float(branch_slope_errors(function, SLIGHT * largest, rng)[output]):
            return True
    return False


def may_be_everywhere(findings: Sequence[Finding], entries: SingleEntries) -> bool:
    """Tell whether so many coordinates are off that it may be everywhere."""
    off = sum(finding.box.size for finding in findings)
    return off >= min(SEVERAL, DISAGREEING_SHARE * entries.probe.function.point.size)


def may_be_solver_error(
    findings: Sequence[Finding], entries: SingleEntries, largest: Floats
) -> bool:
    """Tell whether findings may be what a solver leaves everywhere: a sweep can tell.

    Parameters
    ----------
    findings, entries, largest
        As for `explained_by_branches`.

    Returns
    -------
    bool
        Whether most coordinates are off, not by a factor, and none by as much as the largest
        claim.
    """
    off = sum(finding.box.size for finding in findings if finding.relative_error is None)
    if not off or off < NEARLY_ALL_SHARE * entries.probe.function.point.size:
        return False
    output = findings[0].output
    errors = [_error(output, *one, entries) for f in findings for one in f.measured]
    return max(errors, default=np.inf) <= LARGEST_SOLVER_ERROR * float(largest[output])


def _share(output: int, coordinate: int, found: Measurement, entries: SingleEntries) -> float:
    """Return by which share of itself a claim is off."""
    size = max(abs(float(entries.claim(coordinate)[output])), abs(float(found.value[0, output])))
    return abs(float(entries.errors(coordinate, found)[output])) / size


def _error(output: int, coordinate: int, found: Measurement, entries: SingleEntries) -> float:
    """Return by how much a claim is off, in units of outputs.

    A solver's errors are no smaller by the larger of its arguments.
    """
    scales, index = entries.probe.function.scales, np.array([coordinate])
    scale = min(float(scales.own(index)[0]), float(scales.typical(index)[0]))
    return abs(float(entries.errors(coordinate, found)[output])) * scale
