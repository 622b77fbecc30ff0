"""Checks of claims of the corpus: the correct gradient of a case and its mutants.

In full mode the measured derivatives are compared with the true ones as well, so that the error
bounds are tested, too. The module does not count results, and does not know other tools.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from pytest_gradcheck import check_gradient
from pytest_gradcheck.binding.bind import bind
from pytest_gradcheck.binding.call.resolved_call import Call
from pytest_gradcheck.check.modes import derivative_task
from pytest_gradcheck.errors import GradcheckUsageError
from pytest_gradcheck.numerics.coordinatewise.full_check import measure_every_coordinate
from pytest_gradcheck.numerics.measurement import Status
from pytest_gradcheck.options import Options
from pytest_gradcheck.report_builder.assemble_report import assemble_report
from pytest_gradcheck.report_builder.fully_checked_parameters import describe_fully_checked
from tests.corpus.family import Array, Case, Family
from tests.corpus.mutants import MUTANTS, largest_relative_error, visible_entries

__all__ = [
    "CORRECT",
    "Claim",
    "ClaimResult",
    "check_claim",
    "check_claim_in_fast_mode",
    "claims_about",
    "exception_result",
]

CORRECT = "correct"


@dataclass(frozen=True)
class Claim:
    """A gradient as a backward pass would return it, and its error.

    Attributes
    ----------
    mutant : str
        The mutation that made it, or ``"correct"``.
    gradient : ndarray
        The claimed gradient.
    error : float
        The largest relative error of an entry, among visible errors.
    visible : bool
        Whether an error is visible in forward's values.
    """

    mutant: str
    gradient: Array
    error: float
    visible: bool = False


@dataclass(frozen=True)
class ClaimResult:
    """The result of checking one claim.

    Attributes
    ----------
    family, mutant, seed : str, str, int
        The claim.
    error : float
        The largest relative error of an entry, among visible errors.
    visible : bool
        Whether an error is visible in forward's values.
    verdict : str
        The verdict of the report; ``"refused"`` after a `GradcheckUsageError`, and
        ``"raises ..."`` after any other exception.
    passed : bool
        Whether the check passes.
    evaluations : int
        Calls of forward.
    entries, outside, overturned : int
        The number of derivatives measured, of those whose true error exceeds the error bound, and
        of those whose true error is so large that a correct claim would be called wrong.
    """

    family: str
    mutant: str
    seed: int
    error: float
    visible: bool
    verdict: str
    passed: bool
    evaluations: int
    entries: int
    outside: int
    overturned: int


def claims_about(family: Family, seed: int) -> Iterator[tuple[Case, Claim]]:
    """Yield the correct claim about the case of a seed, then all of its mutants."""
    case = family.case(seed)
    valid = case.valid_intervals()
    yield case, Claim(CORRECT, case.gradient(case.point.copy()), 0.0)
    for number, (name, mutate) in enumerate(MUTANTS.items()):
        wrong = mutate(
            case.gradient(case.point.copy()), case, np.random.default_rng([seed, number])
        )
        if wrong is not None:
            visible = visible_entries(case, wrong, valid)
            error = largest_relative_error(wrong, valid, visible)
            yield case, Claim(name, wrong, error, bool(visible.any()))


def check_claim(family: Family, seed: int, case: Case, claim: Claim) -> ClaimResult:
    """Check a claim in full mode, and compare the measured derivatives with the true ones."""
    backward = _backward(case, claim)
    call = Call(case.forward, backward, (case.point.copy(),), {}, None, None, None)
    options = Options(seed=seed)
    try:
        with bind(call, seed=seed) as problem:
            measured = measure_every_coordinate(
                derivative_task(problem), agreement=options.rtol, step=None, seed=seed
            )
            described = describe_fully_checked(problem, measured, options)
            report = assemble_report(problem, described, options, started=0.0, rerun=None)
    except GradcheckUsageError:
        return _unmeasured(family, seed, claim, "refused")
    low, high = (np.asarray(side, dtype=np.float64).ravel() for side in case.derivative())
    value, bound = measured.found.value[:, 0], measured.found.bound[:, 0]
    comparable = np.isfinite(value) & (measured.found.status[:, 0] != Status.KINK)
    error = np.maximum(low - value, value - high)[comparable]
    uncertainty = case.precision * np.maximum(np.abs(low), np.abs(high))
    uncertainty += 1e-4 * case.precision * np.abs(low).max(initial=0.0)
    uncertainty += np.broadcast_to(case.rounding, case.point.shape).ravel()
    uncertainty = uncertainty[comparable]
    allowed = np.maximum(2 * bound, options.rtol * np.abs(value))[comparable]
    outside = error > bound[comparable] + uncertainty
    overturned = error > allowed + uncertainty
    return ClaimResult(
        family.name,
        claim.mutant,
        seed,
        claim.error,
        claim.visible,
        report.verdict,
        report.passed,
        report.evaluations,
        int(np.count_nonzero(comparable)),
        int(np.count_nonzero(outside)),
        int(np.count_nonzero(overturned)),
    )


def check_claim_in_fast_mode(family: Family, seed: int, case: Case, claim: Claim) -> ClaimResult:
    """Check a claim in fast mode, which measures no derivative of every entry to compare."""
    try:
        report = check_gradient(
            case.forward, _backward(case, claim), case.point.copy(), mode="fast", seed=seed
        )
    except GradcheckUsageError:
        return _unmeasured(family, seed, claim, "refused")
    return replace(
        _unmeasured(family, seed, claim, report.verdict),
        passed=report.passed,
        evaluations=report.evaluations,
    )


def _backward(case: Case, claim: Claim) -> Callable[[Array], Array]:
    """Return a backward that returns the claim, or the case's own where the claim is correct."""
    return case.gradient if claim.mutant == CORRECT else lambda x: claim.gradient


def exception_result(family: Family, seed: int, claim: Claim, error: Exception) -> ClaimResult:
    """Return the result of a claim whose check raised an unexpected exception."""
    return _unmeasured(family, seed, claim, f"raises {type(error).__name__}")


def _unmeasured(family: Family, seed: int, claim: Claim, verdict: str) -> ClaimResult:
    return ClaimResult(
        family=family.name,
        mutant=claim.mutant,
        seed=seed,
        error=claim.error,
        visible=claim.visible,
        verdict=verdict,
        passed=False,
        evaluations=0,
        entries=0,
        outside=0,
        overturned=0,
    )
