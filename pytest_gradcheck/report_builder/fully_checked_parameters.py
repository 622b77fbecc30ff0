"""The reports of the parameters of a full check, in which every entry was measured.

All parameters are judged at once, and then described one by one. This module does not evaluate
functions, and it does not word anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import pairwise

import numpy as np

from pytest_gradcheck.binding.forward.domain_boundary import Edge
from pytest_gradcheck.binding.gradient_problem import Problem
from pytest_gradcheck.binding.values.parameters import Parameter
from pytest_gradcheck.judgement.entry_verdicts import Judgement
from pytest_gradcheck.numerics.coordinatewise.full_check import FullMeasurement
from pytest_gradcheck.numerics.measurement import EPS, Floats
from pytest_gradcheck.options import Options
from pytest_gradcheck.report.report_data import ErrorMap
from pytest_gradcheck.report_builder.claims_at_nearby_points import (
    NearbyClaims,
    NearbyEntryClaims,
)
from pytest_gradcheck.report_builder.failing_checks.error_maps import entry_codes, error_map
from pytest_gradcheck.report_builder.failing_checks.likely_causes import compare_all_entries
from pytest_gradcheck.report_builder.kernel_errors import with_kernel_errors
from pytest_gradcheck.report_builder.parameter_evidence import (
    Evidence,
    judge_measurement,
    split_by_parameter,
)
from pytest_gradcheck.report_builder.parameter_report import (
    ParameterReports,
    describe_parameter,
    relative_difference,
)

__all__ = ["describe_fully_checked"]


def describe_fully_checked(
    problem: Problem, measured: FullMeasurement, options: Options
) -> ParameterReports:
    """Return the reports of all parameters, from a measurement of every entry.

    Parameters
    ----------
    problem : Problem
        The problem with its claims.
    measured : FullMeasurement
        The measured derivatives.
    options : Options
        The options of the check.

    Returns
    -------
    ParameterReports
        The reports; for a Jacobian-vector product, one report of its direction.
    """
    evidence = list(_evidence(problem, measured, options))
    parameters = tuple(describe_parameter(each, max_rows=options.max_rows) for each in evidence)
    comparisons = tuple(
        partial(compare_all_entries, problem, each)
        for each, report in zip(evidence, parameters, strict=True)
        if report.verdict == "wrong"
    )
    error_maps = {
        report.name: partial(_error_map, each)
        for each, report in zip(evidence, parameters, strict=True)
        if report.verdict != "correct"
    }
    difference = parameters[0].relative_difference
    if len(parameters) > 1:
        value = measured.found.value
        is_nonzero = np.concatenate([~each.judgement.zeros for each in evidence])
        difference = relative_difference(problem.claim.rows(0, value.shape[0]), value, is_nonzero)
    reports = ParameterReports(
        "full", parameters, difference, comparisons=comparisons, error_maps=error_maps
    )
    return with_kernel_errors(problem, reports, evidence)


def _error_map(evidence: Evidence) -> ErrorMap | None:
    return error_map(evidence.parameter, entry_codes(evidence))


def _evidence(problem: Problem, measured: FullMeasurement, options: Options) -> Iterator[Evidence]:
    """Yield the evidence for each parameter; for a Jacobian-vector product, for its direction."""
    roundings = problem.roundings or (EPS,) * len(problem.parameters)
    parameters, point = problem.parameters, problem.point
    unused, nearby = problem.unmoved(), NearbyClaims(problem, options.seed)
    if problem.tangent is not None:
        parameters, point = (Parameter("tangent", (), "float64", 0, 1),), np.zeros(1)
        roundings = (max(roundings),)
    edges = [0, *(parameter.stop for parameter in parameters)]
    claim, natural = problem.claim.rows(0, edges[-1]), measured.natural(0, edges[-1])
    judgement = _judge_at_once(
        claim, measured, natural, edges=edges, roundings=roundings, rtol=options.rtol
    )
    kinks = split_by_parameter(measured.found.kinks, edges)
    subgradients = split_by_parameter(judgement.subgradients, edges)
    unclassified = split_by_parameter(dict.fromkeys(judgement.unclassified), edges)
    for number, parameter in enumerate(parameters):
        rows = slice(parameter.start, parameter.stop)
        coordinates = np.arange(rows.start, rows.stop)
        yield Evidence(
            parameter=parameter,
            point=point[rows],
            outputs=problem.outputs,
            claim=claim[rows],
            measurement=measured.found.select_rows(rows, kinks[number]),
            natural=natural[rows],
            rounding=roundings[number],
            rtol=options.rtol,
            is_unused=parameter.name in unused,
            edge=partial(_edge, problem, parameter.start),
            nearby=NearbyEntryClaims(nearby, coordinates, (rows.start, rows.stop)),
            first_judgement=judgement.select_rows(
                rows, subgradients[number], unclassified[number]
            ),
        )


def _judge_at_once(
    claim: Floats,
    measured: FullMeasurement,
    natural: Floats,
    *,
    edges: Sequence[int],
    roundings: Sequence[float],
    rtol: float,
) -> Judgement:
    """Judge all parameters at once, since very many small ones take long one by one."""
    sizes = [stop - start for start, stop in pairwise(edges)]
    starts = [start for start, size in zip(edges, sizes, strict=False) if size]
    return judge_measurement(
        claim,
        measured.found,
        natural=natural,
        rtol=rtol,
        rounding=np.repeat(roundings, sizes)[:, None],
        starts=np.array(starts) if len(starts) > 1 else None,
    )


def _edge(problem: Problem, start: int, coordinate: int) -> Edge | None:
    """Return the nearest edge of the domain along a coordinate, or along the tangent."""
    if problem.tangent is not None:
        return problem.edge(0, problem.point.size)
    return problem.edge(start + coordinate, start + coordinate + 1)
