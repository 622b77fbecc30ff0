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
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from types import CodeType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.binding.call.decorators import unwrapped
from pytest_gradcheck.binding.gradient_problem import Problem
from pytest_gradcheck.binding.values.user_attributes import attribute
from pytest_gradcheck.fault_localization.blame import (
    Evidence,
    Suspicion,
    suspicions,
    wrong_through,
)
from pytest_gradcheck.fault_localization.execution_steps import Step, Steps, UserCode
from pytest_gradcheck.fault_localization.forward_graph import ForwardGraph
from pytest_gradcheck.fault_localization.frame_events import can_be_traced, frame_events
from pytest_gradcheck.fault_localization.gradient_pairs import GradientPairs, fits
from pytest_gradcheck.fault_localization.influence import Influence
from pytest_gradcheck.fault_localization.intermediate_derivatives import (
    Directions,
    Measurements,
    Target,
)
from pytest_gradcheck.fault_localization.misplaced_values import (
    PART,
    exchanged_names,
    is_named,
    misnamed,
    misplacing_statement,
)
from pytest_gradcheck.fault_localization.recorded_values import Recorder, Version, descendants
from pytest_gradcheck.fault_localization.statements import location_of, relative
from pytest_gradcheck.fault_localization.variables import Path
from pytest_gradcheck.report.records import ParameterReport, SourceLocation, WrongLine

__all__ = ["definition_of", "locate_wrong_lines"]

#: The most evaluations of forward.
BUDGET = 200
PER_MEASUREMENT = 4

#: The evaluations that show what a value of backward influences.
PER_INFLUENCE = 2

#: Functions are unwrapped so often.
MOST_WRAPPED = 10

#: Uses that only confirm what a wrong line reads.
MOST_CONFIRMING = 12

