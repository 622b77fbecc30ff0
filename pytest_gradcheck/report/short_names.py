"""A report whose texts and entries have the short names of parameters, wherever these are clear.

People read ``W2[9, 0]`` more easily than ``parameters['W2'][9, 0]``. The parameters themselves
keep their accessors. This module does not lay out text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

from pytest_gradcheck.report.accessors import replace_accessors
from pytest_gradcheck.report.report_data import (
    Breach,
    Diagnosis,
    Note,
    ParameterReport,
    ReportData,
)

__all__ = ["parameter_with_short_names", "with_short_names"]

Sentence = TypeVar("Sentence", Breach, Diagnosis, Note)


def with_short_names(report: ReportData, names: Mapping[str, str]) -> ReportData:
    """Return the report with short names in its own entries and sentences.

    Its parameters are unchanged, since there may be very many. Notes are, too, since they may
    contain code to copy.

    Parameters
    ----------
    report : ReportData
        The report.
    names : mapping of str to str
        The short names of accessors, from `distinct_short_names`.
    """
    return replace(
        report,
        worst=tuple(
            replace(e, parameter=names.get(e.parameter, e.parameter)) for e in report.worst
        ),
        breaches=_sentences(report.breaches, names),
        diagnosis=_sentences(report.diagnosis, names),
    )


def parameter_with_short_names(
    parameter: ParameterReport, names: Mapping[str, str]
) -> ParameterReport:
    """Return the report of a parameter with short names in its causes and notes."""
    return replace(
        parameter,
        diagnosis=_sentences(parameter.diagnosis, names),
        notes=_sentences(parameter.notes, names),
    )


def _sentences(sentences: tuple[Sentence, ...], names: Mapping[str, str]) -> tuple[Sentence, ...]:
    return tuple(replace(each, text=replace_accessors(each.text, names)) for each in sentences)
