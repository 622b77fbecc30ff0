"""The likely causes of wrong gradients, added to the reports of the parameters.

It puts a problem into the arrays that the hypotheses of `diagnosis` are made from. Nothing of it
runs on a check without a wrong parameter, and it decides no verdict.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cached_property, partial
from math import prod

import numpy as np

from pytest_gradcheck.binding.backward.claims import Claim
from pytest_gradcheck.binding.gradient_problem import Problem
from pytest_gradcheck.binding.values.parameters import Block, Parameter
from pytest_gradcheck.diagnosis.comparison import Comparison, Functionals, no_comparison
from pytest_gradcheck.diagnosis.diagnose import Suggest, diagnose
from pytest_gradcheck.diagnosis.gradient import (
    CheckedCall,
    ClaimedGradient,
    Floats,
    OperandArray,
    OutputValues,
)
from pytest_gradcheck.diagnosis.named_numbers import NamedNumber
from pytest_gradcheck.judgement.entry_verdicts import SCATTER_FACTOR, VerdictCode
from pytest_gradcheck.numerics.measurement import Indices
from pytest_gradcheck.numerics.random_directions import seeded_generator
from pytest_gradcheck.report.report_data import Diagnosis
from pytest_gradcheck.report_builder.parameter_evidence import Evidence
from pytest_gradcheck.report_builder.parameter_report import ParameterReports

__all__ = [
    "claimed_gradient",
    "compare_all_entries",
    "compare_entries",
    "output_noise",
    "with_diagnoses",
]

#: The relative distance of a nearby point: a nearer one where forward or backward raises there.
NEARBY = (1e-2, 1e-4)

#: A slope is another one where its change over this distance exceeds so many roundings of outputs.
CURVED = 64.0

#: The one output of a check whose outputs are one number.
ONE = Block("output", (), "float64", 0, 1)


def with_diagnoses(
    problem: Problem,
    described: ParameterReports,
    comparisons: Sequence[Comparison],
    *,
    convention: str,
    suggest: Suggest,
) -> ParameterReports:
    """Return the reports with the likely causes of what is wrong.

    Parameters
    ----------
    problem : Problem
        The problem.
    described : ParameterReports
        The reports of its parameters.
    comparisons : sequence of Comparison
        The claims about the wrong ones, compared with what was measured.
    convention : {"pytorch", "jax"}
        The convention for claims about complex parameters.
    suggest : callable
        Hypotheses of a suite's own.
    """
    if not comparisons:
        return described
    called_again = _CalledAgain(problem)
    causes = diagnose(
        [called_again.add_to(comparison) for comparison in comparisons],
        _checked_call(problem, convention, comparisons[0].gradient.claim.shape[-1]),
        suggest=suggest,
        any_right=any(
            report.verdict == "correct" and _has_claims(problem, report.name)
            for report in described.parameters
        ),
    )
    found: dict[str, tuple[Diagnosis, ...]] = {}
    for comparison, own in zip(comparisons, causes.of_parameters, strict=True):
        name = comparison.gradient.name
        found[name] = (*found.get(name, ()), *own)
    parameters = tuple(
        replace(report, diagnosis=(*report.diagnosis, *found.get(report.name, ())))
        for report in described.parameters
    )
    names = {report.name for report in described.parameters}
    of_all = [one for name, own in found.items() if name not in names for one in own]
    return replace(described, parameters=parameters, diagnosis=(*causes.of_all, *of_all))


class _CalledAgain:
    """Claims of further calls of backward, which are made when they are first asked for."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._parameters = {p.name: p for p in problem.parameters}

    @cached_property
    def doubled(self) -> Claim | None:
        """The claim for twice the cotangent."""
        return self._problem.claim_of_multiple(2.0)

    @cached_property
    def of_two_uses(self) -> Claim | None:
        """The claim for two calls of forward with the same objects."""
        return self._problem.claim_of_two_uses()

    @cached_property
    def nearby(self) -> tuple[Floats, Claim | None]:
        """The way to a nearby point, and the claim there.

        It is no multiple of the point: along that the slope of a homogeneous function is the same.
        """
        here = self._problem.here
        signs = seeded_generator(0).choice([-1.0, 1.0], here.size)
        step, claim = np.zeros_like(here), None
        for distance in NEARBY:
            step = distance * signs * np.where(here == 0, 1.0, here)
            claim = self._problem.claim_at(here + step)
            if claim is not None:
                break
        return step, claim

    def has_other_slope(self, parameter: Parameter) -> bool:
        """Return whether the slope along a parameter is another one at the nearby point."""
        here, step = self._problem.here, self.nearby[0]
        there, along = here + step, np.zeros_like(here)
        along[parameter.start : parameter.stop] = step[parameter.start : parameter.stop]
        values = self._problem.evaluate([here + along, there, there + along])
        slope = values[0] - self._problem.base
        change = (values[2] - values[1]) - slope
        # Terms that cancel inside forward round more than its outputs tell.
        straight = np.sqrt(_output_rounding(self._problem)) * np.abs(slope)
        noise = CURVED * output_noise(self._problem)
        return bool((np.abs(change) > np.maximum(noise, straight)).any())

    def add_to(self, comparison: Comparison) -> Comparison:
        """Return a comparison that may ask for these claims about its parameter."""
        gradient = comparison.gradient
        parameter, shape = self._parameters.get(gradient.name), gradient.claim.shape
        if parameter is None or self._problem.tangent is not None:
            return comparison
        start, stop = parameter.start, parameter.stop

        def read(claim: Claim | None) -> Floats | None:
            rows = None if claim is None else claim.rows(start, stop)
            return rows.reshape(shape) if rows is not None and rows.size == prod(shape) else None

        def elsewhere() -> Floats | None:
            found = read(self.nearby[1])
            is_same = found is not None and bool((found == gradient.claim).all())
            return None if is_same and not self.has_other_slope(parameter) else found

        called = replace(
            gradient,
            doubled=lambda: read(self.doubled),
            elsewhere=elsewhere,
            of_two_uses=lambda: read(self.of_two_uses),
        )
        return replace(comparison, gradient=called)


