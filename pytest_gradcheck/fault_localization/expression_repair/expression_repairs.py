"""The search for an expression of backward whose small change makes all gradients right.

Each change is tried: forward is executed once, and backward as often as there are changes. A
change with an unknown number is solved for it by Newton's method, from how the gradients respond.
That every entry of every gradient becomes right by one number, or by none, is no chance.

It does not know which other statements would make up for a mistake.
"""

from __future__ import annotations

import ast
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from types import FrameType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.binding.gradient_problem import Problem
from pytest_gradcheck.fault_localization.execution.statements import Statement
from pytest_gradcheck.fault_localization.execution.variables import Path
from pytest_gradcheck.fault_localization.expression_repair.compound_changes import (
    compound_changes,
)
from pytest_gradcheck.fault_localization.expression_repair.donor_code import DonorCode, Donors
from pytest_gradcheck.fault_localization.expression_repair.expression_changes import (
    FACTOR,
    NO_FACTOR,
    ROOT,
    ExpressionChange,
    KindOfChange,
    changes,
    changes_by_donors,
    changes_of_names,
    is_floating,
    is_near_integer,
)
from pytest_gradcheck.fault_localization.expression_repair.probed_functions import (
    Change,
    Expression,
    ProbedFunctions,
    Watch,
)
from pytest_gradcheck.fault_localization.measured_gradient import MeasuredGradient, is_same
from pytest_gradcheck.fault_localization.required_value import RequiredValue

__all__ = ["COMMON_FACTORS", "ExpressionRepairs", "Repair"]

Floats = NDArray[np.float64]

#: The most executions of backward.
MOST_RUNS = 6000

#: An execution with a change is given up when it has taken so many times as long as without.
LONGER = 10

#: The most seconds that executions of backward take together, as all seconds here of the
#: processor: what is found does not depend on what else the machine does.
MOST_SECONDS = 3.0

#: The search is left out where one execution of backward takes longer, in seconds.
SLOW = 0.05

#: Relative changes of values: such as mistakes make, and such as show how gradients respond.
MISTAKE = 0.01
CHANGE = 1e-4

#: Newton's method: the most steps, and what share of the error has to go away by each of them.
NEWTON_STEPS = 4
DECREASE = 0.5

#: A change that explains less than this share of the error at first is no explanation.
EXPLAINED = 0.1

#: Factors that people forget, or write too often.
COMMON_FACTORS = (-1.0, 2.0, 0.5)

#: Two of them show whether gradients depend linearly on an expression: what they change differs
#: from multiples by less than a share of it.
TWO_FACTORS = COMMON_FACTORS[:2]
LINEAR = 1e-9

#: A linear change that leaves more than this share of the error is not tried.
ROUGHLY = 1e-3

#: The least number of wrong entries for which something that is missing is evidence, or a number
#: that is not usual: one entry becomes right by some number, and round numbers by their sums.
FEWEST_WRONG = 2

#: The same for compounds, of which there are thousands.
FEWEST_WRONG_OF_COMPOUNDS = 4


@dataclass(frozen=True, slots=True)
class Repair:
    """A change of an expression with which all gradients are right.

    Attributes
    ----------
    expression : Expression
        The expression.
    change : ExpressionChange
        What is changed.
    number : float
        The number of the change, if it has one.
    donors : int
        How many donors are in what is missing, one if nothing is.
    """

    expression: Expression
    change: ExpressionChange
    number: float
    donors: int = 1

    @property
    def is_usual(self) -> bool:
        """Whether the number is a whole one, or one by a whole one; roots are not usual."""
        size = abs(self.number)
        is_whole = is_near_integer(size) or is_near_integer(1 / size)
        return self.change.instead != ROOT and (self.change.start is None or is_whole)

    @property
    def is_multiple(self) -> bool:
        """Whether an expression is multiplied by a number."""
        return self.change.instead == FACTOR

    @property
    def removes_factor(self) -> bool:
        """Whether a number that is written there has to go as a factor."""
        is_written = isinstance(self.expression.node, ast.Constant)
        return is_written and self.change.instead == NO_FACTOR

    def __str__(self) -> str:
        """Return the change in words; none for a factor of the whole, which is a likely cause."""
        is_cause = self.expression.role == "whole" and self.change.instead == FACTOR
        return "" if is_cause else self.change.said_of(self.expression, self.number)


