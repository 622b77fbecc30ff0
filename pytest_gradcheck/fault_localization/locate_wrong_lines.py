"""The wrong line: where in backward a gradient first goes wrong.

Backward is a chain of intermediate gradients. Each is a claim of its own, the derivative of the
output by a value of forward, and can be verified like that of a parameter. So forward and backward
are executed once more and recorded (`recorded_values`), derivatives by values of forward are
measured (`intermediate_derivatives`) and paired with values of backward (`gradient_pairs`), until
few statements are left that may be to blame (`blame`). The field calls this fault localisation.

It is called for checks that fail, and says nothing on weak evidence.
"""

from __future__ import annotations

import inspect
import operator
import pathlib
import threading
from collections.abc import Callable, Collection, Iterator
from types import CodeType
from typing import Any

from pytest_gradcheck.binding.call.decorators import unwrapped
from pytest_gradcheck.binding.gradient_problem import Problem
from pytest_gradcheck.binding.values.user_attributes import attribute
from pytest_gradcheck.fault_localization.blame import Suspicion
from pytest_gradcheck.fault_localization.execution.execution_steps import Steps, UserCode
from pytest_gradcheck.fault_localization.execution.frame_events import can_be_traced, frame_events
from pytest_gradcheck.fault_localization.execution.recorded_values import Recorder
from pytest_gradcheck.fault_localization.execution.statements import (
    Statement,
    location_of,
    relative,
)
from pytest_gradcheck.fault_localization.explanations import explained
from pytest_gradcheck.fault_localization.search import Search
from pytest_gradcheck.integrations.torch_tensors import derivative_rule
from pytest_gradcheck.report.report_data import ParameterReport, SourceLocation, WrongLine

__all__ = ["definition_of", "locate_wrong_lines"]

#: Functions are unwrapped so often.
MOST_WRAPPED = 10

#: The most lines that are named together.
MOST_LINES = 3

#: Searches of several threads take turns, since they change the code of the same functions. One
#: that waits for so many seconds says nothing: the other may wait for it.
TURN = threading.Lock()
LONGEST_WAIT = 30.0

#: Differences below this are not told from the errors of measurements.
SMALLEST_DIFFERENCE = 1e-5


def locate_wrong_lines(
    problem: Problem, parameters: tuple[ParameterReport, ...], *, root: pathlib.Path, seed: int
) -> tuple[WrongLine, ...]:
    """Find the statements of backward at which gradients first go wrong.

    Parameters
    ----------
    problem : Problem
        The problem whose check failed.
    parameters : tuple of ParameterReport
        What the check found.
    root : Path
        Files inside it are named relative to it.
    seed : int
        Draws the directions.

    Returns
    -------
    tuple of WrongLine
        Empty where nothing is sure. Costs at most 200 evaluations of forward, and at most 6,000
        executions of backward that take less than three seconds together.
    """
    differences = [p.relative_difference for p in parameters if p.verdict == "wrong"]
    if any(difference < SMALLEST_DIFFERENCE for difference in differences):
        return ()
    if problem.kind not in ("gradient", "vjp") or not can_be_traced():
        return ()
    if not TURN.acquire(timeout=LONGEST_WAIT):
        return ()
    try:
        recorded = _record(problem)
        if recorded is None:
            return ()
        search = Search(problem, parameters, *recorded, seed=seed)
        named = (_wrong_lines(search, found, root) for found in _found(search))
        return next(filter(None, named), ())
    finally:
        TURN.release()


def _found(search: Search) -> Iterator[Collection[Suspicion]]:
    """Yield what is found, the surest first.

    Derivatives by values of forward tell it, changes of expressions, or the search.
    """
    repaired = search.repaired()
    changed = search.changed(repaired)
    if changed and (len(changed) == 1 or (repaired and len(repaired.statements) == 1)):
        yield [search.suspicion(changed)]
        return
    if repaired and not changed:
        if changed is None and len(repaired.statements) > 1:
            search.run()
            repaired = search.without_excluded(repaired)
        yield [repaired]
        return
    search.run()
    found = explained(search)
    is_among = found and all(_is_among(one.statements, changed or ()) for one in found)
    if changed and not repaired and not all(changed.values()):
        yield [search.suspicion(changed)]  # measurements do not tell where a factor is missing
    if not changed or is_among:
        yield found
    if changed:
        yield [search.suspicion(changed)]


