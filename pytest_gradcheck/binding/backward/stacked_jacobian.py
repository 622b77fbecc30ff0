"""A stacked Jacobian: one array of the derivatives with respect to all parameters, side by side.

As ``np.hstack([dy_dx, dy_dz])``, or one row ``np.array([df_da, df_db])`` for numbers a and b. The
last axis runs over the entries of all parameters, in order. It does not match names, and does not
know numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.binding.call.wrt import IntegerLeaves, Item, as_floats
from pytest_gradcheck.binding.values.parameters import Block
from pytest_gradcheck.binding.values.pytree import is_number_list, unsorted_mapping
from pytest_gradcheck.binding.values.sparse_matrices import as_dense, is_matrix
from pytest_gradcheck.binding.values.user_attributes import attribute, has_attribute
from pytest_gradcheck.errors import GradcheckUsageError
from pytest_gradcheck.report.representation import listed

__all__ = ["refuse_integer_columns", "split_columns"]


#: The most values that a message proposes to pass.
MOST_NAMES = 8


def split_columns(
    returned: Any, items: Sequence[Item], output: Block, backward_name: str
) -> dict[str, NDArray[Any]] | None:
    """Split one array into the derivatives with respect to each parameter.

    Parameters
    ----------
    returned : Any
        What backward returned about one output.
    items : sequence of Item
        What is checked.
    output : Block
        The output.
    backward_name : str
        For messages.

    Returns
    -------
    dict of str to ndarray, or None
        By the name of each leaf, of the shape of the output, then that of the leaf; None where
        there is one parameter only, or `returned` is no array of all of them.

    Raises
    ------
    GradcheckUsageError
        When the order of rows or columns is not certain.
    """
    leaves = [leaf for item in items for leaf in item.leaves]
    if len(leaves) < 2:
        return None
    if type(returned) is tuple and len(returned) == 1:
        (returned,) = returned
    array = _as_array(returned, backward_name)
    sizes = [leaf.array.size for leaf in leaves]
    if array is None or not array.ndim or array.shape[-1] != sum(sizes):
        return None
    if array.shape[:-1] not in _leading_axes(output):
        return None
    if isinstance(returned, list) and array.ndim == 1 and len(items) == len(leaves):
        return None  # numbers in order, one for each argument
    _refuse_unclear(returned, array, items, backward_name)
    rows = array.reshape((*output.shape, array.shape[-1]))
    columns = np.split(rows, np.cumsum(sizes)[:-1], axis=-1)
    return {
        leaf.name: part.reshape((*output.shape, *leaf.array.shape))
        for leaf, part in zip(leaves, columns, strict=True)
    }


def refuse_integer_columns(
    returned: Any,
    items: Sequence[Item],
    integers: IntegerLeaves,
    output: Block,
    backward_name: str,
) -> None:
    """Raise where an array has columns for whole numbers, too, which are not checked.

    Parameters
    ----------
    returned, items, output, backward_name
        As for `split_columns`.
    integers : IntegerLeaves
        The leaves that are left out of the check.

    Raises
    ------
    GradcheckUsageError
        When there is a column for each entry of `items` and of `integers`, and so no other shape
        that makes sense.
    """
    shape = _shape(returned)
    checked = [leaf for item in items for leaf in item.leaves]
    missing = shape[-1] - sum(leaf.array.size for leaf in checked) if shape else 0
    if missing <= 0 or shape[:-1] not in _leading_axes(output):
        return
    left_out = list(integers)
    if sum(leaf.array.size for leaf in left_out) != missing:
        return
    names = listed(leaf.name for leaf in left_out)
    floats = " and ".join(
        f"{leaf.name} as floats, {as_floats(leaf)}" for leaf in left_out[:MOST_NAMES]
    )
    own = listed(leaf.name for leaf in checked)
    raise GradcheckUsageError(
        f"{backward_name} returned an array of shape {shape}, with as many columns as {own} and "
        f"{names} have entries, but {names}, which {'holds' if len(left_out) == 1 else 'hold'} "
        f"whole numbers, would not be checked. Pass {floats}; or return the derivatives with "
        f"respect to {own} only."
    )


def _shape(returned: Any) -> tuple[int, ...]:
    """Return the shape of an array, a matrix or a list of numbers; () of anything else."""
    shape = np.shape(returned) if is_number_list(returned) else attribute(returned, "shape")
    return shape if isinstance(shape, tuple) else ()


def _leading_axes(output: Block) -> set[tuple[int, ...]]:
    """Return the shapes that may come before the columns; one row needs no axis."""
    shapes = {output.shape, (output.size,)}
    return shapes | {()} if output.size == 1 else shapes


def _as_array(returned: Any, backward_name: str) -> NDArray[Any] | None:
    """Return a numeric array, a matrix or a list of numbers as an array; None for the rest."""
    if is_matrix(returned):
        return np.asarray(as_dense(returned, backward_name))
    if not (has_attribute(returned, "__array__") or is_number_list(returned)):
        return None
    try:
        array = np.asarray(returned)
    except Exception:  # noqa: BLE001  # whatever the conversion of another library raises
        return None
    return array if array.dtype.kind in "biufc" else None


def _refuse_unclear(
    returned: Any, array: NDArray[Any], items: Sequence[Item], backward_name: str
) -> None:
    """Raise where an array can be read in two ways that differ."""
    if isinstance(returned, list) and len(returned) == len(items) and array.ndim == 2:
        count = len(items)
        raise GradcheckUsageError(
            f"{backward_name} returned a list of {count} lists, which may be a Jacobian with a "
            f"row for each output, or the derivatives by each of the {count} checked arguments: "
            "return np.array(...) of it in the first case, a tuple of arrays in the second."
        )
    for item in items:
        name = unsorted_mapping(item.name, item.value)
        if name is not None:
            raise GradcheckUsageError(
                f"{backward_name} returned the derivatives by all parameters in one array of "
                f"shape {array.shape}, but the keys of {name} are not sorted, and their order in "
                "it may be either: return a dict with the same keys, or sort these."
            )
