"""The search for an expression of backward whose small change makes all gradients right.

Each change is tried: forward is executed once, and backward as often as there are changes. A
change with an unknown number is solved for it by Newton's method, from how the gradients respond.
That every entry of every gradient becomes right by one number, or by none, is no chance.

It does not know which other statements would make up for a mistake.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.binding.gradient_problem import Problem
from pytest_gradcheck.fault_localization.execution.statements import Statement
from pytest_gradcheck.fault_localization.execution.variables import Path
from pytest_gradcheck.fault_localization.expression_repair.donor_code import DonorCode, Donors
from pytest_gradcheck.fault_localization.expression_repair.expression_changes import (
    FACTOR,
    ROOT,
    ExpressionChange,
    KindOfChange,
    changes,
    changes_by_donors,
    is_floating,
    is_near_integer,
)
from pytest_gradcheck.fault_localization.expression_repair.probed_functions import (
    Change,
    Expression,
    ProbedFunctions,
)
from pytest_gradcheck.fault_localization.measured_gradient import MeasuredGradient

__all__ = ["ExpressionRepairs", "Repair"]

Floats = NDArray[np.float64]

#: What is tried, in order, until something is found.
KINDS: tuple[KindOfChange, ...] = (changes, changes_by_donors)

#: The most executions of backward.
MOST_RUNS = 6000

#: An execution with a change is given up when it has taken so many times as long as without.
LONGER = 10

#: The most seconds that executions of backward take together.
MOST_SECONDS = 2.0

#: The search is left out where one execution of backward takes longer, in seconds.
SLOW = 0.01

#: Relative changes of values: such as mistakes make, and such as show how gradients respond.
MISTAKE = 0.01
CHANGE = 1e-4

#: Newton's method: the most steps, and what share of the error has to go away by each of them.
NEWTON_STEPS = 4
DECREASE = 0.5

#: A change that explains less than this share of the error at first is no explanation.
EXPLAINED = 0.1

#: Factors that people forget, or write too often.
USUAL_FACTORS = (-1.0, 0.5, 2.0)

#: The least number of wrong entries that a repair is evidence for.
FEWEST_WRONG = 2


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
    """

    expression: Expression
    change: ExpressionChange
    number: float

    @property
    def is_usual(self) -> bool:
        """Whether the number is a whole one, or one by a whole one; roots are not usual."""
        size = abs(self.number)
        is_whole = is_near_integer(size) or is_near_integer(1 / size)
        return self.change.instead != ROOT and (self.change.start is None or is_whole)

    def __str__(self) -> str:
        """Return the change in words; none for a factor of the whole, which is a likely cause."""
        is_cause = self.expression.role == "whole" and self.change.instead == FACTOR
        return "" if is_cause else self.change.said_of(self.expression, self.number)


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
        self._gradient, self._right = gradient, gradient.values
        self._base = self._products(problem.claim)
        self._claims: Iterator[Any] = iter(())
        self._runs = 0
        self._end = time.perf_counter() + MOST_SECONDS

    def find(self, right: Collection[Statement]) -> dict[Statement, Repair] | None:
        """Return the statements with repairs, with one for each of them.

        None where too little is wrong, or statements that may be are left to be tried.

        Parameters
        ----------
        right : collection of Statement
            Those that are right.
        """
        if self._gradient.count_of_wrong(self._base) < FEWEST_WRONG:
            return None
        with self._functions.in_place(), np.errstate(all="ignore"):
            values = self._recorded()
            return None if values is None else self._found(right, values)

    def _recorded(self) -> dict[int, Any] | None:
        """Return first values of all expressions; None where backward cannot be called again."""
        for claims in (self._problem.claims_again(), self._calls_of_both()):
            self._claims = claims
            seconds, probe = [], self._functions.probe
            for _ in range(2):
                started = time.perf_counter()
                probe.values = {}
                base, values = self._run({}), probe.values
                probe.values = None
                seconds.append(time.perf_counter() - started)
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
    ) -> dict[Statement, Repair] | None:
        wrong = self._gradient.wrong(self._base)
        expressions = defaultdict[Statement, list[int]](list)
        for number, expression in enumerate(self._functions.expressions):
            statement = self._statement_of(expression)
            if statement is not None and statement not in right and number in values:
                expressions[statement].append(number)
        donors = DonorCode(
            self._functions.expressions, values, self._statement_of, self._variables
        )
        reaching = [s for s, own in expressions.items() if self._reaches(own, values, wrong)]
        found: dict[Statement, Repair] = {}
        for kind in KINDS:
            for statement in reaching:
                if self._is_exhausted:
                    return found if found or kind is not KINDS[0] else None
                repair = self._repair(expressions[statement], values, kind, donors)
                if repair is not None:
                    found[statement] = repair
            if found:
                break
        return found

    def _reaches(
        self,
        numbers: Collection[int],
        values: Mapping[int, Any],
        wrong: NDArray[np.bool_],
    ) -> bool:
        """Return whether all entries that are wrong depend on what a statement computes.

        An index may have to be another one, through which it reaches others.
        """
        if any(self._functions.expressions[n].role == "index" for n in numbers):
            return True
        rng = np.random.default_rng(0)
        whole = [
            n
            for n in numbers
            if self._functions.expressions[n].role == "whole" and is_floating(values[n])
        ]

        def noise(value: Any, _: FrameType) -> Any:
            change = rng.uniform(0.5, 1, np.shape(value))
            scale = np.abs(value) + (np.abs(value).mean() or 1.0)
            return value + MISTAKE * change * scale

        claim = self._run(dict.fromkeys(whole, noise)) if whole else None
        return claim is None or bool(((claim != self._base) | ~wrong).all())

    def _repair(
        self,
        numbers: Collection[int],
        values: Mapping[int, Any],
        kind: KindOfChange,
        donors: Donors,
    ) -> Repair | None:
        """Return a change of a kind of one expression that makes all gradients right.

        Rather one with a usual number than one with another.
        """
        found: Repair | None = None
        for number in numbers:
            expression = self._functions.expressions[number]
            for change in kind(expression, values[number], donors):
                solution = self._solution(number, change)
                if solution is not None:
                    repair = Repair(expression, change, solution)
                    if repair.is_usual:
                        return repair
                    found = found or repair
        return found

    def _solution(self, number: int, change: ExpressionChange) -> float | None:
        """Return the number of a change that makes all gradients right; None if none does."""
        if change.start is not None:
            return self._solved(number, change.start, change.change)
        return 0.0 if self._is_repaired({number: change.change(0.0)}) else None

    def _solved(
        self, number: int, start: float, change: Callable[[float], Change]
    ) -> float | None:
        """Return the number of a change, solved for.

        Gradients depend linearly on most expressions of backward, and one step of Newton's method
        finds the number. From the others it finds few; usual ones are tried for them.
        """
        solution, claim = start, self._base
        for _ in range(NEWTON_STEPS):
            step = self._newton_step(number, solution, change, claim)
            if step is None:
                break
            solution += step
            found = self._run({number: change(solution)})
            if found is None:
                break
            if self._gradient.is_right(found):
                return solution
            if self._error(found) > DECREASE * self._error(claim):
                break
            claim = found
        usual = USUAL_FACTORS if start == 1.0 else ()
        right = (factor for factor in usual if self._is_repaired({number: change(factor)}))
        return next(right, None)

    def _newton_step(
        self, number: int, at: float, change: Callable[[float], Change], claim: Floats
    ) -> float | None:
        """Return the change of a number that comes nearest to right gradients, if any does."""
        near = self._run({number: change(at + CHANGE)})
        if near is None:
            return None
        slope, missing = (near - claim) / CHANGE, self._right - claim
        if not slope.any():
            return None
        step = float(slope @ missing) / float(slope @ slope)
        left = float(np.linalg.norm(missing - step * slope))
        return step if left <= (1 - EXPLAINED) * float(np.linalg.norm(missing)) else None

    def _error(self, claim: Floats) -> float:
        return float(np.linalg.norm(self._right - claim))

    def _is_repaired(self, changes: Mapping[int, Change]) -> bool:
        claim = self._run(changes)
        return claim is not None and self._gradient.is_right(claim)

    @property
    def _is_exhausted(self) -> bool:
        return self._runs >= MOST_RUNS or time.perf_counter() > self._end

    def _run(self, changes: Mapping[int, Change]) -> Floats | None:
        if self._is_exhausted:
            return None
        self._runs += 1
        probe = self._functions.probe
        probe.changes, probe.calls = dict(changes), 0
        try:
            claim = next(self._claims, None)
        finally:
            probe.changes = {}
        products = None if claim is None else self._products(claim)
        return products if products is not None and np.isfinite(products).all() else None

    def _products(self, claim: Any) -> Floats:
        return self._gradient.products(claim.rows(0, self._problem.here.size)[:, 0].astype(float))
