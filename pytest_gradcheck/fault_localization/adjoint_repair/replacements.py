"""Replacements: what a statement of backward may have to make, each time that it is executed.

It is one of the series of forward, in its order or reversed, or what has to be added to a sum. It
does not decide whether that makes the gradients right.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.fault_localization.adjoint_repair.forward_series import Item, Kind, Series
from pytest_gradcheck.fault_localization.execution.execution_steps import Activation, Step
from pytest_gradcheck.fault_localization.execution.perturbation import assign
from pytest_gradcheck.fault_localization.execution.recorded_values import Result, Version
from pytest_gradcheck.fault_localization.execution.variables import Path, resolve
from pytest_gradcheck.fault_localization.measured_gradient import is_same
from pytest_gradcheck.fault_localization.required_value import RequiredValue

__all__ = ["Execution", "Replacement", "Replacing", "replacements"]

Floats = NDArray[np.float64]

#: ``may_be(version, kind, owner)`` returns whether a value may have to be something else.
MayBe = Callable[[Version, Kind, Version | None], bool]


@dataclass(frozen=True, slots=True)
class Execution:
    """What one execution of a statement of backward has left in a variable.

    Attributes
    ----------
    order : int
        How many others were before.
    result : Result
        The step after which it is there, where, and the value.
    """

    order: int
    result: Result

    @property
    def version(self) -> Version:
        """The value."""
        return self.result.version

    @property
    def before(self) -> Version | None:
        """What the step has added something to; None where it has computed a new value."""
        version, path = self.result.version, self.result.path
        if version.step != self.result.step:
            return version  # it has added nothing
        shape = version.value.shape
        return next((v for v in version.direct if v.path == path and v.value.shape == shape), None)


@dataclass(frozen=True, slots=True)
class Replacement:
    """Other values for what a statement made.

    Attributes
    ----------
    name : str
        The variable of forward that they belong to.
    values : mapping of Execution to ndarray
        By when it made what.
    is_added : bool
        Whether they are added to what was there before instead.
    """

    name: str
    values: Mapping[Execution, Floats]
    is_added: bool

    @property
    def first(self) -> Execution:
        """The first execution that has to make something else."""
        return min(self.values, key=lambda execution: execution.order)

    @property
    def required(self) -> RequiredValue:
        """What the first of these executions has to leave in the variable."""
        first = self.first
        result, before = first.result, first.before
        added = before.value if self.is_added and before is not None else 0.0
        value = self.values[first] + added
        return RequiredValue(result.step.statement, result.step.occurrence, result.path, value)

    @property
    def similarity(self) -> float:
        """How similar the values are to those that were made: the absolute value of a cosine."""
        made = np.concatenate([one.version.value.reshape(-1) for one in self.values])
        other = np.concatenate([value.reshape(-1) for value in self.values.values()])
        size = float(np.linalg.norm(made) * np.linalg.norm(other))
        return abs(float(made @ other)) / size if 0 < size < np.inf else 0.0


def replacements(
    made: Sequence[Execution], series: Iterable[Series], may_be: MayBe
) -> Iterator[Replacement]:
    """Yield what a statement may have to make.

    Parameters
    ----------
    made : sequence of Execution
        What it made, in order.
    series : iterable of Series
        What it may have to be.
    may_be : callable
        ``may_be(version, kind, owner) -> bool`` returns whether a value may have to be one of
        some kind that belongs to a value of forward.
    """
    seen: set[bytes] = set()
    is_sum = all(execution.before is not None for execution in made)
    for one in series:
        is_fitting = one.items[0].value.size == made[0].version.value.size
        if not is_fitting or len(one.items) != len(made):
            continue
        ways = (False, True) if is_sum and one.kind in ("part", "total") else (False,)
        for items, is_added in product((one.items[::-1], one.items), ways):
            rows = zip(made, items, strict=True)
            found = _different(rows, one.kind, may_be, is_added=is_added)
            key = b"".join(b"%d" % e.order + a.tobytes() for e, a in found.items())
            if found and (key := b"%d" % is_added + key) not in seen:
                seen.add(key)
                yield Replacement(one.name, found, is_added)


def _different(
    rows: Iterable[tuple[Execution, Item]], kind: Kind, may_be: MayBe, *, is_added: bool
) -> dict[Execution, Floats]:
    """Return the values that differ from those that were made; none if one may not be it."""
    found: dict[Execution, Floats] = {}
    for execution, item in rows:
        version, before = execution.version, execution.before
        value = item.value.reshape(version.value.shape)
        own = version.value - (before.value if is_added and before is not None else 0)
        if not is_same(own, value):
            if not np.isfinite(value).all() or not may_be(version, kind, item.owner):
                return {}
            found[execution] = value
    return found


class Replacing:
    """Replaces values while backward is executed.

    Parameters
    ----------
    replacement : Replacement
        By what.
    undone : ExitStack
        Puts back what was changed in place.
    """

    def __init__(self, replacement: Replacement, undone: ExitStack) -> None:
        self._undone = undone
        self._is_added = replacement.is_added
        self._at: dict[Step, list[tuple[Path, Floats]]] = defaultdict(list)
        for execution, value in replacement.values.items():
            self._at[execution.result.step].append((execution.result.path, value))
        self._names = {e.result.path for e in replacement.values if e.version.is_alias}
        self._before: dict[Path, Any] = {}
        self._pending: dict[int, dict[Path, Any]] = {}

    def enter(self, activation: Activation) -> None:
        """Do nothing at calls."""

    def begin(self, activation: Activation, step: Step) -> None:
        """Replace what the step before has made; keep what this one may add something to."""
        pending = self._pending.pop(activation.number, {})
        if self._is_added:
            for path, _ in self._at.get(step, ()):
                before = pending.get(path, resolve(activation.frame, path))
                self._before[path] = np.array(before)
        if pending:
            assign(activation.frame, pending, self._names, self._undone)

    def end(self, activation: Activation, step: Step, returned: Any) -> None:
        """Replace what is in an object; keep what is to be replaced before the next step."""
        del returned
        for path, value in self._at.get(step, ()):
            total = self._before[path] + value if self._is_added else value
            if path.accessors:  # it may be read after the function has returned
                assign(activation.frame, {path: total}, self._names, self._undone)
            else:
                self._pending.setdefault(activation.number, {})[path] = total
