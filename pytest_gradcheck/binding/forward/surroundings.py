"""The surroundings in which the user's functions are called: their own, without what is shown.

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
from types import TracebackType
from typing import Any, ClassVar, TypeVar

import numpy as np

from pytest_gradcheck.binding.random_state.replay import Replay

__all__ = ["IgnoredWarnings", "SilencedWarnings", "Surroundings"]

Result = TypeVar("Result")


class Surroundings:
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


class _ChangedWarnings:
    """Changes Python's treatment of warnings, which belongs to the process, as long as it lasts.

    Checks that overlap in threads share one change, which ends with the last of them. Its end may
    be repeated, where a signal may have interrupted it.
    """

    _lock: ClassVar = threading.RLock()
    _active: ClassVar[list[object]]
    _before: ClassVar[list[Any]]

    def __init_subclass__(cls) -> None:
        cls._active, cls._before = [], []

    def __enter__(self) -> None:
        try:
            with self._lock:
                if not self._before:
                    self._before.append((warnings.filters, warnings.showwarning))
                    warnings.filters = list(warnings.filters)
                    self.change()
                self._active.append(self)
        except BaseException:
            self.end()
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.end()

    def end(self) -> None:
        """Restore the treatment of warnings, unless another check still needs the change."""
        with self._lock:
            while self in self._active:
                self._active.remove(self)
            if self._before and not self._active:
                warnings.filters, warnings.showwarning = self._before[0]
                # Forgets which warnings were shown, so that the user's own are shown again.
                with warnings.catch_warnings():
                    self._before.clear()

    def change(self) -> None:
        """Change the treatment of warnings."""
        raise NotImplementedError


class SilencedWarnings(_ChangedWarnings):
    """Shows no warnings; whether a function raises or records them is as before.

    The context, in which measurements are made, ignores floating-point errors.
    """

    def __enter__(self) -> None:
        super().__enter__()
        self._errors = np.errstate(all="ignore")
        self._errors.__enter__()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._errors.__exit__(kind, error, traceback)
        self.end()

    def change(self) -> None:
        """Show warnings nowhere."""
        warnings.showwarning = _show_nowhere


class IgnoredWarnings(_ChangedWarnings):
    """Ignores warnings, also where they would be raised; only inside `SilencedWarnings`."""

    def change(self) -> None:
        """Ignore warnings."""
        warnings.simplefilter("ignore")


def _show_nowhere(*_: object, **__: object) -> None:
    """Take the place of `warnings.showwarning`."""
