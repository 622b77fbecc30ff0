"""One parameter in the report's terms: its verdict, worst entries, causes and notes.

It must not evaluate or decide anything: verdicts and causes come from
judgement, names from binding, the layout of the message from report.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.binding.forward.domain_boundary import Edge
from pytest_gradcheck.binding.values.parameters import Block, Parameter
from pytest_gradcheck.diagnosis.complex_conjugate import diagnose_conjugate
from pytest_gradcheck.diagnosis.constant_factor import diagnose_constant_factor
from pytest_gradcheck.judgement.entry_verdicts import (
    Judgement,
    VerdictCode,
    is_scatter_conclusive,
    judge,
)
from pytest_gradcheck.judgement.subgradients import (
    SubgradientChoice,
    are_one_sided_slopes,
    explained_by_several_kinks,
)
from pytest_gradcheck.numerics.measurement import EPS, Floats, Indices, Measurement, Status
from pytest_gradcheck.report.report_data import Diagnosis, Entry, Note, ParameterReport, Verdict
from pytest_gradcheck.report_builder.caveats import point_notes, zero_notes
from pytest_gradcheck.report_builder.claims_at_nearby_points import NearbyEntryClaims

__all__ = [
    "Evidence",
    "ParameterReports",
    "agreement_text",
    "combine_verdicts",
    "describe_parameter",
    "relative_difference",
    "split_by_parameter",
]

VERDICTS: dict[int, Verdict] = {
    VerdictCode.CORRECT: "correct",
    VerdictCode.WRONG: "wrong",
    VerdictCode.INCONCLUSIVE: "inconclusive",
}

#: The output of a claim whose outputs are one number.
SCALAR = Block("output", (), "float64", 0, 1)

#: How bad a mark is, by its value.
SEVERITY = np.array([0, 2, 1], dtype=np.int8)

REASONS = {
    Status.KINK: "a kink, the slopes left and right differ",
    Status.EDGE: "measured from one side, forward is undefined on the other",
    Status.JUMP: "forward jumps at this point",
    Status.UNDEFINED: "forward is undefined (NaN, or raises) on both sides",
    Status.UNREFINED: "too many entries differ to measure each closely",
    Status.BRANCH: "forward breaks nearby, as solvers do: a tighter tolerance shows more",
    Status.UNCHANGED: "forward does not react, but is too noisy to say that it never does",
    Status.PLATEAU: "forward is piecewise constant here",
    Status.DIVERGENT: "slopes over ever smaller steps do not converge",
}

#: Statuses of a derivative at which nothing is out of the ordinary.
ORDINARY = (Status.SMOOTH, Status.UNCHANGED, Status.PLATEAU)


#: Statuses of a derivative beside which forward gave no outputs.
AT_EDGE = (Status.EDGE, Status.UNDEFINED)

#: Why an entry is inconclusive though it was measured.
ROUNDING = "backward's own rounding, its terms cancel"
BETWEEN = (
    "at a kink the claim lies between the slopes left and right, and is neither of them, "
    "nor zero, nor their mean"
)

#: Entries at a kink that are looked at from both sides.
SIDES = 16

Place = tuple[int, int]
Known = TypeVar("Known")


def no_edge(coordinate: int) -> Edge | None:
    """Return the edge that was met along a coordinate where there is none."""
    del coordinate
    return None


@dataclass(frozen=True)
class Evidence:
    """Claims and measurements about one parameter, and what they say together.

    Attributes
    ----------
    parameter : Parameter
        Whose they are.
    point : ndarray, shape (n,)
        Values of its coordinates.
    outputs : tuple of Block
        The outputs, empty where they are one number.
    claim : ndarray, shape (n, m)
        What backward says.
    found : Measurement
        What was measured, of these coordinates alone.
    natural : ndarray, shape (n, m)
        Outputs at the point over the scales of the coordinates.
    rounding : float
        Relative rounding of the claim's type.
    rtol : float
        Relative error that is allowed anyway.
    unmoved : bool
        Whether forward was never seen to react to the parameter, claimed to be zero.
    edge : callable
        ``edge(coordinate) -> Edge or None``: the nearest that was met along it.
    own : ndarray of int, shape (n, m), or None
        Which outputs the m derivatives by a coordinate are of; None where they are of all.
    again : NearbyEntryClaims or None
        Asks backward about these coordinates once more, before it is accused of a slight
        difference or of a claim between the slopes of a kink.
    at_first : Judgement or None
        The verdicts before that, where many parameters were judged at once.
    """

    parameter: Parameter
    point: Floats
    outputs: tuple[Block, ...]
    claim: Floats
    found: Measurement
    natural: Floats
    rounding: float
    rtol: float
    unmoved: bool = False
    edge: Callable[[int], Edge | None] = no_edge
    own: Indices | None = None
    again: NearbyEntryClaims | None = None
    at_first: Judgement | None = None

    @cached_property
    def judged(self) -> Judgement:
        """The verdicts; what would be wrong is asked about once more before that is said."""
        again = self.again
        judged = self._judge(0.0) if self.at_first is None else self.at_first
        if again is None:
            return judged
        slight = judged.slightly_wrong
        if slight.any():
            distance = np.abs(self.claim - self.found.value)[slight]
            scatter = again.scatter(
                lambda some, most: is_scatter_conclusive(distance, some[slight], most)
            )
            judged = self._judge(scatter)
            if judged.slightly_wrong.any():
                judged = self._saturated(again, judged, scatter)
        return _settled(self, again, judged) if judged.unclassified else judged

    def _saturated(
        self, again: NearbyEntryClaims, judged: Judgement, scatter: Floats
    ) -> Judgement:
        """Judge anew where outputs are what far larger terms leave: by the rounding of those."""
        times = again.saturation(np.flatnonzero(judged.slightly_wrong.any(axis=1)))
        if self.own is not None or not times.any():
            return judged
        size = np.fmax(np.abs(self.claim), np.abs(self.found.value))
        natural = np.maximum(self.natural, times * size)
        return replace(self, natural=natural)._judge(np.maximum(scatter, EPS * natural))

    def _judge(self, scatter: Floats | float) -> Judgement:
        found = self.found
        return judge(
            self.claim,
            found.value,
            found.bound,
            found.kinks,
            unchanged=found.has_status(Status.UNCHANGED) | found.has_status(Status.PLATEAU),
            natural=self.natural,
            rtol=self.rtol,
            rounding=self.rounding,
            scatter=scatter,
        )

    def output(self, coordinate: int, column: int) -> int:
        """Return the output that a derivative is of."""
        return column if self.own is None else int(self.own[coordinate, column])


@dataclass(frozen=True, slots=True)
class ParameterReports:
    """All parameters in the report's terms.

    Attributes
    ----------
    mode : {"full", "fast"}
        How they were looked at.
    parameters : tuple of ParameterReport
        In their order.
    relative_difference : float
        Formula (2) of the classic recipe over all of them.
    notes : tuple of Note
        What is to be known of how they were looked at.
    """

    mode: Literal["full", "fast"]
    parameters: tuple[ParameterReport, ...]
    relative_difference: float
    notes: tuple[Note, ...] = ()


def describe_parameter(evidence: Evidence, *, max_rows: int, convention: str) -> ParameterReport:
    """Put what was found about one parameter into the report's terms.

    Parameters
    ----------
    evidence : Evidence
        What was claimed and what was measured.
    max_rows : int
        How many of the worst entries to keep.
    convention : {"pytorch", "jax"}
        That claims about complex parameters were read by.

    Returns
    -------
    ParameterReport
        Everything the report says of the parameter.
    """
    claim, parameter, judged = evidence.claim, evidence.parameter, evidence.judged
    counts = judged.counts()
    wrong, is_open = counts[VerdictCode.WRONG], counts[VerdictCode.INCONCLUSIVE] > 0
    decided = judged.allowed
    if is_open:
        decided = decided[~judged.has_code(VerdictCode.INCONCLUSIVE)]
    return ParameterReport(
        name=parameter.name,
        shape=parameter.shape,
        dtype=parameter.dtype,
        size=prod(parameter.shape) * (2 if parameter.is_complex else 1),
        verdict=combine_verdicts(VERDICTS[mark] for mark, count in enumerate(counts) if count),
        wrong=wrong,
        checked=claim.size,
        relative_difference=relative_difference(claim, evidence.found.value, ~judged.zeros),
        worst=tuple(_worst_entries(evidence, max_rows)),
        diagnosis=tuple(_causes(evidence, convention)) if wrong else (),
        resolution=float(decided.max()) if decided.size else float("inf"),
        notes=tuple(_notes(evidence, wrong=wrong > 0, is_open=is_open)),
    )


def _settled(evidence: Evidence, again: NearbyEntryClaims, judged: Judgement) -> Judgement:
    """Settle claims at a kink that are nothing one would write there by those beside it.

    A backward that gives the slopes to both sides is right beside the kink; then the claim may
    be a sum over several kinks. Of very many entries some are looked at from both sides.
    """
    if not judged.unclassified:
        return judged
    found, alone = evidence.found, again.is_alone
    several, off = list[Place](), list[Place]()
    rest = judged.unclassified[:: -(-len(judged.unclassified) // SIDES) or 1]
    places = [*rest, *(place for place in judged.unclassified if place not in {*rest})]
    for number, place in enumerate(places):
        coordinate, output = place
        step, slopes = float(found.step[coordinate]), found.kinks[place]
        claim, allowed = float(evidence.claim[place]), float(judged.allowed[place])
        if number < len(rest):
            sides = again.sides(coordinate, step)
            if sides is None:
                return judged.decide_kinks(several, off)
            if not are_one_sided_slopes(
                (float(sides[0][output]), float(sides[1][output])), slopes, allowed=allowed
            ):
                off.append(place)
                continue
        elif off:
            break
        around = again.around(coordinate, step)[:, output]
        if explained_by_several_kinks(around, slopes, claim=claim, allowed=allowed):
            several.append(place)
        elif around.size and not alone:
            off.append(place)
    return judged.decide_kinks(several, off)


def split_by_parameter(
    places: Mapping[Place, Known], edges: Sequence[int]
) -> list[dict[Place, Known]]:
    """Return what is known of places part by part, as they are counted there.

    Examples
    --------
    >>> split_by_parameter({(0, 0): "a", (3, 1): "b"}, [0, 2, 5])
    [{(0, 0): 'a'}, {(1, 1): 'b'}]
    """
    parts = [dict[Place, Known]() for _ in edges[1:]]
    for (coordinate, output), known in places.items():
        number = bisect_right(edges, coordinate) - 1
        parts[number][coordinate - edges[number], output] = known
    return parts


def combine_verdicts(verdicts: Iterable[Verdict]) -> Verdict:
    """Return wrong if any of `verdicts` is, correct if all are, else inconclusive."""
    present = set(verdicts)
    if "wrong" in present:
        return "wrong"
    return "inconclusive" if "inconclusive" in present else "correct"


def relative_difference(claim: Floats, value: Floats, where: NDArray[np.bool_]) -> float:
    """Return formula (2) of the classic recipe over what could be measured.

    ``|claim - value| / (|claim| + |value|)`` in the 2-norm, 0 where both vanish.

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


