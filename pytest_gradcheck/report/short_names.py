"""A report whose texts and entries have the short names of parameters, wherever these are clear.

People read ``W2[9, 0]`` more easily than ``parameters['W2'][9, 0]``. The parameters themselves
keep their accessors. This module does not lay out text.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

from pytest_gradcheck.report.accessors import replace_accessors
from pytest_gradcheck.report.records import (
    Breach,
    Diagnosis,
    Entry,
    Note,
    ParameterReport,
    ReportData,
)

__all__ = ["with_short_names"]

Sentence = TypeVar("Sentence", Breach, Diagnosis, Note)


def with_short_names(report: ReportData, names: Mapping[str, str]) -> ReportData:
    """Return the report with short names in its entries, causes and notes on parameters.

    Notes on the check as a whole are unchanged, since they may contain code to copy.

    Parameters
    ----------
    report : ReportData
        The report.
    names : mapping of str to str
        The short names of accessors, from `distinct_short_names`.
    """
    if not names:
        return report
    return replace(
        report,
        parameters=tuple(_parameter(each, names) for each in report.parameters),
        worst=_entries(report.worst, names),
        failures=tuple(replace_accessors(text, names) for text in report.failures),
        breaches=_sentences(report.breaches, names),
        diagnosis=_sentences(report.diagnosis, names),
    )


def _parameter(parameter: ParameterReport, names: Mapping[str, str]) -> ParameterReport:
    if not (parameter.worst or parameter.diagnosis or parameter.notes):
        return parameter
    return replace(
        parameter,
        worst=_entries(parameter.worst, names),
        diagnosis=_sentences(parameter.diagnosis, names),
        notes=_sentences(parameter.notes, names),
    )


def _entries(entries: tuple[Entry, ...], names: Mapping[str, str]) -> tuple[Entry, ...]:
    return tuple(replace(e, parameter=names.get(e.parameter, e.parameter)) for e in entries)


def _sentences(sentences: tuple[Sentence, ...], names: Mapping[str, str]) -> tuple[Sentence, ...]:
    return tuple(replace(each, text=replace_accessors(each.text, names)) for each in sentences)
