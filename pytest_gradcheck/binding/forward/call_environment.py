"""The environment in which the user's functions are called: their own, without what is shown.

What a function returns may depend on how numpy treats floating-point errors, on warnings that it
records or catches, and on random generators. So these are the same at every point. Warnings at
points that the user did not choose are not shown. Where one of them is an error that the function
does not catch, the function is called once more and ignores it: it is no error of the function.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Mapping
from contextvars import copy_context
from typing import Any, ClassVar, TypeVar

import numpy as np

from pytest_gradcheck.binding.random_state.replay import Replay

__all__ = ["CallEnvironment", "IgnoredWarnings", "SilencedWarnings"]

Result = TypeVar("Result")


class CallEnvironment:
    """Calls the user's functions where random generators and settings are as at the start.

    All calls are made in one copy of the context of the check, see `contextvars`. It holds
    numpy's treatment of floating-point errors, which around it is another for the measurement.

    Parameters
    ----------
    replay : Replay
        Restores random generators before each call.
    errors : mapping of str to str, optional
        Numpy's treatment of floating-point errors, if not that of the present context.

    Attributes
    ----------
    silenced : SilencedWarnings
        A context in which calls show no warnings. It is one for the whole check, so that
        whoever made the check can end it.
    """

    def __init__(self, replay: Replay, errors: Mapping[str, Any] | None = None) -> None:
        self.silenced = SilencedWarnings()
        self._restore_generators = replay.rewind
        self._context = copy_context()
        self._context.run(np.seterr, **(errors or {}))

    def run(self, function: Callable[..., Result], *args: Any, **kwargs: Any) -> Result:
        """Return what a function returns that calls one of the user's, see `call_user`."""
        self._restore_generators()
        return self._context.run(function, *args, **kwargs)

    def attempt(self, evaluate: Callable[[], Result]) -> Result:
        """Return ``evaluate()``; where it raises a warning, try again and ignore warnings.

        Parameters
        ----------
        evaluate : callable
            Calls functions through `run`, at a point that the user did not choose.
        """
        try:
            return evaluate()
        except (Warning, FloatingPointError):
            pass  # so that what is raised next does not refer to it
        own, ignored = self._context, IgnoredWarnings()
        try:
            with ignored:
                self._context = own.copy()
                self._context.run(np.seterr, all="ignore")
                return evaluate()
        finally:
            ignored.end()
            self._context = own


class _Silence:
    """Takes the place of `warnings.showwarning`, and shows nothing while a check is silent."""

    def __init__(self, before: Callable[..., None]) -> None:
        self.before = before

    def __call__(self, *args: Any, **kwargs: Any) -> None:
        if not SilencedWarnings.is_active():
            self.before(*args, **kwargs)


class _IgnoringFilters(list[Any]):
    """Takes the place of `warnings.filters`, the first of which ignores every warning."""

    def __init__(self, before: list[Any]) -> None:
        super().__init__([("ignore", None, Warning, None, 0), *before])
        self.before = before


class _ChangedWarnings:
    """Changes Python's treatment of warnings, which belongs to the process, as long as it lasts.

    Checks that overlap in threads share one change, which ends with the last of them. Functions
    of the user's change the treatment for a while, too, and put back what they found. So the end
    undoes the change of whoever made it, and no other change; at the end of every check it is
    repeated.
    """

    #: The attribute of `warnings` that is changed, and the type of what takes its place.
    attribute: ClassVar[str]
    changed: ClassVar[type[_Silence | _IgnoringFilters]]

    _lock: ClassVar = threading.RLock()
    _active: ClassVar[list[object]]

    def __init_subclass__(cls) -> None:
        cls._active = []

    def __enter__(self) -> None:
        try:
            with self._lock:
                if not self._active:
                    self._undo()
                    now = getattr(warnings, self.attribute)
                    setattr(warnings, self.attribute, self.changed(now))
                self._active.append(self)
        except BaseException:
            self.end()
            raise

    def __exit__(self, *_: object) -> None:
        self.end()

    @classmethod
    def is_active(cls) -> bool:
        """Return whether a check needs the change."""
        return bool(cls._active)

    def end(self) -> None:
        """Undo the change, unless another check still needs it."""
        with self._lock:
            while self in self._active:
                self._active.remove(self)
            if not self._active:
                self._undo()

    def _undo(self) -> None:
        while isinstance(now := getattr(warnings, self.attribute), self.changed):
            setattr(warnings, self.attribute, now.before)
            # Forgets which warnings were shown, so that the user's own are shown again.
            with warnings.catch_warnings():
                pass


class SilencedWarnings(_ChangedWarnings):
    """Shows no warnings; whether a function raises or records them is as before.

    The context, in which measurements are made, ignores floating-point errors.
    """

    attribute, changed = "showwarning", _Silence

    def __enter__(self) -> None:
        super().__enter__()
        self._errors = np.errstate(all="ignore")
        self._errors.__enter__()

    def __exit__(self, *_: object) -> None:
        self._errors.__exit__(None, None, None)
        self.end()


class IgnoredWarnings(_ChangedWarnings):
    """Ignores warnings, also where they would be raised; only inside `SilencedWarnings`."""

    attribute, changed = "filters", _IgnoringFilters