@dataclass(frozen=True, slots=True)
class _Candidate:
    """An expression that may be changed.

    Attributes
    ----------
    expression : Expression
        The expression.
    numbers : tuple of int
        Those of the probes that change it; several of a variable that is read in several places.
    value : Any
        What it was when it was first executed.
    """

    expression: Expression
    numbers: tuple[int, ...]
    value: Any

    def with_change(self, change: Change) -> dict[int, Change]:
        """Return what changes it in an execution."""
        return dict.fromkeys(self.numbers, change)


#: ``repair_of(candidates) -> Repair or None`` returns a repair of one kind.
_RepairOf = Callable[[Collection[_Candidate]], Repair | None]


@dataclass(frozen=True, slots=True)
class _Goal:
    """What has to come out of an execution of backward with a change.

    Attributes
    ----------
    run : callable
        ``run(changes) -> ndarray or None`` returns what comes out.
    base : ndarray
        What comes out without a change.
    values : ndarray
        What has to.
    is_right : callable
        ``is_right(found) -> bool`` returns whether it does.
    """

    run: Callable[[Mapping[int, Change]], Floats | None]
    base: Floats
    values: Floats
    is_right: Callable[[Floats], bool]

    def error(self, found: Floats) -> float:
        """Return how far what came out is off."""
        return float(np.linalg.norm(self.values - found))

    def step(self, slope: Floats, found: Floats) -> float:
        """Return how many times a slope has to be added to come as near as possible."""
        size = float(slope @ slope)
        return float(slope @ (self.values - found)) / size if size else 0.0

    def is_reached(self, changes: Mapping[int, Change]) -> bool:
        """Return whether some changes make right what comes out."""
        found = self.run(changes)
        return found is not None and self.is_right(found)


