"""The check itself: bind, measure, judge, diagnose, report - one engine behind all doors.

It must not know pytest: the running test reaches it as options, and takes the
report back.
"""

from __future__ import annotations

import inspect
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

from pytest_gradcheck.binding.backward.claims import ElementwiseClaim
from pytest_gradcheck.binding.bind import bind
from pytest_gradcheck.binding.call.resolved_call import Call
from pytest_gradcheck.binding.constrained_parameters.constraint_arguments import (
    ConstraintDeclarations,
)
from pytest_gradcheck.binding.dispatch.evaluation_strategy import Dispatch
from pytest_gradcheck.binding.gradient_problem import Problem
from pytest_gradcheck.current_test import RunningTest, current_test
from pytest_gradcheck.errors import (
    PACKAGE_DIRECTORY,
    GradcheckUsageError,
    GradcheckVacuousWarning,
    hide_own_errors,
)
from pytest_gradcheck.forward_exceptions import (
    raise_after_elementwise,
    raise_after_screen,
    raise_after_sweep,
)
from pytest_gradcheck.judgement.check_outcome import vacuous_parameters
from pytest_gradcheck.judgement.entry_verdicts import CLAIM_ROUNDINGS, SCATTER_FACTOR
from pytest_gradcheck.numerics.elementwise import measure_elementwise
from pytest_gradcheck.numerics.full_check import DerivativeTask, measure_every_coordinate
from pytest_gradcheck.numerics.measurement import Floats
from pytest_gradcheck.numerics.screening.array_regions import Segment
from pytest_gradcheck.numerics.screening.linear_operator import (
    find_wrong_claims,
    is_homogeneous,
    verify_linear,
)
from pytest_gradcheck.numerics.screening.screen import screen
from pytest_gradcheck.options import Layer, Options, resolve
from pytest_gradcheck.report.report import Report
from pytest_gradcheck.report.report_data import Note
from pytest_gradcheck.report_builder.assemble_report import assemble_report
from pytest_gradcheck.report_builder.claims_at_nearby_points import NearbyClaims
from pytest_gradcheck.report_builder.elementwise_parameters import describe_elementwise
from pytest_gradcheck.report_builder.fully_checked_parameters import describe_swept
from pytest_gradcheck.report_builder.parameter_report import ParameterReports, combine_verdicts
from pytest_gradcheck.report_builder.progress import show_progress
from pytest_gradcheck.report_builder.screened_parameters import (
    describe_screened,
    has_rounding_note,
    keep_inconclusive,
    with_rounding_notes,
)

__all__ = ["check_gradient", "gradcheck", "run_check"]

#: Derivatives of a Jacobian that are all measured where nobody asked for that.
MAX_SWEPT_DERIVATIVES = 1_000_000

#: Coordinates from which on a check may see if forward is linear, which three evaluations show,
#: and from which on it does so where forward is not its claim times the point.
MIN_HOMOGENEOUS_SIZE = 8
MIN_AFFINE_SIZE = 256


