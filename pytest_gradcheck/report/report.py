"""The report that users receive, and the exception that carries it.

`Report` adds behaviour to the data of `ReportData`: it renders itself as text and raises its
failure. The two are separate so that `message` can read the data without a circular import.
This module does not compute results.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from pytest_gradcheck.report.message import render_brief, render_text
from pytest_gradcheck.report.report_data import ReportData

__all__ = ["GradcheckError", "Report"]


@dataclass(frozen=True, slots=True)
class Report(ReportData):
    """The report of one gradient check.

    Attributes
    ----------
    verdict : {"correct", "wrong", "inconclusive"}
        Wrong if any parameter is or a law is violated, correct if all parameters
        are, else inconclusive.
    parameters : tuple of ParameterReport
        One for each checked parameter, in the order in which they were named.
    relative_difference : float
        As `ParameterReport.relative_difference`, over all parameters together.
    worst : tuple of Entry
        The worst entries of all parameters, worst first.
    failures : tuple of str
        Reasons why the check fails, one sentence each; empty if it passes.
    kind : {"gradient", "jacobian", "elementwise", "vjp", "jvp"}
        The derivative that was checked.
    forward, backward : str
        Names of the two functions.
    mode : {"full", "fast"}
        Whether every entry was measured, or all were screened along directions.
    evaluations : int
        Number of calls of forward.
    backward_calls : int
        Number of calls of backward.
    seconds : float
        Wall time of the check.
    seed : int
        Seed of the random directions and cotangents.
    options : mapping of str to OptionValue
        Every option with its value and its origin.
    not_checked : tuple of str
        Arguments that were passed through and not checked.
    notes : tuple of Note
        Remarks on the check as a whole.
    breaches : tuple of Breach
        Laws of a vector-Jacobian product that backward violates.
    diagnosis : tuple of Diagnosis
        Likely causes that concern backward as a whole, or several parameters.
    wrong_lines : tuple of WrongLine
        Where in backward gradients first go wrong; empty if that was not found.
    backward_definition : SourceLocation or None
        Where backward is defined; None if its source is not known.
    step_curves : tuple of StepCurve
        The differences at the worst entries over many steps; empty unless the check fails and
        the run writes a record.
    exercised : tuple of str
        Derivatives that backward entered, itself among them, as ``module:name``; empty unless
        the run asks for gradient coverage.
    rerun : str or None
        The command that repeats the check; None outside a test.

    Examples
    --------
    >>> import numpy as np
    >>> from pytest_gradcheck import check_gradient
    >>> report = check_gradient(lambda x: (x**2).sum(), lambda x: 2 * x, np.ones(3))
    >>> report.verdict, report["x"].checked, report.passed
    ('correct', 3, True)
    """

    def raise_if_failed(self) -> Report:
        """Return the report itself if the check passed, else raise its failure.

        Raises
        ------
        GradcheckError
            If `failures` is not empty.
        """
        __tracebackhide__ = HIDE_OWN_FAILURE
        if self.failures:
            raise GradcheckError(self)
        return self

    def with_cost_of(self, reports: Sequence[Report]) -> Report:
        """Return the report with the calls and the time of several checks together."""
        return replace(
            self,
            evaluations=sum(report.evaluations for report in reports),
            backward_calls=sum(report.backward_calls for report in reports),
            seconds=sum(report.seconds for report in reports),
        )

    def failure_message(self) -> str:
        """Return the report as text, whose first line is complete without the rest."""
        return render_text(self)

    def __bool__(self) -> bool:
        """Return True if the check passed, else raise its failure."""
        __tracebackhide__ = HIDE_OWN_FAILURE
        self.raise_if_failed()
        return True

    def __str__(self) -> str:
        return self.failure_message()

    def __repr__(self) -> str:
        return f"<Report: {self.failure_message().partition(chr(10))[0]}>"

    def _repr_html_(self) -> str:
        """Return the report as a notebook shows it."""
        # A notebook asks the object itself, so this is the one import that goes up.
        from pytest_gradcheck.renderings.html_page.notebook import report_html

        return report_html(self)


class GradcheckError(AssertionError):
    """A gradient check failed: a gradient is wrong, or could not be verified.

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
        self._render: Callable[[Report], str] = render_text

    def shorten(self) -> None:
        """Leave the worst entries, and how the check was made, out of the message."""
        self._render = render_brief

    def __str__(self) -> str:
        return self._render(self.report)


#: The value of ``__tracebackhide__`` in this module: a failure points at the user's line.
HIDE_OWN_FAILURE = operator.methodcaller("errisinstance", GradcheckError)
