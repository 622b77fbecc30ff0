"""Masked arrays: an entry that is masked is no number, whatever is stored under the mask."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["first_masked", "nan_where_masked"]


def first_masked(value: Any) -> str | None:
    """Return the subscript of the first masked entry of an array, None where there is none.

    Examples
    --------
    >>> first_masked(np.ma.array([1.0, 2.0], mask=[False, True])), first_masked(np.ones(2))
    ('[1]', None)
    """
    if not _is_masked(value) or not np.any(value.mask):
        return None
    index = np.argwhere(np.ma.getmaskarray(value))[0]
    return f"[{', '.join(map(str, index.tolist()))}]" if index.size else ""


def nan_where_masked(value: Any) -> Any:
    """Return a masked array as an array with NaN where it is masked, anything else as it is.

    Examples
    --------
    >>> nan_where_masked(np.ma.array([1.0, 2.0], mask=[False, True]))
    array([ 1., nan])
    """
    return value.filled(np.nan) if _is_masked(value) else value


def _is_masked(value: Any) -> bool:
    # Asked in this order since a plain array is by far the most frequent.
    return (
        type(value) is not np.ndarray
        and isinstance(value, np.ndarray)
        and isinstance(value, np.ma.MaskedArray)
    )