def _is_among(statements: Collection[Statement], others: Collection[Statement]) -> bool:
    return bool(statements) and set(statements) <= set(others)


def _wrong_lines(
    search: Search, found: Collection[Suspicion], root: pathlib.Path
) -> tuple[WrongLine, ...]:
    lines = [_wrong_line(search, suspicion, root) for suspicion in found]
    known = [line for line in lines if line is not None]
    return tuple(known) if len(known) == len(lines) else ()  # else something is not understood


def definition_of(function: Callable[..., Any], root: pathlib.Path) -> SourceLocation | None:
    """Return where a function is defined, None where that is not known."""
    code = code_of(derivative_rule(function) or function)
    if code is None:
        return None
    try:
        lines, first = inspect.getsourcelines(code)
    except (OSError, TypeError):
        return None
    last = first + len(lines) - 1
    file = relative(code.co_filename, root)
    return SourceLocation(file, first, last, code.co_qualname, inspect.cleandoc(lines[0]))


def code_of(function: Any) -> CodeType | None:
    """Return the code of a function of the user's, inside `functools.partial` and decorators."""
    for _ in range(MOST_WRAPPED):
        function = unwrapped(function)
        inner = attribute(function, "__func__") or attribute(function, "func")
        if inner is None:
            break
        function = inner
    code = attribute(function, "__code__")
    if code is None and not inspect.isbuiltin(function):
        code = attribute(attribute(type(function), "__call__"), "__code__")
    return code if isinstance(code, CodeType) else None


def _record(problem: Problem) -> tuple[Recorder, UserCode] | None:
    """Record forward and backward at the base point; None where that is not possible."""
    functions = problem.functions
    codes = [code for f in functions if (code := code_of(f)) is not None]
    user_code, recorder = UserCode.around(codes), Recorder()
    steps = Steps(user_code, recorder)
    with frame_events(steps, user_code.follows):
        claim = problem.claim_at(problem.here)
    recorder.phases = steps.phase
    # Code that is not followed may have called functions that are: these are not forward.
    results = [returned for phase, _, returned in recorder.returned if phase <= len(functions)]
    # One that stores the gradients returns nothing.
    expected = [result for result in steps.results[: len(functions)] if result is not None]
    is_whole = len(results) == len(expected)
    is_whole &= len(steps.results) == steps.phase >= len(functions)
    if claim is None or not is_whole or not all(map(operator.is_, results, expected)):
        return None
    return recorder, user_code


def _wrong_line(search: Search, suspicion: Suspicion, root: pathlib.Path) -> WrongLine | None:
    statements = list(suspicion.statements)
    if not search.roles.of_forward.isdisjoint(statements):
        return None
    numbers = search.roles.usual_numbers()
    if suspicion.versions and numbers.issuperset(suspicion.versions) and not suspicion.sure:
        return None
    places = _places(statements, suspicion.until, root)
    if not places:
        return None
    gradients = dict.fromkeys(str(v.path) for v in suspicion.versions)
    verified = tuple(dict.fromkeys(_verified(search, suspicion)))
    parameters = dict.fromkeys(map(search.parameter, suspicion.parameters))
    return WrongLine(
        places[0],
        tuple(gradients),
        verified,
        tuple(parameters),
        places[1:],
        suspicion.repair,
    )


def _places(
    statements: list[Statement], until: int, root: pathlib.Path
) -> tuple[SourceLocation, ...]:
    """Return a statement, a range of lines, or several statements; none if these are too many."""
    if not statements:
        return ()
    if len({(s.file, s.function) for s in statements}) == 1:
        whole = location_of(statements, root, until)
        if (len(statements) == 1 and not until) or _lines(whole) <= MOST_LINES:
            return (whole,)
    each = tuple(location_of([statement], root) for statement in statements)
    return each if not until and sum(map(_lines, each)) <= MOST_LINES else ()


def _lines(location: SourceLocation) -> int:
    return location.last_line - location.first_line + 1


def _verified(search: Search, suspicion: Suspicion) -> Iterator[tuple[str, int]]:
    """Yield the gradients that the statements read and that are verified."""
    for version in suspicion.versions:
        for read in version.direct:
            statement = read.statement
            if search.is_derivative(read) and read not in suspicion.versions and statement:
                yield str(read.path), statement.first_line
