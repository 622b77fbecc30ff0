"""The modes of a check: full, fast, elementwise and linear.

A full check measures every entry, a fast check screens all of them along random directions.
Elementwise functions and linear functions have methods of their own, which need fewer
evaluations. The mode is chosen by the options and by the number of evaluations, never by time,
so that it is the same on every machine. Each mode measures the problem and returns the reports
of its parameters.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from pytest_gradcheck.binding.backward.claims import Claim, DenseClaim, ElementwiseClaim
from pytest_gradcheck.binding.gradient_problem import Problem, no_claim
from pytest_gradcheck.errors import GradcheckUsageError
from pytest_gradcheck.forward_exceptions import (
    raise_after_elementwise,
    raise_after_full_check,
    raise_after_screen,
)
from pytest_gradcheck.judgement.entry_verdicts import CLAIM_ROUNDINGS, SCATTER_FACTOR
from pytest_gradcheck.numerics.coordinatewise.elementwise import measure_elementwise
from pytest_gradcheck.numerics.coordinatewise.fourth_order import fourth_order_differences
from pytest_gradcheck.numerics.coordinatewise.full_check import (
    DerivativeTask,
    measure_every_coordinate,
)
from pytest_gradcheck.numerics.measurement import EPS, Floats
from pytest_gradcheck.numerics.screening.linear_operator import (
    find_wrong_claims,
    is_homogeneous,
    verify_linear,
)
from pytest_gradcheck.numerics.screening.screen import screen
from pytest_gradcheck.numerics.screening.subarrays import Segment
from pytest_gradcheck.options import Options
from pytest_gradcheck.report.report_data import Note
from pytest_gradcheck.report_builder.claims_at_nearby_points import NearbyClaims
from pytest_gradcheck.report_builder.elementwise_parameters import describe_elementwise
from pytest_gradcheck.report_builder.fully_checked_parameters import describe_fully_checked
from pytest_gradcheck.report_builder.kernel_errors import with_claim_errors
from pytest_gradcheck.report_builder.nothing_checked import describe_nothing
from pytest_gradcheck.report_builder.parameter_report import ParameterReports, combine_verdicts
from pytest_gradcheck.report_builder.screened_parameters import (
    describe_screened,
    has_rounding_note,
    keep_inconclusive,
    with_rounding_notes,
)

__all__ = ["Mode", "choose_mode", "derivative_task"]

#: The largest number of derivatives of a Jacobian that are all measured by default.
MAX_SWEPT_DERIVATIVES = 1_000_000

#: The fewest coordinates of a point at which three evaluations may show that forward is
#: homogeneous, and of one at which the linear method is tried whether or not it is.
MIN_HOMOGENEOUS_SIZE = 8
MIN_AFFINE_SIZE = 256

Method = Callable[[Problem, Options], ParameterReports]


@dataclass(frozen=True, slots=True)
class Mode:
    """A mode of a check.

    Attributes
    ----------
    check : callable
        ``check(problem, options) -> ParameterReports`` measures the problem and reports it.
    entries : int or None
        The number of entries that are measured one by one; None if that is not the rule.
    """

    check: Method
    entries: int | None = None


def choose_mode(problem: Problem, options: Options) -> Mode:
    """Choose the mode of a check.

    Raises
    ------
    GradcheckUsageError
        If a full check needs more evaluations than the budget, or a fixed step is given for
        a fast one.
    """
    if problem.checks_nothing:
        return Mode(describe_nothing)
    if isinstance(problem.claim, ElementwiseClaim):
        mode = Mode(partial(_check_elementwise, problem.claim))
    elif _is_fast(problem, options):
        if problem.kernel_errors is not None:
            return Mode(_check_fast_beside_reference)
        mode = Mode(_check_fast)
    else:
        mode = Mode(_check_in_full, None if problem.kind == "jvp" else problem.point.size)
    if _may_be_linear(problem, options):
        return replace(mode, check=partial(_check_linear, mode.check))
    return mode


def derivative_task(problem: Problem) -> DerivativeTask:
    """Return the function, the point and the claims of a problem, as numerics takes them."""
    return DerivativeTask(
        evaluate=problem.evaluate,
        point=problem.point,
        here=problem.here,
        segments=[(p.start, p.stop) for p in problem.parameters if p.stop > p.start],
        base=problem.base,
        repeat=problem.repeat,
        claims=problem.claim,
        tangent=problem.tangent,
        claimed_slopes=partial(_claimed_slopes, problem),
    )


def _with_exact_claim(problem: Problem) -> Problem:
    """Return a problem whose reference claims derivatives that a measurement can confirm.

    Those of a kernel of low precision are off by its rounding. Where its reference has no backward
    in float64, the derivatives of the reference are guessed.
    """
    errors = problem.kernel_errors
    if errors is None or errors.exact_claim is not None or problem.tangent is not None:
        return problem
    task, claim = derivative_task(problem), problem.claim
    exact: Claim
    if isinstance(claim, ElementwiseClaim):
        guess = fourth_order_differences(task, claim.colours, claim.output_indices)
        exact = replace(claim, values=np.where(np.isfinite(guess), guess, claim.values))
    else:
        each = (slice(k, k + 1) for k in range(problem.point.size))
        guess, claimed = fourth_order_differences(task, each), claim.rows(0, problem.point.size)
        exact = DenseClaim(np.where(np.isfinite(guess), guess, claimed))
    return replace(problem, kernel_errors=replace(errors, exact_claim=exact))


def _guided_task(problem: Problem) -> DerivativeTask:
    """Return the task of a check that measures every entry, with the claims to confirm."""
    task, errors = derivative_task(problem), problem.kernel_errors
    if errors is None or errors.exact_claim is None or problem.tangent is not None:
        return task
    return replace(task, claims=errors.exact_claim, claimed_slopes=None)


def _claimed_slopes(problem: Problem, point: Floats, direction: Floats) -> Floats | None:
    """Return the slopes along a direction that backward claims at another point."""
    claim = problem.claim_at(point)
    return None if claim is None else claim.along(0, direction)


def _is_fast(problem: Problem, options: Options) -> bool:
    """Return whether to screen: on request, beyond the budget, or for a very large Jacobian."""
    needed = 2 * problem.point.size
    is_beyond_budget = problem.kind != "jvp" and needed > options.max_evaluations
    if is_beyond_budget and options.mode == "full":
        raise GradcheckUsageError(
            f"checking {problem.point.size:,} entries takes {needed:,} evaluations of "
            f"{problem.forward}, more than max_evaluations={options.max_evaluations}: say "
            f"max_evaluations={needed}, check fewer parameters with wrt=, or leave mode='full' "
            "out to screen them."
        )
    derivatives = problem.point.size * problem.base.size
    is_large_jacobian = options.mode == "auto" and derivatives > MAX_SWEPT_DERIVATIVES
    is_fast = (
        options.mode == "fast" or is_beyond_budget or (is_large_jacobian and options.step is None)
    )
    if problem.kind == "jvp" or not needed:
        return False  # a full check of one direction, or of no entries, is as fast
    if is_fast and options.step is not None:
        raise GradcheckUsageError(
            f"step={options.step!r} measures every entry at that step, and {problem.point.size:,} "
            "entries are screened along directions instead: leave step out, or say "
            f"mode='full', max_evaluations={needed}."
        )
    return is_fast


def _may_be_linear(problem: Problem, options: Options) -> bool:
    """Return whether to try the linear method: not in full mode, nor where others are cheap."""
    size = problem.point.size
    if options.mode == "full" or options.step is not None or problem.kind == "jvp":
        return False
    if problem.kernel_errors is not None:
        return False  # many entries, each measured, show what the rounding of a kernel is
    if isinstance(problem.claim, ElementwiseClaim) or size < MIN_HOMOGENEOUS_SIZE:
        return False
    return MIN_AFFINE_SIZE <= size <= options.max_evaluations // 2 or is_homogeneous(
        derivative_task(problem)
    )


def _check_in_full(problem: Problem, options: Options) -> ParameterReports:
    """Measure every entry."""
    problem = _with_exact_claim(problem)
    measured = measure_every_coordinate(
        _guided_task(problem), agreement=options.rtol, step=options.step, seed=options.seed
    )
    raise_after_full_check(problem, measured)
    return describe_fully_checked(problem, measured, options)


def _check_elementwise(
    claim: ElementwiseClaim, problem: Problem, options: Options
) -> ParameterReports:
    """Measure all entries of an elementwise function at once.

    If the function turns out not to be elementwise and is small, measure every entry.
    """
    problem = _with_exact_claim(problem)
    task = _guided_task(problem)
    measured = measure_elementwise(
        task,
        task.claims if isinstance(task.claims, ElementwiseClaim) else claim,
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
        return _check_in_full(problem, options)
    return describe_elementwise(problem, claim, measured, options)


def _check_linear(otherwise: Method, problem: Problem, options: Options) -> ParameterReports:
    """Verify a linear function along few directions; check it `otherwise` if that fails."""
    segments, nearby = _segments(problem), NearbyClaims(problem, options.seed)
    screened = verify_linear(derivative_task(problem), segments, seed=options.seed)
    text = "verified along directions, near and far"
    if screened is None:
        reports = otherwise(problem, options)
        verdict = combine_verdicts(report.verdict for report in reports.parameters)
        if reports.mode == "full" or verdict == "wrong":
            return reports
        screened = find_wrong_claims(
            derivative_task(problem), segments, agreement=options.rtol, seed=options.seed
        )
        text = "wrong entries were found by large moves of halves of the entries"
        if screened is None:
            return reports
    note = Note("linear", 0, f"{problem.forward} is linear to rounding: {text}")
    return replace(describe_screened(problem, screened, options, nearby), notes=(note,))


def _check_fast(problem: Problem, options: Options) -> ParameterReports:
    """Screen all entries along random directions.

    If the rounding of backward explains what the screen found, screen once more and allow for
    the rounding of all claims, whose sum every direction sees.
    """
    segments = _segments(problem)
    screen_segments = partial(
        screen,
        derivative_task(problem),
        agreement=options.rtol,
        budget=options.max_evaluations,
        seed=options.seed,
    )
    screened, nearby = screen_segments(segments), NearbyClaims(problem, options.seed)
    raise_after_screen(problem, screened, options.seed)
    reports = describe_screened(problem, screened, options, nearby)
    is_open = screened.unexplained.any() or any(map(has_rounding_note, reports.parameters))
    if not is_open or any(report.verdict == "wrong" for report in reports.parameters):
        return reports
    roundings = {
        s.start: SCATTER_FACTOR * nearby.relative_scatter(s.start, s.stop) for s in segments
    }
    tolerant = [replace(s, rounding=max(s.rounding, roundings[s.start])) for s in segments]
    if tolerant == segments:
        return reports
    noted = with_rounding_notes(problem, roundings)
    second = describe_screened(noted, screen_segments(tolerant), options, nearby)
    return keep_inconclusive(second, reports)


def _check_fast_beside_reference(problem: Problem, options: Options) -> ParameterReports:
    """Screen the claims of a reference in float64, and compare those of the kernel with them.

    Raises
    ------
    GradcheckUsageError
        If the reference claims nothing.
    """
    errors = problem.kernel_errors
    if errors is None:
        return _check_fast(problem, options)
    if errors.exact_claim is None:
        needed, name = 2 * problem.point.size, errors.reference
        raise GradcheckUsageError(
            f"{problem.point.size:,} entries are too many to measure each for reference={name}: "
            f"give its backward as well, reference=({name}, ...), or say mode='full', "
            f"max_evaluations={needed}."
        )
    screened = replace(
        problem,
        claim=errors.exact_claim,
        roundings=(EPS,) * len(problem.parameters),
        claim_at=no_claim,
        claim_of_multiple=no_claim,
        claim_one_rounding_away=no_claim,
    )
    reports = _check_fast(screened, options)
    if all(report.verdict != "wrong" for report in reports.parameters):
        return with_claim_errors(problem, reports)
    text = f"what is wrong is the backward of {errors.reference} in float64"
    return replace(reports, notes=(*reports.notes, Note("reference", 0, text)))


def _segments(problem: Problem) -> list[Segment]:
    """Return a segment of the point for each parameter that has coordinates."""
    pairs = zip(problem.parameters, problem.roundings, strict=True)
    return [
        Segment(parameter.start, parameter.axes, CLAIM_ROUNDINGS * rounding)
        for parameter, rounding in pairs
        if parameter.stop > parameter.start
    ]
