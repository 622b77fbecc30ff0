"""The report of one parameter: its verdict, worst entries and notes.

Verdicts come from `judgement` and names from `binding`; this module puts them into words and into
the fields of a `ParameterReport`. It does not evaluate functions, decides no verdicts, and leaves
likely causes to `likely_causes`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from math import prod
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.binding.forward.domain_boundary import Edge
from pytest_gradcheck.binding.values.parameters import Block
from pytest_gradcheck.diagnosis.comparison import Comparison
from pytest_gradcheck.judgement.entry_verdicts import (
    Judgement,
    VerdictCode,
    relative_deviation,
)
from pytest_gradcheck.judgement.subgradients import SubgradientChoice
from pytest_gradcheck.numerics.measurement import Floats, Status
from pytest_gradcheck.report.report_data import (
    Breach,
    Diagnosis,
    Entry,
    ErrorMap,
    Note,
    ParameterReport,
    Verdict,
)
from pytest_gradcheck.report_builder.caveats import point_notes, zero_notes
from pytest_gradcheck.report_builder.parameter_evidence import Evidence

__all__ = [
    "ROUNDING",
    "ParameterReports",
    "agreement_text",
    "combine_verdicts",
    "describe_parameter",
    "relative_difference",
    "status_reason",
]

VERDICTS: dict[int, Verdict] = {
    VerdictCode.CORRECT: "correct",
    VerdictCode.WRONG: "wrong",
    VerdictCode.INCONCLUSIVE: "inconclusive",
}

#: The rank of a verdict among the worst entries, indexed by its code.
SEVERITY = np.array([0, 2, 1], dtype=np.int8)

#: The output of a check whose outputs are one number.
SCALAR = Block("output", (), "float64", 0, 1)

REASONS = {
    Status.KINK: "a kink, the slopes left and right differ",
    Status.EDGE: "measured from one side, forward is undefined on the other",
    Status.JUMP: "forward jumps at this point",
    Status.UNDEFINED: "forward is undefined (NaN, or raises) on both sides",
    Status.UNREFINED: "too many entries differ to measure each closely",
    Status.BRANCH: "forward is discontinuous nearby, as adaptive solvers are: "
    "a tighter tolerance shows more",
    Status.UNCHANGED: "forward does not change, but is too noisy to say that it never does",
    Status.PLATEAU: "forward is piecewise constant here",
    Status.DIVERGENT: "slopes over ever smaller steps do not converge",
}

#: Statuses of derivatives around which forward is smooth or constant.
REGULAR = (Status.SMOOTH, Status.UNCHANGED, Status.PLATEAU)

#: Statuses of derivatives next to an edge of the domain of forward.
AT_EDGE = (Status.EDGE, Status.UNDEFINED)

#: Reasons why an entry is inconclusive though it was measured.
ROUNDING = "backward's own rounding, its terms cancel"
BETWEEN_SLOPES = (
    "at a kink the claim lies between the slopes left and right, and is neither of them, "
    "nor zero, nor their mean"
)


@dataclass(frozen=True, slots=True)
class ParameterReports:
    """The reports of all parameters of a check.

    Attributes
    ----------
    mode : {"full", "fast"}
        Whether every entry was measured, or all were screened along directions.
    parameters : tuple of ParameterReport
        The reports, in the order of the parameters.
    relative_difference : float
        The relative difference over all parameters together.
    notes : tuple of Note
        Remarks on the measurement as a whole.
    comparisons : tuple of callable
        For each wrong parameter ``comparison() -> Comparison`` of its claims, in order; several
        where a parameter is wrong in several ways.
    diagnosis : tuple of Diagnosis
        Likely causes that several parameters have in common.
    error_maps : mapping of str to callable
        For each parameter that is not correct, by its name, ``error_map() -> ErrorMap or None``.
    breaches : tuple of Breach
        What many entries together show to be wrong.
    """

    mode: Literal["full", "fast"]
    parameters: tuple[ParameterReport, ...]
    relative_difference: float
    notes: tuple[Note, ...] = ()
    comparisons: tuple[Callable[[], Comparison], ...] = ()
    diagnosis: tuple[Diagnosis, ...] = ()
    error_maps: Mapping[str, Callable[[], ErrorMap | None]] = field(default_factory=dict)
    breaches: tuple[Breach, ...] = ()


def describe_parameter(evidence: Evidence, *, max_rows: int) -> ParameterReport:
    """Return the report of one parameter.

    Parameters
    ----------
    evidence : Evidence
        The claims and the measurements.
    max_rows : int
        The number of worst entries to keep.
    """
    claim, parameter, judgement = evidence.claim, evidence.parameter, evidence.judgement
    counts = judgement.counts()
    wrong, any_inconclusive = counts[VerdictCode.WRONG], counts[VerdictCode.INCONCLUSIVE] > 0
    decided = judgement.allowed
    if any_inconclusive:
        decided = decided[~judgement.has_code(VerdictCode.INCONCLUSIVE)]
    return ParameterReport(
        name=parameter.name,
        shape=parameter.shape,
        dtype=parameter.dtype,
        size=prod(parameter.shape) * (2 if parameter.is_complex else 1),
        verdict=combine_verdicts(VERDICTS[code] for code, count in enumerate(counts) if count),
        wrong=wrong,
        checked=claim.size,
        relative_difference=relative_difference(
            claim, evidence.measurement.value, ~judgement.zeros
        ),
        worst=tuple(_worst_entries(evidence, max_rows)),
        diagnosis=(),
        resolution=float(decided.max()) if decided.size else float("inf"),
        notes=tuple(_notes(evidence, any_wrong=wrong > 0, any_inconclusive=any_inconclusive)),
    )


def combine_verdicts(verdicts: Iterable[Verdict]) -> Verdict:
    """Return wrong if any of `verdicts` is, correct if all are, else inconclusive."""
    present = set(verdicts)
    if "wrong" in present:
        return "wrong"
    return "inconclusive" if "inconclusive" in present else "correct"


def relative_difference(claim: Floats, value: Floats, where: NDArray[np.bool_]) -> float:
    """Return the relative difference between claims and measurements, where both are known.

    It is ``|claim - value| / (|claim| + |value|)`` in the 2-norm, and 0 where both vanish. NaN
    is left out, and so are entries outside `where`.

    Examples
    --------
    >>> import numpy as np
    >>> claim, value = np.array([3.0, 1e-17]), np.array([1.0, -2e-17])
    >>> round(relative_difference(claim, value, np.array([True, False])), 12)
    0.5
    """
    known = np.isfinite(value) & where
    claim, value = claim[known], value[known]
    largest = max(np.abs(claim).max(initial=0.0), np.abs(value).max(initial=0.0))
    if largest == 0:
        return 0.0
    claim, value = claim / largest, value / largest
    total = np.linalg.norm(claim) + np.linalg.norm(value)
    return float(np.linalg.norm(claim - value) / total)


def _worst_entries(evidence: Evidence, max_rows: int) -> Iterator[Entry]:
    """Yield the worst entries, in decreasing order of `Entry.severity`."""
    judgement, measurement = evidence.judgement, evidence.measurement
    deviation = relative_deviation(evidence.claim, measurement.value, measurement.bound).ravel()
    severity = SEVERITY[judgement.codes.ravel()]
    distance = np.abs(evidence.claim - measurement.value).ravel()
    order = np.lexsort((-distance, -np.abs(deviation), -severity))[:max_rows]
    outputs = judgement.codes.shape[1]
    for position in order.tolist():
        coordinate, column = divmod(position, outputs)
        yield _entry(evidence, coordinate, column, float(deviation[position]))


def _entry(evidence: Evidence, coordinate: int, column: int, deviation: float) -> Entry:
    parameter, judgement = evidence.parameter, evidence.judgement
    measurement = evidence.measurement
    index, part = parameter.place(coordinate)
    block, output_index, output_part = SCALAR, None, None
    if evidence.outputs:
        output = evidence.output_index(coordinate, column)
        block = next(b for b in evidence.outputs if b.start <= output < b.stop)
        output_index, output_part = block.place(output - block.start)
    code = int(judgement.codes[coordinate, column])
    status = Status(int(measurement.status[coordinate, column]))
    edge = evidence.edge(coordinate) if status in AT_EDGE else None
    reason = _reason(status, code, edge)
    if (coordinate, column) in measurement.kinks:
        low, high = measurement.kinks[coordinate, column]
        reason = f"a kink, the slopes left and right are {low:.6g} and {high:.6g}"
        if code != VerdictCode.CORRECT and low <= evidence.claim[coordinate, column] <= high:
            reason += "; there also 0 and their mean are accepted, and sums of several kinks"
    elif judgement.excused_by_rounding[coordinate, column]:
        reason = ROUNDING
    return Entry(
        parameter=parameter.name,
        index=index,
        output_index=output_index,
        part=part,
        value=float(evidence.point[coordinate]),
        backward=float(evidence.claim[coordinate, column]),
        numerical=float(measurement.value[coordinate, column]),
        bound=float(measurement.bound[coordinate, column]),
        step=float(measurement.step[coordinate]),
        verdict=VERDICTS[code],
        reason=reason,
        excess=float(judgement.excess[coordinate, column]),
        deviation=deviation,
        output=block.name,
        output_part=output_part,
    )


def status_reason(status: Status, edge: Edge | None) -> str | None:
    """Return why a derivative was not measured from both sides; None if it was.

    Parameters
    ----------
    status : Status
        The status of the measurement.
    edge : Edge or None
        The nearest point at which forward was undefined.

    Returns
    -------
    str or None
        The reason, with the exception that forward raised there.

    Examples
    --------
    >>> status_reason(Status.EDGE, Edge("domain", "raises ValueError: negative", 0, 1, -0.5))
    'measured from one side; where it is moved by -0.5 forward raises ValueError: negative'
    """
    if status not in AT_EDGE or edge is None:
        return REASONS.get(status)
    moved = "it is" if edge.is_single_coordinate else "several entries are"
    way = "measured from one side" if status is Status.EDGE else "forward is undefined around it"
    return f"{way}; where {moved} moved by {edge.step:.1g} forward {edge.what}"


def _reason(status: Status, code: int, edge: Edge | None) -> str | None:
    reason = status_reason(status, edge)
    if reason is None and code == VerdictCode.INCONCLUSIVE:
        return "forward is too noisy"
    return reason


def _notes(evidence: Evidence, *, any_wrong: bool, any_inconclusive: bool) -> Iterator[Note]:
    yield from evidence.parameter.notes
    parameter, claim = evidence.parameter, evidence.claim
    judgement, measurement = evidence.judgement, evidence.measurement
    zeros, value = judgement.zeros, measurement.value
    is_measured_zero = (
        any_wrong and not value.any() and bool(np.isin(measurement.status, REGULAR).all())
    )
    size = np.maximum(np.abs(claim[zeros]), np.abs(value[zeros]) + measurement.bound[zeros])
    yield from zero_notes(
        parameter,
        np.asarray(zeros.all(axis=1)),
        largest=float(size.max(initial=0.0)),
        is_unused=evidence.is_unused,
        is_measured_zero=is_measured_zero,
    )
    level = int(np.count_nonzero(measurement.status[zeros] == Status.PLATEAU.value))
    if level:
        yield Note("level", level, f"{REASONS[Status.PLATEAU]}: zero between its jumps")
    if judgement.subgradients:
        yield _kink_note(Counter(judgement.subgradients.values()))
    if judgement.excused_by_rounding.any():
        accuracy = float(judgement.allowed[judgement.excused_by_rounding].max())
        text = (
            f"backward's own rounding: claims of {parameter.name} are accurate to {accuracy:.0e}"
        )
        yield Note("rounding", int(np.count_nonzero(judgement.excused_by_rounding)), text)
    if any_inconclusive:
        yield from _inconclusive_notes(evidence, judgement)
    yield from point_notes(parameter, evidence.point)


def _kink_note(choices: Mapping[SubgradientChoice, int]) -> Note:
    """Return a note on the claims that were accepted at kinks."""
    count = sum(choices.values())
    at = "1 entry is" if count == 1 else f"{count} entries are"
    each = [(choice, choices[choice]) for choice in SubgradientChoice if choice in choices]
    many = len(each) > 1
    what = "; ".join(choice.value + (f" (in {n})" if many else "") for choice, n in each)
    return Note("kink", count, f"{at} at a kink; the claim is {what}")


def _inconclusive_notes(evidence: Evidence, judgement: Judgement) -> Iterator[Note]:
    """Yield one note for each reason why entries are inconclusive."""
    measurement, rounded = evidence.measurement, judgement.excused_by_rounding
    inconclusive = judgement.has_code(VerdictCode.INCONCLUSIVE)
    groups = [(inconclusive & ~rounded & measurement.has_status(s), s) for s in Status]
    for where, status in [(inconclusive & rounded, None), *groups]:
        count = int(np.count_nonzero(where))
        if not count:
            continue
        first = int(np.flatnonzero(where.any(axis=1))[0])
        reason: str | None = ROUNDING
        if status is not None:
            reason = _reason(status, VerdictCode.INCONCLUSIVE, evidence.edge(first))
        if status is Status.KINK:
            reason = BETWEEN_SLOPES
        some = "all" if count == where.size > 1 else f"{count} of {where.size}"
        text = f"{some} inconclusive: {reason}"
        bound = float((judgement.allowed if status is None else measurement.bound)[where].max())
        if np.isfinite(bound) and status is not Status.KINK:
            text += f", an error of {bound:.0e} could hide"
        text += agreement_text(relative_difference(evidence.claim, measurement.value, where))
        yield Note("inconclusive", count, text)


def agreement_text(difference: float) -> str:
    """Return to how many digits claim and measurement agree, though that verifies nothing.

    Examples
    --------
    >>> agreement_text(6e-5), agreement_text(0.3)
    ('; backward and numerical agree to 4 digits', '')
    """
    digits = int(-np.log10(difference)) if difference > 0 else 0
    if not digits:
        return ""
    return f"; backward and numerical agree to {digits} digit{'s' if digits > 1 else ''}"
