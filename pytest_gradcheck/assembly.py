"""From a problem and its measurement to the report.

It must not evaluate, judge or word anything: it hands each parameter's evidence
to description, and adds what holds for the check as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pytest_gradcheck.binding.problem import Parameter, Problem
from pytest_gradcheck.description import Evidence, describe, relative_difference, verdict_of
from pytest_gradcheck.judgement.laws import broken_laws
from pytest_gradcheck.judgement.outcome import failures
from pytest_gradcheck.numerics.measure import Measured
from pytest_gradcheck.options import NAMES, Options
from pytest_gradcheck.report.model import Breach, Entry, OptionValue, Report

__all__ = ["assemble"]

EPS = float(np.finfo(np.float64).eps)


def assemble(problem: Problem, measured: Measured, options: Options) -> Report:
    """Put together the report of a check.

    Parameters
    ----------
    problem : Problem
        What was claimed.
    measured : Measured
        What was measured.
    options : Options
        The options in force.

    Returns
    -------
    Report
        Complete but for the time it took and the command that repeats it.
    """
    parameters = tuple(
        describe(
            evidence,
            rtol=options.rtol,
            max_rows=options.max_rows,
            convention=options.convention,
        )
        for evidence in _evidence(problem, measured)
    )
    breaches = tuple(_breaches(problem, options.rtol))
    verdict = verdict_of(p.verdict for p in parameters)
    value = measured.found.value
    worst = sorted((entry for p in parameters for entry in p.worst), key=_badness, reverse=True)
    return Report(
        verdict="wrong" if breaches else verdict,
        parameters=parameters,
        relative_difference=relative_difference(problem.claim.rows(0, value.shape[0]), value),
        worst=tuple(worst[: options.max_rows]),
        failures=failures(parameters, breaches, options),
        kind=problem.kind,
        forward=problem.forward,
        backward=problem.backward,
        mode="full",
        evaluations=problem.counts.forward,
        backward_calls=problem.counts.backward,
        seconds=0.0,
        seed=options.seed,
        options={n: OptionValue(getattr(options, n), options.origin(n)) for n in NAMES},
        not_checked=problem.not_checked,
        notes=problem.notes,
        breaches=breaches,
    )


def _badness(entry: Entry) -> tuple[bool, bool, float, float]:
    distance = abs(entry.backward - entry.numerical)
    return entry.verdict == "wrong", entry.verdict == "inconclusive", entry.excess, distance


def _evidence(problem: Problem, measured: Measured) -> Iterator[Evidence]:
    """Yield claims and measurements parameter by parameter; of a JVP, for its direction."""
    roundings = problem.roundings or (EPS,) * len(problem.parameters)
    parameters, point = problem.parameters, problem.point
    unmoved = problem.unmoved()
    if problem.tangent is not None:
        parameters, point = (Parameter("tangent", (), "float64", 0, 1),), np.zeros(1)
        roundings = (max(roundings),)
    for parameter, rounding in zip(parameters, roundings, strict=True):
        start, stop = parameter.start, parameter.stop
        yield Evidence(
            parameter=parameter,
            point=point[start:stop],
            outputs=problem.outputs,
            claim=problem.claim.rows(start, stop),
            found=measured.found.rows(start, stop),
            natural=measured.natural(start, stop),
            rounding=rounding,
            unmoved=parameter.name in unmoved,
        )


def _breaches(problem: Problem, rtol: float) -> Iterator[Breach]:
    """Yield the laws that backward breaks, each once, where it is seen first."""
    others = problem.others
    if others is None:
        return
    seen = set()
    for parameter, rounding in zip(others.parameters, problem.roundings, strict=True):
        part = slice(parameter.start, parameter.stop)
        broken = broken_laws(
            others.first[part],
            zero=others.zero[part],
            second=others.second[part],
            combined=others.combined[part],
            weight=others.weight,
            rtol=rtol,
            rounding=rounding,
        )
        for law in broken:
            if law.kind not in seen:
                seen.add(law.kind)
                text = law.describe(problem.backward, parameter.entry(law.coordinate))
                yield Breach(law.kind, parameter.name, text)
