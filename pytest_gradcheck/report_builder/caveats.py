"""Notes on errors that a check of one parameter cannot detect at its point.

A gradient that is zero, a point that is zero, equal entries and symmetric matrices each hide
a kind of error. `judgement.vacuity` finds them; this module puts them into words. It does not
evaluate functions and does not decide verdicts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.binding.values.parameters import Parameter
from pytest_gradcheck.judgement.vacuity import common_value, hides_transpose, whole_slices
from pytest_gradcheck.numerics.measurement import Floats
from pytest_gradcheck.report.report_data import Note

__all__ = ["point_notes", "zero_notes"]

#: Words for one index and for several, in arrays of one axis, of two, and of more.
ENTRY_WORDS = ("entry", "entries")
MATRIX_WORDS = (("row", "rows"), ("column", "columns"))
INDEX_WORDS = ("index", "indices")

#: The number of indices, or runs of indices, that are listed.
LISTED_RUNS = 6


def zero_notes(
    parameter: Parameter,
    zeros: NDArray[np.bool_],
    *,
    largest: float,
    is_unused: bool,
    is_measured_zero: bool,
) -> Iterator[Note]:
    """Yield a note on entries whose derivative is zero, so that errors there are not detected.

    Parameters
    ----------
    parameter : Parameter
        The parameter.
    zeros : ndarray of bool, shape (n,)
        Whether all derivatives by a coordinate are verified to be zero, and no more.
    largest : float
        An upper bound on the magnitude of these derivatives.
    is_unused : bool
        Whether the parameter never changed an output.
    is_measured_zero : bool
        Whether all measured derivatives are zero, although claims are not.

    Yields
    ------
    Note
        At most one.
    """
    count, size = int(np.count_nonzero(zeros)), zeros.size
    if is_unused:
        text = f"forward does not depend on {parameter.name} at this point"
        text += ", so errors cannot be detected"
        yield Note("unused", size, text)
    elif count == size > 0:
        size_text = f" (within {largest:.0e})" if largest else ""
        text = f"zero gradient everywhere at this point{size_text}, so errors cannot be detected"
        yield Note("vacuous", count, text)
    elif count:
        text = f"zero gradient in {_places(zeros, parameter)}, where errors cannot be detected"
        yield Note("zero", count, text)
    elif is_measured_zero:
        text = f"numerically zero everywhere: does forward use {parameter.name} at all?"
        yield Note("unused", 0, text)


def point_notes(parameter: Parameter, point: Floats) -> Iterator[Note]:
    """Yield a note on a kind of error that the point hides, though every entry was verified.

    Parameters
    ----------
    parameter : Parameter
        The parameter; there is no note on complex or constrained ones.
    point : ndarray, shape (n,)
        Its entries.

    Yields
    ------
    Note
        At most one.
    """
    if parameter.is_complex or parameter.entries is not None or point.size != parameter.size:
        return
    value = common_value(point)
    several = point.size > 1
    some = f"all {point.size} entries are" if several else "the number is"
    them = "they multiply" if several else "it multiplies"
    if value == 0:
        yield Note("point", point.size, f"{some} 0 here: terms that {them} are not tested")
    elif value is not None:
        text = f"{some} {value:.6g} here: one used in the place of another is not detected"
        yield Note("point", point.size, text)
    elif hides_transpose(point, parameter.shape):
        yield Note(
            "point", point.size, "symmetric here: a transpose used in its place is not detected"
        )


def _places(zeros: NDArray[np.bool_], parameter: Parameter) -> str:
    """Return where the zeros are: ``rows 3, 7 (8 of 20 entries; dead units?)``."""
    count = f"{np.count_nonzero(zeros)} of {zeros.size}"
    slices = None
    if parameter.entries is None and not parameter.is_complex:
        slices = whole_slices(zeros.reshape(parameter.shape))
    if slices is None:
        return f"{count} entries (dead units?)"
    if sum(n > 1 for n in parameter.shape) == 1:
        return f"{_list_indices(ENTRY_WORDS, slices.indices)} ({count}; dead units?)"
    is_matrix = len(parameter.shape) == 2
    where = _list_indices(MATRIX_WORDS[slices.axis] if is_matrix else INDEX_WORDS, slices.indices)
    where += "" if is_matrix else f" of axis {slices.axis}"
    if slices.covered == np.count_nonzero(zeros):
        return f"{where} ({count} entries; dead units?)"
    return f"{count} entries, all of {where} (dead units?)"


def _list_indices(words: tuple[str, str], indices: Sequence[int]) -> str:
    """Return a list of some indices: ``row 3``, ``rows 0-4, 7 and 12 more``."""
    array = np.array(indices)
    breaks = (np.flatnonzero(array[1:] - array[:-1] > 1) + 1).tolist()
    runs = [indices[start:stop] for start, stop in pairwise([0, *breaks, len(indices)])]
    shown = [
        f"{run[0]}-{run[-1]}" if len(run) > 2 else ", ".join(map(str, run))
        for run in runs[:LISTED_RUNS]
    ]
    more = sum(map(len, runs[LISTED_RUNS:]))
    text = f"{words[len(indices) > 1]} {', '.join(shown)}"
    return f"{text} and {more} more" if more else text
