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
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_gradcheck.report.model import Report

__all__ = [
    "GradcheckError",
    "GradcheckUsageError",
    "GradcheckVacuousWarning",
    "GradcheckWarning",
    "hide_ours",
]


#: Columns of a message; pytest indents it by up to 12 more.
WIDTH = 80


class GradcheckError(AssertionError):
    """A gradient check failed: a wrong gradient, or one that could not be verified.

    Parameters
    ----------
    report : Report
        The report of the failed check, kept as the attribute ``report``.

    Examples
    --------
    >>> from pytest_gradcheck import GradcheckError, gradcheck
    >>> try:
    ...     gradcheck(lambda x: x**2, lambda x: 3 * x, 1.0, wrt="x")
    ... except GradcheckError as error:
    ...     error.report.verdict
    'wrong'
    """

    __module__ = "pytest_gradcheck"

    def __init__(self, report: Report) -> None:
        super().__init__(report)
        self.report = report

    def __str__(self) -> str:
        return self.report.failure_message()


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
hide_ours = operator.methodcaller(
    "errisinstance", (GradcheckError, GradcheckUsageError, GradcheckWarning)
)
