"""From what was found about each parameter to the report.

It must not evaluate, judge or word anything: it adds what holds for the check as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_gradcheck.binding.problem import Problem
from pytest_gradcheck.description import Described, verdict_of
from pytest_gradcheck.judgement.laws import broken_laws
from pytest_gradcheck.judgement.outcome import failures
from pytest_gradcheck.options import NAMES, Options
from pytest_gradcheck.report.model import Breach, Entry, OptionValue, Report

__all__ = ["assemble"]


def assemble(problem: Problem, described: Described, options: Options) -> Report:
    """Put together the report of a check.

    Parameters
    ----------
    problem : Problem
        What was claimed.
    described : Described
        What was found.
    options : Options
        The options in force.

    Returns
    -------
    Report
        Complete but for the time it took and the command that repeats it.
    """
    parameters = described.parameters
    breaches = tuple(_breaches(problem, options.rtol))
    verdict = verdict_of(p.verdict for p in parameters)
    worst = sorted((entry for p in parameters for entry in p.worst), key=_badness, reverse=True)
    return Report(
        verdict="wrong" if breaches else verdict,
        parameters=parameters,
        relative_difference=described.relative_difference,
        worst=tuple(worst[: options.max_rows]),
        failures=failures(parameters, breaches, options),
        kind=problem.kind,
        forward=problem.forward,
        backward=problem.backward,
        mode=described.mode,
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


def _breaches(problem: Problem, rtol: float) -> Iterator[Breach]:
    """Yield the laws that backward breaks, each once, where it is seen first."""
    others = problem.others()
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
