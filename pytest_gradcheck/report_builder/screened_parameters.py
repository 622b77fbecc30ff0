"""The parameters of a problem that was screened, in the report's terms.

It must not evaluate or judge entries: those that were measured one by one go to
description, and of the others it says what would have been seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import prod

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.binding.gradient_problem import Problem
from pytest_gradcheck.binding.values.parameters import Parameter
from pytest_gradcheck.diagnosis.constant_factor import diagnose_relative_error
from pytest_gradcheck.judgement.entry_verdicts import are_verified_zero
from pytest_gradcheck.numerics.measurement import Measurement, Status
from pytest_gradcheck.numerics.screening.array_regions import Box
from pytest_gradcheck.numerics.screening.screen_result import UNRESOLVED, Finding, ScreenResult
from pytest_gradcheck.options import Options
from pytest_gradcheck.report.report_data import Diagnosis, Note, ParameterReport, Verdict
from pytest_gradcheck.report_builder.caveats import point_notes, zero_notes
from pytest_gradcheck.report_builder.claims_at_nearby_points import NearbyClaims, NearbyEntryClaims
from pytest_gradcheck.report_builder.parameter_report import (
    ROUNDING,
    Evidence,
    ParameterReports,
    agreement_text,
    describe_parameter,
    relative_difference,
    status_reason,
)

__all__ = ["describe_screened", "has_rounding_note", "keep_inconclusive", "with_rounding_notes"]

#: Shares of claims that backward's own rounding comes to, above which that is said.
NOTABLE = 1e-12


@dataclass(frozen=True, slots=True)
class _Part:
    """What a screen found of one parameter, `number`-th of its segments.

    `resolution` is the smallest error of one entry that would have been seen, in its own
    units, `share` relative to a typical one; `findings` are those in this parameter.
    """

    problem: Problem
    screened: ScreenResult
    options: Options
    parameter: Parameter
    number: int
    rounding: float
    elsewhere: NearbyClaims
    resolution: float
    share: float
    findings: Sequence[Finding]

    @property
    def measured(self) -> dict[int, Measurement]:
        """Coordinates that were measured one by one, counted from the parameter's first."""
        start = self.parameter.start
        return {
            coordinate - start: found
            for finding in self.findings
            for coordinate, found in finding.measured
        }

    @property
    def checked(self) -> int:
        """How many derivatives there are."""
        return self.problem.base.size * (self.parameter.stop - self.parameter.start)

    @property
    def held(self) -> int:
        """How many derivatives were not looked at: by entries at which forward has a kink."""
        if not self.screened.fixed.size:
            return 0
        ends = [self.parameter.start, self.parameter.stop]
        first, last = np.searchsorted(self.screened.fixed, ends).tolist()
        return self.problem.base.size * int(last - first)

    @property
    def largest(self) -> float:
        """The largest claim."""
        claim = self.problem.claim.rows(self.parameter.start, self.parameter.stop)
        return float(np.abs(claim).max(initial=0.0))

    @property
    def is_zero(self) -> bool:
        """Whether all derivatives are zero within what could be seen."""
        screened, start, stop = self.screened, self.parameter.start, self.parameter.stop
        scale = screened.scales.meaningful(slice(start, stop))[:, None]
        moves = np.abs(self.problem.claim.rows(start, stop)) * scale
        seen = screened.detection_limit[self.number]
        return bool(are_verified_zero(moves.max(axis=0, initial=0.0), seen, screened.sizes).all())

    @property
    def is_unknown(self) -> bool:
        """Whether nothing was verified."""
        unexplained = self.screened.unexplained[self.number].any()
        return bool(unexplained) or not np.isfinite(self.resolution)


