"""The errors of a kernel of low precision, beside what its own rounding allows.

The derivatives and the outputs of its reference in float64 are exact for this purpose. Entry by
entry, a kernel may be off by as much as any claim of its type, or by twice as much as the
reference is when it is computed in that type. Over all entries its errors must scatter about zero.
This module does not evaluate functions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pytest_gradcheck.binding.gradient_problem import KernelErrors, Problem
from pytest_gradcheck.binding.values.parameters import Block, Parameter
from pytest_gradcheck.judgement.entry_verdicts import CLAIM_ROUNDINGS, SCATTER_FACTOR, VerdictCode
from pytest_gradcheck.judgement.rounding_errors import (
    PLAIN_FACTOR,
    SystematicError,
    find_systematic,
    size_in_roundings,
)
from pytest_gradcheck.numerics.measurement import Floats
from pytest_gradcheck.report.formatting import format_pair
from pytest_gradcheck.report.report_data import Breach, Note
from pytest_gradcheck.report_builder.parameter_evidence import Evidence
from pytest_gradcheck.report_builder.parameter_report import ParameterReports

__all__ = [
    "output_breaches",
    "with_claim_errors",
    "with_kernel_errors",
    "with_rounding_of_reference",
]


def with_rounding_of_reference(problem: Problem) -> Problem:
    """Return a problem whose claims may be off as those of the reference are in their type."""
    errors = problem.kernel_errors
    if errors is None:
        return problem
    parts = [(p.start, p.stop) for p in problem.parameters]
    if problem.tangent is not None:
        parts = [(0, 1)]
    roundings = tuple(
        max(rounding, _plain_rounding(errors, *part))
        for rounding, part in zip(problem.roundings, parts, strict=True)
    )
    return replace(problem, roundings=roundings)


def _plain_rounding(errors: KernelErrors, start: int, stop: int) -> float:
    """Return the rounding of which a few are twice the largest plain error, or 0."""
    found = errors.plain_errors(start, stop)
    if found is None:
        return 0.0
    error, exact = (float(np.abs(part).max(initial=0.0)) for part in found)
    return PLAIN_FACTOR * error / (CLAIM_ROUNDINGS * exact) if exact else 0.0


def with_kernel_errors(
    problem: Problem, reports: ParameterReports, evidence: Sequence[Evidence]
) -> ParameterReports:
    """Return reports with the systematic errors of a kernel, where forward has a reference.

    Parameters
    ----------
    problem : Problem
        The problem.
    reports : ParameterReports
        The reports of its parameters.
    evidence : sequence of Evidence
        The claims and the measurements that these are made of.
    """
    errors = problem.kernel_errors
    if errors is None:
        return reports
    compared = []
    for each, rounding in zip(evidence, errors.claim_roundings, strict=True):
        exact, uncertainty = _exact(errors, each)
        is_wrong = bool(each.judgement.has_code(VerdictCode.WRONG).any())
        compared.append(
            _Claim(each.parameter, each.claim, exact, uncertainty, rounding, is_wrong=is_wrong)
        )
    return _with_systematic_errors(problem, reports, compared, errors)


def with_claim_errors(problem: Problem, reports: ParameterReports) -> ParameterReports:
    """Return reports on the reference with the errors of a kernel, compared entry by entry.

    Parameters
    ----------
    problem : Problem
        The problem, whose reference has a claim.
    reports : ParameterReports
        The reports on that claim, which was verified by directions.
    """
    errors = problem.kernel_errors
    if errors is None or errors.exact_claim is None:
        return reports
    breaches, compared = list[Breach](), list[_Claim]()
    each = zip(problem.parameters, problem.roundings, errors.claim_roundings, strict=True)
    for parameter, allowed, rounding in each:
        place = parameter.start, parameter.stop
        claim, exact = problem.claim.stored(*place), errors.exact_claim.stored(*place)
        text = _entries_off(parameter, claim, exact, CLAIM_ROUNDINGS * allowed)
        if text:
            breaches.append(
                Breach(
                    "reference",
                    parameter.name,
                    f"{problem.backward}: {text}, by the backward "
                    f"of {errors.reference} in float64",
                )
            )
        uncertainty = np.zeros(exact.shape)
        compared.append(
            _Claim(parameter, claim, exact, uncertainty, rounding, is_wrong=bool(text))
        )
    found = replace(reports, breaches=(*reports.breaches, *breaches))
    return _with_systematic_errors(problem, found, compared, errors)


def _entries_off(block: Block, claim: Floats, exact: Floats, allowed: float) -> str:
    """Return which entries are off by more than a share of the largest one, in words."""
    error = np.abs(claim - exact)
    is_off = ~(error <= allowed * float(np.abs(exact).max(initial=0.0)))
    if not is_off.any():
        return ""
    worst = np.unravel_index(int(np.argmax(np.where(is_off, error, -1.0))), error.shape)
    mine, theirs = format_pair(float(claim[worst]), float(exact[worst]))
    count = f"{np.count_nonzero(is_off):,} of {error.size:,} entries wrong"
    return f"{count}, {block.entry(int(worst[0]))} is {mine} and not {theirs}"


@dataclass(frozen=True, slots=True, eq=False)
class _Claim:
    """The claims of a kernel about one parameter, beside exact derivatives."""

    parameter: Parameter
    claim: Floats
    exact: Floats
    uncertainty: Floats
    rounding: float
    is_wrong: bool


def _with_systematic_errors(
    problem: Problem, reports: ParameterReports, compared: Sequence[_Claim], errors: KernelErrors
) -> ParameterReports:
    """Return reports with what many entries show, and a note on how large all errors are."""
    breaches, sizes = list[Breach](), list[str]()
    for each in compared:
        name, exact, error = each.parameter.name, each.exact, each.claim - each.exact
        both = errors.plain_errors(each.parameter.start, each.parameter.stop)
        plain = None if both is None else both[0]
        if not each.is_wrong:
            found = find_systematic(
                error.ravel(),
                exact.ravel(),
                each.rounding,
                uncertainty=each.uncertainty.ravel(),
                plain=None if plain is None else plain.ravel(),
            )
            breaches += _described(problem.backward, name, name, found, errors)
        size = f"{size_in_roundings(error, exact, each.rounding):.2g} in {name}"
        if plain is not None:
            size += f" ({errors.reference}: {size_in_roundings(plain, exact, each.rounding):.2g})"
        sizes.append(size)
    text = f"compared with {errors.reference} in float64: errors of {', '.join(sizes)}, "
    text += "root mean squares in roundings of the largest entry"
    return replace(
        reports,
        breaches=(*reports.breaches, *breaches),
        notes=(*reports.notes, Note("reference", 0, text)),
    )


def _exact(errors: KernelErrors, evidence: Evidence) -> tuple[Floats, Floats]:
    """Return the derivatives of the reference, and bounds on their errors.

    Where the measurement confirms what the reference claims, that is the more accurate of the
    two, and no further off than they differ.
    """
    parameter, value = evidence.parameter, evidence.measurement.value
    bound, claim = evidence.measurement.bound, errors.exact_claim
    if claim is None:
        return value, bound
    claimed = claim.stored(parameter.start, parameter.stop)
    difference = np.abs(claimed - value)
    confirmed = difference <= bound
    return np.where(confirmed, claimed, value), np.where(confirmed, difference, bound)


def output_breaches(problem: Problem) -> Iterator[Breach]:
    """Yield how the outputs of a kernel differ from those of its reference."""
    errors = problem.kernel_errors
    if errors is None:
        return
    parameter = problem.parameters[0].name
    for block, rounding in zip(errors.blocks, errors.roundings, strict=True):
        part = slice(block.start, block.stop)
        error, exact = errors.outputs[part], errors.exact[part]
        plain = None if errors.plain_outputs is None else errors.plain_outputs[part]
        largest = float(np.abs(exact).max(initial=0.0))
        allowed = np.maximum(
            CLAIM_ROUNDINGS * rounding * largest, SCATTER_FACTOR * errors.scatter[part]
        )
        if plain is not None:
            allowed = np.maximum(allowed, PLAIN_FACTOR * np.abs(plain).max(initial=0.0))
        beyond = np.flatnonzero(~(np.abs(error) <= allowed))
        if beyond.size:
            worst = int(beyond[np.argmax(np.abs(error[beyond]))])
            mine, theirs = format_pair(float(exact[worst] + error[worst]), float(exact[worst]))
            text = f"{problem.forward} returned {mine} for {block.entry(worst)}, and "
            text += f"{errors.reference} {theirs} in float64"
            if largest:
                share = abs(error[worst]) / (rounding * largest)
                text += f": {share:.3g} roundings of the largest output"
            yield Breach("reference", parameter, text)
            continue
        found = find_systematic(error, exact, rounding, plain=plain)
        yield from _described(problem.forward, block.name, parameter, found, errors)


def _described(
    function: str,
    what: str,
    parameter: str,
    found: Sequence[SystematicError],
    errors: KernelErrors,
) -> Iterator[Breach]:
    """Yield systematic errors as sentences."""
    for each in found:
        if each.kind == "shifted":
            size = (
                f"{abs(each.amount):.1f} roundings too {'large' if each.amount > 0 else 'small'}"
            )
            said = f"{size} in the median, and rounding allows {each.allowed:.1f}"
        elif each.kind == "truncated":
            direction = "away from" if each.amount > 0 else "toward"
            said = f"rounded {direction} zero instead of to nearest"
        else:
            said = f"{each.amount:.1f} times as far off as {errors.reference} in the same type"
        yield Breach(
            "rounding", parameter, f"{function}: {each.count:,} entries of {what} are {said}"
        )
