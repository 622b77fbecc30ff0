"""Every exception and warning of the package, with the tree of them on top.

It must not know what a report holds or how a message is worded: it only names
the outcomes, so that anyone may catch them.

::

    AssertionError
        GradcheckError             the check was made and failed; carries the report
    ValueError
        GradcheckUsageError        the check could not be made as it was written
    pytest.PytestWarning
        GradcheckWarning
            GradcheckVacuousWarning    a gradient that is zero everywhere was checked
"""

from __future__ import annotations

import operator
import textwrap
from pathlib import Path

import pytest

from pytest_gradcheck.report.report import GradcheckError

__all__ = [
    "PACKAGE_DIRECTORY",
    "GradcheckError",
    "GradcheckUsageError",
    "GradcheckVacuousWarning",
    "GradcheckWarning",
    "hide_own_errors",
]


#: The folder of the package: frames of its files are not the user's.
PACKAGE_DIRECTORY = str(Path(__file__).parent)

#: Columns of a message; pytest indents it by up to 12 more.
WIDTH = 80


class GradcheckUsageError(ValueError):
    """A gradient check could not be made as it was written.

    The message says what happened, to which argument of whose function, and
    what to write instead. It is never raised for a wrong gradient.
    """

    __module__ = "pytest_gradcheck"

    def __str__(self) -> str:
        return textwrap.fill(
            super().__str__(), WIDTH, break_long_words=False, break_on_hyphens=False
        )


class GradcheckWarning(pytest.PytestWarning):
    """The base of every warning of the package."""

    __module__ = "pytest_gradcheck"


class GradcheckVacuousWarning(GradcheckWarning):
    """A parameter's gradient is zero everywhere, so the check says little."""

    __module__ = "pytest_gradcheck"


#: The value of ``__tracebackhide__`` in our public frames: our own failures
#: point at the user's line, while a bug of ours keeps its whole traceback.
hide_own_errors = operator.methodcaller(
    "errisinstance", (GradcheckError, GradcheckUsageError, GradcheckWarning)
)