def output_noise(problem: Problem) -> Floats:
    """Return the rounding errors of the outputs at the point, or their noise, shape (m,)."""
    base = problem.base
    rounding = _output_rounding(problem) * np.abs(base)
    return np.asarray(np.maximum(rounding, np.abs(problem.repeat - base)))


def _output_rounding(problem: Problem) -> float:
    """Return the relative rounding error of the outputs, by the precision that all have."""
    base = problem.base
    with np.errstate(all="ignore"):
        is_single = bool((base.astype(np.float32) == base).all())
    return float(np.finfo(np.float32 if is_single else np.float64).eps)


def _has_claims(problem: Problem, name: str) -> bool:
    """Return whether any claim about a parameter is not zero."""
    return any(
        bool(problem.claim.stored(p.start, p.stop).any())
        for p in problem.parameters
        if p.name == name
    )


def claimed_gradient(
    problem: Problem,
    parameter: Parameter,
    claim: Floats,
    rounding: float,
    outputs: Indices | None = None,
) -> ClaimedGradient:
    """Return the claims about a parameter, with what hypotheses need to know of it.

    Parameters
    ----------
    problem : Problem
        The problem.
    parameter : Parameter
        One of its parameters, or the direction of a Jacobian-vector product.
    claim : ndarray, shape (n, m)
        The claims about all its entries.
    rounding : float
        The relative rounding error of these.
    outputs : ndarray of int, shape (n, m), optional
        The outputs that these are about; all of them by default.
    """
    axes, start, stop = parameter.axes, parameter.start, parameter.stop
    is_direction = problem.tangent is not None
    is_array = parameter.entries is None and not is_direction
    return ClaimedGradient(
        name=parameter.name,
        value=(np.zeros(1) if is_direction else problem.here[start:stop]).reshape(axes),
        claim=claim.reshape(*axes, -1),
        is_array=is_array,
        imaginary=_imaginary(problem, parameter, outputs) if is_array else np.zeros(1, dtype=bool),
        rounding=rounding,
        output=_outputs_of(problem, parameter, outputs),
    )


def _imaginary(
    problem: Problem, parameter: Parameter, outputs: Indices | None
) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Return which derivatives change their sign under conjugation, of the shape of the claim."""
    blocks = problem.outputs or (ONE,)
    if not parameter.is_complex and not any(block.is_complex for block in blocks):
        return np.zeros(1, dtype=np.bool_)
    own = _are_imaginary((parameter,), parameter.stop - parameter.start)[:, None]
    of_outputs = _are_imaginary(blocks, blocks[-1].stop)
    found = own ^ (of_outputs if outputs is None else of_outputs[outputs])
    return np.asarray(found.reshape(*parameter.axes, -1))


def _are_imaginary(
    blocks: Iterable[Block], size: int
) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Return which coordinates are imaginary parts; `blocks` follow each other without gaps."""
    result = np.zeros(size, dtype=np.bool_)
    start = 0
    for block in blocks:
        stop = start + block.stop - block.start
        result[start + 1 : stop : 2] = block.is_complex
        start = stop
    return result


