"""The report of a whole check, from the reports of its parameters.

It adds the outcome, the laws that backward violates, the cost and the options. The laws are
tested here, and again for cotangents near the first ones.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from operator import attrgetter
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
from pytest_gradcheck.report.report_data import Breach, OptionValue
from pytest_gradcheck.report_builder.failing_checks.error_maps import with_error_maps
from pytest_gradcheck.report_builder.kernel_errors import output_breaches
from pytest_gradcheck.report_builder.parameter_report import ParameterReports, combine_verdicts

__all__ = ["assemble_report"]

#: The number of nearby cotangents for which a law must be violated as well: a claim that is
#: rounded to one of few numbers may by chance be the same as before.
REPETITIONS = 8

#: The default value of every option.
DEFAULTS = {name: OptionValue(getattr(Options(), name), "default") for name in OPTION_NAMES}


def assemble_report(
    problem: Problem,
    described: ParameterReports,
    options: Options,
    *,
    started: float,
    rerun: str | None,
) -> Report:
    """Return the report of a check.

    Parameters
    ----------
    problem : Problem
        The problem that was checked.
    described : ParameterReports
        The reports of its parameters.
    options : Options
        The options of the check.
    started : float
        The start of the check, by `time.perf_counter`.
    rerun : str or None
        The command that runs the test again.
    """
    parameters = described.parameters
    breaches = (
        *_breaches(problem, options.rtol),
        *output_breaches(problem),
        *described.breaches,
    )
    verdict = combine_verdicts(p.verdict for p in parameters)
    worst = sorted(
        (entry for p in parameters for entry in p.worst), key=attrgetter("severity"), reverse=True
    )
    failures = failure_reasons(parameters, breaches, options)
    if failures:
        parameters = with_error_maps(described)
    return Report(
        verdict="wrong" if breaches else verdict,
        parameters=parameters,
        relative_difference=described.relative_difference,
        worst=tuple(worst[: options.max_rows]),
        failures=failures,
        kind=problem.kind,
        forward=problem.forward,
        backward=problem.backward,
        mode=described.mode,
        evaluations=problem.counts.forward,
        backward_calls=problem.counts.backward,
        seconds=time.perf_counter() - started,
        rerun=rerun,
        seed=options.seed,
        options=_option_values(options),
        not_checked=problem.not_checked,
        notes=(*problem.notes, *described.notes),
        breaches=breaches,
        diagnosis=described.diagnosis,
    )


def _option_values(options: Options) -> dict[str, OptionValue]:
    """Return every option with its value and its origin."""
    return DEFAULTS | {
        name: OptionValue(getattr(options, name), origin)
        for name, origin in options.origins.items()
    }


def _breaches(problem: Problem, rtol: float) -> Iterator[Breach]:
    """Yield the laws that backward violates, each for the first parameter that shows it."""
    cotangents = problem.other_cotangents()
    violations = _violations(problem, next(cotangents, None), rtol)
    for _ in range(REPETITIONS):
        if all(law.kind != "linear" for _, law in violations):
            break
        others = next(cotangents)
        violations = [pair for pair in violations if _is_repeated(*pair, others)]
    seen = set()
    for parameter, law in violations:
        if law.kind not in seen:
            seen.add(law.kind)
            text = law.describe(problem.backward, parameter.entry(law.coordinate))
            yield Breach(law.kind, parameter.name, text)


def _violations(
    problem: Problem, others: OtherCotangents | None, rtol: float
) -> list[tuple[Parameter, LawViolation]]:
    """Return the parameters with the laws that backward seems to violate."""
    if others is None:
        return []
    pairs = zip(others.parameters, problem.roundings, strict=True)
    return [
        (parameter, law)
        for parameter, rounding in pairs
        for law in violated_laws(**_claims_about(others, parameter), rtol=rtol, rounding=rounding)
    ]


def _is_repeated(parameter: Parameter, law: LawViolation, others: OtherCotangents) -> bool:
    """Return whether a law is also violated for other cotangents."""
    return law.kind != "linear" or is_violated_nearby(law, **_claims_about(others, parameter))


def _claims_about(others: OtherCotangents, parameter: Parameter) -> dict[str, Any]:
    """Return the claims about one parameter as keyword arguments of the laws."""
    part = slice(parameter.start, parameter.stop)
    return {
        "claim": others.first[part],
        "zero": others.zero[part],
        "second": others.second[part],
        "combined": others.combined[part],
        "weight": others.weight,
    }