def gradcheck(
    forward: Callable[..., Any],
    backward: Callable[..., Any] | bool,
    *args: Any,
    wrt: str | int | Sequence[str | int] | None = None,
    kwargs: Mapping[str, Any] | None = None,
    backward_args: Sequence[str] | None = None,
    has_cache: bool | None = None,
    **options: Any,
) -> Report:
    """Assert that `backward` is the derivative of `forward` at the given arguments.

    Parameters
    ----------
    forward : callable
        The function differentiated: returns a number, a floating array, or
        ``(output, cache)``.
    backward : callable or True
        The hand-written derivative under test. Its parameters are filled by
        name, from forward's arguments and from ``cache``, ``output``,
        ``cotangent`` (also ``dout``, ``grad_output``) and ``tangent``; what it
        asks for decides which derivative is checked. True where forward
        returns ``(value, gradients)``.
    *args : Any
        Positional arguments of forward.
    wrt : str, int or sequence of them, optional
        What to check: argument names, positions, leaves (``"W1"``) or
        attributes of forward's object (``"self.W"``). By default every
        floating argument.
    kwargs : mapping, optional
        Keyword arguments of forward.
    backward_args : sequence of str, optional
        The positional call of backward, stated outright.
    has_cache : bool, optional
        Whether forward returns ``(output, cache)``; by default it does exactly
        when backward asks for ``cache``.
    **options : Any
        See `Options`: ``mode``, ``rtol``, ``step``, ``max_evaluations``,
        ``seed``, ``strict``, ``kinks``, ``convention``, ``max_rows``, ``replay``,
        ``tangent``, ``project``, ``bounds``, ``executor``, ``batched``.

    Returns
    -------
    Report
        What was found; only ever returned for a check that passes.

    Raises
    ------
    GradcheckError
        When a gradient is wrong or nothing about a parameter could be verified.
    GradcheckUsageError
        When the check cannot be made as it was written.

    Examples
    --------
    >>> import numpy as np
    >>> from pytest_gradcheck import gradcheck
    >>> bool(gradcheck(np.sin, np.cos, np.array([0.5, 2.0])))
    True
    """
    __tracebackhide__ = hide_own_errors
    call = Call(forward, backward, args, kwargs or {}, wrt, backward_args, has_cache)
    return run_check(call, options, current_test()).raise_if_failed()


def check_gradient(
    forward: Callable[..., Any],
    backward: Callable[..., Any] | bool,
    *args: Any,
    wrt: str | int | Sequence[str | int] | None = None,
    kwargs: Mapping[str, Any] | None = None,
    backward_args: Sequence[str] | None = None,
    has_cache: bool | None = None,
    **options: Any,
) -> Report:
    """Check a gradient like `gradcheck`, and return the report of a failing check too.

    Parameters
    ----------
    forward, backward, *args, wrt, kwargs, backward_args, has_cache, **options
        As for `gradcheck`.

    Returns
    -------
    Report
        What was found. Its truth value raises the failure of a check that
        failed, so that it is never wrongly true.

    Raises
    ------
    GradcheckUsageError
        When the check cannot be made as it was written.

    Examples
    --------
    >>> from pytest_gradcheck import check_gradient
    >>> report = check_gradient(lambda x: x**2, lambda x: 3 * x, 1.5)
    >>> report.verdict, report["x"].worst[0].backward
    ('wrong', 4.5)
    """
    __tracebackhide__ = hide_own_errors
    call = Call(forward, backward, args, kwargs or {}, wrt, backward_args, has_cache)
    return run_check(call, options, current_test())


def run_check(call: Call, given: Mapping[str, object], test: RunningTest | None) -> Report:
    """Make the check that `call` asks for, under the options of the running test.

    Parameters
    ----------
    call : Call
        What was asked.
    given : mapping of str to object
        Options written in the call.
    test : RunningTest or None
        The test it happens in; it takes the report.

    Returns
    -------
    Report
        Of a passing or a failing check alike.

    Raises
    ------
    GradcheckUsageError
        When the check cannot be made as it was written.
    """
    __tracebackhide__ = hide_own_errors
    layers = [Layer("call", given)]
    if test is not None:
        layers = [*test.layers, *layers, *test.overrides]
    try:
        options = resolve(layers, _argument_names(call.forward))
        report = _check(call, options, test)
    except GradcheckUsageError as error:
        # Where in the package a mistake was noticed is of no use to who made it.
        raise error.with_traceback(None) from None
    if test is not None:
        test.take(report)
    _warn_if_vacuous(report)
    return report


def _argument_names(forward: Callable[..., Any]) -> Iterator[str]:
    """Name forward's arguments, for the hint that an unknown option belongs to forward.

    They are looked up when that hint is wanted.
    """
    with suppress(TypeError, ValueError):
        yield from inspect.signature(forward).parameters