#: The most lines that are named together.
MOST_LINES = 3

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
        Empty where nothing is sure. Costs at most `BUDGET` evaluations of forward.
    """
    differences = [p.relative_difference for p in parameters if p.verdict == "wrong"]
    if any(difference < SMALLEST_DIFFERENCE for difference in differences):
        return ()
    if not differences or problem.kind not in ("gradient", "vjp") or not can_be_traced():
        return ()
    recorded = _record(problem)
    if recorded is None:
        return ()
    search = _Search(problem, parameters, *recorded, seed=seed)
    return tuple(search.wrong_lines(root))


def definition_of(function: Callable[..., Any], root: pathlib.Path) -> SourceLocation | None:
    """Return where a function is defined, None where that is not known."""
    code = code_of(function)
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
    codes = [code for f in problem.functions if (code := code_of(f)) is not None]
    user_code, recorder = UserCode.around(codes), Recorder()
    steps = Steps(user_code, recorder)
    with frame_events(steps, user_code.follows):
        claim = problem.claim_at(problem.here)
    # Code that is not followed may have called functions that are: these are not forward.
    results = [returned for _, _, returned in recorder.returned]
    is_whole = len(results) == len(steps.results) == len(problem.functions) == steps.phase
    if claim is None or not is_whole or not all(map(operator.is_, results, steps.results)):
        return None
    return recorder, user_code


class _Search:
    """The search for the wrong lines of one check."""

    def __init__(
        self,
        problem: Problem,
        parameters: tuple[ParameterReport, ...],
        recorder: Recorder,
        code: UserCode,
        *,
        seed: int,
    ) -> None:
        self._recorder = recorder
        versions = recorder.versions
        graph = ForwardGraph(versions, recorder.outputs(problem.take_outputs))
        self._data = graph.values | {v for v in versions if v.step is None and not v.direct}
        if len(problem.functions) > 1:
            self._data |= {v for v in versions if v.phase == 1}
        self._gradients = [v for v in versions if v not in self._data]
        self._sizes = {size for version in self._data for size in _sizes(version)}
        self._wrong: dict[str, Version] = {}
        self._right: dict[str, Version] = {}
        self._find_claims(problem, parameters)
        made = [v for v in graph.values if v.is_floating and v.step is not None]
        epsilons = [np.finfo(v.value.dtype).eps for v in made]
        directions = Directions(seed)
        self._measurements = Measurements(
            evaluate=lambda point: float(problem.attempt([point])[0, 0]),
            point=problem.here,
            code=code,
            directions=directions,
            epsilon=float(max(epsilons, default=np.finfo(np.float64).eps)),
            size=abs(float(problem.base[0])),
            watched=_watched(graph.values),
        )
        self._targets = [
            *_parameters(problem),
            *_definitions(versions, graph),
            *_uses(recorder, graph),
        ]
        self._pairs = GradientPairs(self._gradients, graph, directions)
        self._influence = Influence(recorder, code, problem)
        self._exonerated: set[Version] = set()
        self._parts = {p.name: slice(p.start, p.stop) for p in problem.parameters}
        self._misnamed = list(misnamed(recorder.bindings, self._data))
        self._well_named = {
            binding.version
            for binding in recorder.bindings
            if binding.version.root in self._data and binding.version.root.phase == 1
        } - {version for _, version in self._misnamed}
        known = {_contents(version) for version in graph.values if version.value.ndim}
        self._recomputed = {
            version
            for version in self._gradients
            if _contents(version) in known
            and not version.is_copy
            and self._data.issuperset(version.direct)
        }
        is_given = problem.kind == "vjp" and len(problem.functions) > 1
        self._descendants = descendants(versions, _cotangents(versions)) if is_given else None
        self._confirming = 0

    def wrong_lines(self, root: pathlib.Path) -> Iterator[WrongLine]:
        """Yield a wrong line for each group of parameters whose wrong gradients it explains."""
        if not self._wrong:
            return
        exonerated = -1
        while exonerated < len(self._exonerated):
            exonerated = len(self._exonerated)
            while (target := self._next_target(suspicions(self._evidence()))) is not None:
                self._targets.remove(target)
                self._pairs.add(self._measurements.measure(target))
            self._exonerate()
        usual = self._usual_numbers() | self._usual_multiples()
        found = [self._narrowed(s) for s in suspicions(self._evidence(), usual)]
        found = self._misplaced() or self._wrong_size(found) or self._missing(found) or found
        if self._pairs.is_exhausted or any(map(self._is_misread, found)):
            return
        lines = [self._wrong_line(suspicion, root) for suspicion in found]
        if None not in lines:  # else something is not understood
            yield from (line for line in lines if line is not None)

    def _misplaced(self) -> list[Suspicion]:
        """Return suspicions of statements that exchange values, if these explain everything."""
        evidence = self._evidence()
        for statement, versions in exchanged_names(self._recorder.bindings):
            if wrong_through(evidence, versions) == set(self._wrong):
                return [Suspicion(tuple(self._wrong), (statement,), ())]
        owners = {v.root: "" for v in self._wrong.values() if v.root in self._data}
        for version in self._pairs.exact():
            pairs = self._pairs.of(version)
            known = {p.target.key for read in version.direct for p in self._pairs.of(read)}
            if any(pair.target.key in known for pair in pairs):
                continue  # it was computed from that one, for another place
            targets = [pair.target for pair in pairs if not pair.target.is_use]
            names = [str(target.path) for target in targets if target.step is None]
            if names:
                owners[version] = names[0]
            elif not targets:
                owners[version] = PART
            elif self._is_unread_after(version):
                owners[version] = ""
        owners |= {v: name for name, v in self._right.items()}
        places = {
            name: misplacing_statement(name, version, owners, self._right, self._recorder.routes)
            for name, version in self._wrong.items()
        }
        if None in places.values():
            return []
        return [
            Suspicion(tuple(n for n, s in places.items() if s is statement), (statement,), ())
            for statement in dict.fromkeys(places.values())
            if statement is not None
        ]

    def _narrowed(self, suspicion: Suspicion) -> Suspicion:
        """Return a suspicion of those statements only that are known to be wrong, if any are.

        They make an unusual multiple of a gradient of values that have no error.
        """
        faultless, usual = self._evidence().faultless, self._usual_multiples()
        unusual = set(self._pairs.scaled()) - usual
        known = [
            version
            for version in suspicion.versions
            if version in unusual
            and all(read in faultless for read in version.direct if read.is_floating)
        ]
        statements = tuple(dict.fromkeys(v.statement for v in known if v.statement is not None))
        if not statements:
            return suspicion
        return replace(suspicion, statements=statements, versions=tuple(known))

    def _is_unread_after(self, version: Version) -> bool:
        """Return whether backward computes a value of the same shape later, and never reads it."""
        read = {v for other in self._gradients for v in other.direct}
        claims = {*self._wrong.values(), *self._right.values()}
        return any(
            other.value.shape == version.value.shape and other.number > version.number
            for other in self._gradients
            if other.is_floating and other not in read and other not in claims
        )

    def _missing(self, found: list[Suspicion]) -> list[Suspicion]:
        """Return a suspicion that a step is missing: all that read a right value are wrong."""
        usual = self._usual_multiples()
        if len(found) == 1 and found[0].versions and usual.issuperset(found[0].versions):
            values = set(found[0].versions[-1:])
        elif len(found) > 1 and all(len(s.statements) == 1 and s.versions for s in found):
            known = {*self._pairs.exact(), *usual}
            values = known.intersection(
                *({r for v in s.versions for r in v.direct} for s in found)
            )
        else:
            return []
        right = self._evidence().right
        for value in values:
            readers = [v for v in self._gradients if value in v.direct]
            if value.statement is not None and readers and right.isdisjoint(readers):
                first = min(v.statement.first_line for v in readers if v.statement is not None)
                gap = max(value.statement.last_line, first - 1)
                return [Suspicion(tuple(self._wrong), (value.statement,), (), gap)]
        return []

    def _is_misread(self, suspicion: Suspicion) -> bool:
        """Return whether a value was read under a name that forward has for others."""
        read = {r for v in suspicion.versions for r in v.direct}
        read -= set(suspicion.versions)
        return any(version in read for _, version in self._misnamed)

    def _wrong_size(self, found: list[Suspicion]) -> list[Suspicion]:
        """Return a suspicion of a number of entries: with another one all gradients are right."""
        numbers = self._usual_numbers()
        numbers |= {v for s in found for v in s.versions if v.value.dtype.kind in "iu"}
        suspects = {v for s in suspicions(self._evidence()) for v in s.versions}
        for version in numbers & suspects:
            for size in sorted(self._sizes - {float(version.value)}):
                statement = version.statement
                if statement is None or self._evaluations() >= BUDGET:
                    return []
                if self._is_repaired(version, size):
                    return [Suspicion(tuple(self._wrong), (statement,), (version,), sure=True)]
        return []

    def _is_repaired(self, version: Version, size: float) -> bool:
        """Return whether all wrong gradients become right where a number is replaced."""
        claim = self._influence.claim_with(version, size / float(version.value) - 1)
        return claim is not None and all(
            self._pairs.is_derivative(claim.rows(part.start, part.stop)[:, 0], name)
            for name, part in self._parts.items()
            if name in self._wrong
        )

    def _next_target(self, found: list[Suspicion]) -> Target | None:
        """Return what to measure next: what may be paired with a value that is not verified."""
        if self._evaluations() + PER_MEASUREMENT > BUDGET or self._pairs.is_exhausted:
            return None
        for suspicion in found:
            wrong = [self._wrong[name] for name in suspicion.parameters]
            is_decided = len(suspicion.statements) == 1
            for target in self._fitting(suspicion.versions or wrong):
                if not (is_decided and target.is_use and self._confirming >= MOST_CONFIRMING):
                    self._confirming += is_decided and target.is_use
                    return target
        return None

    def _evaluations(self) -> int:
        return 1 + self._measurements.evaluations + self._influence.evaluations

    def _fitting(self, versions: Iterable[Version]) -> Iterator[Target]:
        """Yield what some values, or what was read for them, may be the gradients of."""
        unknown = [
            version
            for suspect in versions
            for version in (suspect, *self._read(suspect))
            if not self._pairs.of(version) and version not in self._right.values()
        ]
        for target in self._targets:
            if any(fits(version, target.version) for version in unknown):
                yield target

    def _evidence(self) -> Evidence:
        right = {*self._pairs.exact(), *self._right.values()} - set(self._wrong.values())
        shown = (read for version in right if version.value.any() for read in version.direct)
        simple = {read for read in shown if read.is_alias or not read.value.ndim}
        assumed = self._exonerated | self._well_named | self._recomputed
        faultless = self._data | right | simple | assumed
        return Evidence(faultless, right, self._wrong, self._follows)

    def _exonerate(self) -> None:
        """Find values that verified gradients depend on: an error in them would be in these."""
        examined: set[Version] = set()
        while self._evaluations() + PER_INFLUENCE <= BUDGET and not self._pairs.is_exhausted:
            evidence, numbers = self._evidence(), self._usual_numbers()
            suspects = (v for s in suspicions(evidence, numbers) for v in s.versions)
            version = next((v for v in suspects if v not in examined), None)
            if version is None:
                return
            examined.add(version)
            # What is not computed from gradients may be right up to a factor.
            multiples = set() if self._read(version) else self._usual_multiples() - {version}
            right = (evidence.right | multiples) - {version}
            is_multiple = version in self._pairs.scaled()
            if self._influence.shows(version, right, is_multiple=is_multiple):
                self._exonerated.add(version)
                if not all(s.statements for s in suspicions(self._evidence(), numbers)):
                    self._exonerated.remove(version)  # two errors cancel, as two signs do

    def _follows(self, version: Version) -> bool:
        """Return whether a value follows rightly from what was read for it, right or wrong."""
        read, factors = self._read(version), {1.0}
        if version in self._wrong.values():
            if self._pairs.factor(version) == 1.0:
                return False  # it is part of a gradient, or another one
            usual = self._usual_multiples()
            if any(v in usual for v in read):
                return False  # the factor is missing that makes a multiple of a gradient right
            factors |= self._factors()
        return self._pairs.follows(version, read, factors)

    def _usual_numbers(self) -> set[Version]:
        """Return the numbers of backward that are lengths of axes of data."""
        return {
            version
            for version in self._gradients
            if version.value.dtype.kind in "iu"
            and version.value.ndim == 0
            and float(version.value) in self._sizes
        }

    def _usual_multiples(self) -> set[Version]:
        """Return multiples of gradients by a number of entries, as before ``1 / m``.

        They arise where backward begins, and not where it is given an upstream gradient.
        """
        if self._descendants is not None:
            return set()
        return {
            version
            for version in self._pairs.scaled()
            if version not in self._wrong.values()
            and any(self._pairs.is_multiple(version, (n, 1 / n)) for n in _sizes(version))
            and all(
                self._pairs.factor(v) is None or self._keeps_factor(v, version)
                for v in self._read(version)
            )
        }

    def _keeps_factor(self, read: Version, version: Version) -> bool:
        factor = self._pairs.factor(read)
        return factor is not None and self._pairs.is_multiple(version, (factor,))

    def _factors(self) -> set[float]:
        """Return the factors by which backward multiplies what it returns, as ``1 / m``."""
        factors = (
            self._pairs.factor(read)
            for version in self._right.values()
            for read in self._read(version)
        )
        return {1 / factor for factor in factors if factor is not None}

    def _read(self, version: Version) -> list[Version]:
        """Return the values of backward that were read for one, which may be gradients."""
        return [
            read
            for read in version.direct
            if read not in self._data
            and read.is_floating
            and (self._descendants is None or read in self._descendants)
        ]

    def _wrong_line(self, suspicion: Suspicion, root: pathlib.Path) -> WrongLine | None:
        statements = list(suspicion.statements)
        numbers = self._usual_numbers()
        if suspicion.versions and numbers.issuperset(suspicion.versions) and not suspicion.sure:
            return None
        if not statements or len({(s.file, s.function) for s in statements}) > 1:
            return None
        location = location_of(statements, root, suspicion.until)
        lines = location.last_line - location.first_line + 1
        if lines > MOST_LINES and (len(statements) > 1 or suspicion.until):
            return None
        gradients = dict.fromkeys(str(v.path) for v in suspicion.versions)
        verified = tuple(dict.fromkeys(self._verified(suspicion)))
        return WrongLine(location, tuple(gradients), verified, suspicion.parameters)

    def _verified(self, suspicion: Suspicion) -> Iterator[tuple[str, int]]:
        """Yield the gradients that the statements read and that are verified."""
        for version in suspicion.versions:
            for read in version.direct:
                statement = read.statement
                if self._pairs.of(read) and read not in suspicion.versions and statement:
                    yield str(read.path), statement.first_line

    def _find_claims(self, problem: Problem, parameters: tuple[ParameterReport, ...]) -> None:
        """Find the values that backward returned as gradients of parameters."""
        verdicts = {p.name: p.verdict for p in parameters}
        for parameter in problem.parameters:
            if parameter.stop == parameter.start:
                continue
            claim = problem.claim.rows(parameter.start, parameter.stop)[:, 0]
            version = self._version_of(parameter.name, claim)
            if version is None:
                continue
            if verdicts[parameter.name] == "wrong":
                self._wrong[parameter.name] = version
            elif verdicts[parameter.name] == "correct":
                self._right[parameter.name] = version

    def _version_of(self, name: str, claim: NDArray[np.float64]) -> Version | None:
        """Return the value that was returned for a parameter; rather one with such a name."""
        found = [
            version
            for version in (*reversed(self._gradients), *self._data)
            if version.is_floating
            and version.value.size == claim.size
            and np.array_equal(version.value.reshape(-1).astype(np.float64), claim)
        ]
        return next((v for v in found if is_named(v.path, name)), found[0] if found else None)


def _parameters(problem: Problem) -> Iterator[Target]:
    """Yield the parameters as what can be perturbed."""
    for parameter in problem.parameters:
        if parameter.is_complex or parameter.stop == parameter.start:
            continue
        part = slice(parameter.start, parameter.stop)
        value = problem.here[part].reshape(parameter.shape)
        version = Version(Path(parameter.name), value, None, 0, 0)
        yield Target(version, version.path, None, part=part)


def _definitions(versions: Sequence[Version], graph: ForwardGraph) -> Iterator[Target]:
    """Yield the values of forward that can be perturbed where they are made, the last first."""
    for version in reversed(versions):
        place = None if version.is_alias else version.place
        if version in graph.values and version.is_floating and place is not None:
            step, path = place
            yield Target(version, path, step)


def _uses(recorder: Recorder, graph: ForwardGraph) -> Iterator[Target]:
    """Yield the steps of forward that compute from a value, which perturb it there only."""
    computing = {v.step for v in graph.values if v.is_floating}
    for step, path, version in reversed(recorder.uses):
        if version in graph.values and version.is_floating and step in computing:
            yield Target(version, path, step, is_use=True)


def _cotangents(versions: Sequence[Version]) -> list[Version]:
    """Return what backward was given that forward did not know."""
    return [v for v in versions if v.step is None and v.phase > 1 and not v.direct]


def _contents(version: Version) -> tuple[object, ...]:
    """Return what is equal for arrays with equal entries."""
    value = version.value
    return value.shape, value.dtype.str, value.tobytes()


def _sizes(version: Version) -> set[float]:
    """Return the lengths of the axes of an array, and its number of entries."""
    return {float(length) for length in (*version.value.shape, version.value.size) if length > 1}


def _watched(values: Collection[Version]) -> dict[Step, list[tuple[Version, Path]]]:
    """Return the values of forward by the steps after which they are there."""
    watched: dict[Step, list[tuple[Version, Path]]] = {}
    for version in values:
        if version.is_floating and version.place is not None and not version.is_alias:
            watched.setdefault(version.place[0], []).append((version, version.place[1]))
    return watched