class ExpressionRepairs:
    """Looks for the repairs of one backward.

    Parameters
    ----------
    problem : Problem
        Calls forward and backward.
    functions : ProbedFunctions
        Those that backward consists of.
    gradient : MeasuredGradient
        What backward has to return.
    statement_of : callable
        ``statement_of(expression) -> Statement or None`` returns where an expression is.
    variables : callable
        ``variables(expression)`` returns the variables in its scope, with their shapes.

    Attributes
    ----------
    statements : set of Statement
        Those whose expressions can be changed.
    """

    def __init__(
        self,
        problem: Problem,
        functions: ProbedFunctions,
        gradient: MeasuredGradient,
        statement_of: Callable[[Expression], Statement | None],
        variables: Callable[[Expression], Sequence[tuple[Path, tuple[int, ...]]]],
    ) -> None:
        self._problem, self._variables = problem, variables
        self._functions, self._statement_of = functions, statement_of
        statements = map(statement_of, functions.expressions)
        self.statements = {one for one in statements if one is not None}
        self._gradient = gradient
        self._base = self._products(problem.claim)
        self._whole = _Goal(self._run, self._base, gradient.values, gradient.is_right)
        self._claims: Iterator[Any] = iter(())
        self._runs = 0
        self._count_of_wrong = gradient.count_of_wrong(self._base)
        self._end = time.thread_time() + MOST_SECONDS

    def find(
        self, right: Collection[Statement], required: RequiredValue | None = None
    ) -> dict[Statement, Repair] | None:
        """Return the statements with repairs, with one for each of them.

        None where nothing is wrong that is seen, or statements are left to be tried.

        Parameters
        ----------
        right : collection of Statement
            Those that are right.
        required : RequiredValue or None
            What one of them has to make: a change with which it does is looked for first, for
            which backward need not be executed as a whole.
        """
        if not self._count_of_wrong:
            return None
        with self._functions.in_place(), np.errstate(all="ignore"):
            values = self._recorded()
            if values is None:
                return None
            near = None if required is None else self._value_of(required)
            return self._found(right, values, near or self._whole)

    def _recorded(self) -> dict[int, Any] | None:
        """Return first values of all expressions; None where backward cannot be called again."""
        for claims in (self._problem.claims_again(), self._calls_of_both()):
            self._claims = claims
            seconds, probe = [], self._functions.probe
            for _ in range(2):
                started = time.thread_time()
                probe.values = {}
                base, values = self._run({}), probe.values
                probe.values = None
                seconds.append(time.thread_time() - started)
                if base is None or not np.array_equal(base, self._base):
                    break
            else:
                probe.most_calls = LONGER * probe.calls
                return values if min(seconds) < SLOW else None
        return None

    def _calls_of_both(self) -> Iterator[Any]:
        """Yield claims of a new call of forward each."""
        while True:
            yield self._problem.claim_at(self._problem.here)

    def _found(
        self,
        right: Collection[Statement],
        values: Mapping[int, Any],
        goal: _Goal,
    ) -> dict[Statement, Repair] | None:
        wrong = self._gradient.wrong(self._base)
        candidates = defaultdict[Statement, list[_Candidate]](list)
        for one in (*self._written(values), *self._changed_in_place(values)):
            statement = self._statement_of(one.expression)
            if statement is not None and statement not in right:
                candidates[statement].append(one)
        donors = DonorCode(
            self._functions.expressions, values, self._statement_of, self._variables
        )
        reaching = [s for s, own in candidates.items() if self._reaches(own, wrong)]
        for stage, kinds in enumerate(self._stages(donors, goal)):
            found: dict[Statement, Repair] = {}
            for repair_of, statement in product(kinds, reaching):
                if self._is_exhausted:
                    return found if found or stage else None
                if statement not in found:
                    repair = repair_of(candidates[statement])
                    found |= {} if repair is None else {statement: repair}
            if found:
                fewest = min(repair.donors for repair in found.values())
                return {s: repair for s, repair in found.items() if repair.donors == fewest}
        return {}

    def _stages(self, donors: Donors, goal: _Goal) -> Iterator[tuple[_RepairOf, ...]]:
        """Yield what is tried, until something is found, with what is tried beside it.

        What belongs in one place may be missing in another. What costs least is tried first;
        where too little is wrong, nothing that may be missing.
        """
        yield (partial(self._repair, changes, donors, goal),)
        names = partial(self._repair, changes_of_names, donors, goal)
        missing = partial(self._repair, changes_by_donors, donors, goal)
        if self._count_of_wrong < FEWEST_WRONG:
            yield (names,)
        elif self._count_of_wrong < FEWEST_WRONG_OF_COMPOUNDS:
            yield names, missing
        else:
            yield names, partial(self._compound, donors, goal, missing)
            yield (missing,)

    def _written(self, values: Mapping[int, Any]) -> Iterator[_Candidate]:
        """Yield the expressions as they are written."""
        for number, expression in enumerate(self._functions.expressions):
            if number in values:
                yield _Candidate(expression, (number,), values[number])

    def _changed_in_place(self, values: Mapping[int, Any]) -> Iterator[_Candidate]:
        """Yield arrays after statements that change parts of them, or add something to them.

        No expression of such a statement is the whole array, of which something may be missing.
        """
        found = defaultdict[tuple[Statement, str], list[int]](list)
        for number, expression in enumerate(self._functions.expressions):
            reader, node = self._statement_of(expression), expression.node
            is_array = expression.role != "index" and is_floating(values.get(number))
            if reader is not None and isinstance(node, ast.Name) and is_array:
                maker = self._last_maker(node.id, reader)
                if maker is not None and _changes_in_place(maker, node.id):
                    found[maker, node.id].append(number)
        for (maker, _), numbers in found.items():
            first, statement = self._functions.expressions[numbers[0]], maker.nodes[0]
            one = Expression(first.file, statement, first.node, statement, "variable")
            yield _Candidate(one, tuple(numbers), values[numbers[0]])

    def _last_maker(self, name: str, reader: Statement) -> Statement | None:
        """Return the last statement before another one that binds a variable, or changes it."""
        makers = (
            one
            for one in self.statements
            if (one.file, one.function) == (reader.file, reader.function)
            and one.last_line < reader.first_line
            and (name in one.binds or any(chain.name == name for chain in one.changes))
        )
        return max(makers, key=lambda one: one.first_line, default=None)

    def _compound(
        self,
        donors: Donors,
        goal: _Goal,
        otherwise: _RepairOf,
        candidates: Collection[_Candidate],
    ) -> Repair | None:
        """Return a compound that is missing in a statement, if one is: rather a usual number.

        Where that cannot be computed, what is missing is looked for in another way.
        """
        expressions, found = self._functions.expressions, list[Repair]()
        for candidate in candidates:
            whole, number = candidate.expression, candidate.numbers[0]
            if whole.role != "whole" or not is_floating(candidate.value):
                continue
            compounds = compound_changes(number, expressions, donors(whole), goal.run, goal.values)
            if compounds is None:
                return otherwise(candidates)
            for one in compounds:
                if self._whole.is_reached({number: one.change.change(one.number)}):
                    found.append(Repair(expressions[one.part], one.change, one.number, one.donors))
        return next((one for one in found if one.is_usual), next(iter(found), None))

    def _reaches(self, candidates: Collection[_Candidate], wrong: NDArray[np.bool_]) -> bool:
        """Return whether all entries that are wrong depend on what a statement computes.

        An index may have to be another one, through which it reaches others.
        """
        if any(one.expression.role == "index" for one in candidates):
            return True
        rng = np.random.default_rng(0)
        whole = [
            number
            for one in candidates
            if one.expression.role in ("whole", "variable") and is_floating(one.value)
            for number in one.numbers
        ]

        def noise(value: Any, _: FrameType) -> Any:
            change = rng.uniform(0.5, 1, np.shape(value))
            scale = np.abs(value) + (np.abs(value).mean() or 1.0)
            return value + MISTAKE * change * scale

        left = wrong.copy()
        for change in (noise, lambda value, frame: -noise(value, frame)):  # some only read signs
            claim = self._run(dict.fromkeys(whole, change)) if whole else None
            if claim is None:
                return True
            left &= claim == self._base
        return not left.any()

    def _repair(
        self,
        kind: KindOfChange,
        donors: Donors,
        goal: _Goal,
        candidates: Collection[_Candidate],
    ) -> Repair | None:
        """Return a change of a kind of one expression that makes all gradients right.

        Rather one with a usual number than one with another.
        """
        found: Repair | None = None
        for one in candidates:
            for change in kind(one.expression, one.value, donors):
                solution = self._solution(one, change, goal)
                if solution is not None and goal is not self._whole:
                    is_right = self._whole.is_reached(one.with_change(change.change(solution)))
                    solution = solution if is_right else None
                if solution is not None:
                    repair = Repair(one.expression, change, solution)
                    if repair.is_usual:
                        return repair
                    if self._count_of_wrong >= FEWEST_WRONG:
                        found = found or repair
        return found

    def _solution(
        self, candidate: _Candidate, change: ExpressionChange, goal: _Goal
    ) -> float | None:
        """Return the number of a change that reaches a goal; None if none does."""

        def changes(number: float) -> dict[int, Change]:
            return candidate.with_change(change.change(number))

        if change.start is not None:
            return self._solved(change.start, changes, goal)
        return 0.0 if goal.is_reached(changes(0.0)) else None

    def _solved(
        self, start: float, changes: Callable[[float], Mapping[int, Change]], goal: _Goal
    ) -> float | None:
        """Return the number of a change, solved for.

        Gradients depend linearly on most expressions of backward: two factors show that, and
        which one is right. On others they depend nearly linearly, and Newton's method finds it.
        From the rest it finds few; usual ones are tried for them.
        """
        if start == 1.0:
            ends = [goal.run(changes(factor)) for factor in TWO_FACTORS]
            for factor, end in zip(TWO_FACTORS, ends, strict=True):
                if end is not None and goal.is_right(end):
                    return factor
            slope = _slope(goal.base, *ends)
            if slope is not None:
                factor = start + goal.step(slope, goal.base)
                near = goal.base + (factor - start) * slope
                is_near = goal.error(near) <= ROUGHLY * goal.error(goal.base)
                return factor if is_near and goal.is_reached(changes(factor)) else None
        solution, found = start, goal.base
        for _ in range(NEWTON_STEPS):
            step = self._newton_step(solution, changes, found, goal)
            if step is None:
                break
            solution += step
            new = goal.run(changes(solution))
            if new is None:
                break
            if goal.is_right(new):
                return solution
            if goal.error(new) > DECREASE * goal.error(found):
                break
            found = new
        others = COMMON_FACTORS[len(TWO_FACTORS) :] if start == 1.0 else ()
        right = (factor for factor in others if goal.is_reached(changes(factor)))
        return next(right, None)

    def _newton_step(
        self,
        at: float,
        changes: Callable[[float], Mapping[int, Change]],
        found: Floats,
        goal: _Goal,
    ) -> float | None:
        """Return the change of a number that comes nearest to a goal, if any does."""
        near = goal.run(changes(at + CHANGE))
        if near is None:
            return None
        slope = (near - found) / CHANGE
        step = goal.step(slope, found)
        is_nearer = goal.error(found + step * slope) <= (1 - EXPLAINED) * goal.error(found)
        return step if is_nearer and slope.any() else None

    def _value_of(self, required: RequiredValue) -> _Goal | None:
        """Return that a statement makes what it has to; None where that is not observed."""
        numbers = [
            number
            for number, expression in enumerate(self._functions.expressions)
            if expression.role == "whole" and self._statement_of(expression) is required.statement
        ]
        observe = required.observe
        if observe is None or len(numbers) != 1:
            return None

        def run(changes: Mapping[int, Change]) -> Floats | None:
            watch = Watch(numbers[0], required.occurrence, observe)
            self._execute(changes, watch)
            entries = required.entries(watch.observed)
            return entries if entries is not None and np.isfinite(entries).all() else None

        base, values = run({}), required.value.reshape(-1)
        if base is None:
            return None
        return _Goal(run, base, values, lambda found: is_same(found, values))

    @property
    def _is_exhausted(self) -> bool:
        return self._runs >= MOST_RUNS or time.thread_time() > self._end

    def _run(self, changes: Mapping[int, Change]) -> Floats | None:
        claim = self._execute(changes)
        products = None if claim is None else self._products(claim)
        return products if products is not None and np.isfinite(products).all() else None

    def _execute(self, changes: Mapping[int, Change], watch: Watch | None = None) -> Any:
        """Execute backward with some changes; return its claim, None where there is none."""
        if self._is_exhausted:
            return None
        self._runs += 1
        probe = self._functions.probe
        probe.changes, probe.watch, probe.calls = dict(changes), watch, 0
        try:
            return next(self._claims, None)
        finally:
            probe.changes, probe.watch = {}, None

    def _products(self, claim: Any) -> Floats:
        return self._gradient.products(claim.rows(0, self._problem.here.size)[:, 0].astype(float))


def _changes_in_place(statement: Statement, name: str) -> bool:
    """Return whether a statement changes a part of an array, or adds something to it."""
    adds = any(isinstance(n, ast.AugAssign) and statement.is_sum for n in statement.nodes)
    is_part = any(
        chain.name == name and any(isinstance(one, ast.expr) for one in chain.accessors)
        for chain in statement.changes
    )
    return is_part or (adds and name in statement.binds)


def _slope(base: Floats, *ends: Floats | None) -> Floats | None:
    """Return how what comes out depends on a factor, given it at the usual ones, if linearly."""
    changes = [
        None if end is None else (end - base) / (factor - 1.0)
        for end, factor in zip(ends, TWO_FACTORS, strict=True)
    ]
    one, other = changes
    if one is None or other is None:
        return None
    scale = float(np.abs(base).max(initial=0.0)) + float(np.abs(other).max(initial=0.0))
    is_linear = float(np.abs(one - other).max(initial=0.0)) <= LINEAR * scale
    return other if is_linear else None
