"""The parameters of a problem that was swept, in the report's terms.

It must not evaluate, judge or word anything: it hands each parameter's evidence
to description.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import pairwise

import numpy as np

from pytest_gradcheck.binding.forward.domain_boundary import Edge
from pytest_gradcheck.binding.gradient_problem import Problem
from pytest_gradcheck.binding.values.parameters import Parameter
from pytest_gradcheck.judgement.entry_verdicts import Judgement, judge
from pytest_gradcheck.numerics.full_check import FullMeasurement
from pytest_gradcheck.numerics.measurement import Floats, Status
from pytest_gradcheck.options import Options
from pytest_gradcheck.report_builder.claims_at_nearby_points import NearbyClaims, NearbyEntryClaims
from pytest_gradcheck.report_builder.parameter_report import (
    Evidence,
    ParameterReports,
    describe_parameter,
    relative_difference,
    split_by_parameter,
)

__all__ = ["describe_swept"]

EPS = float(np.finfo(np.float64).eps)


def describe_swept(
    problem: Problem, measured: FullMeasurement, options: Options
) -> ParameterReports:
    """Describe every parameter, entry by entry.

    Parameters
    ----------
    problem : Problem
        What was claimed.
    measured : FullMeasurement
        What was measured.
    options : Options
        The options in force.

    Returns
    -------
    ParameterReports
        Of all parameters; of a JVP, of its direction.
    """
    evidence = list(_evidence(problem, measured, options))
    parameters = tuple(
        describe_parameter(one, max_rows=options.max_rows, convention=options.convention)
        for one in evidence
    )
    if len(parameters) == 1:
        return ParameterReports("full", parameters, parameters[0].relative_difference)
    value = measured.found.value
    told = np.concatenate([~one.judged.zeros for one in evidence])
    difference = relative_difference(problem.claim.rows(0, value.shape[0]), value, told)
    return ParameterReports("full", parameters, difference)


def _evidence(problem: Problem, measured: FullMeasurement, options: Options) -> Iterator[Evidence]:
    """Yield claims and measurements parameter by parameter; of a JVP, for its direction."""
    roundings = problem.roundings or (EPS,) * len(problem.parameters)
    parameters, point = problem.parameters, problem.point
    unmoved, elsewhere = problem.unmoved(), NearbyClaims(problem, options.seed)
    if problem.tangent is not None:
        parameters, point = (Parameter("tangent", (), "float64", 0, 1),), np.zeros(1)
        roundings = (max(roundings),)
    edges = [0, *(parameter.stop for parameter in parameters)]
    claim, natural = problem.claim.rows(0, edges[-1]), measured.natural(0, edges[-1])
    judged = _judged(claim, measured, natural, edges=edges, roundings=roundings, rtol=options.rtol)
    kinks, conventions = (
        split_by_parameter(measured.found.kinks, edges),
        split_by_parameter(judged.subgradients, edges),
    )
    unexplained = split_by_parameter(dict.fromkeys(judged.unclassified), edges)
    for number, parameter in enumerate(parameters):
        rows = slice(parameter.start, parameter.stop)
        yield Evidence(
            parameter=parameter,
            point=point[rows],
            outputs=problem.outputs,
            claim=claim[rows],
            found=measured.found.select_rows(rows, kinks[number]),
            natural=natural[rows],
            rounding=roundings[number],
            rtol=options.rtol,
            unmoved=parameter.name in unmoved,
            edge=partial(_edge, problem, parameter.start),
            again=NearbyEntryClaims(
                elsewhere, np.arange(rows.start, rows.stop), (rows.start, rows.stop)
            ),
            at_first=judged.select_rows(rows, conventions[number], unexplained[number]),
        )


def _judged(
    claim: Floats,
    measured: FullMeasurement,
    natural: Floats,
    *,
    edges: Sequence[int],
    roundings: Sequence[float],
    rtol: float,
) -> Judgement:
    """Judge all parameters at once: very many small ones take long one by one."""
    found, sizes = measured.found, [stop - start for start, stop in pairwise(edges)]
    starts = [start for start, size in zip(edges, sizes, strict=False) if size]
    return judge(
        claim,
        found.value,
        found.bound,
        found.kinks,
        unchanged=found.has_status(Status.UNCHANGED) | found.has_status(Status.PLATEAU),
        natural=natural,
        rtol=rtol,
        rounding=np.repeat(roundings, sizes)[:, None],
        starts=np.array(starts) if len(starts) > 1 else None,
    )


def _edge(problem: Problem, start: int, coordinate: int) -> Edge | None:
    """Return the nearest edge along a coordinate, or along the one direction of a JVP."""
    if problem.tangent is not None:
        return problem.edge(0, problem.point.size)
    return problem.edge(start + coordinate, start + coordinate + 1)
