"""How claims change from point to point, which shows whether they are the gradient of a function.

Backward is called at points on both sides of the point of the check, along a direction that moves
a wrong entry and two that move the others. Central differences of its claims are products with
the Jacobian of the claimed gradient. Steps are divided until `diagnose_potential` can decide.
Nothing of it runs where another cause explains what is wrong; it decides no verdict.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from pytest_gradcheck.binding.backward.claims import Claim
from pytest_gradcheck.binding.gradient_problem import Problem, no_claim
from pytest_gradcheck.diagnosis.comparison import Comparison
from pytest_gradcheck.diagnosis.conservative_field import MixedDerivatives, diagnose_potential
from pytest_gradcheck.numerics.central_difference import NOISE_FACTOR
from pytest_gradcheck.numerics.coordinate_scales import Scales
from pytest_gradcheck.numerics.measurement import EPS, Floats, Indices
from pytest_gradcheck.numerics.random_directions import seeded_generator, signed_direction
from pytest_gradcheck.numerics.refinement import Refinement, refine
from pytest_gradcheck.options import Options
from pytest_gradcheck.report.report_data import Diagnosis
from pytest_gradcheck.report_builder.parameter_report import ParameterReports

__all__ = ["with_potential"]

#: The first step, relative to the entries, and the ratio of each step to the next: a larger one
#: where claims change by more than a share of themselves, which is beyond the length over which
#: they vary.
FIRST_STEP = 2.0**-9
RATIO = 8.0
RATIO_BEYOND = 64.0
LARGEST_CHANGE = 0.1

#: The largest number of steps. Each takes two calls of backward for every direction.
MOST_STEPS = 6

#: At steps up to this one claims may change by more: they vanish at the point.
SMALLEST_STEP = 1e-8

#: Points at which entries of the directions are a few roundings away, and claims are compared for
#: their rounding error.
ROUNDED_POINTS = 3
MOST_UNITS = 8

#: Diagnoses that say where claims are wrong, and leave open why.
PLACES = frozenset({"place", "places", "coupled"})

#: Derivatives that are those of one number by several entries.
KINDS = frozenset({"gradient", "vjp", "jacobian"})


@dataclass(frozen=True, slots=True)
class _WrongClaim:
    """A claim that is wrong: whether it is zero, which one, and by how much.

    The error is relative to the larger one of claim and measurement, the excess to what is
    allowed.
    """

    is_zero: bool
    coordinate: int
    column: int
    relative_error: float
    excess: float


@dataclass(frozen=True, slots=True, eq=False)
class _Differences:
    """Differences of claims over a step: central ones, and by how much both sides differ."""

    step: float
    central: Floats
    bend: Floats


@dataclass(frozen=True, slots=True, eq=False)
class _ClaimJacobian(Refinement[float, _Differences]):
    """Products of the Jacobian of a claimed gradient with directions, at ever smaller steps.

    Attributes
    ----------
    problem : Problem
        Whose backward is called.
    column : int
        The output whose claims are differentiated.
    directions : ndarray, shape (k, n)
        The directions.
    noise, size : ndarray, shape (k,)
        The rounding error of the product of each direction with the claims, and the sum of its
        terms.
    relative_error : float
        The relative error of the wrong claim.
    step : float
        The step to take next.
    last : _Differences or None
        What was measured last.
    value, bound : ndarray, shape (k, k)
        For each product the value at the step at which its bound is smallest. Directions may
        have very different length scales: a large step suits one, a small one another.
    diagnosis : Diagnosis or None
        What is decided.
    """

    problem: Problem
    column: int
    directions: Floats
    noise: Floats
    size: Floats
    relative_error: float
    value: Floats
    bound: Floats
    step: float = FIRST_STEP
    last: _Differences | None = None
    diagnosis: Diagnosis | None = field(default=None)

    def check_termination(self) -> bool:
        """Return whether it is decided."""
        return self.diagnosis is not None

    def pre_func_eval(self) -> float | None:
        """Return the next step; None where claims are the same at the last one."""
        is_constant = self.last is not None and not self.last.central.any()
        return None if is_constant else self.step

    def func_eval(self, step: float) -> _Differences:
        """Call backward on both sides of the point, along each direction."""
        problem, base = self.problem, self._along(self.problem.claim)
        sides = [
            [self._along(problem.claim_at(problem.here + h * direction)) for h in (step, -step)]
            for direction in self.directions
        ]
        right, left = np.moveaxis(np.array(sides), 0, -1)
        central = (right - left) / (2 * step)
        bend = np.abs((right - base[:, None]) + (left - base[:, None])) / (2 * step)
        return _Differences(step, central, bend)

    def post_func_eval(self, measured: _Differences) -> _ClaimJacobian:
        """Extrapolate from this step and the last, and decide if the bounds allow it.

        The bound is the change from the last step, most of which is truncation of the larger
        step or noise of the smaller one, and half the difference of the slopes to both sides,
        which does not vanish at a kink.
        """
        step, diagnosis = measured.step, None
        change = (np.abs(measured.central) + measured.bend) * step
        is_beyond = (change > LARGEST_CHANGE * self.size[:, None]).any(axis=0)
        ratio = RATIO_BEYOND if is_beyond.any() else RATIO
        if self.last is None:
            return replace(self, step=step / ratio, last=measured)
        difference = measured.central - self.last.central
        value = measured.central + difference / ((self.last.step / step) ** 2 - 1)
        rounding = NOISE_FACTOR * self.noise[:, None] / step
        bound = np.abs(difference) + measured.bend + rounding
        is_better = (bound < self.bound) & (~is_beyond | (step <= SMALLEST_STEP))
        value = np.where(is_better, value, self.value)
        bound = np.where(is_better, bound, self.bound)
        if np.isfinite(bound).all():
            derivatives = MixedDerivatives(value, bound, self.size, self.relative_error)
            diagnosis = diagnose_potential(derivatives, self._claimed())
        return replace(
            self, step=step / ratio, last=measured, value=value, bound=bound, diagnosis=diagnosis
        )

    def _along(self, claim: Claim | None) -> Floats:
        """Return the products of the claims with each direction, NaN where there is no claim."""
        if claim is None:
            return np.full(len(self.directions), np.nan)
        return np.array([claim.along(0, d)[self.column] for d in self.directions])

    def _claimed(self) -> str:
        outputs = (b for b in self.problem.outputs if b.start <= self.column < b.stop)
        output = next((b.entry(self.column - b.start) for b in outputs), None)
        return "this gradient" if output is None else f"this gradient of {output}"


def with_potential(
    problem: Problem,
    described: ParameterReports,
    comparisons: Sequence[Comparison],
    options: Options,
) -> ParameterReports:
    """Return the reports with whether the claims are the gradient of any function.

    Parameters
    ----------
    problem : Problem
        The problem.
    described : ParameterReports
        The reports of its parameters, with their likely causes.
    comparisons : sequence of Comparison
        The claims about the wrong ones, compared with what was measured.
    options : Options
        The seed of the directions, and the relative error that is always allowed.

    Returns
    -------
    ParameterReports
        Unchanged where another cause explains what is wrong, or nothing can be decided. Costs
        15 calls of backward for most functions, at most 39.
    """
    wrong = [report for report in described.parameters if report.verdict == "wrong"]
    causes = {
        report.name: any(cause.kind not in PLACES for cause in report.diagnosis)
        for report in wrong
    }
    is_explained = bool(described.diagnosis) or all(causes.values())
    if is_explained or problem.kind not in KINDS or problem.claim_at is no_claim:
        return described
    claims = [
        claim
        for comparison in comparisons
        if not causes[comparison.gradient.name]
        for claim in _worst_claim(problem, comparison, options.rtol)
    ]
    if not claims:
        return described
    worst = max(claims, key=lambda claim: (not claim.is_zero, claim.excess))
    explained = [p for p in problem.parameters if causes.get(p.name, False)]
    others = np.ones(problem.here.size, dtype=np.bool_)
    others[worst.coordinate] = False
    for parameter in explained:
        others[parameter.start : parameter.stop] = False
    claimed = _column(problem.claim, worst.column, others.size)
    if (others & (claimed != 0)).any():  # of others, as class labels, claims may be no function
        others &= claimed != 0
    if not others.any():
        return described
    diagnosis = _diagnose(problem, worst, np.flatnonzero(others), options.seed)
    return described if diagnosis is None else replace(described, diagnosis=(diagnosis,))


def _worst_claim(problem: Problem, comparison: Comparison, rtol: float) -> Iterator[_WrongClaim]:
    """Yield the claim about a single entry that is wrong by most."""
    single = comparison.without_directions
    if not single.is_wrong.any():
        return
    claimed = single.claimed
    depends = single.is_wrong & (claimed != 0)  # a claim of zero is likely to depend on nothing
    value = np.where(depends if depends.any() else single.is_wrong, single.value, np.nan)
    gap, size = np.abs(claimed - value), np.fmax(np.abs(claimed), np.abs(value))
    excess = gap / np.maximum(single.bound, rtol * size)
    row, column = np.unravel_index(int(np.nanargmax(excess)), excess.shape)
    entries = single.functionals.entries
    start = next(p.start for p in problem.parameters if p.name == comparison.gradient.name)
    yield _WrongClaim(
        is_zero=bool(claimed[row, column] == 0),
        coordinate=start + int(row if entries is None else entries[row]),
        column=int(column),
        relative_error=float(gap[row, column] / size[row, column]),
        excess=float(excess[row, column]),
    )


def _diagnose(
    problem: Problem, wrong: _WrongClaim, others: Indices, seed: int
) -> Diagnosis | None:
    """Return whether claims are a gradient, by a wrong entry and by two halves of others."""
    rng = seeded_generator(seed)
    segments = [(p.start, p.stop) for p in problem.parameters if p.stop > p.start]
    scale = Scales.of(problem.here, segments).own(slice(0, problem.here.size))
    shuffled = rng.permutation(others)
    parts = (np.array([wrong.coordinate]), shuffled[::2], shuffled[1::2])
    moved, signed = [part for part in parts if part.size], signed_direction(scale, rng)
    directions = np.zeros((len(moved), scale.size))
    for direction, part in zip(directions, moved, strict=True):
        direction[part] = signed[part]
    read = partial(_column, column=wrong.column, size=scale.size)
    claim, unit = read(problem.claim), np.zeros(scale.size)
    for parameter, rounding in zip(problem.parameters, problem.roundings, strict=True):
        unit[parameter.start : parameter.stop] = max(rounding, EPS)
    noise, is_moved = unit * np.abs(claim), directions.any(axis=0)
    for _ in range(ROUNDED_POINTS):
        units = unit * rng.integers(-MOST_UNITS, MOST_UNITS + 1, scale.size)
        rounded = problem.claim_at(problem.here * np.where(is_moved, 1 + units, 1.0))
        if rounded is not None:
            noise = np.maximum(noise, np.abs(read(rounded) - claim))
    with np.errstate(all="ignore"):
        jacobian = _ClaimJacobian(
            problem=problem,
            column=wrong.column,
            directions=directions,
            noise=np.abs(directions) @ noise,
            size=np.abs(directions) @ np.abs(claim),
            relative_error=wrong.relative_error,
            value=np.zeros((len(moved), len(moved))),
            bound=np.full((len(moved), len(moved)), np.inf),
        )
        return refine(jacobian, maxiter=MOST_STEPS).diagnosis


def _column(claim: Claim, column: int, size: int) -> Floats:
    return claim.rows(0, size)[:, column]
