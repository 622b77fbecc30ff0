"""Repairs: the statement of backward that makes all gradients right when it makes other values.

The derivatives by all values of forward are known (`adjoints`). A statement of backward is
suspected, and each time that it is executed, what it made is replaced by one of them. If all
gradients become right, the statement is to blame, and all that is computed from it is right. Of
several such statements it is the one that has to make something else first.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.binding.backward.claims import ClaimView
from pytest_gradcheck.binding.gradient_problem import Problem
from pytest_gradcheck.fault_localization.adjoint_repair.adjoints import Adjoints
from pytest_gradcheck.fault_localization.adjoint_repair.forward_series import Kind, series_of
from pytest_gradcheck.fault_localization.adjoint_repair.known_values import KnownValues
from pytest_gradcheck.fault_localization.adjoint_repair.replacements import (
    Execution,
    Replacement,
    Replacing,
    replacements,
)
from pytest_gradcheck.fault_localization.adjoint_repair.verified_values import (
    VerifiedValues,
    is_zero_of_zero,
    stem,
)
from pytest_gradcheck.fault_localization.blame import Suspicion
from pytest_gradcheck.fault_localization.execution.execution_steps import Step, Steps, UserCode
from pytest_gradcheck.fault_localization.execution.frame_events import frame_events
from pytest_gradcheck.fault_localization.execution.recorded_values import (
    RETURNED,
    Recorder,
    Result,
    Version,
    ancestors,
)
from pytest_gradcheck.fault_localization.execution.statements import Statement
from pytest_gradcheck.fault_localization.measured_gradient import (
    FEW,
    is_same,
    multiple_of,
    of_all_entries,
)
from pytest_gradcheck.fault_localization.misplaced_values import is_named
from pytest_gradcheck.fault_localization.required_value import RequiredValue
from pytest_gradcheck.fault_localization.value_roles import Claims, Roles

__all__ = ["Repairs"]

Floats = NDArray[np.float64]

#: Factors that differ by less are the same.
SAME_FACTOR = 1e-4

#: The most executions of backward with other values.
MOST_REPAIRS = 100

#: A statement is left alone if after so many replacements some entry is as wrong as before.
FEWEST_REPLACEMENTS = 2

#: The most replacements of one statement.
MOST_REPLACEMENTS = 12


@dataclass(frozen=True, slots=True)
class _Repair:
    """A statement, and what it has to make for all gradients to be right."""

    statement: Statement
    replacement: Replacement

    @property
    def version(self) -> Version:
        """The first value that has to be something else."""
        return self.replacement.first.version


class Repairs:
    """Looks for the repair of one backward.

    Parameters
    ----------
    problem : Problem
        Calls forward and backward.
    code : UserCode
        What is followed.
    recorder : Recorder
        What was recorded.
    roles : Roles
        What the recorded values are.
    claims : Claims
        What backward has returned.
    adjoints : Adjoints
        The derivatives by all values of forward.

    Attributes
    ----------
    derivatives : mapping of str to ndarray
        The derivatives by the parameters.
    evaluations : int
        Calls of forward so far.
    required : RequiredValue or None
        What the statement that is repaired has to make; None if none is.
    """

    def __init__(
        self,
        problem: Problem,
        code: UserCode,
        recorder: Recorder,
        *,
        roles: Roles,
        claims: Claims,
        adjoints: Adjoints,
    ) -> None:
        self._problem, self._code, self._recorder = problem, code, recorder
        self._roles, self._claims = roles, claims
        self._gradient = of_all_entries(problem, adjoints.parameters)
        self.derivatives, self._callers = adjoints.parameters, adjoints.trace.callers
        self._series = series_of(adjoints)
        self._known = KnownValues(self._series)
        self._verified = VerifiedValues(roles, claims, self._known)
        self.evaluations = 0
        self.required: RequiredValue | None = None

    def is_derivative(self, version: Version) -> bool:
        """Return whether a value is a derivative, be it through some uses only."""
        return self._verified.is_part(version)

    def is_known(self, version: Version) -> bool:
        """Return whether a value is a derivative; what a function returns may yet be changed."""
        return version.path.name != RETURNED and self._verified.is_known(version)

    def is_named_derivative(self, version: Version) -> bool:
        """Return whether a value is the derivative that it has to be.

        That is the one by the value of forward that its name says, or one by an argument. What
        happens to be another derivative may have to be a multiple of it.
        """
        if not self.is_known(version):
            return False
        return self._verified.has_own_name(version) or any(
            kind == "total" and (owner.step is None or is_named(version.path, owner.path.last))
            for kind, owner in self._known.of(version)
        )

    def multiple_of_named(self, version: Version) -> float | None:
        """Return of which multiple a value is the derivative that it is named after, if of one."""
        entries = version.value.reshape(-1)
        if version.is_floating and entries.size >= FEW:
            rows = self._known.derivatives(stem(version.path.names), entries.size)
            multiples = (multiple_of(entries, row) for row in rows)
            return next((multiple for multiple in multiples if multiple is not None), None)
        return None

    def find(self) -> Suspicion | None:
        """Return a suspicion of the statement that is repaired; of none if something is missing.

        There are others in it if values that they made, and that are not verified, may be why.
        """
        if not self._are_right(self._problem.claim, list(self._claims.right)):
            return None  # what is said to be right is not what was found
        forgetful = self._forgetful()
        if forgetful is not None:
            return self._suspicion(forgetful, [], [])
        unfilled = self._unfilled()
        if unfilled and unfilled[0].statement is not None:
            return self._suspicion(unfilled[0].statement, unfilled, [])
        repair = self._first_repair()
        if repair is not None:
            self.required = repair.replacement.required
            return self._suspicion_of(repair)
        returned = list(self._claims.wrong.values())
        statements = {version.statement for version in returned}
        statement = statements.pop() if len(statements) == 1 else None
        if statement is not None and all(v.place is None and not v.is_alias for v in returned):
            return self._suspicion(statement, returned, [])
        return None

    def _forgetful(self) -> Statement | None:
        """Return the statement that returns other values in the place of right gradients."""
        for name, claim in self._claims.wrong.items():
            before = set(ancestors([claim]))
            if not any(
                version not in before
                and version.is_floating
                and version.value.any()
                and is_same(version.value, self.derivatives[name])
                for version in self._roles.gradients
            ):
                return None
        claims = {version.root for version in self._claims.wrong.values()}
        routes = [
            route
            for route in self._recorder.routes
            if route.version in claims and route.path.name == RETURNED
        ]
        statements = {route.step.statement for route in routes}
        is_all = {route.version for route in routes} == claims
        return statements.pop() if is_all and len(statements) == 1 else None

    def _unfilled(self) -> list[Version]:
        """Return the zeros that stand for derivatives, and that no statement adds anything to.

        None where gradients are wrong that were not computed from them.
        """
        filled = {r for v in self._roles.gradients for r in v.direct if r.path == v.path}
        found = {v for v in self._roles.initial - filled if self._is_unfilled(v)}
        read = [found.intersection(ancestors([claim])) for claim in self._claims.wrong.values()]
        return sorted(set().union(*read), key=lambda v: v.number) if read and all(read) else []

    def _is_unfilled(self, version: Version) -> bool:
        """Return whether a value is zero where the derivative that it stands for is not."""
        statement, name = version.statement, version.path.name
        if statement is None or version.path.accessors:
            return False
        others = (
            one
            for one in self._code.statements(statement.file).values()
            if one.function == statement.function and one is not statement
        )
        if any(name in one.binds or name in {c.name for c in one.changes} for one in others):
            return False
        is_wrong = version in self._claims.wrong.values()
        return is_wrong or bool(self._known.derivatives(stem(name), version.value.size))

    def _first_repair(self) -> _Repair | None:
        """Return the repair of the statement that has to make something else first.

        Values that are parts of derivatives are right in most cases. They are changed only if
        nothing else is found, or nothing but what was computed from them.
        """
        found: list[_Repair] = []
        for order, statement, made in self._suspects():
            first = found[0] if found else None
            if first and not self._is_part(first) and order > first.replacement.first.order:
                break
            is_inside = made[0].result.step.statement is not statement
            if is_inside and any(self._verified.shows(one.version) for one in made):
                continue  # a function that is right, but was given something wrong
            replacement = self._replacement(made)
            if replacement is not None:
                found.append(_Repair(statement, replacement))
                if first and not self._is_part(found[-1]):
                    break
        if not found:
            return None
        found.sort(key=lambda repair: repair.replacement.first.order)
        first, last = found[0], found[-1]
        if self._is_part(first) and not self._is_part(last):
            return first if first.version in set(ancestors([last.version])) else last
        return first

    def _is_part(self, repair: _Repair) -> bool:
        return self._verified.is_part(repair.version)

    def _suspects(self) -> list[tuple[int, Statement, list[Execution]]]:
        """Return the statements that may be wrong, with when they first are, in order.

        What a function returns was made by a statement of its own, and by that which called it.
        """
        made_by = defaultdict[Step | None, list[Version]](list)
        for version in self._roles.gradients:
            made_by[version.step].append(version)
        found: dict[tuple[Statement, str], list[Execution]] = defaultdict(list)
        gradients = {version for version in self._roles.gradients if version.is_floating}
        for order, result in enumerate(self._recorder.results):
            version = result.version
            if version not in gradients:
                continue
            execution = Execution(order, result)
            found[result.step.statement, result.path.names].append(execution)
            is_returned = version.place is not None and version.place.step == result.step
            if is_returned and version.step is not None and version.step != result.step:
                rank = made_by[version.step].index(version)
                found[version.step.statement, f"{RETURNED} {rank}"].append(execution)
        through = set(ancestors(list(self._claims.wrong.values()))) - self._roles.initial
        suspects = []
        for (statement, _), executions in found.items():
            if statement in self._roles.of_forward:
                continue
            size = executions[-1].version.value.size
            made = [one for one in executions if one.version.value.size == size]
            opened = [one.order for one in made if self._is_open(one.version)]
            if opened and not through.isdisjoint(one.version for one in made):
                suspects.append((min(opened), statement, made))
        return sorted(suspects, key=lambda one: one[0])

    def _is_open(self, version: Version) -> bool:
        return bool(version.value.any()) and not self._verified.is_known(version)

    def _replacement(self, made: list[Execution]) -> Replacement | None:
        """Return what a statement has to make for all gradients to be right.

        First of all that which its variable is named after, what leaves most as it is, and what
        is most similar.
        """
        claimed = {version: name for name, version in self._claims.wrong.items()}
        names = {claimed[one.version] for one in made if one.version in claimed}
        own = stem(made[0].result.path.names)
        possible = sorted(
            replacements(made, self._series, partial(self._may_be, names=names)),
            key=lambda one: (
                one.name.rsplit(".", 1)[-1] != own,
                len(one.values),
                -one.similarity,
            ),
        )[:MOST_REPLACEMENTS]
        base = self._entries(self._problem.claim)
        wrong, moved = self._gradient.wrong(base), np.zeros(base.shape, dtype=bool)
        for count, replacement in enumerate(possible):
            if self.evaluations >= MOST_REPAIRS:
                return None
            if count >= FEWEST_REPLACEMENTS and (wrong & ~moved).any():
                return None  # what is wrong there does not depend on the statement
            entries = self._entries_with(replacement)
            if entries is None:
                continue
            if self._gradient.is_right(entries):
                return replacement
            moved |= entries != base
        return None

    def _may_be(
        self, version: Version, kind: Kind, owner: Version | None, names: Collection[str]
    ) -> bool:
        """Return whether a value may have to be something else.

        One that is a derivative may not; one through some uses only may have to be that through
        others as well. What is the gradient of a parameter has to be the derivative by that.
        """
        owned = [
            (known, of)
            for known, of in self._known.of(version)
            if not names or any(is_named(of.path, name) for name in names)
        ]
        if not owned:
            return True
        is_all = (
            any(known == "total" for known, _ in owned)
            if names
            else self._verified.is_known(version)
        )
        return not is_all and kind in ("total", "sum") and owner in {of for _, of in owned}

    def _entries_with(self, replacement: Replacement) -> Floats | None:
        """Return what backward claims where a statement makes something else."""
        self.evaluations += 1
        with ExitStack() as undone:
            listener = Replacing(replacement, undone)
            undone.enter_context(frame_events(Steps(self._code, listener), self._code.follows))
            claim = self._problem.claim_at(self._problem.here)
            return None if claim is None else self._entries(claim).copy()

    def _entries(self, claim: ClaimView) -> Floats:
        return np.asarray(claim.rows(0, self._problem.here.size)[:, 0])

    def _are_right(self, claim: ClaimView, parameters: Collection[str]) -> bool:
        wrong = self._gradient.wrong(self._entries(claim))
        own = (p for p in self._problem.parameters if p.name in parameters)
        return not any(wrong[p.start : p.stop].any() for p in own)

    def _suspicion_of(self, repair: _Repair) -> Suspicion:
        """Return a suspicion of the statement that is repaired.

        If what it made is right as a part, what was to be added to that may be wrong as well.
        """
        version, statement, replacement = repair.version, repair.statement, repair.replacement
        before = replacement.first.before
        made, sums = [version], list[Version]()
        if self._is_part(repair):
            made += [reader for reader in self._roles.gradients if version in reader.direct]
        if before is not None and not (replacement.is_added and statement.is_sum):
            sums = list(self._sums_before(before, statement))
        assigned = [result for one in sums for result in self._assigned(one)]
        in_vain = list(self._read_in_vain(assigned))
        kept = [] if before is None or before in sums else [before]
        suspicion = self._suspicion(statement, [*made, *sums, *in_vain], kept)
        made_by = [v.statement for v in in_vain if v.statement is not None]
        empty = () if before is None else self._never_filled(before)
        given = (*(r.step.statement for r in assigned), *made_by, *empty, *self._calls(repair))
        others = (*given, *self._numbers(repair), *self._incomplete(repair))
        statements = dict.fromkeys([*suspicion.statements, *others])
        if self._adds_part(repair):  # the statement is right
            readers = {reader.statement for reader in made[1:]}
            if not statements.keys() <= {statement, *readers}:
                statements.pop(statement, None)
            elif before is not None and before.statement is not None:  # something is missing
                statements = dict.fromkeys([before.statement, *statements])
        name = replacement.name.rsplit(".", 1)[-1]
        is_own = version in self._claims.wrong.values() or is_named(version.path, name)
        return replace(suspicion, statements=tuple(statements), is_named=is_own)

    def _conditions(self, statements: Collection[Statement]) -> list[Statement]:
        """Return what may be why other statements were executed than should have been.

        That is what conditions in the functions of some statements depend on.
        """
        functions = {(one.file, one.function) for one in statements}
        names = {
            (file, function, chain.name)
            for file, function in functions
            for one in self._code.statements(file).values()
            if one.function == function and one.is_condition
            for chain in one.reads
        }
        read = [
            version
            for version in self._roles.gradients
            if (s := version.statement) is not None
            and (s.file, s.function, version.path.name) in names
            and not self._verified.is_verified(version)
        ]
        made = (v.statement for v in (*read, *self._verified.unverified(read, [])))
        return [statement for statement in made if statement is not None]

    def _adds_part(self, repair: _Repair) -> bool:
        """Return whether what a statement has added is the derivative through one use."""
        version, before = repair.version, repair.replacement.first.before
        if before is None or not repair.statement.is_sum:
            return False
        added = self._known.equal_to(version.value - before.value)
        name = repair.replacement.name.rsplit(".", 1)[-1]
        return any(kind == "part" and is_named(of.path, name) for kind, of in added)

    def _incomplete(self, repair: _Repair) -> Iterator[Statement]:
        """Yield what returns a derivative through some uses that may have to be that through more.

        What is missing in a sum may be missing in what a function has returned for it.
        """
        function = repair.statement.function
        for read in repair.version.direct:
            made_by = read.statement
            is_part = self._verified.is_part(read) and not self._verified.is_known(read)
            if is_part and made_by is not None and made_by.function != function:
                yield made_by

    def _sums_before(self, before: Version, statement: Statement) -> Iterator[Version]:
        """Yield the sums to which a statement adds, where they may be wrong.

        What has to be there after the statement shows nothing of what was there before it.
        """
        sums: Version | None = before
        while sums is not None:
            if statement.is_sum and self._verified.is_whole_sum(sums):
                return
            if self._verified.is_known(sums) or is_zero_of_zero(sums):
                return
            yield sums
            path = sums.path
            sums = next((read for read in sums.direct if read.path == path), None)

    def _never_filled(self, before: Version) -> Iterator[Statement]:
        """Yield what made zeros that a sum has begun with, where these have come from others.

        Something may have been to be added to the others before.
        """
        for version in ancestors([before]):
            if version.path == before.path and is_zero_of_zero(version):
                made = (one.statement for one in (version, *version.direct) if not one.value.any())
                yield from (statement for statement in made if statement is not None)

    def _assigned(self, version: Version) -> Iterator[Result]:
        """Yield what has assigned to a value: its own statement, and what left it as it is.

        Zeros that nothing was to be added to are right.
        """
        for result in self._recorder.results:
            is_begin = version in self._roles.initial and result.step == version.step
            if result.version is version and not is_begin:
                yield result

    def _read_in_vain(self, assigned: Collection[Result]) -> Iterator[Version]:
        """Yield what may be wrong in what was read by steps that left a value as it is."""
        in_vain = [result for result in assigned if result.step != result.version.step]
        names = {chain.name for result in in_vain for chain in result.step.statement.reads}
        names -= {result.path.name for result in in_vain}
        for version in self._roles.gradients:
            if version.path.name in names and not self._verified.is_verified(version):
                yield version

    def _numbers(self, repair: _Repair) -> Iterator[Statement]:
        """Yield what made the numbers of entries that may be why a value is a multiple."""
        ratios = [
            value.reshape(-1)[one.version.value.reshape(-1) != 0]
            / one.version.value[one.version.value != 0].reshape(-1)
            for one, value in repair.replacement.values.items()
        ]
        every = np.concatenate(ratios)
        if not every.size or np.ptp(every) > SAME_FACTOR * np.abs(every).max():
            return
        for read in repair.version.direct:
            is_own = read not in self._roles.data and read not in self._roles.recomputed
            if read.is_size and is_own and read.statement is not None:
                yield read.statement

    def _suspicion(
        self, statement: Statement, made: list[Version], kept: list[Version]
    ) -> Suspicion:
        unverified = self._verified.unverified(made, kept)
        others = (version.statement for version in unverified)
        own = (
            version.statement for version in made[1:] if not self._verified.is_verified(version)
        )
        every = [statement, *own, *others]
        statements = dict.fromkeys(one for one in every if one is not None)
        statements.update(dict.fromkeys(self._conditions(statements)))
        versions = (*made[:1], *unverified)
        return Suspicion(
            tuple(self._claims.wrong),
            tuple(statements),
            versions,
            sure=True,
        )

    def _calls(self, repair: _Repair) -> list[Statement]:
        """Return the only call of the function that the statement is in, which may be why.

        It is not if the function was given what it has to be. Of a statement that is a call
        itself, return those that made what was returned.
        """
        versions = [execution.version for execution in repair.replacement.values]
        steps = {v.step for v in versions if v.step and v.statement is repair.statement}
        callers = {self._callers[step].statement for step in steps if step in self._callers}
        if len(callers) == 1:
            return [] if self._is_given_right(repair.statement) else list(callers)
        made = {v.statement for v in versions if v.statement is not None} - {repair.statement}
        return [statement for statement in made if not self._verified.is_innocent(statement)]

    def _is_given_right(self, statement: Statement) -> bool:
        """Return whether the arguments of a function of backward are what they have to be.

        They are derivatives, or have the values that variables of these names have in forward.
        """
        given = defaultdict[str, list[Version]](list)
        of_forward = defaultdict[str, list[Version]](list)
        for binding in self._recorder.bindings:
            if binding.step is None and binding.phase == 1:
                of_forward[binding.name].append(binding.version)
            elif binding.step is None and binding.function == statement.function:
                given[binding.name].append(binding.version)
        return all(
            _contents(versions) == _contents(of_forward[name])
            or all(self._is_total(version) for version in versions)
            for name, versions in given.items()
        )

    def _is_total(self, version: Version) -> bool:
        return any(kind == "total" for kind, _ in self._known.of(version))


def _contents(versions: Collection[Version]) -> Counter[bytes]:
    return Counter(version.value.tobytes() for version in versions)
