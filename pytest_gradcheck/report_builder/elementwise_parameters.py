"""The parameters of an elementwise function, in the report's terms.

It must not evaluate, judge or word entries: it hands each parameter's evidence to
description, and says where outputs depend on other entries than their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from pytest_gradcheck.binding.backward.claims import ElementwiseClaim
from pytest_gradcheck.binding.forward.domain_boundary import Edge
from pytest_gradcheck.binding.gradient_problem import Problem
from pytest_gradcheck.binding.values.parameters import Parameter
from pytest_gradcheck.numerics.elementwise import CompressedJacobian
from pytest_gradcheck.numerics.jacobian_off_diagonal import OffDiagonalEntry
from pytest_gradcheck.numerics.measurement import Floats, Measurement
from pytest_gradcheck.options import Options
from pytest_gradcheck.report.report_data import Diagnosis, Entry, Note, ParameterReport, Verdict
from pytest_gradcheck.report_builder.claims_at_nearby_points import NearbyClaims, NearbyEntryClaims
from pytest_gradcheck.report_builder.parameter_report import (
    Evidence,
    ParameterReports,
    describe_parameter,
    relative_difference,
    split_by_parameter,
)

__all__ = ["describe_elementwise"]

#: An output is known not to depend on other entries when what could hide is below this share
#: of it, or of how much it varies.
UNRESOLVED = 0.1

#: Of outputs that are as good as zero, below this share of the largest of them.
VANISHING = 1e-6


def describe_elementwise(
    problem: Problem, claim: ElementwiseClaim, measured: CompressedJacobian, options: Options
) -> ParameterReports:
    """Describe every parameter, entry by entry, and what it moves beside.

    Parameters
    ----------
    problem : Problem
        What was claimed.
    claim : ElementwiseClaim
        Its claim.
    measured : CompressedJacobian
        What was measured.
    options : Options
        The options in force.

    Returns
    -------
    ParameterReports
        Of all parameters.
    """
    unmoved = problem.unmoved()
    elsewhere = NearbyClaims(problem, options.seed, lambda said, some: said.take_stored(some))
    reports, zeros = [], []
    edges = [0, *(parameter.stop for parameter in problem.parameters)]
    each = zip(
        problem.parameters,
        problem.roundings,
        split_by_parameter(measured.found.kinks, edges),
        strict=True,
    )
    for parameter, rounding, kinks in each:
        start, stop = parameter.start, parameter.stop
        own = Evidence(
            parameter=parameter,
            point=problem.point[start:stop],
            outputs=problem.outputs,
            claim=claim.values[start:stop],
            found=measured.found.select_rows(slice(start, stop), kinks),
            natural=measured.natural(start, stop),
            rounding=rounding,
            rtol=options.rtol,
            unmoved=parameter.name in unmoved,
            edge=partial(_edge, problem, parameter),
            own=claim.own[start:stop],
            again=NearbyEntryClaims(elsewhere, np.arange(start, stop), (start, stop)),
        )
        report = _described(own, options)
        zeros.append(own.judged.zeros)
        beside = [p for p in measured.coupling.pairs if start <= p.coordinate < stop]
        if beside:
            others = _described(_beside(own, beside, measured), options)
            report = _joined(report, others, measured, options)
        report = _seen(report, parameter, measured, problem.base)
        reports.append(replace(report, checked=(stop - start) * claim.outputs))
    difference = relative_difference(claim.values, measured.found.value, ~np.concatenate(zeros))
    return ParameterReports("full", tuple(reports), difference)


def _edge(problem: Problem, parameter: Parameter, coordinate: int) -> Edge | None:
    """Return the nearest edge that was met while nothing but a parameter was moved."""
    del coordinate
    return problem.edge(parameter.start, parameter.stop)


def _described(evidence: Evidence, options: Options) -> ParameterReport:
    return describe_parameter(
        evidence,
        max_rows=options.max_rows,
        convention=options.convention,
    )


def _beside(
    own: Evidence, pairs: Sequence[OffDiagonalEntry], measured: CompressedJacobian
) -> Evidence:
    """Return evidence of derivatives that an elementwise function does not have."""
    parameter = own.parameter
    rows = np.array([pair.coordinate for pair in pairs]) - parameter.start
    outputs = np.array([[pair.output] for pair in pairs])
    found = Measurement.blank(rows.size, 1)
    found.value[:, 0], found.bound[:, 0], found.step[:] = np.array(
        [(pair.value, pair.bound, pair.step) for pair in pairs]
    ).T
    return replace(
        own,
        parameter=replace(parameter, entries=tuple(rows.tolist()), notes=()),
        point=own.point[rows],
        claim=np.zeros(found.value.shape),
        found=found,
        natural=measured.sizes[outputs] / measured.scales.meaningful(rows)[:, None],
        unmoved=False,
        own=outputs,
        again=None,
    )


def _joined(
    report: ParameterReport,
    others: ParameterReport,
    measured: CompressedJacobian,
    options: Options,
) -> ParameterReport:
    """Add what a parameter moves beside to what was found of it."""
    worst = sorted((*report.worst, *others.worst), key=_badness, reverse=True)
    coupled = measured.coupling.outputs.size
    some = "1 output depends" if coupled == 1 else f"{coupled:,} outputs depend"
    cause = Diagnosis(
        "coupled",
        f"{some} on entries at other places, which an elementwise function's do not",
        {"outputs": coupled},
    )
    return replace(
        report,
        verdict="wrong",
        wrong=report.wrong + max(others.wrong, coupled),
        worst=tuple(worst[: options.max_rows]),
        diagnosis=(*report.diagnosis, cause),
    )


def _seen(
    report: ParameterReport, parameter: Parameter, measured: CompressedJacobian, base: Floats
) -> ParameterReport:
    """Say how well it was seen that a parameter moves nothing beside."""
    hidden, sizes = measured.coupling.hidden, np.maximum(measured.sizes, np.abs(base))
    least = measured.scales.meaningful(slice(parameter.start, parameter.stop)).min()
    resolution = max(report.resolution, float(hidden.max() / least))
    poor = int(np.count_nonzero(hidden > np.maximum(UNRESOLVED * sizes, VANISHING * sizes.max())))
    report = replace(report, resolution=resolution)
    if not poor or measured.coupling.pairs:
        return report
    text = f"whether {poor:,} outputs depend on entries at other places could not be seen"
    verdict: Verdict = "inconclusive" if report.verdict == "correct" else report.verdict
    note = Note("inconclusive", poor, text)
    return replace(report, verdict=verdict, notes=(*report.notes, note))


def _badness(entry: Entry) -> tuple[bool, float]:
    return entry.verdict == "wrong", entry.excess