def describe_screened(
    problem: Problem, screened: ScreenResult, options: Options, elsewhere: NearbyClaims
) -> ParameterReports:
    """Describe every parameter by what directions and single entries showed.

    Parameters
    ----------
    problem : Problem
        What was claimed.
    screened : ScreenResult
        What was found.
    options : Options
        The options in force.
    elsewhere : NearbyClaims
        Asks backward close to the point, before it is accused of a slight difference.

    Returns
    -------
    ParameterReports
        Of all parameters.
    """
    unmoved = problem.unmoved()
    reports, number = list[ParameterReport](), 0
    resolutions = (screened.detection_limit.max(axis=1) / screened.smallest_scale).tolist()
    shares = screened.relative_detection_limit.max(axis=1).tolist()
    findings: dict[int, list[Finding]] = {}
    for finding in screened.findings:
        findings.setdefault(finding.box.segment.start, []).append(finding)
    for parameter, rounding in zip(problem.parameters, problem.roundings, strict=True):
        if parameter.start == parameter.stop:
            part = _Part(
                problem, screened, options, parameter, 0, rounding, elsewhere, np.inf, 0.0, ()
            )
            reports.append(_blank(part, "correct", parameter.notes))
            continue
        part = _Part(
            problem,
            screened,
            options,
            parameter,
            number,
            rounding,
            elsewhere,
            resolutions[number],
            shares[number],
            findings.get(parameter.start, ()),
        )
        swept = screened.swept.get(number)
        if swept is not None:
            coordinates = np.arange(parameter.start, parameter.stop)
            reports.append(_described(part, parameter, coordinates, swept, unmoved))
        else:
            reports.append(_screened(part, unmoved))
        number += 1
    return ParameterReports("fast", tuple(reports), _difference(screened))


def has_rounding_note(report: ParameterReport) -> bool:
    """Tell whether backward's own rounding explains what seemed to be off."""
    return any(note.kind == "rounding" for note in report.notes)


def with_rounding_notes(problem: Problem, shares: Mapping[int, float]) -> Problem:
    """Return the problem with a note on parameters whose claims are rounded notably.

    Parameters
    ----------
    problem : Problem
        What was claimed.
    shares : mapping of int to float
        For the first coordinate of a parameter how well its claims are known, relatively.
    """

    def said(parameter: Parameter) -> Parameter:
        share = shares.get(parameter.start, 0.0)
        if share <= NOTABLE or parameter.start == parameter.stop:
            return parameter
        text = f"backward's own rounding: claims of {parameter.name} are good to {share:.0e}"
        note = Note("rounding", 0, f"{text} of their size")
        return replace(parameter, notes=(*parameter.notes, note))

    return replace(problem, parameters=tuple(said(p) for p in problem.parameters))


def keep_inconclusive(described: ParameterReports, before: ParameterReports) -> ParameterReports:
    """Return what a second screen says, without saying more of what the first left open.

    Parameters
    ----------
    described, before : ParameterReports
        By the second one, which allows for the rounding of all claims, and by the first.
    """
    reports = [
        replace(now, verdict="inconclusive", notes=(*now.notes, *_of_rounding(then)))
        if now.verdict == "correct" and then.verdict == "inconclusive" and has_rounding_note(then)
        else now
        for now, then in zip(described.parameters, before.parameters, strict=True)
    ]
    return replace(described, parameters=tuple(reports))


def _of_rounding(report: ParameterReport) -> tuple[Note, ...]:
    return tuple(n for n in report.notes if n.kind == "inconclusive" and ROUNDING in n.text)


def _difference(screened: ScreenResult) -> float:
    """Return formula (2) for derivatives along the directions that were looked at.

    Those that cannot be told from zero count as such.
    """
    claimed = np.stack([s.claimed for s in screened.directional_derivatives])
    measured = np.stack([s.measured for s in screened.directional_derivatives])
    return relative_difference(
        claimed, measured, np.stack([s.nonzero for s in screened.directional_derivatives])
    )


def _described(
    part: _Part,
    parameter: Parameter,
    coordinates: NDArray[np.intp],
    found: Measurement,
    unmoved: frozenset[str],
) -> ParameterReport:
    """Describe coordinates that were measured one by one."""
    problem, options = part.problem, part.options
    evidence = Evidence(
        parameter=parameter,
        point=problem.point[coordinates],
        outputs=problem.outputs,
        claim=problem.claim.take(coordinates),
        found=found,
        natural=part.screened.natural_slopes(coordinates),
        rounding=part.rounding,
        rtol=options.rtol,
        unmoved=parameter.name in unmoved,
        again=NearbyEntryClaims(part.elsewhere, coordinates, (parameter.start, parameter.stop)),
        edge=lambda k: problem.edge(int(coordinates[k]), int(coordinates[k]) + 1),
    )
    return describe_parameter(evidence, max_rows=options.max_rows, convention=options.convention)


