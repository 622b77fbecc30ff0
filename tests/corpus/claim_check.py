"""Our own verdicts on the corpus: every case, correct and mutated.

It must not know other tools.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from pytest_gradcheck import check_gradient
from pytest_gradcheck.binding.bind import bind
from pytest_gradcheck.binding.call.resolved_call import Call
from pytest_gradcheck.check import derivative_task
from pytest_gradcheck.errors import GradcheckUsageError
from pytest_gradcheck.numerics.full_check import measure_every_coordinate
from pytest_gradcheck.numerics.measurement import Status
from pytest_gradcheck.options import Options
from pytest_gradcheck.report_builder.assemble_report import assemble_report
from pytest_gradcheck.report_builder.fully_checked_parameters import describe_swept
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
    """A gradient as a backward pass would return it, and how wrong it is."""

    mutant: str
    gradient: Array
    error: float
    visible: bool = False


@dataclass(frozen=True)
class ClaimResult:
    """What became of one claim.

    Attributes
    ----------
    family, mutant, seed : str, str, int
        Which claim.
    error : float
        How wrong it is, relatively, in its worst entry that forward can show.
    visible : bool
        Whether the error moves forward by more than its own rounding.
    verdict : str
        Of the check; ``"refused"`` where the claim was refused in words, and
        ``"raises ..."`` where an exception came out of the check.
    passed : bool
        Whether the check passes.
    evaluations : int
        What it cost.
    entries, outside, overturned : int
        How many derivatives were measured, how many of them lie further from
        the truth than their bound says, and how many so far that a correct
        claim would be accused.
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
    """Yield the correct claim about a case and all wrong ones."""
    case = family.case(seed)
    valid = case.valid()
    yield case, Claim(CORRECT, case.gradient(case.point.copy()), 0.0)
    for number, (name, change) in enumerate(MUTANTS.items()):
        wrong = change(
            case.gradient(case.point.copy()), case, np.random.default_rng([seed, number])
        )
        if wrong is not None:
            seen = visible_entries(case, wrong, valid)
            yield (
                case,
                Claim(name, wrong, largest_relative_error(wrong, valid, seen), bool(seen.any())),
            )


def check_claim(family: Family, seed: int, case: Case, claim: Claim) -> ClaimResult:
    """Check one claim, and the measurements it was judged by."""
    backward = _backward(case, claim)
    call = Call(case.forward, backward, (case.point.copy(),), {}, None, None, None)
    options = Options(seed=seed)
    try:
        with bind(call, seed=seed) as problem:
            measured = measure_every_coordinate(
                derivative_task(problem), agreement=options.rtol, step=None, seed=seed
            )
            described = describe_swept(problem, measured, options)
            report = assemble_report(problem, described, options, started=0.0, rerun=None)
    except GradcheckUsageError:
        return _undecided(family, seed, claim, "refused")
    low, high = (np.asarray(side, dtype=np.float64).ravel() for side in case.derivative())
    value, bound = measured.found.value[:, 0], measured.found.bound[:, 0]
    known = np.isfinite(value) & (measured.found.status[:, 0] != Status.KINK)
    off = np.maximum(low - value, value - high)[known]
    truth = case.precision * np.maximum(np.abs(low), np.abs(high))
    truth += 1e-4 * case.precision * np.abs(low).max(initial=0.0)
    truth = (truth + np.broadcast_to(case.rounding, case.point.shape).ravel())[known]
    outside = off > bound[known] + truth
    overturned = off > np.maximum(2 * bound, options.rtol * np.abs(value))[known] + truth
    return ClaimResult(
        family.name,
        claim.mutant,
        seed,
        claim.error,
        claim.visible,
        report.verdict,
        report.passed,
        report.evaluations,
        int(np.count_nonzero(known)),
        int(np.count_nonzero(outside)),
        int(np.count_nonzero(overturned)),
    )


def check_claim_in_fast_mode(family: Family, seed: int, case: Case, claim: Claim) -> ClaimResult:
    """Check one claim in fast mode; there is no measurement of every entry to compare."""
    try:
        report = check_gradient(
            case.forward, _backward(case, claim), case.point.copy(), mode="fast", seed=seed
        )
    except GradcheckUsageError:
        return _undecided(family, seed, claim, "refused")
    return replace(
        _undecided(family, seed, claim, report.verdict),
        passed=report.passed,
        evaluations=report.evaluations,
    )


def _backward(case: Case, claim: Claim) -> Callable[[Array], Array]:
    """Return a backward that claims this; the case's own where it is correct."""
    return case.gradient if claim.mutant == CORRECT else lambda x: claim.gradient


def exception_result(family: Family, seed: int, claim: Claim, error: Exception) -> ClaimResult:
    """Return what became of a claim at which the check raised an exception."""
    return _undecided(family, seed, claim, f"raises {type(error).__name__}")


def _undecided(family: Family, seed: int, claim: Claim, verdict: str) -> ClaimResult:
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
