"""The statements of backward of which a small change makes all gradients right.

Several statements of a chain may make up for a mistake in one of them: a factor two is undone in
any of them. Those whose values are verified, and those that only read what is known to be wrong,
are left out.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from types import CodeType

from pytest_gradcheck.binding.gradient_problem import Problem
from pytest_gradcheck.fault_localization.blame import Suspicion
from pytest_gradcheck.fault_localization.execution.execution_steps import UserCode
from pytest_gradcheck.fault_localization.execution.recorded_values import (
    Recorder,
    Version,
    ancestors,
)
from pytest_gradcheck.fault_localization.execution.statements import Statement
from pytest_gradcheck.fault_localization.execution.variables import Path
from pytest_gradcheck.fault_localization.expression_repair.expression_repairs import (
    COMMON_FACTORS,
    ExpressionRepairs,
    Repair,
)
from pytest_gradcheck.fault_localization.expression_repair.probed_functions import (
    Expression,
    ProbedFunctions,
)
from pytest_gradcheck.fault_localization.measured_gradient import (
    FEW,
    SAME,
    MeasuredGradient,
    is_same,
    multiple_of,
)
from pytest_gradcheck.fault_localization.required_value import RequiredValue
from pytest_gradcheck.fault_localization.value_roles import Roles

__all__ = ["ChangedStatements"]

#: Expressions with variables of their own.
INNER_SCOPES = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.Lambda)


class ChangedStatements:
    """Looks for statements of backward of which a small change makes all gradients right.

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
    gradient : MeasuredGradient
        What backward has to return.
    wrong : collection of Version
        What it returned for the parameters whose gradients are wrong.
    is_verified : callable
        ``is_verified(version) -> bool`` returns whether a value is the derivative that it has to
        be.
    multiple_of_named : callable
        ``multiple_of_named(version) -> float or None`` returns of which multiple a value is the
        derivative that it is named after.
    """

    def __init__(
        self,
        problem: Problem,
        code: UserCode,
        recorder: Recorder,
        roles: Roles,
        *,
        gradient: MeasuredGradient,
        wrong: Collection[Version],
        is_verified: Callable[[Version], bool],
        multiple_of_named: Callable[[Version], float | None],
    ) -> None:
        self._problem, self._code, self._recorder = problem, code, recorder
        self._roles, self._gradient, self._is_verified = roles, gradient, is_verified
        self._wrong, self._multiple_of_named = wrong, multiple_of_named
        self._made = defaultdict[Statement, list[Version]](list)
        for version in roles.gradients:
            if version.statement is not None:
                self._made[version.statement].append(version)

    def find(
        self, repaired: Suspicion | None, required: RequiredValue | None
    ) -> dict[Statement, str] | None:
        """Return the statements, each with a change that makes all gradients right.

        Parameters
        ----------
        repaired : Suspicion or None
            The statement that is wrong, as far as derivatives by values of forward tell, with
            those before it that may be why.
        required : RequiredValue or None
            What that statement has to make, if it is known.

        Returns
        -------
        dict of Statement to str, or None
            The change is empty where there may be one that is not known. None where changes
            cannot be tried.
        """
        codes = [code for code in self._recorder.codes if self._is_of_backward(code)]
        functions = ProbedFunctions(codes, around=self._recorder.codes)
        repairs = ExpressionRepairs(
            self._problem, functions, self._gradient, self._statement_of, self._variables
        )
        right = self._right_statements()
        exposed = {s for s in self._exposed() if not self._is_right(s)}
        changed = None
        for tried, needed in self._tries(
            exposed, repairs.statements - exposed, repaired, required
        ):
            changed = repairs.find(right | (repairs.statements - tried), needed)
            if changed is None or changed:
                break
        if not changed:
            return None if changed is None else {}
        changed = {s: one for s, one in changed.items() if one.is_usual} or changed
        changed = {s: r for s, r in changed.items() if not self._denies_name(s, r)} or changed
        likeliest = self._likeliest(changed)
        if likeliest is not None and (repaired is None or likeliest in repaired.statements):
            return {likeliest: str(changed[likeliest])}
        possible = {*changed, *self._makers_in_place(changed)}
        if repaired is not None:
            before = {s for s in possible if self._may_be_before(s, repaired)}
            # What denies the derivatives, or is denied by them, tells nothing.
            is_denied = len(repaired.statements) == 1 and before.isdisjoint(repaired.statements)
            if before and not is_denied:
                possible = before
            elif not self._is_exact(changed) or not exposed.issuperset(repaired.statements):
                possible |= {*repaired.statements}
        possible.update(self._changers_in_place(changed))
        possible |= self._unseen_before(possible, repairs.statements) - right
        return {s: str(changed.get(s, "")) for s in possible}

    def _denies_name(self, statement: Statement, repair: Repair) -> bool:
        """Return whether a factor makes another value of a derivative under its name.

        In a loop, values are right until a mistake comes around. What is divided by a number of
        entries later has the sign of the derivative at least.
        """
        if not (repair.is_multiple or repair.removes_factor):
            return False
        is_sign = repair.expression.role == "whole" and repair.number < 0
        return any(
            multiple > 0 if is_sign else abs(multiple - 1) < SAME
            for multiple in self._multiples(statement)
        )

    def _multiples(self, statement: Statement) -> list[float]:
        """Return of which multiples what a statement made is the derivatives by its names."""
        found = map(self._multiple_of_named, self._made.get(statement, ()))
        return [multiple for multiple in found if multiple is not None]

    def _is_exact(self, changed: Mapping[Statement, Repair]) -> bool:
        """Return whether all changes have no number: these make everything right by no chance."""
        return all(repair.change.start is None for repair in changed.values())

    def _likeliest(self, changed: Mapping[Statement, Repair]) -> Statement | None:
        """Return the statement that is wrong most likely, where a factor may be in any of some.

        The factor is written in one of them, or has made there a multiple of a value that forward
        has under the same name, or the negative of the derivative that the name is that of. That
        would be chance if another statement were wrong.
        """
        if not all(one.is_multiple or one.removes_factor for one in changed.values()):
            return None
        for is_likely in (
            self._makes_multiple,
            lambda s: any(multiple < 0 for multiple in self._multiples(s)),
            lambda s: changed[s].removes_factor,
        ):
            likely = [s for s in changed if is_likely(s)]
            if len(likely) == 1:
                return likely[0]
        return None

    def _makes_multiple(self, statement: Statement) -> bool:
        """Return whether a statement makes a multiple of a value of forward under its name."""
        return any(
            multiple_of(one.value, other.value) is not None and not is_same(one.value, other.value)
            for one in self._made.get(statement, ())
            if one.is_floating and one.value.size >= FEW
            for other in self._roles.namesakes(one)
        )

    def _tries(
        self,
        exposed: Collection[Statement],
        others: Collection[Statement],
        repaired: Suspicion | None,
        required: RequiredValue | None,
    ) -> Iterator[tuple[set[Statement], RequiredValue | None]]:
        """Yield the statements to try to change, in turn, with what one of them has to make.

        What has to be there at one of them excludes those that are executed later; but it may
        make up for a mistake in these, as what is centred twice does.
        """
        if repaired is None:
            yield {*exposed}, None
            yield {*others}, None
            return
        before = {s for s in exposed if self._may_be_before(s, repaired)}
        yield before, required
        yield {*exposed} if required else {*exposed} - before, None

    def _makers_in_place(self, changed: Mapping[Statement, Repair]) -> Iterator[Statement]:
        """Yield what has changed the arrays in place that some statements only hand on.

        No change of a part makes the whole right, but something may be missing after it.
        """
        for route in self._recorder.routes:
            repair, maker = changed.get(route.step.statement), route.version.statement
            if repair is None or maker is None or not isinstance(repair.expression.node, ast.Name):
                continue
            is_handed = repair.expression.node.id == route.version.path.name
            is_handed &= maker.function == route.step.statement.function
            if is_handed and maker.changes and not self._is_right(maker):
                yield maker

    def _changers_in_place(self, changed: Mapping[Statement, Repair]) -> Iterator[Statement]:
        """Yield what changes the arrays in place of which a multiple makes the gradients right.

        The factor may be missing after it.
        """
        for statement, repair in changed.items():
            if str(repair) or repair.number in COMMON_FACTORS:
                continue  # that is a mistake in the statement itself, rather
            kept = {version for version in self._made.get(statement, ()) if version.is_floating}
            for version in self._roles.gradients:
                maker = version.statement
                is_kept = any(r in kept and r.path == version.path for r in version.direct)
                if is_kept and maker is not None and maker.function == statement.function:
                    kept.add(version)
                    if maker is not statement:
                        yield maker

    def _unseen_before(
        self, statements: Collection[Statement], seen: Collection[Statement]
    ) -> set[Statement]:
        """Return what may be wrong before some statements, and has parts that are not changed."""
        versions = [v for s in statements for v in self._made.get(s, ())]
        before = {v.statement for v in ancestors(versions)} if versions else set(self._made)
        of_forward = {s.source for s in self._roles.of_forward}
        return {
            s
            for s in self._made
            if s in before
            and not s.is_header
            and (s not in seen or _has_inner_scope(s))
            and not (s.source in of_forward or self._is_right(s))
        }

    def _exposed(self) -> set[Statement]:
        """Return the statements whose values are in wrong gradients as they are.

        All that is read of others has become a verified value before.
        """
        seen, pending = set(self._wrong), list(self._wrong)
        while pending:
            for read in (*(version := pending.pop()).direct, *version.indirect):
                if read not in seen and not self._is_verified(read):
                    seen.add(read)
                    pending.append(read)
        roots = {version.root for version in seen}
        routes = (route for route in self._recorder.routes if route.version in roots)
        returned = (one for one in self._recorder.bindings if one.version.root in roots)
        return {
            *(version.statement for version in seen if version.statement is not None),
            *(route.step.statement for route in routes),
            *(one.step.statement for one in returned if one.step is not None),
            *self._naming(),
        }

    def _naming(self) -> Iterator[Statement]:
        """Yield the statements that give other names to values of forward than forward does."""
        misnamed = set(self._roles.misnamed)
        for binding in self._recorder.bindings:
            if binding.step is not None and (binding.name, binding.version) in misnamed:
                yield binding.step.statement

    def _is_right(self, statement: Statement) -> bool:
        """Return whether all that a statement made is verified, or forward has it.

        Of sums that is about the last ones.

        What it has made for the functions that it calls matters only if it binds nothing.
        """
        made = self._made.get(statement, [])
        made = [version for version in made if version.path.name in statement.binds] or made
        summands = {r for v in made for r in v.direct if r in made and r.path == v.path}
        last = [version for version in made if version not in summands]
        of_forward = self._roles.recomputed
        return bool(last) and all(
            v.is_floating and (v in of_forward or self._is_verified(v)) for v in last
        )

    def _may_be_before(self, statement: Statement, repaired: Suspicion) -> bool:
        """Return whether what a statement makes may be read by those that are suspected.

        A value that is not named after what it has to be may be right, and what is made of it
        wrong: a multiple of a derivative may be meant.
        """
        if statement in repaired.statements or not repaired.is_named:
            return True
        if statement not in self._made:  # it names a value, or a function around may read it
            functions = {one.function for one in repaired.statements}
            return bool(statement.binds) or statement.function not in functions
        versions = [v for s in repaired.statements for v in self._made.get(s, ())]
        return statement in {v.statement for v in ancestors(versions)}

    def _is_of_backward(self, code: CodeType) -> bool:
        """Return whether a function is part of backward, and not of forward alone."""
        return max(self._recorder.codes[code]) >= self._recorder.phases

    def _right_statements(self) -> set[Statement]:
        """Return the statements that are right, since forward executes them.

        One that returns the value and the gradients as well may be wrong.
        """
        if self._recorder.phases == 1:
            gradients = set(self._roles.gradients)
            routes = (r for r in self._recorder.routes if r.version in gradients)
            of_backward = {*self._made, *(route.step.statement for route in routes)}
            of_forward = {v.statement for v in self._roles.data if v.statement is not None}
            return of_forward - of_backward
        codes = [code for code, phases in self._recorder.codes.items() if min(phases) == 1]
        names = {(code.co_filename, code.co_qualname.replace(".<locals>", "")) for code in codes}
        return self._roles.of_forward | {
            statement
            for file in {code.co_filename for code in codes}
            for statement in self._code.statements(file).values()
            if (file, statement.function) in names
        }

    def _statement_of(self, expression: Expression) -> Statement | None:
        return self._code.statements(expression.file).get(expression.statement.lineno)

    def _variables(self, expression: Expression) -> list[tuple[Path, tuple[int, ...]]]:
        """Return the variables of the function of an expression, with their shapes."""
        statement = self._statement_of(expression)
        if statement is None:
            return []
        if isinstance(expression.node, ast.Attribute):
            return [*self._attributes(), *self._names(statement)]
        return [*self._names(statement), *self._attributes()]

    def _names(self, statement: Statement) -> Iterator[tuple[Path, tuple[int, ...]]]:
        """Yield the arrays that variables of the functions around a statement are bound to."""
        for binding in self._recorder.bindings:
            is_around = f"{statement.function}.".startswith(f"{binding.function}.")
            if binding.version.is_floating and is_around:
                yield Path(binding.name), binding.version.value.shape

    def _attributes(self) -> Iterator[tuple[Path, tuple[int, ...]]]:
        """Yield the arrays that are attributes of objects."""
        for version in self._recorder.versions:
            kinds = {kind for kind, _ in version.path.accessors}
            if version.is_floating and kinds == {"attribute"}:
                yield version.path, version.value.shape


def _has_inner_scope(statement: Statement) -> bool:
    """Return whether a statement has parts with variables of their own, as comprehensions have."""
    nodes = (node for root in statement.nodes for node in ast.walk(root))
    return any(isinstance(node, INNER_SCOPES) for node in nodes)
