"""Which coordinates a report says are wrong, by what it tells everyone.

A place is read from the words of the diagnosis, an entry from those listed, and a parameter that
is off by a factor, or of which all entries are counted wrong, is all of it. It must not know
what was done to the gradient.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.report.report import Report
from pytest_gradcheck.report.report_data import ParameterReport
from tests.benchmarks.screening.coordinate_masks import Masks

__all__ = ["ALL_ROWS", "named_entries", "named_entries_of", "parameter_key"]

#: Rows that a report is asked for, so that it lists all it found.
ALL_ROWS = 10**6

PLACE = re.compile(r"wrong in (?P<all>all of )?[^\[\],]+(\['\w+'\])?(\[(?P<index>[^\]]*)\])?, ")

#: What a factor of all that a parameter claims is told by.
DIRECTIONS = "along two directions"


def named_entries(report: Report) -> Masks:
    """Return what a report names, for each of its parameters."""
    return {
        parameter_key(parameter.name): named_entries_of(parameter)
        for parameter in report.parameters
    }


def parameter_key(name: str) -> str:
    """Return the key of a parameter in the dict it is in.

    Examples
    --------
    >>> short("parameters['W1']")
    'W1'
    """
    return name.partition("['")[2].removesuffix("']")


def named_entries_of(parameter: ParameterReport) -> NDArray[np.bool_]:
    """Return the entries of a parameter that are named."""
    mask = np.zeros(parameter.shape, dtype=bool)
    factors = [d for d in parameter.diagnosis if d.kind == "factor" and DIRECTIONS in d.text]
    if factors or parameter.wrong >= parameter.size:
        mask[...] = True
    for diagnosis in parameter.diagnosis:
        if diagnosis.kind == "place":
            mask[_index(diagnosis.text)] = True
    for entry in parameter.worst:
        if entry.verdict == "wrong":
            mask[entry.index] = True
    return mask


def _index(text: str) -> Any:
    """Read the index of a place: of ``W1[3, :]``, ``(3, slice(None))``.

    Raises
    ------
    ValueError
        When the sentence names none.
    """
    found = PLACE.match(text)
    if found is None:
        raise ValueError(f"no place is named in {text!r}")
    if found["all"]:
        return ...
    return tuple(map(_range, found["index"].split(", ")))


def _range(text: str) -> int | slice:
    if ":" not in text:
        return int(text)
    start, stop = (int(end) if end else None for end in text.split(":"))
    return slice(start, stop)
