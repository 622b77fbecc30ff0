"""The search: derivatives are measured until few statements are left that may be to blame.

It knows which values are verified, and in which way, and spends the budget of evaluations. What
that means for the statements that are left is not its affair.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.binding.backward.claims import Claim
from pytest_gradcheck.binding.gradient_problem import Problem
from pytest_gradcheck.fault_localization.adjoint_repair.adjoints import Adjoints, adjoints_of
from pytest_gradcheck.fault_localization.adjoint_repair.repairs import Repairs
from pytest_gradcheck.fault_localization.blame import Evidence, Suspicion, suspicions
from pytest_gradcheck.fault_localization.execution.execution_steps import UserCode
from pytest_gradcheck.fault_localization.execution.frame_events import CAN_REBIND
from pytest_gradcheck.fault_localization.execution.recorded_values import Recorder, Version
from pytest_gradcheck.fault_localization.execution.statements import Statement
from pytest_gradcheck.fault_localization.expression_repair.changed_statements import (
    ChangedStatements,
)
from pytest_gradcheck.fault_localization.forward_graph import ForwardGraph
from pytest_gradcheck.fault_localization.gradient_pairs import DIGITS, GradientPairs, fits
from pytest_gradcheck.fault_localization.intermediate_derivatives import (
    Directions,
    Measurements,
    Slopes,
    Target,
)
from pytest_gradcheck.fault_localization.measured_gradient import (
    MeasuredGradient,
    along_directions,
    of_all_entries,
)
from pytest_gradcheck.fault_localization.misplaced_values import is_named
from pytest_gradcheck.fault_localization.packed_claims import unpacked
from pytest_gradcheck.fault_localization.perturbed_backward.contributions import Contributions
from pytest_gradcheck.fault_localization.perturbed_backward.influence import CHANGE, Influence
from pytest_gradcheck.fault_localization.perturbed_backward.statement_reach import StatementReach
from pytest_gradcheck.fault_localization.perturbed_backward.windows import other_windows
from pytest_gradcheck.fault_localization.perturbed_backward.wrong_entries import (
    Exclusions,
    WrongEntries,
)
from pytest_gradcheck.fault_localization.step_tests import StepTests
from pytest_gradcheck.fault_localization.targets import (
    branches,
    definitions,
    parameter_targets,
    uses,
    watched,
)
from pytest_gradcheck.fault_localization.value_roles import Claims, roles_of, sizes_of
from pytest_gradcheck.report.report_data import ParameterReport

__all__ = ["Search"]

#: The most evaluations of forward; until derivatives by intermediate values are known, and those
#: through single uses of them; until other explanations are tried.
BUDGET = 200
BUDGET_OF_DERIVATIVES = 136
BUDGET_OF_USES = 172
BUDGET_OF_EVIDENCE = 188
PER_MEASUREMENT = 4
EVALUATIONS_OF_ADJOINTS = 5

#: The most seconds of the processor that measurements take, and what follows from them.
MOST_SECONDS = 3.0

#: The most parameters by which derivatives are measured before anything else.
MOST_MEASURED = 20

#: None are if one evaluation of forward takes longer, in seconds.
SLOW = 0.05

#: The evaluations that show what a value of backward influences, and what a part contributes.
PER_INFLUENCE = 9
PER_PART = 1

#: Steps are tested after so many measurements, and then each time that their number has doubled.
FIRST_MEASUREMENTS = 2

#: Uses that only confirm what a wrong line reads.
MOST_CONFIRMING = 12

#: Values whose contributions are compared; loops have very many.
MOST_COMPARED = 12


class Search:
    """The search for the wrong lines of one check.

    Parameters
    ----------
    problem : Problem
        The problem whose check failed.
    parameters : collection of ParameterReport
        What the check found.
    recorder : Recorder
        What was recorded at the base point.
    code : UserCode
        What is followed.
    seed : int
        Draws the directions.

    Attributes
    ----------
    problem, recorder : Problem, Recorder
        The same.
    roles : Roles
        What the recorded values are.
    claims : Claims
        What backward returned for the parameters.
    pairs : GradientPairs
        Which values of backward are verified.
    tests : StepTests
        The tests of steps.
    influence : Influence
        Executes backward where a value is changed.
    reach : StatementReach
        Executes backward where all values of a statement are changed.
    entries : WrongEntries
        Compares what statements reach with what is wrong.
    exclusions : Exclusions or None
        The statements that this excludes; None before it is known.
    complete : set of Version
        Values and steps that contribute rightly to a wrong gradient, which nothing else makes
        wrong: something is missing beside them.
    """

    def __init__(
        self,
        problem: Problem,
        parameters: Collection[ParameterReport],
        recorder: Recorder,
        code: UserCode,
        *,
        seed: int,
    ) -> None:
        self.recorder = recorder
        self.problem, self._code, self._seed = problem, code, seed
        self._repairs: Repairs | None = None
        self._repairing, self._end = 0, math.inf
        graph = ForwardGraph(recorder.versions, recorder.outputs(problem.take_outputs))
        self._graph = graph
        self.roles, self.claims = roles_of(problem, parameters, recorder, graph)
        made = [v for v in graph.values if v.is_floating and v.step is not None]
        epsilons = [np.finfo(v.value.dtype).eps for v in made]
        self._problem = problem
        self._directions = Directions(seed)
        self._measurements = Measurements(
            evaluate=lambda point: float(problem.attempt([point])[0, 0]),
            point=problem.here,
            code=code,
            directions=self._directions,
            epsilon=float(max(epsilons, default=np.finfo(np.float64).eps)),
            size=abs(float(problem.base[0])),
            watched=watched(graph.values),
        )
        self._uses = list(uses(recorder, graph))
        self._parameters = list(parameter_targets(problem))
        self._returned = Claims(
            dict(self.claims.wrong), dict(self.claims.right), dict(self.claims.undecided)
        )
        packed = unpacked(self.claims.wrong, self._parameters, len(recorder.versions))
        self.roles.gradients.extend(packed.claims.values())
        self.claims.undecided.update(packed.claims)
        for name in packed.parameters.values():
            self.claims.wrong.pop(name, None)
        self._whole = packed.parameters
        self._targets = [
            *self._parameters,
            *packed.targets,
            *definitions(recorder.versions, graph),
            *self._uses,
        ]
        self.pairs = GradientPairs(self.roles.gradients, self._directions)
        self.tests = StepTests(self.pairs, graph, self.roles.computed, self.roles.cotangents)
        self.influence = Influence(recorder, code, problem)
        self.reach = StatementReach(code, problem)
        self.entries = WrongEntries(
            self.reach,
            self._measurements,
            {str(t.path): t for t in (*self._parameters, *packed.targets)},
        )
        self.exclusions: Exclusions | None = None
        self._parts = {p.name: slice(p.start, p.stop) for p in problem.parameters}
        self._parts |= {str(t.path): t.part for t in packed.targets if t.part is not None}
        self._base = {
            name: problem.claim.rows(part.start, part.stop)[:, 0]
            for name, part in self._parts.items()
        }
        self._confirming = 0
        self._makes_tests = True
        self._exonerated: set[Version] = set()
        self._right_steps: set[Version] = set()
        self._undone: set[Version] = set()
        self.complete: set[Version] = set()
        self._contributions: dict[str, Contributions | None] = {}

    def repaired(self) -> Suspicion | None:
        """Return the statement with which all gradients become right if it makes other values."""
        adjoints = self.adjoints()
        if adjoints is None:
            return None
        self._repairs = repairs = Repairs(
            self.problem,
            self._code,
            self.recorder,
            roles=self.roles,
            claims=self._returned,
            adjoints=adjoints,
        )
        found = repairs.find()
        self._repairing += repairs.evaluations
        return found

    def adjoints(self) -> Adjoints | None:
        """Return the derivatives by all values of forward, None where they cannot be found."""
        self._repairing += EVALUATIONS_OF_ADJOINTS
        return adjoints_of(self.problem, self._code, self._graph, self._seed)

    def changed(self, repaired: Suspicion | None) -> dict[Statement, str] | None:
        """Return the statements of which a small change makes all gradients right, with it.

        Parameters
        ----------
        repaired : Suspicion or None
            What `repaired` has returned.

        Returns
        -------
        dict of Statement to str, or None
            Empty where none does; None where that cannot be tried.
        """
        gradient, is_verified = self._gradient(), self.is_derivative
        if gradient is None:
            return None
        repairs = self._repairs
        if repairs is not None:
            is_verified = repairs.is_known if repaired else repairs.is_named_derivative
        found = ChangedStatements(
            self.problem,
            self._code,
            self.recorder,
            self.roles,
            gradient=gradient,
            wrong=[*self._returned.wrong.values(), *self._returned.undecided.values()],
            is_verified=is_verified,
            multiple_of_named=(lambda _: None) if repairs is None else repairs.multiple_of_named,
        )
        required = None if repairs is None else repairs.required
        return found.find(repaired, required)

    def _gradient(self) -> MeasuredGradient | None:
        """Return the derivatives by all entries, or along directions; None if neither is known."""
        if self._repairs is not None:
            return of_all_entries(self.problem, self._repairs.derivatives)
        if len(self._parameters) > MOST_MEASURED or self._seconds_of_forward() > SLOW:
            return None
        return along_directions(
            self._parameters, lambda *along: self._measurements.measure(*along).output, self._seed
        )

    def _seconds_of_forward(self) -> float:
        """Return how long one evaluation of forward takes."""
        self._repairing += 1
        started = time.thread_time()
        self.problem.attempt([self.problem.here])
        return time.thread_time() - started

    def suspicion(self, changed: Mapping[Statement, str]) -> Suspicion:
        """Return the suspicion of statements of which a change makes all gradients right."""
        versions = [v for v in self.roles.gradients if v.statement in changed and v.is_floating]
        ordered = sorted(changed, key=lambda s: (s.file, s.first_line))
        repair = next(iter(changed.values())) if len(changed) == 1 else ""
        parameters = tuple(self.claims.wrong or self._returned.wrong)  # before parts are verified
        return Suspicion(parameters, tuple(ordered), tuple(versions), sure=True, repair=repair)

    def without_excluded(self, suspicion: Suspicion) -> Suspicion:
        """Return a suspicion without statements that do not explain which entries are wrong."""
        exclusions = self.exclusions or Exclusions()
        excluded = exclusions.innocent.union(*exclusions.unable.values())
        left = tuple(s for s in suspicion.statements if s not in excluded)
        return replace(suspicion, statements=left)

    def is_derivative(self, version: Version) -> bool:
        """Return whether a value of backward is verified as a derivative or a part of one."""
        is_known = self._repairs is not None and self._repairs.is_derivative(version)
        return is_known or bool(self.pairs.of(version))

    def run(self) -> None:
        """Measure until nothing is left to measure that could tell suspects apart."""
        self._end = time.thread_time() + MOST_SECONDS
        self._decide()
        known = -1
        while known < len(self._exonerated) + len(self._right_steps):
            known = len(self._exonerated) + len(self._right_steps)
            self._measure()
            self._compare_entries()
            self._try_windows()
            self._exonerate()
            self._compare_contributions()
        if any(self.pairs.factor(claim.root) == 1.0 for claim in self.claims.wrong.values()):
            self._measure_all_claims()

    def _measure_all_claims(self) -> None:
        """Measure the derivatives by all parameters with wrong gradients: one may be another's."""
        for name in self.claims.wrong:
            if self._can_spend(PER_MEASUREMENT):
                self._measure_parameter(name)

    def _measure(self) -> None:
        """Measure what may be paired with values that are suspected.

        The tests of all steps, which take time, are made after some measurements only.
        """
        wanted, measured = FIRST_MEASUREMENTS, 0
        while (target := self._next_target(suspicions(self.evidence()))) is not None:
            self._targets.remove(target)
            self.pairs.add(self._measurements.measure(target))
            measured += 1
            self._makes_tests = measured >= wanted
            wanted = wanted * 2 if self._makes_tests else wanted
        if not self._makes_tests:
            self._makes_tests = True
            self._measure()

    @property
    def is_spent(self) -> bool:
        """Whether no evaluation is left, or no time."""
        return not self._can_spend(1)

    def _can_spend(self, evaluations: int, budget: int = BUDGET) -> bool:
        """Return whether so many evaluations are left of a budget, and time."""
        return self.evaluations() + evaluations <= budget and time.thread_time() < self._end

    def suspicions(self) -> list[Suspicion]:
        """Return what is suspected, as far as anything is known."""
        usual = self.roles.usual_numbers() | self.usual_multiples()
        return suspicions(self.evidence(), usual)

    def evidence(self) -> Evidence:
        """Return what is known of the values of backward."""
        right = {*self.pairs.exact(), *self.claims.right.values()} - set(
            self.claims.wrong.values()
        )
        right -= {*self._incomplete(), *self._repeated()}
        shown = (read for version in right if version.value.any() for read in version.direct)
        simple = {read for read in shown if read.is_alias or not read.value.ndim}
        assumed = (
            self._exonerated | self.roles.well_named | self.roles.recomputed | self.roles.initial
        )
        faultless = self.roles.data | right | simple | assumed | set(self._right_names(right))
        faultless -= set(self.claims.wrong.values())
        multiples = set(self.pairs.scaled()) - self.usual_multiples()
        exclusions = self.exclusions or Exclusions()
        return Evidence(
            faultless,
            right,
            multiples,
            self.claims.wrong,
            self._follows,
            exclusions.innocent,
            exclusions.unable,
        )

    def _right_names(self, right: set[Version]) -> Iterator[Version]:
        """Yield the names of right gradients that are named after what these are derived by."""
        for version in self.roles.gradients:
            if version.is_alias and version.root in right and self._is_own_name(version):
                yield version

    def usual_multiples(self) -> set[Version]:
        """Return multiples of gradients by a number of entries, as before ``1 / m``.

        They arise where backward begins, and not where it is given an upstream gradient.
        """
        if self.roles.descendants is not None:
            return set()
        return {
            version
            for version in self.pairs.scaled()
            if version not in self.claims.wrong.values()
            and (
                self.pairs.is_convention(version)
                or any(self.pairs.is_multiple(version, (n, 1 / n)) for n in sizes_of(version))
            )
            and all(
                self.pairs.factor(v) is None or self._keeps_factor(v, version)
                for v in self.roles.read(version)
                if v not in self.roles.recomputed
            )
        }

    def unread(self) -> list[Version]:
        """Return the right gradients that backward neither reads nor returns."""
        return [version for version in self.roles.unused if self.pairs.factor(version) == 1.0]

    def is_repaired(self, version: Version, change: NDArray[Any]) -> bool:
        """Return whether all wrong gradients become right where something is added to a value."""
        unknown = [name for name in self.claims.wrong if not self.pairs.measured_parameter(name)]
        if not self._can_spend(1 + PER_MEASUREMENT * len(unknown)):
            return False
        claim = self.influence.response(version, change).claim
        if claim is None:
            return False
        for name in unknown:
            self._measure_parameter(name)
        return all(
            self.pairs.is_derivative(claim.rows(part.start, part.stop)[:, 0], name)
            for name, part in self._parts.items()
            if name in self.claims.wrong
        )

    def parameter(self, name: str) -> str:
        """Return the parameter of a gradient, which may be a part of one."""
        return self._whole.get(name, name)

    def slopes(self, version: Version, later: Version) -> NDArray[Any] | None:
        """Return how many times each entry of a later value changes as that of one: an evaluation.

        None where it does not depend on it.
        """
        if self.is_spent or not version.value.all():
            return None
        change = CHANGE * version.value
        difference = self.influence.response(version, change).differences.get(later)
        return None if difference is None else np.asarray(difference / change)

    def evaluations(self) -> int:
        """Return the calls of forward so far."""
        counted = self._measurements, self.influence, self.reach
        return 1 + self._repairing + sum(one.evaluations for one in counted)

    def _decide(self) -> None:
        """Measure the gradients that the check has not decided upon, along directions."""
        for name, version in self.claims.undecided.items():
            self._measure_parameter(name)
            measured = self.pairs.measured_parameter(name)
            if measured is None or measured.output.digits < DIGITS:
                continue
            is_right = self.pairs.is_derivative(self._base[name], name)
            (self.claims.right if is_right else self.claims.wrong)[name] = version

    def _next_target(self, found: list[Suspicion]) -> Target | None:
        """Return what to measure next: what may be paired with a value that is not verified."""
        if self.tests.is_exhausted:
            return None
        if not self._can_spend(PER_MEASUREMENT, BUDGET_OF_DERIVATIVES):
            return None
        for suspicion in found:
            wrong = [self.claims.wrong[name] for name in suspicion.parameters]
            is_decided = len(suspicion.statements) == 1
            for target in self._fitting([*(suspicion.versions or wrong), *self.roles.unused]):
                if not (is_decided and target.is_use and self._confirming >= MOST_CONFIRMING):
                    self._confirming += is_decided and target.is_use
                    return target
        return None

    def _fitting(self, versions: Iterable[Version]) -> Iterator[Target]:
        """Yield what some values, or what was read for them, may be the gradients of."""
        unknown = [
            version
            for suspect in versions
            for version in (suspect, *self.roles.read(suspect))
            if not self.pairs.of(version) and version not in self.claims.right.values()
        ]
        for target in self._targets:
            if any(fits(version, target.version) for version in unknown):
                yield target

    def _incomplete(self) -> Iterator[Version]:
        """Yield parts of gradients that may be read as if they were all of it.

        Nothing shows that what is computed from them is right.
        """
        taken_for = {target.key for target in self.tests.taken_for()}
        exact = set(self.pairs.exact())
        for version in exact:
            if not self.pairs.is_part(version):
                continue
            uses = {pair.target.key for pair in self.pairs.of(version)}
            readers = [v for v in self.roles.gradients if version in v.direct]
            is_used = any(v in exact and not self.pairs.is_part(v) for v in readers)
            if not is_used and taken_for.isdisjoint(uses):
                yield version

    def _repeated(self) -> set[Version]:
        """Return right gradients that were computed before, where another one is never read.

        They may be right for another place only.
        """
        repeated: set[Version] = set()
        if not self.unread():
            return repeated
        seen: set[tuple[object, ...]] = set()
        for version in sorted(self.pairs.exact(), key=lambda v: v.number):
            keys = {(*pair.target.key, version.value.shape) for pair in self.pairs.of(version)}
            if not version.is_alias and not seen.isdisjoint(keys):
                repeated.add(version)
            seen |= keys
        return repeated

    def _compare_entries(self) -> None:
        """Find statements that cannot explain which entries are wrong, and which are right."""
        if self.exclusions is not None:
            return
        found = self.suspicions()
        suspected = {s for one in found for s in one.statements}
        if len(suspected) <= len(found) or self.tests.is_exhausted:
            return
        made: dict[Statement, list[Version]] = {}
        for version in self.roles.gradients:
            step = None if version.is_alias else version.step
            is_mask = version.value.ndim > 0 and version.value.dtype.kind == "b"
            if step is not None and (step.statement in suspected or is_mask):
                made.setdefault(step.statement, []).append(version)
        wrong, right = (
            {name: claim for name, claim in claims.items() if name in self.entries.targets}
            for claims in (self.claims.wrong, self.claims.right)
        )
        self.exclusions = self.entries.exclusions(
            made,
            wrong,
            right,
            {s for s, found in made.items() if all(self.pairs.of(v) for v in found)},
            BUDGET_OF_EVIDENCE - self.evaluations(),
        )
        for statement in self.exclusions.shown:
            self._exonerated.update(made[statement])
        self.tests.forget()

    def _try_windows(self) -> None:
        """Find windows of data instead of which no other window makes all gradients right."""
        executions = Counter(version.statement for version in self.roles.gradients)
        for version in (v for s in self.suspicions() for v in s.versions if CAN_REBIND):
            read = [v for v in version.direct if v.is_floating]
            is_alone = executions[version.statement] == 1 and len(read) == 1
            if version in self._exonerated or not is_alone or read[0] not in self.roles.data:
                continue
            windows = other_windows(version.value, read[0].value)
            unknown = [
                name for name in self.claims.wrong if not self.pairs.measured_parameter(name)
            ]
            if not self._can_spend(len(windows) + PER_MEASUREMENT * len(unknown)):
                continue
            if windows and not any(self.is_repaired(version, w - version.value) for w in windows):
                self._exonerated.add(version)

    def _exonerate(self) -> None:
        """Find values that verified gradients depend on: an error in them would be in these."""
        examined: set[Version] = set()
        while self._can_spend(PER_INFLUENCE, BUDGET_OF_EVIDENCE) and not self.tests.is_exhausted:
            evidence, numbers = self.evidence(), self.roles.usual_numbers()
            suspects = (v for s in suspicions(evidence, numbers) for v in s.versions)
            version = next((v for v in suspects if v not in examined), None)
            if version is None:
                return
            examined.add(version)
            # What is not computed from gradients may be right up to a factor.
            multiples = set() if self.roles.read(version) else self.usual_multiples() - {version}
            right = (evidence.right | multiples | self.roles.recomputed) - {version}
            is_multiple = version in self.pairs.scaled()
            if self._is_shown(version, right, is_multiple=is_multiple):
                self._exonerated.add(version)
                if not self._are_suspected(numbers) and version in self.usual_multiples():
                    self._undone.add(version)  # a factor should have been undone later
                if not self._are_suspected(numbers):
                    self._exonerated.remove(version)  # two errors cancel, as two signs do
                    self._undone.discard(version)

    def _are_suspected(self, usual: Collection[Version]) -> bool:
        """Return whether something is suspected for each wrong gradient."""
        return all(s.statements for s in suspicions(self.evidence(), usual))

    def _is_shown(
        self, version: Version, right: Collection[Version], *, is_multiple: bool
    ) -> bool:
        """Return whether it shows in what is right, or wrong, that a value has no error."""
        if not self.influence.shows(version, right, is_multiple=is_multiple):
            return is_multiple and self._is_uneven() and self._scales_all(version)
        if is_multiple or self.influence.shows_sign(version, right):
            return True
        return not self._is_repaired_by_sign(version)

    def _is_repaired_by_sign(self, version: Version) -> bool:
        """Return whether all gradients may be right where values have the other sign."""
        made = [
            other
            for other in self.roles.gradients
            if other.statement is version.statement and other.path == version.path
        ]
        entries = self.reach.opposite(made)
        return entries is None or all(
            self.pairs.measured_parameter(name) is None
            or self.pairs.is_derivative(entries[part], name)
            for name, part in self._parts.items()
            if name in self.claims.wrong
        )

    def _is_uneven(self) -> bool:
        """Return whether no wrong gradient is a multiple of the right one."""
        return all(self.pairs.is_uneven(*item) for item in self.claims.wrong.items())

    def _scales_all(self, version: Version) -> bool:
        """Return whether a factor of a value is one of all that is wrong, or a power of it is."""
        claim = self.influence.response(version, CHANGE * version.value).claim
        if claim is None:
            return False
        base = self._concatenated(self._problem.claim)
        changes = (self._concatenated(claim) - base) / CHANGE
        power = float(changes @ base) / float(base @ base)
        bound = CHANGE * power**2 * float(np.abs(base).max())
        return power != 0 and bool(np.allclose(changes, power * base, rtol=0.0, atol=bound))

    def _concatenated(self, claim: Claim) -> NDArray[Any]:
        """Return the gradients that are wrong, one after another."""
        parts = [self._parts[name] for name in self.claims.wrong]
        return np.concatenate([claim.rows(part.start, part.stop)[:, 0] for part in parts])

    def _compare_contributions(self) -> None:
        """Find values and steps that contribute rightly to a gradient, of those suspected."""
        for suspicion in self.suspicions():
            if len(suspicion.versions) > MOST_COMPARED:
                continue
            contributions = self._contributions_to(suspicion.parameters[0], suspicion.versions)
            if contributions is None:
                continue
            before = self._exonerated.copy(), self._right_steps.copy()
            for version in sorted(suspicion.versions, key=lambda v: v.number):
                if version.is_floating and not version.is_alias:
                    self._compare(version, contributions)
            numbers = self.roles.usual_numbers()
            if any(numbers.issuperset(s.versions) for s in self.suspicions()):
                self.complete |= (self._exonerated | self._right_steps) - set().union(*before)
                self._exonerated, self._right_steps = before

    def _compare(self, version: Version, contributions: Contributions) -> None:
        """Find out whether a value, or at least the step that made it, contributes rightly."""
        read = [v for v in version.direct if v.is_floating and v not in self.roles.data]
        if not self._can_spend(PER_PART * (2 + 3 * len(read))):
            return
        if contributions.is_right(version):
            self._exonerated.add(version)
        elif contributions.is_right_step(version, read):
            self._right_steps.add(version)

    def _contributions_to(
        self, parameter: str, suspected: Collection[Version]
    ) -> Contributions | None:
        """Return what finds right contributions to a gradient; None where nothing can be."""
        if parameter not in self._contributions:
            self._contributions[parameter] = self._new_contributions(parameter, suspected)
        return self._contributions[parameter]

    def _new_contributions(
        self, parameter: str, suspected: Collection[Version]
    ) -> Contributions | None:
        if self._can_spend(PER_MEASUREMENT):
            self._measure_parameter(parameter)
        measured = self.pairs.measured_parameter(parameter)
        if measured is None:
            return None
        through_values = [
            measured.weighted(pair.target.version, gradient.value.astype(np.float64))
            for gradient in self.pairs.exact()
            for pair in self.pairs.of(gradient)
            if not pair.target.is_use and pair.target.version in measured.responses
        ]
        through_uses: dict[Version, list[Slopes]] = {}
        for use in branches(self._uses):
            if not any(fits(version, use.version) for version in suspected):
                continue
            if not self._can_spend(PER_MEASUREMENT, BUDGET_OF_USES):
                break
            slopes = self._measurements.through(use, measured)
            if slopes is not None:
                through_uses.setdefault(use.version, []).append(slopes)
        return Contributions(
            self.influence,
            self._directions,
            self._base[parameter],
            self._parts[parameter],
            measured,
            through_values,
            list(through_uses.values()),
        )

    def _measure_parameter(self, parameter: str) -> None:
        """Measure the derivative by a parameter, if that was not done yet."""
        for target in self._targets:
            if target.step is None and str(target.path) == parameter:
                self._targets.remove(target)
                self.pairs.add(self._measurements.measure(target))
                return

    def _follows(self, version: Version) -> bool:
        """Return whether a value follows rightly from what was read for it, right or wrong."""
        is_name = version.is_alias and not self._may_be_misplaced(version)
        if is_name or version in self._right_steps:
            return True
        if version in self._repeated() or any(
            self._keeps_factor(v, version) for v in self._undone
        ):
            return False
        read, factors = self.roles.read(version), {1.0}
        if version in self.claims.wrong.values():
            if self.pairs.factor(version) == 1.0:
                return False  # it is part of a gradient, or another one
            usual = self.usual_multiples()
            if any(v in usual for v in read) or any(self._keeps_factor(v, version) for v in usual):
                return False  # the factor is missing that makes a multiple of a gradient right
            factors |= self._factors()
            if self._is_uneven():  # then it is not only a factor that is wrong
                factors |= {f * sign for f in self._usual_factors() for sign in (1, -1)}
        if not self._makes_tests:
            return self.tests.has_passed(version)
        owners = [name for name, claim in self.claims.wrong.items() if claim is version]
        # What is right, and no gradient, is not to be taken for a wrong one.
        unknown = [
            v
            for v in self.roles.computed(version)
            if v not in self._exonerated or self.pairs.of(v) or v in self.roles.cotangents
        ]
        return self.tests.follows(version, unknown, frozenset(factors), owners)

    def _may_be_misplaced(self, name: Version) -> bool:
        """Return whether a value may have another name by mistake: it is known, as another one."""
        if name.root in self.roles.data | self._exonerated:
            return True
        is_gradient = self.pairs.factor(name.root) == 1.0 and not self.pairs.is_part(name.root)
        return is_gradient and not self._is_own_name(name)

    def _is_own_name(self, name: Version) -> bool:
        """Return whether a gradient is named after what it is the derivative by.

        A value may have another name where it is used, as an argument of a function.
        """
        targets = [pair.target for pair in self.pairs.of(name.root)]
        made = [target for target in targets if not target.is_use]
        return any(is_named(name.path, str(target.path)) for target in made or targets)

    def _keeps_factor(self, read: Version, version: Version) -> bool:
        factor = self.pairs.factor(read)
        return factor is not None and self.pairs.is_multiple(version, (factor,))

    def _usual_factors(self) -> set[float]:
        """Return the factors that formulas have: one half, two, and numbers of entries."""
        numbers = {1.0, 2.0, *self.roles.sizes}
        return numbers | {1 / number for number in numbers}

    def _factors(self) -> set[float]:
        """Return the factors by which backward multiplies what it returns, as ``1 / m``."""
        factors = (
            self.pairs.factor(read)
            for version in self.claims.right.values()
            for read in self.roles.read(version)
        )
        return {1 / factor for factor in factors if factor is not None}
