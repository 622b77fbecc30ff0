"""Conversion of what a function returned to an array, with a remark where that is none.

Arrays of other libraries convert themselves. Tensors of a small autodiff engine do not, but have
an attribute with their numbers, which a message can name.
"""

from __future__ import annotations

import inspect
import types
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.binding.values.pytree import SIMPLE
from pytest_gradcheck.integrations.array_libraries import as_numpy

__all__ = ["DATA_ATTRIBUTES", "converted", "data_attribute"]

#: The attributes in which such tensors have their numbers, the most usual one first.
DATA_ATTRIBUTES = ("data", "value")


def converted(value: Any) -> tuple[NDArray[Any], str]:
    """Return a value as an array, and a remark where it is no numeric one.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> converted([1.0, 2.0])[0].tolist()
    [1.0, 2.0]
    >>> converted(SimpleNamespace(data=np.ones(3)))[1]
    ' Its .data is one: return that.'
    """
    if isinstance(value, np.ndarray) and value.dtype == object:
        value = value.tolist()  # an array of numbers that NumPy was not asked to convert
    remark = ""
    try:
        array = as_numpy(value)
    except (TypeError, ValueError):
        array = np.array(None)
    except Exception as error:  # noqa: BLE001  # another library says how to convert its arrays
        array = np.array(None)
        remark = f" Its conversion raises {type(error).__name__}: {error}"
    attribute = None if array.dtype.kind in "biufc" else data_attribute(value)
    return array, remark if attribute is None else f" Its .{attribute} is one: return that."


def data_attribute(value: Any) -> str | None:
    """Return the attribute in which a tensor has its numbers; None for anything else.

    An object with a shape is an array of its own kind, as a sparse matrix is: part of it is not
    what it stands for.
    """
    if type(value) in SIMPLE or isinstance(value, (np.ndarray, np.generic)):
        return None
    if _attribute(value, "shape") is not None and not hasattr(type(value), "backward"):
        return None
    for name in DATA_ATTRIBUTES:
        data = _attribute(value, name)
        if isinstance(data, (float, complex, np.ndarray, np.generic)):
            return name if np.asarray(data).dtype.kind in "fc" else None
    return None


def _attribute(value: Any, name: str) -> Any:
    """Return an attribute without running the user's code; None where there is none."""
    found = inspect.getattr_static(value, name, None)
    if isinstance(found, types.MemberDescriptorType):
        return getattr(value, name, None)
    return found
