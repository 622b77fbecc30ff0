"""From what was found about each parameter to the report.

It must not evaluate, judge or word anything: it adds what holds for the check as a whole.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from pytest_gradcheck.binding.backward.claims import OtherCotangents
from pytest_gradcheck.binding.gradient_problem import Problem
from pytest_gradcheck.binding.values.parameters import Parameter
from pytest_gradcheck.judgement.check_outcome import failure_reasons
from pytest_gradcheck.judgement.cotangent_laws import (
    LawViolation,
    is_violated_nearby,
    violated_laws,
)
from pytest_gradcheck.options import OPTION_NAMES, Options
from pytest_gradcheck.report.report import Report
from pytest_gradcheck.report.report_data import Breach, Entry, OptionValue
from pytest_gradcheck.report_builder.parameter_report import ParameterReports, combine_verdicts

__all__ = ["assemble_report"]

#: How often a law must be broken for cotangents close by before backward is accused: what is
#: rounded to one of a few numbers may be the same as before by chance.
AGAIN = 8

#: Options that nobody gave.
DEFAULTS = {n: OptionValue(getattr(Options(), n), "default") for n in OPTION_NAMES}


def assemble_report(
    problem: Problem,
    described: ParameterReports,
    options: Options,
    *,
    started: float,
    rerun: str | None,
) -> Report:
    """Put together the report of a check.

    Parameters
    ----------
    problem : Problem
        What was claimed.
    described : ParameterReports
        What was found.
    options : Options
        The options in force.
    started : float
        When the check was, by `time.perf_counter`.
    rerun : str or None
        The command that runs the test again.

    Returns
    -------
    Report
        Of the whole check.
    """
    parameters = described.parameters
    breaches = tuple(_breaches(problem, options.rtol))
    verdict = combine_verdicts(p.verdict for p in parameters)
    worst = sorted((entry for p in parameters for entry in p.worst), key=_badness, reverse=True)
    return Report(
        verdict="wrong" if breaches else verdict,
        parameters=parameters,
        relative_difference=described.relative_difference,
        worst=tuple(worst[: options.max_rows]),
        failures=failure_reasons(parameters, breaches, options),
        kind=problem.kind,
        forward=problem.forward,
        backward=problem.backward,
        mode=described.mode,
        evaluations=problem.counts.forward,
        backward_calls=problem.counts.backward,
        seconds=time.perf_counter() - started,
        rerun=rerun,
        seed=options.seed,
        options=_values(options),
        not_checked=problem.not_checked,
        notes=(*problem.notes, *described.notes),
        breaches=breaches,
    )


def _values(options: Options) -> dict[str, OptionValue]:
    """Return every option with its value and origin; most are what they are by default."""
    given = options.origins.items()
    return DEFAULTS | {n: OptionValue(getattr(options, n), origin) for n, origin in given}


def _badness(entry: Entry) -> tuple[bool, bool, float, float]:
    distance = abs(entry.backward - entry.numerical)
    return entry.verdict == "wrong", entry.verdict == "inconclusive", entry.excess, distance


def _breaches(problem: Problem, rtol: float) -> Iterator[Breach]:
    """Yield the laws that backward breaks, each once, where it is seen first."""
    asked = problem.other_cotangents()
    suspected = _suspected(problem, next(asked, None), rtol)
    for _ in range(AGAIN):
        if all(law.kind != "linear" for _, law in suspected):
            break
        others = next(asked)
        suspected = [pair for pair in suspected if _stands(*pair, others)]
    seen = set()
    for parameter, law in suspected:
        if law.kind not in seen:
            seen.add(law.kind)
            text = law.describe(problem.backward, parameter.entry(law.coordinate))
            yield Breach(law.kind, parameter.name, text)


def _suspected(
    problem: Problem, others: OtherCotangents | None, rtol: float
) -> list[tuple[Parameter, LawViolation]]:
    """Return the laws that seem to be broken, by parameter."""
    if others is None:
        return []
    pairs = zip(others.parameters, problem.roundings, strict=True)
    return [
        (parameter, law)
        for parameter, rounding in pairs
        for law in violated_laws(**_of(others, parameter), rtol=rtol, rounding=rounding)
    ]


def _stands(parameter: Parameter, law: LawViolation, others: OtherCotangents) -> bool:
    """Tell whether a law is broken for other cotangents, too."""
    return law.kind != "linear" or is_violated_nearby(law, **_of(others, parameter))


def _of(others: OtherCotangents, parameter: Parameter) -> dict[str, Any]:
    """Return what a VJP gave about one parameter, as laws are handed it."""
    part = slice(parameter.start, parameter.stop)
    return {
        "claim": others.first[part],
        "zero": others.zero[part],
        "second": others.second[part],
        "combined": others.combined[part],
        "weight": others.weight,
    }
