"""Where the claims about a parameter are wrong, as few matrices of cells to be looked at.

Each entry has a code, the larger the worse. The entries of a parameter are shown in planes of its
two longest axes. A plane that is too large is reduced to blocks by their maximum, and planes that
are too many to the worst at each place, so that no wrong entry disappears. The size of a map is
bounded, whatever the size of the parameter. This module does not judge or draw.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from dataclasses import replace
from math import ceil, isqrt

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.binding.values.parameters import Parameter
from pytest_gradcheck.judgement.entry_verdicts import VerdictCode
from pytest_gradcheck.numerics.measurement import Floats
from pytest_gradcheck.report.report_data import ErrorMap, ParameterReport, Plane
from pytest_gradcheck.report_builder.parameter_evidence import Evidence
from pytest_gradcheck.report_builder.parameter_report import ParameterReports

__all__ = [
    "INCONCLUSIVE",
    "REGION",
    "SCREENED",
    "Codes",
    "agreement_codes",
    "entry_codes",
    "error_map",
    "with_error_maps",
]

#: Codes of entries, one byte each; from `REGION` on they are wrong.
Codes = NDArray[np.uint8]

#: The character of each code, the worst last.
CHARACTERS = "-.~?x9876543210"
LEFT_OUT, CORRECT, SCREENED, INCONCLUSIVE, REGION = range(5)
NO_DIGITS = len(CHARACTERS) - 1
MOST_DIGITS = NO_DIGITS - REGION - 1

#: The most cells of a map, the most rows and columns of a plane, the most columns of a vector,
#: and the most planes.
MOST_CELLS = 4096
MOST_LINES = 64
MOST_COLUMNS = 128
MOST_PLANES = 12

#: The most parameters of a check that have a map.
MOST_MAPS = 12


def entry_codes(evidence: Evidence) -> Codes:
    """Return the code of each entry that was measured, the worst over all outputs.

    Parameters
    ----------
    evidence : Evidence
        The claims, the measurements and the verdicts.
    """
    judgement = evidence.judgement
    codes = np.full(judgement.codes.shape, CORRECT, dtype=np.uint8)
    codes[judgement.has_code(VerdictCode.INCONCLUSIVE)] = INCONCLUSIVE
    is_wrong = judgement.has_code(VerdictCode.WRONG)
    claim, value = evidence.claim[is_wrong], evidence.measurement.value[is_wrong]
    codes[is_wrong] = agreement_codes(claim, value)
    return np.asarray(codes.max(axis=1, initial=LEFT_OUT))


def agreement_codes(claim: Floats, value: Floats) -> Codes:
    """Return the codes of wrong claims by the number of leading digits that agree.

    Examples
    --------
    >>> codes = agreement_codes(np.array([2.0, 1.001, np.nan]), np.array([1.0, 1.0, 1.0]))
    >>> [CHARACTERS[code] for code in codes]
    ['0', '3', '0']
    """
    with np.errstate(all="ignore"):
        difference = np.abs(claim - value) / np.fmax(np.abs(claim), np.abs(value))
        digits = np.floor(-np.log10(difference))
    agreeing = np.where(difference < 1, np.clip(digits, 0, MOST_DIGITS), 0)
    return np.asarray(NO_DIGITS - agreeing, dtype=np.uint8)


def error_map(parameter: Parameter, codes: Codes) -> ErrorMap | None:
    """Return the map of a parameter; None if it has fewer than two entries.

    Parameters
    ----------
    parameter : Parameter
        The parameter.
    codes : ndarray of uint8, shape (n,)
        The code of each of its coordinates.
    """
    shape = (*parameter.shape, 2) if parameter.is_complex else parameter.shape
    size = int(np.prod(shape, dtype=np.intp))
    if size < 2:
        return None
    if parameter.entries is not None:
        codes, moved = np.full(size, LEFT_OUT, dtype=np.uint8), codes
        codes[list(parameter.entries)] = moved
    axes = _longest_axes(shape)
    others = [axis for axis in range(len(shape)) if axis not in axes]
    ordered = codes.reshape(shape).transpose(*others, *axes)
    planes = ordered.reshape(-1, *([1] if len(axes) == 1 else []), *(shape[k] for k in axes))
    indices: list[tuple[int, ...] | None] = [
        tuple(map(int, index)) for index in np.ndindex(*(shape[k] for k in others))
    ]
    shown, rest = _shown_planes(planes)
    chosen = [(indices[k], planes[k]) for k in shown]
    if rest.size and planes[rest].max() > SCREENED:
        chosen.append((None, planes[rest].max(axis=0)))
        rest = rest[:0]
    most = min(MOST_LINES, isqrt(MOST_CELLS // len(chosen)))
    limits = (1, MOST_COLUMNS) if len(axes) == 1 else (most, most)
    block = tuple(ceil(n / limit) for n, limit in zip(planes.shape[1:], limits, strict=True))
    found = [Plane(index, _rows(plane, block)) for index, plane in chosen]
    return ErrorMap(shape, axes, block[-len(axes) :], tuple(found), int(rest.size))


def _longest_axes(shape: Sequence[int]) -> tuple[int, ...]:
    """Return the two longest axes, in order.

    Examples
    --------
    >>> _longest_axes((64, 32, 3, 3)), _longest_axes((3, 5, 5)), _longest_axes((4,))
    ((0, 1), (1, 2), (0,))
    """
    by_length = sorted(range(len(shape)), key=lambda axis: (-shape[axis], axis))
    return tuple(sorted(by_length[:2]))


def _shown_planes(planes: Codes) -> tuple[list[int], NDArray[np.intp]]:
    """Return the planes to show, in order, and the others: all, or the worst ones."""
    if len(planes) <= MOST_PLANES:
        return list(range(len(planes))), np.zeros(0, dtype=np.intp)
    worst = planes.reshape(len(planes), -1).max(axis=1)
    order = np.argsort(-worst.astype(np.intp), kind="stable")
    order = order[: MOST_PLANES - 1][worst[order[: MOST_PLANES - 1]] > SCREENED]
    return sorted(order.tolist()), np.setdiff1d(np.arange(len(planes)), order)


def _rows(plane: Codes, block: tuple[int, ...]) -> tuple[str, ...]:
    """Return a plane as text, one character for the worst entry of each block."""
    for axis, length in enumerate(block):
        starts = np.arange(0, plane.shape[axis], length)
        plane = np.maximum.reduceat(plane, starts, axis=axis)
    return tuple("".join(CHARACTERS[code] for code in row) for row in plane.tolist())


def with_error_maps(described: ParameterReports) -> tuple[ParameterReport, ...]:
    """Return the reports of the parameters of a check that failed, the worst ones with a map."""
    ranked = sorted(
        (p for p in described.parameters if p.name in described.error_maps),
        key=operator.attrgetter("severity"),
        reverse=True,
    )
    maps = {p.name: described.error_maps[p.name]() for p in ranked[:MOST_MAPS]}
    return tuple(
        replace(p, error_map=maps[p.name]) if p.name in maps else p for p in described.parameters
    )
