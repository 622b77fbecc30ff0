"""Remarks in words: what a check of one parameter could not have seen.

It must not evaluate or decide anything: findings come from judgement, names from
binding.
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

#: Words for one index and for several: along the one axis, along two, along more.
ENTRIES = ("entry", "entries")
LINES = (("row", "rows"), ("column", "columns"))
INDICES = ("index", "indices")

#: Indices, or runs of them, that are listed.
LISTED = 6


def zero_notes(
    parameter: Parameter,
    zeros: NDArray[np.bool_],
    *,
    within: float,
    unmoved: bool,
    barren: bool,
) -> Iterator[Note]:
    """Say where nothing but zeros was compared, or where only backward says something.

    Parameters
    ----------
    parameter : Parameter
        Whose derivatives they are.
    zeros : ndarray of bool, shape (n,)
        Coordinates by which all derivatives are verified as zero, and no more.
    within : float
        How large these may be.
    unmoved : bool
        Whether forward was never seen to react to the parameter.
    barren : bool
        Whether backward says something and all that was measured is zero.

    Yields
    ------
    Note
        At most one.
    """
    count, size = int(np.count_nonzero(zeros)), zeros.size
    if unmoved:
        text = f"forward does not depend on {parameter.name} at this point, errors unseen"
        yield Note("unused", size, text)
    elif count == size > 0:
        size_text = f" (within {within:.0e})" if within else ""
        text = f"zero gradient everywhere at this point{size_text}, errors unseen"
        yield Note("vacuous", count, text)
    elif count:
        text = f"zero gradient in {_places(zeros, parameter)}, errors there unseen"
        yield Note("zero", count, text)
    elif barren:
        text = f"numerically zero everywhere: does forward use {parameter.name} at all?"
        yield Note("unused", 0, text)


def point_notes(parameter: Parameter, point: Floats) -> Iterator[Note]:
    """Say of what kinds of error a point shows nothing, though all of it was verified.

    Parameters
    ----------
    parameter : Parameter
        A real one, without constraints; of others nothing is said.
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
        yield Note("point", point.size, f"{some} 0 here: terms that {them} are unseen")
    elif value is not None:
        text = f"{some} {value:.6g} here: one used in the place of another is unseen"
        yield Note("point", point.size, text)
    elif hides_transpose(point, parameter.shape):
        yield Note("point", point.size, "symmetric here: a transpose used in its place is unseen")


def _places(zeros: NDArray[np.bool_], parameter: Parameter) -> str:
    """Say which coordinates are meant: ``rows 3, 7 (8 of 20 entries; dead units?)``."""
    count = f"{np.count_nonzero(zeros)} of {zeros.size}"
    slices = None
    if parameter.entries is None and not parameter.is_complex:
        slices = whole_slices(zeros.reshape(parameter.shape))
    if slices is None:
        return f"{count} entries (dead units?)"
    if sum(n > 1 for n in parameter.shape) == 1:
        return f"{_listed(ENTRIES, slices.indices)} ({count}; dead units?)"
    flat = len(parameter.shape) == 2
    where = _listed(LINES[slices.axis] if flat else INDICES, slices.indices)
    where += "" if flat else f" of axis {slices.axis}"
    if slices.covered == np.count_nonzero(zeros):
        return f"{where} ({count} entries; dead units?)"
    return f"{count} entries, all of {where} (dead units?)"


def _listed(words: tuple[str, str], indices: Sequence[int]) -> str:
    """List a few indices after their word: ``row 3``, ``rows 0-4, 7 and 12 more``."""
    places = np.array(indices)
    breaks = (np.flatnonzero(places[1:] - places[:-1] > 1) + 1).tolist()
    runs = [indices[start:stop] for start, stop in pairwise([0, *breaks, len(indices)])]
    shown = [
        f"{run[0]}-{run[-1]}" if len(run) > 2 else ", ".join(map(str, run))
        for run in runs[:LISTED]
    ]
    more = sum(map(len, runs[LISTED:]))
    text = f"{words[len(indices) > 1]} {', '.join(shown)}"
    return f"{text} and {more} more" if more else text