def _screened(part: _Part, unmoved: frozenset[str]) -> ParameterReport:
    """Describe a parameter of which few entries were measured, or none."""
    part, excused = _standing(part)
    if not part.findings:
        faint = part.share > UNRESOLVED and not part.is_zero
        poor = part.is_unknown or part.held or faint
        poor |= any(note.kind == "inconclusive" for note in excused)
        notes = (*_notes(part, unmoved), *excused)
        return _blank(part, "inconclusive" if poor else "correct", notes)
    report = _blank(part, "wrong", part.parameter.notes)
    measured = part.measured
    if measured:
        report = _measured_report(part, measured)
    causes = list(_causes(part))
    if any(finding.box.size > 1 and finding.relative_error is None for finding in part.findings):
        causes += report.diagnosis
    return replace(
        report,
        verdict="wrong",
        wrong=_wrong(part),
        checked=part.checked,
        diagnosis=tuple(causes),
        resolution=part.resolution,
        notes=tuple(_notes(part, unmoved)),
    )


def _standing(part: _Part) -> tuple[_Part, tuple[Note, ...]]:
    """Leave out what backward's own rounding explains; return what is to be said of that."""
    if not part.findings:
        return part, ()
    excuses = [_excuse(part, finding) for finding in part.findings]
    pairs = zip(part.findings, excuses, strict=True)
    standing = [finding for finding, said in pairs if not said]
    return replace(part, findings=standing), tuple(note for said in excuses for note in said)


def _excuse(part: _Part, finding: Finding) -> list[Note]:
    """Return what is said of rounding where it explains all that was measured of a finding."""
    start = part.parameter.start
    measured = {coordinate - start: found for coordinate, found in finding.measured}
    if not measured:
        return []
    report = _measured_report(part, measured)
    said = [note for note in report.notes if note.kind == "rounding"]
    if report.wrong or not said:
        return []
    count = sum(note.count for note in report.notes if note.kind == "inconclusive")
    if count:
        text = f"{count} of {part.checked} inconclusive: {ROUNDING}"
        said.append(Note("inconclusive", count, text))
    return said


def _wrong(part: _Part) -> int:
    """Count derivatives that are wrong; places that were found may overlap."""
    outputs: dict[int, NDArray[np.bool_]] = {}
    for finding in part.findings:
        size = finding.box.segment.size
        where = outputs.setdefault(finding.output, np.zeros(size, dtype=np.bool_))
        if finding.relative_error is None:
            finding.box.view(where)[...] = True
        else:  # a factor of zero is none
            rows = part.problem.claim.rows(part.parameter.start, part.parameter.stop)
            where |= rows[:, finding.output] != 0
    return sum(int(np.count_nonzero(where)) for where in outputs.values())


def _measured_report(part: _Part, measured: Mapping[int, Measurement]) -> ParameterReport:
    parameter, coordinates = part.parameter, sorted(measured)
    entries = parameter.entries
    chosen = tuple(k if entries is None else entries[k] for k in coordinates)
    return _described(
        part,
        replace(parameter, entries=chosen, notes=()),
        np.array(coordinates) + parameter.start,
        _joined([measured[k] for k in coordinates]),
        frozenset(),
    )


def _joined(measurements: Sequence[Measurement]) -> Measurement:
    """Join measurements of one coordinate each."""
    kinks = {
        (row, output): slopes
        for row, found in enumerate(measurements)
        for (_, output), slopes in found.kinks.items()
    }
    return Measurement(
        np.concatenate([m.value for m in measurements]),
        np.concatenate([m.bound for m in measurements]),
        np.concatenate([m.step for m in measurements]),
        np.concatenate([m.status for m in measurements]),
        kinks,
    )


def _blank(part: _Part, verdict: Verdict, notes: tuple[Note, ...]) -> ParameterReport:
    parameter = part.parameter
    return ParameterReport(
        name=parameter.name,
        shape=parameter.shape,
        dtype=parameter.dtype,
        size=prod(parameter.shape) * (2 if parameter.is_complex else 1),
        verdict=verdict,
        wrong=0,
        checked=part.checked,
        relative_difference=float("nan"),
        worst=(),
        diagnosis=(),
        resolution=part.resolution,
        notes=notes,
    )