def _causes(evidence: Evidence, convention: str) -> Iterator[Diagnosis]:
    """Yield what could have gone wrong with a parameter that is wrong."""
    claim, found = evidence.claim, evidence.found
    yield from diagnose_constant_factor(claim, found.value, found.bound)
    if evidence.parameter.entries is not None:
        return  # real and imaginary parts need not take turns
    imaginary = _alternating((evidence.parameter,), len(claim))[:, None]
    outputs = evidence.outputs or (SCALAR,)
    of_output = _alternating(outputs, outputs[-1].stop)
    imaginary = imaginary ^ (of_output if evidence.own is None else of_output[evidence.own])
    other = None
    if not any(block.is_complex for block in evidence.outputs):
        other = "pytorch" if convention == "jax" else "jax"
    yield from diagnose_conjugate(claim, found.value, found.bound, imaginary, other=other)


def _alternating(blocks: Iterable[Block], size: int) -> NDArray[np.bool_]:
    """Tell which coordinates are imaginary parts; `blocks` lie in them one after the other."""
    result = np.zeros(size, dtype=np.bool_)
    start = 0
    for block in blocks:
        stop = start + block.stop - block.start
        result[start + 1 : stop : 2] = block.is_complex
        start = stop
    return result


def _worst_entries(evidence: Evidence, max_rows: int) -> Iterator[Entry]:
    """Yield the worst entries: wrong ones first, furthest beyond what is allowed first."""
    judged = evidence.judged
    severity = SEVERITY[judged.codes.ravel()]
    distance = np.abs(evidence.claim - evidence.found.value).ravel()
    order = np.lexsort((-distance, -judged.excess.ravel(), -severity))[:max_rows]
    outputs = judged.codes.shape[1]
    for flat in order.tolist():
        yield _entry(evidence, *divmod(flat, outputs))


