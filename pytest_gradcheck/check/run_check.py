"""The steps of a check: bind the call, measure derivatives, judge the claims, report.

`bind` makes a problem in numbers of the call. The mode that `choose_mode` returns measures its
derivatives, and has each claim judged and described. `assemble_report` makes the report of all
parameters. This module does not import pytest: a running test provides options and takes the
report.
"""

from __future__ import annotations

import inspect
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from contextvars import copy_context
from dataclasses import replace
from pathlib import Path
from typing import Any

from pytest_gradcheck.binding.bind import bind
from pytest_gradcheck.binding.call.resolved_call import Call
from pytest_gradcheck.binding.call.user_function import as_user_raised
from pytest_gradcheck.binding.constrained_parameters.constraint_options import (
    ConstraintDeclarations,
)
from pytest_gradcheck.binding.dispatch.evaluation_strategy import Dispatch
from pytest_gradcheck.binding.displacement import Displacement
from pytest_gradcheck.binding.gradient_problem import Problem
from pytest_gradcheck.check.implementations import CheckedCall, check_implementations
from pytest_gradcheck.check.modes import choose_mode
from pytest_gradcheck.check.several_points import check_at_points
from pytest_gradcheck.diagnosis.diagnose import no_suggestions
from pytest_gradcheck.errors import (
    PACKAGE_DIRECTORY,
    GradcheckUsageError,
    GradcheckVacuousWarning,
    hide_own_errors,
)
from pytest_gradcheck.judgement.check_outcome import vacuous_parameters
from pytest_gradcheck.options import Layer, Options, resolve
from pytest_gradcheck.report.report import Report
from pytest_gradcheck.report.report_data import Note, StepCurve, WrongLine
from pytest_gradcheck.report.representation import type_name
from pytest_gradcheck.report_builder.assemble_report import assemble_report
from pytest_gradcheck.report_builder.failing_checks.claim_symmetry import with_potential
from pytest_gradcheck.report_builder.failing_checks.likely_causes import with_diagnoses
from pytest_gradcheck.report_builder.failing_checks.second_derivatives import (
    second_derivative_refusal,
)
from pytest_gradcheck.report_builder.kernel_errors import with_rounding_of_reference
from pytest_gradcheck.report_builder.progress import show_progress
from pytest_gradcheck.running_test import RunningTest

__all__ = ["assert_check", "run_check"]


def run_check(call: Call, given: Mapping[str, object], test: RunningTest | None) -> Report:
    """Make the check of a call, under the options of the running test.

    Parameters
    ----------
    call : Call
        The call as the user wrote it.
    given : mapping of str to object
        The options in the call.
    test : RunningTest or None
        The running test, which provides options and takes the report.

    Returns
    -------
    Report
        The report of a check that passed or failed.

    Raises
    ------
    GradcheckUsageError
        If the check cannot be made as it was written.
    """
    __tracebackhide__ = hide_own_errors
    layers = [Layer("call", given)]
    if test is not None:
        layers = [*test.layers, *layers, *test.overrides]
    failure: BaseException | None = None
    try:
        call = call.read()
        options = resolve(layers, _argument_names(call.forward))
        # In a context of its own, so that no setting of the user's is left changed.
        report = copy_context().run(_check, call, options, test)
    except GradcheckUsageError as error:
        # The frames in this package are of no use to the user who made the mistake.
        failure = error.with_traceback(None)
        failure.__cause__ = None  # as `raise ... from None` does
    except BaseException as error:  # noqa: BLE001  # raised again
        failure = as_user_raised(error)
    if failure is not None:
        try:
            raise failure
        finally:
            del failure  # it refers to this frame
    if test is not None:
        test.take(report)
    _warn_if_vacuous(report)
    return report


def assert_check(call: Call, given: Mapping[str, object], test: RunningTest | None) -> Report:
    """Make the check of a call as `run_check` does, and raise its failure if it is not known.

    Raises
    ------
    GradcheckError
        If the check failed, and the running test does not accept that.
    GradcheckUsageError
        If the check cannot be made as it was written.
    """
    __tracebackhide__ = hide_own_errors
    report = run_check(call, given, test)
    if report.failures and test is not None and test.accept is not None and test.accept(report):
        return report
    return report.raise_if_failed()


def _argument_names(forward: Callable[..., Any]) -> Iterator[str]:
    """Yield the argument names of forward, for the hint at an unknown option.

    The signature is read only if that hint is needed.
    """
    with suppress(Exception):  # objects that are called may compute it
        yield from inspect.signature(forward).parameters


def _check(call: Call, options: Options, test: RunningTest | None) -> Report:
    """Make the check, and observe backward if the run asks for gradient coverage."""
    observer = None if test is None or test.observer is None else test.observer()

    def check_at(displacement: Displacement | None) -> Report:
        def check(one: Call) -> CheckedCall:
            return _check_with_replay(one, options, test, observer or nullcontext(), displacement)

        return check_implementations(check, call, options.also, options.rtol)

    report = check_at_points(check_at, options.points, options.seed)
    return report if observer is None else replace(report, exercised=observer.derivatives())


def _check_with_replay(
    call: Call,
    options: Options,
    test: RunningTest | None,
    observer: AbstractContextManager[None],
    displacement: Displacement | None,
) -> CheckedCall:
    """Check once, and again with every generator replayed if one of them has moved."""
    started = time.perf_counter()

    def check(*, replay_all: bool) -> tuple[CheckedCall, bool]:
        return _check_once(
            call,
            options,
            test,
            started=started,
            observer=observer,
            displacement=displacement,
            replay_all=replay_all,
        )

    checked, has_moved = check(replay_all=False)
    return check(replay_all=True)[0] if has_moved else checked