def _causes(part: _Part) -> Iterator[Diagnosis]:
    """Yield what is wrong together, and how: each once, the largest places first."""
    for share, doubt, outputs in _shares(part.findings):
        cause = diagnose_relative_error(share, doubt)
        yield replace(cause, text=f"{cause.text}{_of_outputs(part.problem, outputs)}")
    places = [f for f in part.findings if f.relative_error is None and f.box.size > 1]
    places.sort(key=lambda finding: -finding.box.size)
    shown = places[: part.options.max_rows]
    for finding in shown:
        where, count, size = (
            _place(part.parameter, finding.box),
            len(finding.measured),
            finding.box.size,
        )
        text = f"wrong in {where}, {size:,} entries: in {finding.wrong} of {count} measured"
        text += _of_outputs(part.problem, [finding.output])
        yield Diagnosis(
            "place", text, {"wrong": finding.wrong, "measured": count, "entries": size}
        )
    if len(places) > len(shown):
        more = len(places) - len(shown)
        yield Diagnosis("places", f"and in {more} smaller parts of it", {"places": more})


def _shares(findings: Sequence[Finding]) -> list[tuple[float, float, list[int]]]:
    """Return shares that may be the same once, the least certain, with all their outputs."""
    groups = list[tuple[float, float, list[int]]]()
    for finding in sorted(findings, key=lambda f: f.relative_error_bound, reverse=True):
        if finding.relative_error is None:
            continue
        for share, doubt, outputs in groups:
            if abs(finding.relative_error - share) <= doubt + finding.relative_error_bound:
                outputs.append(finding.output)
                break
        else:
            groups.append((finding.relative_error, finding.relative_error_bound, [finding.output]))
    return groups


def _of_outputs(problem: Problem, outputs: Sequence[int]) -> str:
    """Say of which outputs, where there are several."""
    if not problem.outputs:
        return ""
    if len(outputs) > 1:
        return f", of {len(outputs)} outputs"
    (output,) = outputs
    block = next(b for b in problem.outputs if b.start <= output < b.stop)
    return f", of {block.entry(output - block.start)}"


def _place(parameter: Parameter, box: Box) -> str:
    """Name a box: ``W1[3, :]``."""
    if box.is_whole:
        return f"all of {parameter.name}"
    if parameter.entries is not None:
        ((start, stop),) = box.ranges
        return f"{parameter.entry(start)} to {parameter.entry(stop - 1)}"
    ranges = zip(box.ranges, parameter.axes, strict=True)
    texts = [_range(start, stop, length) for (start, stop), length in ranges]
    if not parameter.is_complex:
        return f"{parameter.name}[{', '.join(texts)}]"
    part = {"0": ".real", "1": ".imag"}.get(texts.pop(), "")
    return f"{parameter.name}[{', '.join(texts)}]{part}"


def _range(start: int, stop: int, length: int) -> str:
    if stop - start == 1:
        return str(start)
    return ":" if stop - start == length else f"{start}:{stop}"


def _notes(part: _Part, unmoved: frozenset[str]) -> Iterator[Note]:
    parameter, problem = part.parameter, part.problem
    yield from parameter.notes
    if part.findings:
        if part.screened.unexplained[part.number].any():
            text = "at least these are wrong: the search ended before it found the rest"
            yield Note("unexplained", 0, text)
        return
    if part.is_unknown:
        yield Note("inconclusive", part.checked, _why_unknown(part))
        return
    if part.held:
        text = f"{part.held:,} at entries that are zero were not looked at: a kink, or an edge"
        yield Note("inconclusive", part.held, text)
    claim = problem.claim.rows(parameter.start, parameter.stop)
    zeros = np.asarray(~claim.any(axis=1))
    poor = part.share > UNRESOLVED
    if poor and part.is_zero:
        zeros, poor = np.ones_like(zeros), False
    yield from zero_notes(
        parameter,
        zeros,
        within=part.largest + part.resolution if zeros.all() else 0.0,
        unmoved=parameter.name in unmoved,
        barren=False,
    )
    if poor:
        count = part.checked if part.share > 1 else 0
        yield Note("inconclusive", count, f"an error of {_seen(part)} in one entry could hide")
    elif not zeros.all():
        yield Note("screened", 0, f"seen: errors of one entry above {_seen(part)}")
    yield from point_notes(parameter, problem.point[parameter.start : parameter.stop])


def _seen(part: _Part) -> str:
    return f"{part.resolution:.0e} ({part.share:.0e} of a typical one)"


def _why_unknown(part: _Part) -> str:
    screened = part.screened
    if screened.unexplained[part.number].any():
        return "backward is off along random directions, but no entry was found that explains it"
    status = max(int(sight.status.max()) for sight in screened.directional_derivatives)
    edge = part.problem.edge(0, part.problem.point.size)
    reason = status_reason(Status(status), edge) or "forward is too noisy"
    return f"no direction shows it: {reason}{agreement_text(_difference(screened))}"