def _entry(evidence: Evidence, coordinate: int, column: int) -> Entry:
    parameter, found, judged = evidence.parameter, evidence.found, evidence.judged
    index, part = parameter.place(coordinate)
    block, output_index, output_part = SCALAR, None, None
    if evidence.outputs:
        output = evidence.output(coordinate, column)
        block = next(b for b in evidence.outputs if b.start <= output < b.stop)
        output_index, output_part = block.place(output - block.start)
    mark = int(judged.codes[coordinate, column])
    status = Status(int(found.status[coordinate, column]))
    edge = evidence.edge(coordinate) if status in AT_EDGE else None
    reason = _reason(status, mark, edge)
    if (coordinate, column) in found.kinks:
        low, high = found.kinks[coordinate, column]
        reason = f"a kink, the slopes left and right are {low:.6g} and {high:.6g}"
        if mark != VerdictCode.CORRECT and low <= evidence.claim[coordinate, column] <= high:
            reason += "; there also 0 and their mean are accepted, and sums of several kinks"
    elif judged.excused_by_rounding[coordinate, column]:
        reason = ROUNDING
    return Entry(
        parameter=parameter.name,
        index=index,
        output_index=output_index,
        part=part,
        value=float(evidence.point[coordinate]),
        backward=float(evidence.claim[coordinate, column]),
        numerical=float(found.value[coordinate, column]),
        bound=float(found.bound[coordinate, column]),
        step=float(found.step[coordinate]),
        verdict=VERDICTS[mark],
        reason=reason,
        excess=float(judged.excess[coordinate, column]),
        output=block.name,
        output_part=output_part,
    )


