"""The search for an expression of backward whose small change makes all gradients right.

Each change is tried: forward is executed once, and backward as often as there are changes. A
change with an unknown number is solved for it by Newton's method, from how the gradients respond.
That every entry of every gradient becomes right by one number, or by none, is no chance.

It does not know which other statements would make up for a mistake.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from types import CodeType, FrameType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.binding.gradient_problem import Problem
from pytest_gradcheck.fault_localization.adjoint_repair.known_values import is_same
from pytest_gradcheck.fault_localization.execution.statements import Statement
from pytest_gradcheck.fault_localization.expression_repair.expression_changes import (
    KindOfChange,
    Variables,
    changes,
    changes_by_variables,
    is_floating,
)
from pytest_gradcheck.fault_localization.expression_repair.probed_functions import (
    Change,
    Expression,
    ProbedFunctions,
)

__all__ = ["ExpressionRepairs"]

Floats = NDArray[np.float64]

#: What is tried, in order, until something is found.
KINDS: tuple[KindOfChange, ...] = (changes, changes_by_variables)

#: The most executions of backward, and of its statements in all of them.
MOST_RUNS = 3000
MOST_STEPS = 600_000

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

#: Differences below this share of the largest gradient are roundings.
SAME = 1e-5


class ExpressionRepairs:
    """Looks for the repairs of one backward.

    Parameters
    ----------
    problem : Problem
        Calls forward and backward.
    codes : collection of code
        The functions that backward consists of.
    derivatives : mapping of str to ndarray
        The derivatives by the parameters.
    statement_of : callable
        ``statement_of(expression) -> Statement or None`` returns where an expression is.
    variables : Variables
        What may be in the place of a value.

    Attributes
    ----------
    statements : set of Statement
        Those whose expressions can be changed.
    """

    def __init__(
        self,
        problem: Problem,
        codes: Collection[CodeType],
        derivatives: Mapping[str, Floats],
        statement_of: Callable[[Expression], Statement | None],
        variables: Variables,
    ) -> None:
        self._problem, self._variables = problem, variables
        self._functions = ProbedFunctions(codes)
        self._statement_of = statement_of
        self.statements = set(map(statement_of, self._functions.expressions))
        self._right = self._joined(lambda p: derivatives[p.name].reshape(-1))
        self._base = self._entries(problem.claim)
        self._claims: Iterator[Any] = iter(())
        self._runs = 0
        self._most_runs = MOST_RUNS

    def find(self, right: Collection[Statement], *, steps: int) -> set[Statement] | None:
        """Return the statements with repairs.

        None where too little is wrong, or statements that may be are left to be tried.

        Parameters
        ----------
        right : collection of Statement
            Those that are right.
        steps : int
            How many statements backward executes.
        """
        wrong = np.abs(self._base - self._right) > SAME * np.abs(self._right).max()
        if wrong.sum() < FEWEST_WRONG:
            return None
        self._most_runs = min(MOST_RUNS, MOST_STEPS // max(1, steps))
        with self._functions.in_place(), np.errstate(all="ignore"):
            values = self._recorded()
            return None if values is None else self._found(right, values, wrong)

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
                affordable = self._runs + int(MOST_SECONDS / min(seconds))
                self._most_runs = min(self._most_runs, affordable)
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
        wrong: NDArray[np.bool_],
    ) -> set[Statement] | None:
        expressions = defaultdict[Statement, list[int]](list)
        for number, expression in enumerate(self._functions.expressions):
            statement = self._statement_of(expression)
            if statement is not None and statement not in right and number in values:
                expressions[statement].append(number)
        reaching = {s for s, own in expressions.items() if self._reaches(own, values, wrong)}
        found: set[Statement] = set()
        ordered = sorted(expressions, key=lambda s: s not in reaching)
        for kind in KINDS:
            for statement in ordered:
                if self._runs >= self._most_runs:
                    return found if found or kind is not KINDS[0] else None
                if self._has_repair(expressions[statement], values, kind):
                    found.add(statement)
            if found:
                break
        return found

    def _reaches(
        self,
        numbers: Collection[int],
        values: Mapping[int, Any],
        wrong: NDArray[np.bool_],
    ) -> bool:
        """Return whether all entries that are wrong depend on what a statement computes."""
        rng = np.random.default_rng(0)
        whole = [
            n
            for n in numbers
            if self._functions.expressions[n].role == "whole" and is_floating(values[n])
        ]

        def noise(value: Any, _: FrameType) -> Any:
            return value * (1 + MISTAKE * rng.uniform(0.5, 1, np.shape(value)))

        claim = self._run(dict.fromkeys(whole, noise)) if whole else None
        return claim is None or bool(((claim != self._base) | ~wrong).all())

    def _has_repair(
        self, numbers: Collection[int], values: Mapping[int, Any], kind: KindOfChange
    ) -> bool:
        """Return whether a change of a kind of one expression makes all gradients right."""
        return any(
            self._is_repaired({number: change.change(0.0)})
            if change.start is None
            else self._is_solved(number, change.start, change.change)
            for number in numbers
            for change in kind(
                self._functions.expressions[number], values[number], self._variables
            )
        )

    def _is_solved(self, number: int, start: float, change: Callable[[float], Change]) -> bool:
        """Return whether there is a number of a change that makes all gradients right.

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
            if self._is_right(found):
                return True
            if self._error(found) > DECREASE * self._error(claim):
                break
            claim = found
        usual = USUAL_FACTORS if start == 1.0 else ()
        return any(self._is_repaired({number: change(factor)}) for factor in usual)

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
        return claim is not None and self._is_right(claim)

    def _run(self, changes: Mapping[int, Change]) -> Floats | None:
        if self._runs >= self._most_runs:
            return None
        self._runs += 1
        probe = self._functions.probe
        probe.changes, probe.calls = dict(changes), 0
        try:
            claim = next(self._claims, None)
        finally:
            probe.changes = {}
        entries = None if claim is None else self._entries(claim)
        return entries if entries is not None and np.isfinite(entries).all() else None

    def _entries(self, claim: Any) -> Floats:
        return self._joined(lambda p: claim.rows(p.start, p.stop)[:, 0].astype(np.float64))

    def _joined(self, part: Callable[[Any], Floats]) -> Floats:
        return np.concatenate([part(p) for p in self._problem.parameters])

    def _is_right(self, claim: Floats) -> bool:
        edges = np.cumsum([p.stop - p.start for p in self._problem.parameters])[:-1]
        pairs = zip(np.split(claim, edges), np.split(self._right, edges), strict=True)
        return all(is_same(one, right) for one, right in pairs)
