"""All exceptions and warnings of the package.

::

    AssertionError
        GradcheckError             the check was made and failed; carries the report
    ValueError
        GradcheckUsageError        the check could not be made as it was written
    pytest.PytestWarning
        GradcheckWarning
            GradcheckVacuousWarning    a gradient that is zero everywhere was checked

This module does not word messages about gradients; a failure renders its own report.
"""

from __future__ import annotations

import re
import textwrap
import traceback
from pathlib import Path

import pytest

from pytest_gradcheck.report.inert_text import escaped_lines, without_middle
from pytest_gradcheck.report.report import GradcheckError

__all__ = [
    "PACKAGE_DIRECTORY",
    "GradcheckError",
    "GradcheckUsageError",
    "GradcheckVacuousWarning",
    "GradcheckWarning",
    "hide_own_errors",
]


#: The directory of the package. A frame in one of its files is not a frame of the user.
PACKAGE_DIRECTORY = str(Path(__file__).parent)

#: The width of a message; pytest indents it by up to 12 columns.
WIDTH = 80

#: The most characters of a message; what it suggests comes last.
LENGTH = 4000

#: The most characters of a word in it.
LONGEST_WORD = 400
LONG_WORD = re.compile(rf"\S{{{LONGEST_WORD},}}")


class GradcheckUsageError(ValueError):
    """A gradient check could not be made as it was written.

    The message says what is wrong with which argument of which function, and what to write
    instead. It is never raised for a wrong gradient.
    """

    __module__ = "pytest_gradcheck"

    def __init__(self, message: str = "") -> None:
        words = LONG_WORD.sub(lambda word: without_middle(word[0], LONGEST_WORD), message)
        super().__init__(escaped_lines(without_middle(words, LENGTH)))

    def __str__(self) -> str:
        return textwrap.fill(
            super().__str__(), WIDTH, break_long_words=False, break_on_hyphens=False
        )


class GradcheckWarning(pytest.PytestWarning):
    """The base class of all warnings of the package."""

    __module__ = "pytest_gradcheck"


class GradcheckVacuousWarning(GradcheckWarning):
    """The gradient of a parameter is zero everywhere, so the check tests little."""

    __module__ = "pytest_gradcheck"


def hide_own_errors(excinfo: pytest.ExceptionInfo[BaseException]) -> bool:
    """Return whether to hide a public frame from a traceback.

    It is the value of ``__tracebackhide__`` in public functions. A failure, and an exception of
    the user's functions, point at the user's line, while a bug in this package keeps its
    traceback: that has frames of this package without ``__tracebackhide__``.
    """
    if excinfo.errisinstance((GradcheckError, GradcheckUsageError, GradcheckWarning)):
        return True
    frames = (frame for frame, _ in traceback.walk_tb(excinfo.tb))
    return all(
        "__tracebackhide__" in frame.f_locals
        for frame in frames
        if frame.f_code.co_filename.startswith(PACKAGE_DIRECTORY)
    )