def _check(call: Call, options: Options, test: RunningTest | None) -> Report:
    """Check, and once more with every generator replayed if one turns out to have moved."""
    started = time.perf_counter()
    report, moved = _check_once(call, options, test, started, replay_all=False)
    if moved:
        report, _ = _check_once(call, options, test, started, replay_all=True)
    return report


def _check_once(
    call: Call, options: Options, test: RunningTest | None, started: float, *, replay_all: bool
) -> tuple[Report, bool]:
    show, rerun = (None, None) if test is None else (test.show, test.rerun)
    with bind(
        call,
        seed=options.seed,
        convention=options.convention,
        replay=options.replay,
        replay_all=replay_all,
        declarations=ConstraintDeclarations(options.tangent, options.project, options.bounds),
        dispatch=Dispatch(options.executor, options.batched),
    ) as problem:
        look = _way(problem, options)
        swept = problem.point.size if look is _sweep and problem.kind != "jvp" else None
        if _may_be_linear(problem, options):
            look = partial(_verify_linear, look)
        with show_progress(problem, show, swept) as watched:
            described = look(watched, options)
        report = assemble_report(problem, described, options, started=started, rerun=rerun)
    return report, problem.randomness_moved()


def _way(problem: Problem, options: Options) -> Callable[[Problem, Options], ParameterReports]:
    """Choose how to look at a problem."""
    if isinstance(problem.claim, ElementwiseClaim):
        return partial(_compress, problem.claim)
    return _screen if _is_fast(problem, options) else _sweep


def _may_be_linear(problem: Problem, options: Options) -> bool:
    """Tell whether to try if forward is linear: what is cheap anyway, and full, stays as it is."""
    size, claim = problem.point.size, problem.claim
    if options.mode == "full" or options.step is not None or problem.kind == "jvp":
        return False
    if isinstance(claim, ElementwiseClaim) or size < MIN_HOMOGENEOUS_SIZE:
        return False
    return MIN_AFFINE_SIZE <= size <= options.max_evaluations // 2 or is_homogeneous(
        derivative_task(problem)
    )


def _is_fast(problem: Problem, options: Options) -> bool:
    """Tell whether to screen: where that was asked for, or a sweep is beyond the budget.

    So is a Jacobian of very many derivatives, all of which a sweep would hold. It is decided by
    count and never by time, so that it is the same everywhere.
    """
    needed = 2 * problem.point.size
    beyond = problem.kind != "jvp" and needed > options.max_evaluations
    if beyond and options.mode == "full":
        raise GradcheckUsageError(
            f"checking {problem.point.size:,} entries takes {needed:,} evaluations of "
            f"{problem.forward}, more than max_evaluations={options.max_evaluations}: say "
            f"max_evaluations={needed}, check fewer parameters with wrt=, or leave mode='full' "
            "out to screen them."
        )
    many = (
        options.mode == "auto" and problem.point.size * problem.base.size > MAX_SWEPT_DERIVATIVES
    )
    fast = options.mode == "fast" or beyond or (many and options.step is None)
    if problem.kind == "jvp" or not needed:
        return False  # one direction is measured anyway, and nothing is soon swept
    if fast and options.step is not None:
        raise GradcheckUsageError(
            f"step={options.step!r} measures every entry at that step, and {problem.point.size:,} "
            "entries are screened along directions instead: leave step out, or say "
            f"mode='full', max_evaluations={needed}."
        )
    return fast


def _sweep(problem: Problem, options: Options) -> ParameterReports:
    measured = measure_every_coordinate(
        derivative_task(problem), agreement=options.rtol, step=options.step, seed=options.seed
    )
    raise_after_sweep(problem, measured)
    return describe_swept(problem, measured, options)