def _check_once(
    call: Call,
    options: Options,
    test: RunningTest | None,
    *,
    started: float,
    observer: AbstractContextManager[None],
    displacement: Displacement | None,
    replay_all: bool,
) -> tuple[CheckedCall, bool]:
    """Return what was found, and whether a random generator that is not replayed has moved."""
    show, rerun = (None, None) if test is None else (test.show, test.rerun)
    suggest = (None if test is None else test.suggest) or no_suggestions
    bound = bind(
        call,
        seed=options.seed,
        convention=options.convention,
        replay=options.replay,
        replay_all=replay_all,
        declarations=ConstraintDeclarations(options.tangent, options.project, options.bounds),
        dispatch=Dispatch(options.executor, options.batched),
        accepts_nothing=options.empty == "accept",
        observer=observer,
        displacement=displacement,
        reference=options.reference,
    )
    try:
        with bound as posed:
            problem = with_rounding_of_reference(posed)
            mode = choose_mode(problem, options)
            with show_progress(problem, show, mode.entries) as counted:
                parameters = mode.check(counted, options)
                comparisons = [comparison() for comparison in parameters.comparisons]
                parameters = with_diagnoses(
                    problem,
                    parameters,
                    comparisons,
                    convention=options.convention,
                    suggest=suggest,
                )
                parameters = with_potential(problem, parameters, comparisons, options)
            report = assemble_report(problem, parameters, options, started=started, rerun=rerun)
            if problem.random_claim and report.failures and not problem.randomness_moved():
                raise GradcheckUsageError(problem.random_claim)
            if report.failures:
                refusal = second_derivative_refusal(problem, report.parameters, options.seed)
                if refusal:
                    raise GradcheckUsageError(refusal)
                report = _explained(report, problem, test, started)
    finally:
        # Where a signal was handled as the context began or ended, it has not ended yet.
        bound.gen.close()
    values = problem.base if problem.output_values is None else problem.output_values
    checked = CheckedCall(report, problem.outputs_at_base, values)
    return checked, problem.randomness_moved()


def _explained(
    report: Report, problem: Problem, test: RunningTest | None, started: float
) -> Report:
    """Return the report of a check that failed, with what is looked for only then."""
    if test is not None and test.is_recorded:
        report = _with_step_curves(report, problem)
    # A line is found in forward and backward of one function, and not in those of two.
    if report.verdict == "wrong" and problem.kernel_errors is None:
        report = _with_wrong_lines(report, problem, test)
    return replace(
        report,
        evaluations=problem.counts.forward,
        backward_calls=problem.counts.backward,
        seconds=time.perf_counter() - started,
    )


def _with_step_curves(report: Report, problem: Problem) -> Report:
    """Return the report of a check that failed, with curves to be looked at."""
    from pytest_gradcheck.report_builder.failing_checks.step_curves import measure_step_curves

    curves, notes = tuple[StepCurve, ...](), report.notes
    try:
        curves = measure_step_curves(problem, report.parameters)
    except Exception as error:  # noqa: BLE001  # the failure of the check must be reported
        notes = (*notes, _note("undrawn", "step-size curves were not measured", error))
    return replace(report, step_curves=curves, notes=notes)


def _with_wrong_lines(report: Report, problem: Problem, test: RunningTest | None) -> Report:
    """Return the report of a check that failed, with where backward goes wrong."""
    # Nothing of this is loaded for checks that pass.
    from pytest_gradcheck.fault_localization.locate_wrong_lines import (
        definition_of,
        locate_wrong_lines,
    )

    root = Path.cwd() if test is None or test.root is None else test.root
    lines, notes = tuple[WrongLine, ...](), report.notes
    try:
        lines = locate_wrong_lines(problem, report.parameters, root=root, seed=report.seed)
    except Exception as error:  # noqa: BLE001  # the failure of the check must be reported
        notes = (*notes, _note("unlocated", "the wrong line was not found", error))
    return replace(
        report,
        wrong_lines=lines,
        notes=notes,
        backward_definition=definition_of(problem.functions[-1], root),
    )


def _note(kind: str, what: str, error: Exception) -> Note:
    """Return a note on what a check that failed lacks."""
    return Note(kind, 0, f"{what}: {type_name(error)}: {error}; please report this")


def _warn_if_vacuous(report: Report) -> None:
    """Warn at the user's line if a check passes although a gradient is zero everywhere."""
    __tracebackhide__ = hide_own_errors
    names = vacuous_parameters(report.parameters)
    if not names or report.failures:
        return
    # Python 3.12 has skip_file_prefixes= for this; Python 3.11 needs the depth of the stack.
    frame, depth = sys._getframe(), 1
    while frame.f_back is not None and frame.f_code.co_filename.startswith(PACKAGE_DIRECTORY):
        frame, depth = frame.f_back, depth + 1
    message = (
        f"the gradient of {report.forward} is zero everywhere with respect to "
        f"{', '.join(names)}: the check tested nothing there; try another point"
    )
    unused = [p.name for p in report.parameters if any(n.kind == "unused" for n in p.notes)]
    if unused:
        message += f" ({report.forward} does not depend on {', '.join(unused)} at this one)"
    warnings.warn(message, GradcheckVacuousWarning, stacklevel=depth)
