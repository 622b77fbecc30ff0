"""Reach: which entries of the claims depend on what a statement makes.

All values that the statement makes are changed, wherever it is executed, and forward and backward
are executed again. Of an array that it changes in place, only the entries that it wrote are its
own. What a statement does not reach, it cannot have made wrong. It does not know which entries
are wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.binding.gradient_problem import Problem
from pytest_gradcheck.fault_localization.execution.execution_steps import (
    Activation,
    Step,
    Steps,
    UserCode,
)
from pytest_gradcheck.fault_localization.execution.frame_events import frame_events
from pytest_gradcheck.fault_localization.execution.perturbation import Perturbation
from pytest_gradcheck.fault_localization.execution.recorded_values import Version

__all__ = ["StatementReach", "written"]

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

#: Relative changes of values: such as mistakes make, and such as show how they respond.
MISTAKE = 1.5
CHANGE = 1e-3

#: Claims that change by less than this share of their largest entry have not changed.
CHANGED = 1e-7


class StatementReach:
    """Tells which entries of the claims change with the values that a statement makes.

    Parameters
    ----------
    code : UserCode
        What is followed.
    problem : Problem
        Calls forward and backward.

    Attributes
    ----------
    base : ndarray of float64
        What backward claims where nothing is changed, for all parameters.
    evaluations : int
        Calls of forward so far.
    """

    def __init__(self, code: UserCode, problem: Problem) -> None:
        self._code, self._problem = code, problem
        self.base = _entries(problem.claim, len(problem.here))
        self.evaluations = 0

    def of_mistakes(self, versions: Collection[Version]) -> Mask | None:
        """Return the entries that may be wrong where some values are: one evaluation.

        Parameters
        ----------
        versions : collection of Version
            The values that a statement made.

        Returns
        -------
        ndarray of bool or None
            None where it is not known.
        """
        return self._changed_with(versions, MISTAKE)

    def of_changes(self, versions: Collection[Version]) -> Mask | None:
        """Return the entries that respond to small changes of some values: one evaluation."""
        return self._changed_with(versions, CHANGE)

    def _changed_with(self, versions: Collection[Version], size: float) -> Mask | None:
        """Return which claims change where all entries are changed at random."""
        rng = np.random.default_rng(len(versions))
        parts = {(v.place.step, v.place.path): (v, written(v)) for v in versions if v.place}
        if len(parts) < len(versions) or not all(map(_can_be_changed, versions)):
            return None

        def changed(mask: Mask, value: Any) -> Any:
            return value + np.where(mask, size * _sizes(value) * rng.uniform(-1, 1, mask.shape), 0)

        self.evaluations += 1
        with ExitStack() as undone, np.errstate(all="ignore"):
            changing = _ChangingStatement(parts, changed, undone)
            undone.enter_context(frame_events(Steps(self._code, changing), self._code.follows))
            claim = self._problem.claim_at(self._problem.here)
        if claim is None or not changing.made:
            return None
        after = _entries(claim, len(self.base))
        bound = CHANGED * size * float(np.abs(self.base).max(initial=0.0))
        return ~(np.abs(after - self.base) <= bound)


class _ChangingStatement:
    """Changes the values that a statement makes as soon as they are there."""

    def __init__(
        self,
        parts: dict[Any, tuple[Version, Mask]],
        changed: Callable[[Mask, Any], Any],
        undone: ExitStack,
    ) -> None:
        self._parts, self._changed, self._undone = parts, changed, undone
        self._steps = {step for step, _ in parts}
        self.made = 0

    def enter(self, activation: Activation) -> None:
        """Do nothing at calls."""

    def begin(self, activation: Activation, step: Step) -> None:
        """Do nothing before a step."""

    def end(self, activation: Activation, step: Step, returned: Any) -> None:
        """Change what a step has made."""
        del returned
        if step not in self._steps:
            return
        for (own_step, path), (version, mask) in self._parts.items():
            if own_step == step:
                perturbation = Perturbation(version, partial(self._changed, mask))
                self._undone.enter_context(perturbation.undone())
                perturbation.make_anew(activation.frame, path)
                self.made += perturbation.is_made


def written(version: Version) -> Mask:
    """Return which entries of a value its step has made: of an array changed in place, these."""
    if version.written is not None:
        return version.written
    for before in _predecessors(version):
        changed = ~np.isclose(before.value, version.value, rtol=0.0, atol=0.0, equal_nan=True)
        if changed.any():
            return np.asarray(changed)
    return np.ones(version.value.shape, dtype=bool)


def _predecessors(version: Version) -> Iterator[Version]:
    """Yield what an array was before a step changed it in place."""
    for read in version.direct:
        if read.path == version.path and read.value.shape == version.value.shape:
            yield read


def _can_be_changed(version: Version) -> bool:
    place = version.place
    return version.is_floating and place is not None and place.moment == "after"


def _sizes(value: Any) -> Floats:
    """Return the sizes of entries; of those that are zero, that of the others."""
    sizes = np.abs(np.asarray(value, dtype=np.float64))
    usual = float(np.sqrt(np.mean(np.square(sizes)))) if sizes.size else 1.0
    return np.where(sizes > 0, sizes, usual if np.isfinite(usual) and usual > 0 else 1.0)


def _entries(claim: Any, stop: int) -> Floats:
    entries: Floats = claim.rows(0, stop)[:, 0].astype(np.float64)
    return entries