def _compress(claim: ElementwiseClaim, problem: Problem, options: Options) -> ParameterReports:
    """Measure an elementwise function at once; entry by entry what turns out to be none."""
    measured = measure_elementwise(
        derivative_task(problem),
        claim,
        agreement=options.rtol,
        step=options.step,
        seed=options.seed,
    )
    raise_after_elementwise(problem, measured)
    size = problem.point.size
    is_small = (
        size * problem.base.size <= MAX_SWEPT_DERIVATIVES and 2 * size <= options.max_evaluations
    )
    if measured.coupling.outputs.size and is_small:
        return _sweep(problem, options)
    return describe_elementwise(problem, claim, measured, options)


def _verify_linear(
    otherwise: Callable[[Problem, Options], ParameterReports], problem: Problem, options: Options
) -> ParameterReports:
    """Verify a linear function along a few directions; look as usual where that is not enough."""
    segments, elsewhere = _segments(problem), NearbyClaims(problem, options.seed)
    screened = verify_linear(derivative_task(problem), segments, seed=options.seed)
    text = "verified along directions, near and far"
    if screened is None:
        described = otherwise(problem, options)
        verdict = combine_verdicts(p.verdict for p in described.parameters)
        if described.mode == "full" or verdict == "wrong":
            return described
        screened = find_wrong_claims(
            derivative_task(problem), segments, agreement=options.rtol, seed=options.seed
        )
        text = "what is off was found by moving halves of the entries far"
        if screened is None:
            return described
    described = describe_screened(problem, screened, options, elsewhere)
    note = Note("linear", 0, f"{problem.forward} is linear to rounding: {text}")
    return replace(described, notes=(note,))


def _segments(problem: Problem) -> list[Segment]:
    """Return the parameters that have coordinates, as places in the point."""
    pairs = zip(problem.parameters, problem.roundings, strict=True)
    return [
        Segment(parameter.start, parameter.axes, CLAIM_ROUNDINGS * rounding)
        for parameter, rounding in pairs
        if parameter.stop > parameter.start
    ]


def _screen(problem: Problem, options: Options) -> ParameterReports:
    segments = _segments(problem)
    look = partial(
        screen,
        derivative_task(problem),
        agreement=options.rtol,
        budget=options.max_evaluations,
        seed=options.seed,
    )
    screened, elsewhere = look(segments), NearbyClaims(problem, options.seed)
    raise_after_screen(problem, screened, options.seed)
    described = describe_screened(problem, screened, options, elsewhere)
    is_open = screened.unexplained.any() or any(has_rounding_note(p) for p in described.parameters)
    if not is_open or any(p.verdict == "wrong" for p in described.parameters):
        return described
    # Directions over everything see the rounding of all claims together: allow for that.
    shares = {
        s.start: SCATTER_FACTOR * elsewhere.relative_scatter(s.start, s.stop) for s in segments
    }
    rounded = [replace(s, rounding=max(s.rounding, shares[s.start])) for s in segments]
    if rounded == segments:
        return described
    again = describe_screened(
        with_rounding_notes(problem, shares), look(rounded), options, elsewhere
    )
    return keep_inconclusive(again, described)


def derivative_task(problem: Problem) -> DerivativeTask:
    return DerivativeTask(
        evaluate=problem.evaluate,
        point=problem.point,
        here=problem.here,
        segments=[(p.start, p.stop) for p in problem.parameters if p.stop > p.start],
        base=problem.base,
        repeat=problem.repeat,
        claims=problem.claim,
        tangent=problem.tangent,
        claimed_slopes=partial(_claimed, problem),
    )


def _claimed(problem: Problem, point: Floats, direction: Floats) -> Floats | None:
    """Return the slopes along a direction that backward claims at another point."""
    claim = problem.claim_at(point)
    return None if claim is None else claim.along(0, direction)


def _warn_if_vacuous(report: Report) -> None:
    """Warn once, from the user's line, of parameters whose gradient is zero everywhere."""
    __tracebackhide__ = hide_own_errors
    names = vacuous_parameters(report.parameters)
    if not names or report.failures:
        return
    # Python 3.12 has skip_file_prefixes= for this; 3.11 wants to know the depth.
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
