"""A change of one value while the user's functions are executed, put back at the end.

The value is changed in place where nothing else shares its memory, else its variable is bound to
a changed copy, where Python allows that. It does not know when a value is to be changed, or why.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.fault_localization.execution.frame_events import CAN_REBIND
from pytest_gradcheck.fault_localization.execution.recorded_values import Version
from pytest_gradcheck.fault_localization.execution.variables import Path, is_number, resolve

__all__ = ["Perturbation", "assign"]


class Perturbation:
    """Changes one value, if it is there and the one that was recorded.

    Parameters
    ----------
    version : Version
        The value.
    changed : callable
        ``changed(value) -> value`` returns what is to be there instead.

    Attributes
    ----------
    is_made : bool
        Whether the value was changed.
    """

    def __init__(self, version: Version, changed: Callable[[Any], Any]) -> None:
        self._version, self._changed = version, changed
        self._before: tuple[NDArray[Any], NDArray[Any]] | None = None
        self.is_made = False

    def make(self, frame: FrameType, path: Path) -> None:
        """Change the value: an array that owns its memory in place, else by another binding.

        Another name of a value is bound to a changed copy, so that the value stays as it is.
        """
        if _is_same(resolve(frame, path), self._version):
            self.make_anew(frame, path)

    def make_anew(self, frame: FrameType, path: Path) -> None:
        """Change a value of the same shape, which may have become another one than recorded."""
        value = resolve(frame, path)
        if not _is_like(value, self._version):
            return
        if isinstance(value, np.ndarray) and _owns(value) and not self._version.is_alias:
            self._overwrite(value)
        else:
            self.is_made = _rebind(frame, path, self._changed(value))

    def make_in_place(self, frame: FrameType, path: Path) -> None:
        """Change the memory of an array, also where others share it."""
        value = resolve(frame, path)
        if (
            isinstance(value, np.ndarray)
            and _is_same(value, self._version)
            and value.flags.writeable
        ):
            self._overwrite(value)

    def undo(self) -> None:
        """Put back what was changed in place."""
        if self._before is not None:
            array, before = self._before
            array[...] = before
            self._before = None

    @contextmanager
    def undone(self) -> Iterator[None]:
        """Put back, at the end, what was changed in place: it may be the user's."""
        try:
            yield
        finally:
            self.undo()

    def _overwrite(self, array: NDArray[Any]) -> None:
        self._before = array, array.copy()
        array[...] = self._changed(array)
        self.is_made = True


def assign(
    frame: FrameType, values: Mapping[Path, Any], names: Collection[Path], undone: ExitStack
) -> None:
    """Put other values in the places of arrays and numbers, where that is possible.

    Parameters
    ----------
    frame : frame
        Where.
    values : mapping of Path to ndarray or number
        The values.
    names : collection of Path
        Variables that are bound anew, since what they are bound to has other names, too.
    undone : ExitStack
        Puts back what was changed in place: it may be a part of the user's.
    """
    bound: dict[str, Any] = {}
    for path, value in values.items():
        before = resolve(frame, path)
        can_bind = CAN_REBIND and not path.accessors
        if isinstance(before, np.ndarray) and path in names and can_bind:
            bound[path.name] = np.array(value, dtype=before.dtype)
        elif isinstance(before, np.ndarray) and path not in names and before.flags.writeable:
            undone.callback(before.__setitem__, ..., before.copy())
            before[...] = value
        elif is_number(before) and can_bind:
            bound[path.name] = type(before)(value)
    frame.f_locals.update(bound)  # all at once: to look at local variables would undo it


def _rebind(frame: FrameType, path: Path, after: Any) -> bool:
    """Bind a variable to a changed number or array of its type; return whether that is done."""
    if not CAN_REBIND or path.accessors:
        return False
    before: Any = frame.f_locals[path.name]
    after = after.astype(before.dtype) if isinstance(before, np.ndarray) else type(before)(after)
    frame.f_locals[path.name] = after
    return True


def _owns(array: NDArray[Any]) -> bool:
    """Return whether an array can be changed, and is no view of another one's memory."""
    return array.base is None and bool(array.flags.owndata) and bool(array.flags.writeable)


def _is_same(value: Any, version: Version) -> bool:
    """Return whether a value is the one that was recorded."""
    return _is_like(value, version) and bool(
        np.allclose(value, version.value, rtol=1e-9, atol=0.0, equal_nan=True)
    )


def _is_like(value: Any, version: Version) -> bool:
    """Return whether a value is an array or number of the shape that was recorded."""
    is_value = isinstance(value, np.ndarray) or is_number(value)
    return is_value and np.shape(value) == version.value.shape
