"""The report of a check as users hold it, and the failure that carries it.

It must not compute or word anything: `ReportData` holds what was found, the message words it.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass

from pytest_gradcheck.report.message import render_text
from pytest_gradcheck.report.report_data import ReportData

__all__ = ["GradcheckError", "Report"]


@dataclass(frozen=True, slots=True)
class Report(ReportData):
    """The report of one gradient check.

    Attributes
    ----------
    verdict : {"correct", "wrong", "inconclusive"}
        Wrong if any parameter is or a law is broken, correct if all parameters
        are, else inconclusive.
    parameters : tuple of ParameterReport
        One for each checked parameter, in the order they were named.
    relative_difference : float
        Formula (2) of the classic recipe over all parameters together.
    worst : tuple of Entry
        The worst entries over all parameters, worst first.
    failures : tuple of str
        Why the check fails, one sentence each; empty when it passes.
    kind : {"gradient", "jacobian", "elementwise", "vjp", "jvp"}
        Which derivative was checked.
    forward, backward : str
        Names of the two functions.
    mode : {"full", "fast"}
        How it was measured.
    evaluations : int
        Calls of forward.
    backward_calls : int
        Calls of backward.
    seconds : float
        Wall time of the check.
    seed : int
        Seed of directions and cotangents.
    options : mapping of str to OptionValue
        Every option with its value and where it came from.
    not_checked : tuple of str
        Arguments that went through untouched and unchecked.
    notes : tuple of Note
        What is to be known about the check as a whole.
    breaches : tuple of Breach
        Laws of a VJP that backward breaks.
    rerun : str or None
        The command that makes the check again, where a test was running.

    Examples
    --------
    >>> import numpy as np
    >>> from pytest_gradcheck import check_gradient
    >>> report = check_gradient(lambda x: (x**2).sum(), lambda x: 2 * x, np.ones(3))
    >>> report.verdict, report["x"].checked, report.passed
    ('correct', 3, True)
    """

    def raise_if_failed(self) -> Report:
        """Return the report itself when the check passed, else raise its failure.

        Raises
        ------
        GradcheckError
            When `failures` is not empty.
        """
        __tracebackhide__ = HIDE_FAILURE
        if self.failures:
            raise GradcheckError(self)
        return self

    def failure_message(self) -> str:
        """Word the report for people, the first line able to stand alone."""
        return render_text(self)

    def __bool__(self) -> bool:
        """Return True for a check that passed; raise the failure of one that did not."""
        __tracebackhide__ = HIDE_FAILURE
        self.raise_if_failed()
        return True

    def __str__(self) -> str:
        return self.failure_message()


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


#: The value of ``__tracebackhide__`` here: a failure points at the user's line.
HIDE_FAILURE = operator.methodcaller("errisinstance", GradcheckError)
