"""The outcome of a check: the reasons why it fails, from the verdicts on all parameters.

This module does not use numbers: it reads verdicts and notes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pytest_gradcheck.options import Options
from pytest_gradcheck.report.report_data import Breach, Note, ParameterReport

__all__ = ["failure_reasons", "vacuous_parameters"]


def failure_reasons(
    parameters: Sequence[ParameterReport], breaches: Sequence[Breach], options: Options
) -> tuple[str, ...]:
    """Return the reasons why a check fails.

    A check fails if a parameter is wrong, if nothing about a parameter could be verified, or
    if backward violates a law. With ``strict`` it also fails on kinks and on partly
    inconclusive and vacuous parameters; an explicit ``kinks="accept"`` exempts kinks.

    Parameters
    ----------
    parameters : sequence of ParameterReport
        All parameters of the check.
    breaches : sequence of Breach
        Laws that backward violates.
    options : Options
        The options `strict` and `kinks`, with their origins.

    Returns
    -------
    tuple of str
        One sentence for each reason; empty if the check passes.
    """
    reasons = [sentence for p in parameters for sentence in _reasons(p, options)]
    return (*reasons, *(breach.text for breach in breaches))


def vacuous_parameters(parameters: Sequence[ParameterReport]) -> tuple[str, ...]:
    """Return the names of the parameters whose gradient is zero everywhere."""
    return tuple(p.name for p in parameters if any(_is_vacuous(n) for n in p.notes))


def _reasons(parameter: ParameterReport, options: Options) -> Iterator[str]:
    name = parameter.name
    kinds = {note.kind: note for note in parameter.notes}
    strict = " (strict)" if options.strict else ""
    if parameter.verdict == "wrong":
        yield f"{name}: {parameter.wrong} of {parameter.checked} entries wrong"
    elif "inconclusive" in kinds:
        count = sum(n.count for n in parameter.notes if n.kind == "inconclusive")
        if count == parameter.checked:
            yield f"{name}: nothing could be verified, {kinds['inconclusive'].text}"
        elif options.strict:
            yield f"{name}: {kinds['inconclusive'].text}{strict}"
    if "kink" in kinds and _kinks_fail(options):
        cause = " (kinks='fail')" if options.kinks == "fail" else strict
        yield f"{name}: {kinds['kink'].text}{cause}"
    if options.strict:
        yield from (f"{name}: {n.text}{strict}" for n in parameter.notes if _is_vacuous(n))


def _is_vacuous(note: Note) -> bool:
    """Return whether a note says that all entries were compared with zero alone."""
    return note.kind == "vacuous" or (note.kind == "unused" and note.count > 0)


def _kinks_fail(options: Options) -> bool:
    if options.kinks == "fail":
        return True
    return options.strict and options.origin("kinks") == "default"
