"""Calls of the user's functions, and what of their exceptions is shown to the user.

All of the user's functions are called through `call_user`, so that its frame in a traceback
divides the frames of this package from those of the user. Methods of the user's objects are called
by Python itself, when something is asked of the objects: there a traceback ends in code of the
user's. It does not know what a function is for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any

from pytest_gradcheck.binding.call.installed_code import is_installed
from pytest_gradcheck.errors import PACKAGE_DIRECTORY, GradcheckUsageError

__all__ = ["add_note", "as_user_raised", "call_user", "ends_check"]


def call_user(
    function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any] | None = None
) -> Any:
    """Return what a function of the user's returns."""
    return function(*args, **(kwargs or {}))


def add_note(error: BaseException, text: str) -> None:
    """Add a note to an exception of the user's, once, if it can take one."""
    with suppress(Exception):  # a frozen dataclass cannot
        if text not in getattr(error, "__notes__", ()):
            error.add_note(text)


def as_user_raised(error: BaseException) -> BaseException:
    """Return an exception as a function of the user's raised it, without our frames.

    Parameters
    ----------
    error : BaseException
        An exception with its traceback.

    Returns
    -------
    BaseException
        The exception, with the traceback of the user's frames only. Python replaces a
        `StopIteration` that leaves a generator of ours by a `RuntimeError`; this is undone. An
        exception that was raised in no code of the user's is returned as it is.
    """
    cause = error.__cause__
    if isinstance(error, RuntimeError) and isinstance(cause, StopIteration):
        entry = _call_in(cause.__traceback__)
        if entry is not None:
            return cause.with_traceback(entry.tb_next)
    entry = _call_in(error.__traceback__)
    if entry is not None:
        return error.with_traceback(entry.tb_next)
    end = _end_of_users(error.__traceback__)
    return error if end is None else error.with_traceback(end)


def ends_check(error: Exception) -> bool:
    """Return whether an exception ends the check, at whatever point it is raised.

    That is unittest's `SkipTest`; the other outcomes of a test, like KeyboardInterrupt, are no
    `Exception`. And it is the refusal of a check that a function of the user's makes itself: as
    it was written, that one makes no sense anywhere.
    """
    from unittest import SkipTest

    is_refusal = isinstance(error, GradcheckUsageError)
    return isinstance(error, SkipTest) or (
        is_refusal and _call_in(error.__traceback__) is not None
    )


def _end_of_users(traceback: TracebackType | None) -> TracebackType | None:
    """Return the frames of the user's after our last one, where a traceback ends in such."""
    entries = list[TracebackType]()
    while traceback is not None:
        entries.append(traceback)
        traceback = traceback.tb_next
    paths = [entry.tb_frame.f_code.co_filename for entry in entries]
    if not paths or is_installed(paths[-1]):
        return None
    ours = [k for k, path in enumerate(paths) if path.startswith(PACKAGE_DIRECTORY)]
    after = range(ours[-1] + 1, len(paths)) if ours else ()
    return next((entries[k] for k in after if not is_installed(paths[k])), None)


def _call_in(traceback: TracebackType | None) -> TracebackType | None:
    """Return the first entry of a traceback that is a call of a user's function, else None."""
    while traceback is not None and traceback.tb_frame.f_code is not call_user.__code__:
        traceback = traceback.tb_next
    return traceback