def _outputs_of(problem: Problem, parameter: Parameter, outputs: Indices | None) -> Floats | None:
    """Return the outputs that derivatives are of, in a shape that broadcasts to the claims."""
    values, blocks = problem.output_values, problem.outputs_at_base
    if values is None or parameter.is_complex or any(block.is_complex for block in blocks):
        return None
    if outputs is not None:
        return np.asarray(values[outputs].reshape(*parameter.axes, -1))
    if problem.cotangent is not None or problem.tangent is not None:
        is_own = len(blocks) == 1 and blocks[0].shape == parameter.shape and values.size > 1
        return values.reshape(*parameter.axes, 1) if is_own else None
    return values if values.size > 1 else None


def _checked_call(problem: Problem, convention: str, width: int) -> CheckedCall:
    """Return what is known about the call, with claims about so many outputs of each entry."""
    other = None
    if not any(block.is_complex for block in problem.outputs):
        other = "pytorch" if convention == "jax" else "jax"
    gradients: tuple[ClaimedGradient, ...] = ()
    if problem.tangent is None:
        read = problem.claim.stored if width < problem.base.size else problem.claim.rows
        gradients = tuple(
            claimed_gradient(problem, p, read(p.start, p.stop), rounding)
            for p, rounding in zip(problem.parameters, problem.roundings, strict=True)
            if p.stop > p.start
        )
    outputs = tuple(_output_values(problem))
    values, checked = problem.call_values(), {p.name for p in problem.parameters}
    numbers = [NamedNumber(n.name, n.value, n.is_size) for n in values.numbers]
    numbers += [NamedNumber(o.name, float(o.value.item())) for o in outputs if o.value.size == 1]
    arrays = [OperandArray(name, array) for name, array in values.arrays if name not in checked]
    arrays += [OperandArray(g.name, g.value) for g in gradients if g.is_array]
    return CheckedCall(
        gradients, outputs, tuple(numbers), tuple(arrays), other, problem.is_automatic
    )


def _output_values(problem: Problem) -> Iterable[OutputValues]:
    """Yield the real outputs of forward."""
    values, cotangent = problem.output_values, problem.cotangent
    for block in problem.outputs_at_base:
        if values is None or block.is_complex:
            continue
        part = slice(block.start, block.stop)
        upstream = None if cotangent is None else cotangent[part].reshape(block.shape)
        yield OutputValues(block.name, values[part].reshape(block.shape), upstream)


def compare_all_entries(problem: Problem, evidence: Evidence) -> Comparison:
    """Return the comparison of all entries of a parameter, each of which was measured."""
    gradient = claimed_gradient(
        problem, evidence.parameter, evidence.claim, evidence.rounding, evidence.output_indices
    )
    comparison = compare_entries(gradient, evidence)
    return replace(comparison, closer=partial(_allowing_for_rounding, comparison, evidence))


def _allowing_for_rounding(comparison: Comparison, evidence: Evidence) -> Comparison | None:
    """Return a comparison whose bounds allow for the rounding of each claim, where it is larger.

    Where terms cancel inside backward, a multiple of its claims is as inaccurate as they are.
    """
    if evidence.nearby is None:
        return None
    # At all points: at a few of them claims may be the same by chance.
    scatter = SCATTER_FACTOR * evidence.nearby.scatter(lambda *_: False)
    with np.errstate(all="ignore"):
        relative = np.nan_to_num(np.abs(comparison.value / comparison.claimed), nan=0.0)
    rounding = scatter * np.maximum(relative, 1.0)
    if not (rounding > comparison.bound).any():
        return None
    return replace(comparison, bound=comparison.bound + rounding, closer=no_comparison)


def compare_entries(
    gradient: ClaimedGradient, evidence: Evidence, entries: Indices | None = None
) -> Comparison:
    """Return the comparison of claims with entries that were measured one by one.

    Parameters
    ----------
    gradient : ClaimedGradient
        The claims about all entries.
    evidence : Evidence
        The measurements, and the verdicts on them.
    entries : ndarray of int, optional
        Which entries they are, all by default.
    """
    judgement, measurement = evidence.judgement, evidence.measurement
    is_right = judgement.has_code(VerdictCode.CORRECT) & ~judgement.zeros
    is_wrong = judgement.has_code(VerdictCode.WRONG)
    suspects = is_wrong
    if entries is not None:
        suspects = np.zeros((gradient.value.size, is_wrong.shape[1]), dtype=np.bool_)
        suspects[entries] = is_wrong
    bound = measurement.bound
    if measurement.kinks:  # there is no derivative to predict
        bound = bound.copy()
        for place in measurement.kinks:
            bound[place] = np.inf
    return Comparison(
        gradient=gradient,
        functionals=Functionals(entries),
        value=measurement.value,
        bound=bound,
        is_wrong=is_wrong,
        is_right=is_right & (evidence.claim != 0),
        suspects=suspects.reshape(gradient.claim.shape),
    )
