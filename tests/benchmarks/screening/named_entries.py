"""The entries that a report names as wrong.

Regions are read from the text of the diagnosis, and single entries from the list of the worst. A
parameter that is wrong by a factor, or whose entries are all counted as wrong, is named as a
whole. The module does not know what mistake was made.
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

#: The option ``max_rows`` with which a report lists all entries that it found.
ALL_ROWS = 10**6

REGION = re.compile(r"wrong in (?P<all>all of )?[^\[\],]+(\['\w+'\])?(\[(?P<index>[^\]]*)\])?, ")

#: The words of a diagnosis of one factor for a whole parameter.
WHOLE_PARAMETER = "two directions"

#: The words of a diagnosis of a wrong region, with its index.


def named_entries(report: Report) -> Masks:
    """Return the entries that a report names, for each of its parameters."""
    return {
        parameter_key(parameter.name): named_entries_of(parameter)
        for parameter in report.parameters
    }


def parameter_key(name: str) -> str:
    """Return the key of a parameter in the dict that contains it.

    Examples
    --------
    >>> parameter_key("parameters['W1']")
    'W1'
    """
    return name.partition("['")[2].removesuffix("']")


def named_entries_of(parameter: ParameterReport) -> NDArray[np.bool_]:
    """Return a mask of the entries of a parameter that its report names."""
    mask = np.zeros(parameter.shape, dtype=bool)
    factors = [d for d in parameter.diagnosis if d.kind == "factor" and WHOLE_PARAMETER in d.text]
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
    """Return the index of a region: ``(3, slice(None))`` for ``W1[3, :]``.

    Raises
    ------
    ValueError
        When the text names no region.
    """
    found = REGION.match(text)
    if found is None:
        raise ValueError(f"no region is named in {text!r}")
    if found["all"]:
        return ...
    return tuple(map(_range, found["index"].split(", ")))


def _range(text: str) -> int | slice:
    if ":" not in text:
        return int(text)
    start, stop = (int(end) if end else None for end in text.split(":"))
    return slice(start, stop)
