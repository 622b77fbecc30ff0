"""The reports of the parameters of a fast check, which was screened along random directions.

Entries that were measured one by one are described as in a full check. For the others the
report states the smallest error that the screen would have detected. This module does not
evaluate functions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import prod

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.binding.gradient_problem import Problem
from pytest_gradcheck.binding.values.parameters import Parameter
from pytest_gradcheck.diagnosis.comparison import Comparison, Functionals
from pytest_gradcheck.diagnosis.gradient import ClaimedGradient
from pytest_gradcheck.diagnosis.places import TINY
from pytest_gradcheck.judgement.entry_verdicts import VerdictCode, are_verified_zero
from pytest_gradcheck.numerics.measurement import Measurement, Status
from pytest_gradcheck.numerics.screening.screen_result import UNRESOLVED, Finding, ScreenResult
from pytest_gradcheck.numerics.screening.subarrays import Box
from pytest_gradcheck.options import Options
from pytest_gradcheck.report.report_data import (
    Diagnosis,
    ErrorMap,
    Note,
    ParameterReport,
    Verdict,
)
from pytest_gradcheck.report_builder.caveats import point_notes, zero_notes
from pytest_gradcheck.report_builder.claims_at_nearby_points import NearbyClaims, NearbyEntryClaims
from pytest_gradcheck.report_builder.failing_checks.directional_products import (
    DirectionalProducts,
    products_of,
)
from pytest_gradcheck.report_builder.failing_checks.error_maps import (
    INCONCLUSIVE,
    REGION,
    SCREENED,
    Codes,
    agreement_codes,
    entry_codes,
    error_map,
)
from pytest_gradcheck.report_builder.failing_checks.likely_causes import (
    claimed_gradient,
    compare_all_entries,
    compare_entries,
)
from pytest_gradcheck.report_builder.failing_checks.unexplained_residuals import compare_residuals
from pytest_gradcheck.report_builder.parameter_evidence import Evidence
from pytest_gradcheck.report_builder.parameter_report import (
    ROUNDING,
    ParameterReports,
    agreement_text,
    describe_parameter,
    relative_difference,
    status_reason,
)

__all__ = ["describe_screened", "has_rounding_note", "keep_inconclusive", "with_rounding_notes"]

#: A note states the rounding error of backward if it exceeds this share of its claims.
NOTABLE_ROUNDING = 1e-12

#: The most right claims that are compared besides wrong ones, and their uncertainty.
MOST_RIGHT = 64
SLIGHT = 1e-3


@dataclass(frozen=True, slots=True)
class _ScreenedParameter:
    """The result of a screen for one parameter, which is its segment `number`.

    `resolution` is the smallest error of one entry that the screen would have detected, and
    `relative_resolution` the same relative to a typical claim. `findings` are the places in
    this parameter where claims are wrong.
    """

    problem: Problem
    screened: ScreenResult
    options: Options
    parameter: Parameter
    number: int
    rounding: float
    nearby: NearbyClaims
    resolution: float
    relative_resolution: float
    findings: Sequence[Finding]

    @property
    def measured(self) -> dict[int, Measurement]:
        """Measurements of single coordinates, counted from the first of the parameter."""
        start = self.parameter.start
        return {
            coordinate - start: measurement
            for finding in self.findings
            for coordinate, measurement in finding.measured
        }

    @property
    def checked(self) -> int:
        """The number of derivatives."""
        return self.problem.base.size * (self.parameter.stop - self.parameter.start)

    @property
    def fixed(self) -> int:
        """The number of derivatives that were not measured, because forward has a kink there."""
        if not self.screened.fixed.size:
            return 0
        ends = [self.parameter.start, self.parameter.stop]
        first, last = np.searchsorted(self.screened.fixed, ends).tolist()
        return self.problem.base.size * int(last - first)

    @property
    def largest(self) -> float:
        """The magnitude of the largest claim."""
        claim = self.problem.claim.rows(self.parameter.start, self.parameter.stop)
        return float(np.abs(claim).max(initial=0.0))

    @property
    def is_zero(self) -> bool:
        """Whether all derivatives are verified to be zero within the resolution."""
        screened, start, stop = self.screened, self.parameter.start, self.parameter.stop
        scale = screened.scales.meaningful(slice(start, stop))[:, None]
        changes = np.abs(self.problem.claim.rows(start, stop)) * scale
        limit = screened.detection_limit[self.number]
        largest = changes.max(axis=0, initial=0.0)
        return bool(are_verified_zero(largest, limit, screened.sizes).all())

    @property
    def is_unresolved(self) -> bool:
        """Whether an error that is not small against a typical claim could hide."""
        return self.relative_resolution > UNRESOLVED and not self.is_zero

    @property
    def is_unknown(self) -> bool:
        """Whether no claim was verified."""
        unexplained = self.screened.unexplained[self.number].any()
        return bool(unexplained) or not np.isfinite(self.resolution)


def describe_screened(
    problem: Problem, screened: ScreenResult, options: Options, nearby: NearbyClaims
) -> ParameterReports:
    """Return the reports of all parameters, from directions and single entries.

    Parameters
    ----------
    problem : Problem
        The problem with its claims.
    screened : ScreenResult
        The result of the screen.
    options : Options
        The options of the check.
    nearby : NearbyClaims
        Claims at nearby points, which may excuse a slight difference.
    """
    unused = problem.unmoved()
    reports, comparisons, number = list[ParameterReport](), list[Callable[[], Comparison]](), 0
    resolutions = (screened.detection_limit.max(axis=1) / screened.smallest_scale).tolist()
    relative_resolutions = screened.relative_detection_limit.max(axis=1).tolist()
    error_maps: dict[str, Callable[[], ErrorMap | None]] = {}
    findings: dict[int, list[Finding]] = {}
    for finding in screened.findings:
        findings.setdefault(finding.box.segment.start, []).append(finding)
    for parameter, rounding in zip(problem.parameters, problem.roundings, strict=True):
        if parameter.start == parameter.stop:
            part = _ScreenedParameter(
                problem, screened, options, parameter, 0, rounding, nearby, np.inf, 0.0, ()
            )
            reports.append(_report_without_entries(part, "correct", parameter.notes))
            continue
        part = _ScreenedParameter(
            problem,
            screened,
            options,
            parameter,
            number,
            rounding,
            nearby,
            resolutions[number],
            relative_resolutions[number],
            findings.get(parameter.start, ()),
        )
        measurement = screened.swept.get(number)
        codes: Callable[[], Codes] = partial(_codes, part)
        if measurement is not None:
            coordinates = np.arange(parameter.start, parameter.stop)
            evidence = _evidence(part, parameter, coordinates, measurement, unused)
            codes = partial(entry_codes, evidence)
            reports.append(describe_parameter(evidence, max_rows=options.max_rows))
            if reports[-1].verdict == "wrong":
                comparisons.append(partial(compare_all_entries, problem, evidence))
        else:
            reports.append(_describe_unmeasured(part, unused))
            if reports[-1].verdict == "wrong":
                comparisons += _comparisons(part)
        if reports[-1].verdict != "correct":
            error_maps[parameter.name] = partial(_error_map, parameter, codes)
        number += 1
    return ParameterReports(
        "fast",
        tuple(reports),
        _directional_difference(screened),
        comparisons=(*comparisons, *compare_residuals(problem, screened)),
        error_maps=error_maps,
    )


def _error_map(parameter: Parameter, codes: Callable[[], Codes]) -> ErrorMap | None:
    return error_map(parameter, codes())


def _codes(part: _ScreenedParameter) -> Codes:
    """Return what was seen of each entry of a parameter that is not correct.

    Single measurements tell more than the region that they are in; a relative error that all
    claims have in common was seen by directions.
    """
    start, stop, screened = part.parameter.start, part.parameter.stop, part.screened
    remaining = _excuse_findings(part)[0].findings
    hides = not remaining and (part.is_unknown or part.is_unresolved)
    codes = np.full(stop - start, INCONCLUSIVE if hides else SCREENED, dtype=np.uint8)
    is_own = (start <= screened.fixed) & (screened.fixed < stop)
    codes[screened.fixed[is_own] - start] = INCONCLUSIVE
    for finding in remaining:
        if finding.relative_error is None:
            finding.box.view(codes)[...] = REGION
    if measured := part.measured:
        codes[sorted(measured)] = entry_codes(_single_entries(part, measured))
    for finding in remaining:
        if finding.relative_error is not None:  # claims of zero have none
            wrong = part.problem.claim.rows(start, stop)[:, finding.output] != 0
            implied = agreement_codes(np.ones(1), np.array([1 - finding.relative_error]))
            codes[wrong] = np.maximum(codes[wrong], implied)
    return codes


def has_rounding_note(report: ParameterReport) -> bool:
    """Return whether the rounding of backward explains claims that seemed to be wrong."""
    return any(note.kind == "rounding" for note in report.notes)


def with_rounding_notes(problem: Problem, shares: Mapping[int, float]) -> Problem:
    """Return the problem with notes on parameters whose claims have large rounding errors.

    Parameters
    ----------
    problem : Problem
        The problem.
    shares : mapping of int to float
        The relative rounding error of the claims, by the first coordinate of a parameter.
    """

    def with_note(parameter: Parameter) -> Parameter:
        share = shares.get(parameter.start, 0.0)
        if share <= NOTABLE_ROUNDING or parameter.start == parameter.stop:
            return parameter
        text = f"backward's own rounding: claims of {parameter.name} are accurate to {share:.0e}"
        note = Note("rounding", 0, f"{text} of their size")
        return replace(parameter, notes=(*parameter.notes, note))

    return replace(problem, parameters=tuple(with_note(p) for p in problem.parameters))


def keep_inconclusive(second: ParameterReports, first: ParameterReports) -> ParameterReports:
    """Return the reports of a second screen, as inconclusive as those of the first.

    Parameters
    ----------
    second, first : ParameterReports
        The reports of the screen that allows for the rounding of all claims, and those of the
        screen before it.
    """
    reports = [
        replace(new, verdict="inconclusive", notes=(*new.notes, *_rounding_notes(old)))
        if new.verdict == "correct" and old.verdict == "inconclusive" and has_rounding_note(old)
        else new
        for new, old in zip(second.parameters, first.parameters, strict=True)
    ]
    return replace(second, parameters=tuple(reports))


def _rounding_notes(report: ParameterReport) -> tuple[Note, ...]:
    """Return the notes on entries that are inconclusive because of rounding."""
    return tuple(n for n in report.notes if n.kind == "inconclusive" and ROUNDING in n.text)


def _directional_difference(screened: ScreenResult) -> float:
    """Return the relative difference of the derivatives along all directions.

    Those that cannot be distinguished from zero count as zero.
    """
    claimed = np.stack([s.claimed for s in screened.directional_derivatives])
    measured = np.stack([s.measured for s in screened.directional_derivatives])
    return relative_difference(
        claimed, measured, np.stack([s.nonzero for s in screened.directional_derivatives])
    )


def _evidence(
    part: _ScreenedParameter,
    parameter: Parameter,
    coordinates: NDArray[np.intp],
    measurement: Measurement,
    unused: frozenset[str] = frozenset(),
) -> Evidence:
    """Return the evidence for coordinates that were measured one by one."""
    problem, options = part.problem, part.options
    return Evidence(
        parameter=parameter,
        point=problem.point[coordinates],
        outputs=problem.outputs,
        claim=problem.claim.take(coordinates),
        measurement=measurement,
        natural=part.screened.natural_slopes(coordinates),
        rounding=part.rounding,
        rtol=options.rtol,
        is_unused=parameter.name in unused,
        nearby=NearbyEntryClaims(part.nearby, coordinates, (parameter.start, parameter.stop)),
        edge=lambda row: problem.edge(int(coordinates[row]), int(coordinates[row]) + 1),
    )


def _describe_unmeasured(part: _ScreenedParameter, unused: frozenset[str]) -> ParameterReport:
    """Return the report of a parameter of which few entries were measured, or none."""
    part, excuses = _excuse_findings(part)
    if not part.findings:
        is_inconclusive = part.is_unknown or part.fixed or part.is_unresolved
        is_inconclusive |= any(note.kind == "inconclusive" for note in excuses)
        notes = (*_notes(part, unused), *excuses)
        return _report_without_entries(
            part, "inconclusive" if is_inconclusive else "correct", notes
        )
    report = _report_without_entries(part, "wrong", part.parameter.notes)
    measured = part.measured
    if measured:
        report = _describe_single_entries(part, measured)
    return replace(
        report,
        verdict="wrong",
        wrong=_count_wrong(part),
        checked=part.checked,
        resolution=part.resolution,
        notes=tuple(_notes(part, unused)),
    )


def _excuse_findings(part: _ScreenedParameter) -> tuple[_ScreenedParameter, tuple[Note, ...]]:
    """Leave out the findings that the rounding of backward explains; return notes on these."""
    if not part.findings:
        return part, ()
    notes = [_excuse(part, finding) for finding in part.findings]
    remaining = [
        finding for finding, excuse in zip(part.findings, notes, strict=True) if not excuse
    ]
    return replace(part, findings=remaining), tuple(note for excuse in notes for note in excuse)


def _excuse(part: _ScreenedParameter, finding: Finding) -> list[Note]:
    """Return notes on rounding if it explains every measurement of a finding, else none."""
    start = part.parameter.start
    measured = {coordinate - start: single for coordinate, single in finding.measured}
    if not measured:
        return []
    report = _describe_single_entries(part, measured)
    notes = [note for note in report.notes if note.kind == "rounding"]
    if report.wrong or not notes:
        return []
    count = sum(note.count for note in report.notes if note.kind == "inconclusive")
    if count:
        text = f"{count} of {part.checked} inconclusive: {ROUNDING}"
        notes.append(Note("inconclusive", count, text))
    return notes


def _count_wrong(part: _ScreenedParameter) -> int:
    """Return the number of wrong derivatives; findings may overlap."""
    outputs: dict[int, NDArray[np.bool_]] = {}
    for finding in part.findings:
        size = finding.box.segment.size
        is_wrong = outputs.setdefault(finding.output, np.zeros(size, dtype=np.bool_))
        if finding.relative_error is None:
            finding.box.view(is_wrong)[...] = True
        else:  # claims of zero have no relative error
            rows = part.problem.claim.rows(part.parameter.start, part.parameter.stop)
            is_wrong |= rows[:, finding.output] != 0
    return sum(int(np.count_nonzero(is_wrong)) for is_wrong in outputs.values())


def _describe_single_entries(
    part: _ScreenedParameter, measured: Mapping[int, Measurement]
) -> ParameterReport:
    return describe_parameter(_single_entries(part, measured), max_rows=part.options.max_rows)


def _single_entries(part: _ScreenedParameter, measured: Mapping[int, Measurement]) -> Evidence:
    """Return the evidence for entries that were measured one by one, in order."""
    parameter, coordinates = part.parameter, sorted(measured)
    entries = parameter.entries
    chosen = tuple(k if entries is None else entries[k] for k in coordinates)
    return _evidence(
        part,
        replace(parameter, entries=chosen, notes=()),
        np.array(coordinates) + parameter.start,
        _concatenate([measured[k] for k in coordinates]),
    )


def _concatenate(measurements: Sequence[Measurement]) -> Measurement:
    """Concatenate measurements of one coordinate each."""
    kinks = {
        (row, output): slopes
        for row, measurement in enumerate(measurements)
        for (_, output), slopes in measurement.kinks.items()
    }
    return Measurement(
        np.concatenate([m.value for m in measurements]),
        np.concatenate([m.bound for m in measurements]),
        np.concatenate([m.step for m in measurements]),
        np.concatenate([m.status for m in measurements]),
        kinks,
    )


def _report_without_entries(
    part: _ScreenedParameter, verdict: Verdict, notes: tuple[Note, ...]
) -> ParameterReport:
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


def _regions(part: _ScreenedParameter) -> Iterator[Diagnosis]:
    """Yield a diagnosis for each of the largest wrong regions.

    A region of a parameter that is wrong as a whole is none, and one of very few entries tells
    nothing: some are wrong by chance.
    """
    regions = [f for f in part.findings if f.relative_error is None and f.box.size > 1]
    whole = {f.output for f in regions if f.box.is_whole}
    regions = [
        f
        for f in regions
        if f.box.is_whole or (f.output not in whole and f.box.segment.size > TINY)
    ]
    regions.sort(key=lambda finding: -finding.box.size)
    shown = regions[: part.options.max_rows]
    for finding in shown:
        name, count = _region_name(part.parameter, finding.box), len(finding.measured)
        size = finding.box.size
        text = f"wrong in {name}, {size:,} entries: in {finding.wrong} of {count} measured"
        text += _of_outputs(part.problem, [finding.output])
        yield Diagnosis(
            "place", text, {"wrong": finding.wrong, "measured": count, "entries": size}
        )
    if len(regions) > len(shown):
        more = len(regions) - len(shown)
        yield Diagnosis("places", f"and in {more} smaller regions", {"places": more})


def _claimed_gradient(part: _ScreenedParameter) -> ClaimedGradient:
    parameter, problem = part.parameter, part.problem
    claim = problem.claim.rows(parameter.start, parameter.stop)
    return claimed_gradient(problem, parameter, claim, part.rounding)


def _comparisons(part: _ScreenedParameter) -> Iterator[Callable[[], Comparison]]:
    """Yield the comparisons of the findings: by relative errors, and by single entries."""
    part, _ = _excuse_findings(part)
    for outputs in _of_one_relative_error(part.findings):
        yield partial(_compare_directions, part, outputs)
    findings = [finding for finding in part.findings if finding.relative_error is None]
    if any(finding.measured for finding in findings):
        yield partial(_compare_single_entries, replace(part, findings=findings))


def _compare_directions(part: _ScreenedParameter, outputs: list[int]) -> Comparison:
    """Return the comparison of claims about some outputs that have a relative error in common.

    The directions show that error, and a few entries were measured to confirm it.
    """
    parameter = part.parameter
    own = [f for f in part.findings if f.output in outputs and f.relative_error is not None]
    measured = replace(part, findings=own).measured
    gradient, products = _claimed_gradient(part).of_outputs(outputs), _products(part, outputs)
    claim = gradient.claim.reshape(-1, len(outputs))
    entries = np.array(sorted(measured), dtype=np.intp)
    value, bound = np.zeros((2, 0, len(outputs)))
    wrong = right = np.zeros((0, len(outputs)), dtype=np.bool_)
    if measured:
        measurement = _concatenate([measured[k] for k in entries.tolist()])
        evidence = _evidence(part, parameter, entries + parameter.start, measurement)
        value, bound = measurement.value[:, outputs], measurement.bound[:, outputs]
        wrong = evidence.judgement.has_code(VerdictCode.WRONG)[:, outputs]
        right = evidence.judgement.has_code(VerdictCode.CORRECT)[:, outputs]
    if len(claim) == 1:
        entries, wrong = np.zeros(1, dtype=np.intp), np.ones(claim.shape, dtype=np.bool_)
        value, bound = products.of_one_entry(value, bound)
        right = ~wrong
    products = products.beyond(entries, claim)
    none = np.zeros(products.value.shape, dtype=np.bool_)
    return Comparison(
        gradient=gradient,
        functionals=Functionals(entries, products.directions),
        value=np.concatenate([value, products.value]),
        bound=np.concatenate([bound, products.bound]),
        is_wrong=np.concatenate([wrong, ~none]),
        is_right=np.concatenate([right, none]),
        suspects=np.ones(gradient.claim.shape, dtype=np.bool_),
        outputs=_of_outputs(part.problem, outputs),
    )


def _products(part: _ScreenedParameter, outputs: list[int]) -> DirectionalProducts:
    """Return what the directions tell of some outputs; nothing where there are other errors."""
    parameter, screened = part.parameter, part.screened
    found = [finding for finding in screened.findings if finding.output in outputs]
    together = {f.box.segment.start: f.box.segment for f in found if f.relative_error is not None}
    products = products_of(
        part.problem,
        screened,
        slice(parameter.start, parameter.stop),
        [slice(start, start + segment.size) for start, segment in together.items()],
    ).of_outputs(outputs)
    if any(finding.relative_error is None for finding in found):
        return replace(products, bound=np.full(products.bound.shape, np.inf))
    return products


def _compare_single_entries(part: _ScreenedParameter) -> Comparison:
    """Return the comparison of entries that were measured one by one.

    The screen verified the claims elsewhere: some of them are compared as well.
    """
    parameter = part.parameter
    entries = np.array(sorted(part.measured))
    measurement = _concatenate([part.measured[k] for k in entries.tolist()])
    gradient = _claimed_gradient(part)
    evidence = _evidence(part, parameter, entries + parameter.start, measurement)
    comparison = compare_entries(gradient, evidence, entries)
    suspects, regions = comparison.suspects.copy(), tuple(_regions(part))
    for finding in part.findings:
        finding.box.view(suspects[..., finding.output].reshape(-1))[...] = True
    rows = gradient.claim.reshape(gradient.value.size, -1)
    others = np.flatnonzero(rows.all(axis=1) & ~suspects.reshape(rows.shape).any(axis=1))
    others = others[:: -(-others.size // MOST_RIGHT)] if others.size else others
    is_wrong = np.zeros((others.size, rows.shape[1]), dtype=np.bool_)
    right = replace(
        comparison,
        functionals=Functionals(others),
        value=rows[others],
        bound=SLIGHT * np.abs(rows[others]),
        is_wrong=is_wrong,
        is_right=~is_wrong,
    )
    return replace(comparison.joined(right), suspects=suspects, regions=regions)


def _of_one_relative_error(findings: Sequence[Finding]) -> list[list[int]]:
    """Return the outputs whose claims have a relative error, by distinct errors."""
    groups = list[tuple[Finding, list[int]]]()
    for finding in sorted(findings, key=lambda f: f.relative_error_bound, reverse=True):
        if finding.relative_error is None:
            continue
        for first, outputs in groups:
            distance = abs(finding.relative_error - (first.relative_error or 0.0))
            if distance <= first.relative_error_bound + finding.relative_error_bound:
                outputs.append(finding.output)
                break
        else:
            groups.append((finding, [finding.output]))
    return [outputs for _, outputs in groups]


def _of_outputs(problem: Problem, outputs: Sequence[int]) -> str:
    """Return a clause that names the outputs, if there are several."""
    if not problem.outputs:
        return ""
    if len(outputs) > 1:
        return f", of {len(outputs)} outputs"
    (output,) = outputs
    block = next(b for b in problem.outputs if b.start <= output < b.stop)
    return f", of {block.entry(output - block.start)}"


def _region_name(parameter: Parameter, box: Box) -> str:
    """Return the name of a box: ``W1[3, :]``."""
    if box.is_whole:
        return f"all of {parameter.name}"
    if parameter.entries is not None:
        ((start, stop),) = box.ranges
        return f"{parameter.entry(start)} to {parameter.entry(stop - 1)}"
    ranges = zip(box.ranges, parameter.axes, strict=True)
    texts = [_index_text(start, stop, length) for (start, stop), length in ranges]
    if not parameter.is_complex:
        return f"{parameter.name}[{', '.join(texts)}]"
    part = {"0": ".real", "1": ".imag"}.get(texts.pop(), "")
    return f"{parameter.name}[{', '.join(texts)}]{part}"


def _index_text(start: int, stop: int, length: int) -> str:
    if stop - start == 1:
        return str(start)
    return ":" if stop - start == length else f"{start}:{stop}"


def _notes(part: _ScreenedParameter, unused: frozenset[str]) -> Iterator[Note]:
    parameter, problem = part.parameter, part.problem
    yield from parameter.notes
    if part.findings:
        if part.screened.unexplained[part.number].any():
            text = "at least these are wrong: the search ended before it found the rest"
            yield Note("unexplained", 0, text)
        return
    if part.is_unknown:
        yield Note("inconclusive", part.checked, _unknown_reason(part))
        return
    if part.fixed:
        text = (
            f"{part.fixed:,} at entries that are zero were not measured: forward has a kink or "
            "an edge there"
        )
        yield Note("inconclusive", part.fixed, text)
    claim = problem.claim.rows(parameter.start, parameter.stop)
    zeros = np.asarray(~claim.any(axis=1))
    is_unresolved = part.relative_resolution > UNRESOLVED
    if is_unresolved and part.is_zero:
        zeros, is_unresolved = np.ones_like(zeros), False
    yield from zero_notes(
        parameter,
        zeros,
        largest=part.largest + part.resolution if zeros.all() else 0.0,
        is_unused=parameter.name in unused,
        is_measured_zero=False,
    )
    if is_unresolved:
        count = part.checked if part.relative_resolution > 1 else 0
        yield Note(
            "inconclusive", count, f"an error of {_resolution_text(part)} in one entry could hide"
        )
    elif not zeros.all():
        yield Note(
            "screened", 0, f"errors of one entry above {_resolution_text(part)} would be detected"
        )
    yield from point_notes(parameter, problem.point[parameter.start : parameter.stop])


def _resolution_text(part: _ScreenedParameter) -> str:
    return f"{part.resolution:.0e} ({part.relative_resolution:.0e} of a typical one)"


def _unknown_reason(part: _ScreenedParameter) -> str:
    screened = part.screened
    if screened.unexplained[part.number].any():
        return "backward is wrong along random directions, but no entry was found that explains it"
    status = max(int(each.status.max()) for each in screened.directional_derivatives)
    edge = part.problem.edge(0, part.problem.point.size)
    reason = status_reason(Status(status), edge) or "forward is too noisy"
    digits = agreement_text(_directional_difference(screened))
    return f"not measurable along any direction: {reason}{digits}"
