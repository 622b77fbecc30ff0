"""The reports of the parameters of an elementwise function, from a compressed Jacobian.

Each parameter is described entry by entry. If outputs depend on entries at other places, which
an elementwise function's do not, those off-diagonal derivatives are wrong. This module does not
evaluate functions.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from operator import attrgetter

import numpy as np

from pytest_gradcheck.binding.backward.claims import ElementwiseClaim
from pytest_gradcheck.binding.forward.domain_boundary import Edge
from pytest_gradcheck.binding.gradient_problem import Problem
from pytest_gradcheck.binding.values.parameters import Parameter
from pytest_gradcheck.numerics.coordinatewise.elementwise import CompressedJacobian
from pytest_gradcheck.numerics.coordinatewise.jacobian_off_diagonal import OffDiagonalEntry
from pytest_gradcheck.numerics.measurement import Floats, Indices, Measurement
from pytest_gradcheck.options import Options
from pytest_gradcheck.report.report_data import (
    Diagnosis,
    ErrorMap,
    Note,
    ParameterReport,
    Verdict,
)
from pytest_gradcheck.report_builder.claims_at_nearby_points import NearbyClaims, NearbyEntryClaims
from pytest_gradcheck.report_builder.failing_checks.error_maps import (
    agreement_codes,
    entry_codes,
    error_map,
)
from pytest_gradcheck.report_builder.failing_checks.likely_causes import compare_all_entries
from pytest_gradcheck.report_builder.kernel_errors import with_kernel_errors
from pytest_gradcheck.report_builder.parameter_evidence import Evidence, split_by_parameter
from pytest_gradcheck.report_builder.parameter_report import (
    ParameterReports,
    describe_parameter,
    relative_difference,
)

__all__ = ["describe_elementwise"]

#: An output is known to be independent of other entries if an undetected dependence is below
#: this share of it, or of its variation ...
UNRESOLVED_SHARE = 0.1

#: ... or, for outputs that almost vanish, below this share of the largest output.
VANISHING_SHARE = 1e-6


def describe_elementwise(
    problem: Problem, claim: ElementwiseClaim, measured: CompressedJacobian, options: Options
) -> ParameterReports:
    """Return the reports of all parameters, with off-diagonal derivatives.

    Parameters
    ----------
    problem : Problem
        The problem.
    claim : ElementwiseClaim
        Its claim.
    measured : CompressedJacobian
        The measured derivatives.
    options : Options
        The options of the check.
    """
    unused = problem.unmoved()
    nearby = NearbyClaims(problem, options.seed, lambda claim, some: claim.take_stored(some))
    reports, zeros, comparisons, all_evidence = [], [], [], list[Evidence]()
    error_maps = dict[str, Callable[[], ErrorMap | None]]()
    edges = [0, *(parameter.stop for parameter in problem.parameters)]
    each = zip(
        problem.parameters,
        problem.roundings,
        split_by_parameter(measured.found.kinks, edges),
        strict=True,
    )
    for parameter, rounding, kinks in each:
        start, stop = parameter.start, parameter.stop
        evidence = Evidence(
            parameter=parameter,
            point=problem.point[start:stop],
            outputs=problem.outputs,
            claim=claim.values[start:stop],
            measurement=measured.found.select_rows(slice(start, stop), kinks),
            natural=measured.natural(start, stop),
            rounding=rounding,
            rtol=options.rtol,
            is_unused=parameter.name in unused,
            edge=partial(_edge, problem, parameter),
            output_indices=claim.output_indices[start:stop],
            nearby=NearbyEntryClaims(nearby, np.arange(start, stop), (start, stop)),
        )
        all_evidence.append(evidence)
        report = _describe(evidence, options)
        if report.verdict == "wrong":
            comparisons.append(partial(compare_all_entries, problem, evidence))
        zeros.append(evidence.judgement.zeros)
        pairs = [p for p in measured.coupling.pairs if start <= p.coordinate < stop]
        if pairs:
            off_diagonal = _describe(_off_diagonal(evidence, pairs, measured), options)
            report = _add_off_diagonal(report, off_diagonal, measured, options)
        report = _add_resolution(report, parameter, measured, problem.base)
        reports.append(replace(report, checked=(stop - start) * claim.outputs))
        if report.verdict != "correct":
            coupled = np.array([p.coordinate - start for p in pairs], dtype=np.intp)
            error_maps[report.name] = partial(_error_map, evidence, coupled)
    difference = relative_difference(claim.values, measured.found.value, ~np.concatenate(zeros))
    described = ParameterReports(
        "full",
        tuple(reports),
        difference,
        comparisons=tuple(comparisons),
        error_maps=error_maps,
    )
    return with_kernel_errors(problem, described, all_evidence)


def _error_map(evidence: Evidence, coupled: Indices) -> ErrorMap | None:
    """Return the map of a parameter; some entries move outputs that they are claimed not to."""
    codes = entry_codes(evidence)
    codes[coupled] = agreement_codes(np.zeros(coupled.size), np.ones(coupled.size))
    return error_map(evidence.parameter, codes)


def _edge(problem: Problem, parameter: Parameter, coordinate: int) -> Edge | None:
    """Return the nearest edge of the domain that was met while a parameter was perturbed."""
    del coordinate
    return problem.edge(parameter.start, parameter.stop)


def _describe(evidence: Evidence, options: Options) -> ParameterReport:
    return describe_parameter(evidence, max_rows=options.max_rows)


def _off_diagonal(
    evidence: Evidence, pairs: Sequence[OffDiagonalEntry], measured: CompressedJacobian
) -> Evidence:
    """Return the evidence for derivatives that are zero for an elementwise function."""
    parameter = evidence.parameter
    rows = np.array([pair.coordinate for pair in pairs]) - parameter.start
    outputs = np.array([[pair.output] for pair in pairs])
    measurement = Measurement.blank(rows.size, 1)
    measurement.value[:, 0], measurement.bound[:, 0], measurement.step[:] = np.array(
        [(pair.value, pair.bound, pair.step) for pair in pairs]
    ).T
    return replace(
        evidence,
        parameter=replace(parameter, entries=tuple(rows.tolist()), notes=()),
        point=evidence.point[rows],
        claim=np.zeros(measurement.value.shape),
        measurement=measurement,
        natural=measured.sizes[outputs] / measured.scales.meaningful(rows)[:, None],
        is_unused=False,
        output_indices=outputs,
        nearby=None,
    )


def _add_off_diagonal(
    report: ParameterReport,
    off_diagonal: ParameterReport,
    measured: CompressedJacobian,
    options: Options,
) -> ParameterReport:
    """Add the off-diagonal derivatives to the report of a parameter."""
    both = (*report.worst, *off_diagonal.worst)
    worst = sorted(both, key=attrgetter("severity"), reverse=True)
    coupled = measured.coupling.outputs.size
    subject = "1 output depends" if coupled == 1 else f"{coupled:,} outputs depend"
    diagnosis = Diagnosis(
        "coupled",
        f"{subject} on entries at other places, which an elementwise function's do not",
        {"outputs": coupled},
    )
    return replace(
        report,
        verdict="wrong",
        wrong=report.wrong + max(off_diagonal.wrong, coupled),
        worst=tuple(worst[: options.max_rows]),
        diagnosis=(*report.diagnosis, diagnosis),
    )


def _add_resolution(
    report: ParameterReport, parameter: Parameter, measured: CompressedJacobian, base: Floats
) -> ParameterReport:
    """Add how well it is known that outputs do not depend on entries at other places."""
    hidden, sizes = measured.coupling.hidden, np.maximum(measured.sizes, np.abs(base))
    smallest_scale = measured.scales.meaningful(slice(parameter.start, parameter.stop)).min()
    resolution = max(report.resolution, float(hidden.max() / smallest_scale))
    unresolved = int(
        np.count_nonzero(
            hidden > np.maximum(UNRESOLVED_SHARE * sizes, VANISHING_SHARE * sizes.max())
        )
    )
    report = replace(report, resolution=resolution)
    if not unresolved or measured.coupling.pairs:
        return report
    text = f"whether {unresolved:,} outputs depend on entries at other places could not be seen"
    verdict: Verdict = "inconclusive" if report.verdict == "correct" else report.verdict
    note = Note("inconclusive", unresolved, text)
    return replace(report, verdict=verdict, notes=(*report.notes, note))