def status_reason(status: Status, edge: Edge | None) -> str | None:
    """Return why a derivative was not measured from both sides, None where it was.

    Parameters
    ----------
    status : Status
        How it was come by.
    edge : Edge or None
        The nearest at which forward was seen to give no outputs.

    Returns
    -------
    str or None
        With what forward raised.

    Examples
    --------
    >>> status_reason(Status.EDGE, Edge("domain", "raises ValueError: negative", 0, 1, -0.5))
    'measured from one side; where it is moved by -0.5 forward raises ValueError: negative'
    """
    if status not in AT_EDGE or edge is None:
        return REASONS.get(status)
    moved = "it is" if edge.is_single_coordinate else "several entries are"
    seen = "measured from one side" if status is Status.EDGE else "forward is undefined around it"
    return f"{seen}; where {moved} moved by {edge.step:.1g} forward {edge.what}"


def _reason(status: Status, mark: int, edge: Edge | None) -> str | None:
    reason = status_reason(status, edge)
    if reason is None and mark == VerdictCode.INCONCLUSIVE:
        return "forward is too noisy"
    return reason


def _notes(evidence: Evidence, *, wrong: bool, is_open: bool) -> Iterator[Note]:
    yield from evidence.parameter.notes
    parameter, claim, found = evidence.parameter, evidence.claim, evidence.found
    judged = evidence.judged
    barren = wrong and not found.value.any() and bool(np.isin(found.status, ORDINARY).all())
    zeros = judged.zeros
    size = np.maximum(np.abs(claim[zeros]), np.abs(found.value[zeros]) + found.bound[zeros])
    yield from zero_notes(
        parameter,
        np.asarray(zeros.all(axis=1)),
        within=float(size.max(initial=0.0)),
        unmoved=evidence.unmoved,
        barren=barren,
    )
    level = int(np.count_nonzero(found.status[zeros] == Status.PLATEAU.value))
    if level:
        yield Note("level", level, f"{REASONS[Status.PLATEAU]}: zero between its jumps")
    if judged.subgradients:
        yield _kink_note(Counter(judged.subgradients.values()))
    if judged.excused_by_rounding.any():
        good = float(judged.allowed[judged.excused_by_rounding].max())
        text = f"backward's own rounding: claims of {parameter.name} are good to {good:.0e}"
        yield Note("rounding", int(np.count_nonzero(judged.excused_by_rounding)), text)
    if is_open:
        yield from _inconclusive_notes(evidence, judged)
    yield from point_notes(parameter, evidence.point)


def _kink_note(conventions: Mapping[SubgradientChoice, int]) -> Note:
    """Say how many claims were accepted at a kink, and as what."""
    count = sum(conventions.values())
    at = "1 entry is" if count == 1 else f"{count} entries are"
    each = [(kind, conventions[kind]) for kind in SubgradientChoice if kind in conventions]
    many = len(each) > 1
    what = "; ".join(kind.value + (f" (in {n})" if many else "") for kind, n in each)
    return Note("kink", count, f"{at} at a kink; the claim is {what}")


def _inconclusive_notes(evidence: Evidence, judged: Judgement) -> Iterator[Note]:
    found, open_ = evidence.found, judged.has_code(VerdictCode.INCONCLUSIVE)
    groups = [(open_ & ~judged.excused_by_rounding & found.has_status(s), s) for s in Status]
    for where, status in [(open_ & judged.excused_by_rounding, None), *groups]:
        count = int(np.count_nonzero(where))
        if not count:
            continue
        first = int(np.flatnonzero(where.any(axis=1))[0])
        reason: str | None = ROUNDING
        if status is not None:
            reason = _reason(status, VerdictCode.INCONCLUSIVE, evidence.edge(first))
        if status is Status.KINK:
            reason = BETWEEN
        some = "all" if count == where.size > 1 else f"{count} of {where.size}"
        text = f"{some} inconclusive: {reason}"
        bound = float((judged.allowed if status is None else found.bound)[where].max())
        if np.isfinite(bound) and status is not Status.KINK:
            text += f", an error of {bound:.0e} could hide"
        text += agreement_text(relative_difference(evidence.claim, found.value, where))
        yield Note("inconclusive", count, text)


def agreement_text(difference: float) -> str:
    """Say to how many digits claim and measurement agree, though that verifies nothing.

    Examples
    --------
    >>> agreement_text(6e-5), agreement_text(0.3)
    ('; backward and numerical agree to 4 digits', '')
    """
    digits = int(-np.log10(difference)) if difference > 0 else 0
    if not digits:
        return ""
    return f"; backward and numerical agree to {digits} digit{'s' if digits > 1 else ''}"
