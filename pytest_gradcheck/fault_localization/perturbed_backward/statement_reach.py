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
from itertools import pairwise
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

__all__ = ["StatementReach", "blocks_of", "written"]

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

#: Relative changes of values: such as mistakes make, and such as show how they respond.
MISTAKE = 1.5
CHANGE = 1e-3

#: The blocks along an axis.
MOST_BLOCKS = 4

#: Claims that change by less than this share of the relative change of values have not changed,
#: nor have those that change by less than this share of the largest claim.
CHANGED = 1e-7
ROUNDING = 1e-13


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
        return self._changed_with([(version, written(version)) for version in versions], MISTAKE)

    def of_changes(self, version: Version, mask: Mask) -> Mask | None:
        """Return the entries that respond to small changes of some of a value: one evaluation.

        Of masks, to the opposite ones.
        """
        return self._changed_with([(version, mask)], CHANGE)

    def opposite(self, versions: Collection[Version]) -> Floats | None:
        """Return what backward claims where some values have the other sign: one evaluation."""
        return self._claimed_with(
            [(version, written(version)) for version in versions],
            lambda mask, value: np.where(mask, -value, value),
        )

    def _changed_with(self, parts: Collection[tuple[Version, Mask]], size: float) -> Mask | None:
        """Return which claims change where entries are changed at random."""
        rng = np.random.default_rng(len(parts))

        def changed(mask: Mask, value: Any) -> Any:
            if np.asarray(value).dtype.kind == "b":
                return value ^ mask
            return value + np.where(mask, size * _sizes(value) * rng.uniform(-1, 1, mask.shape), 0)

        after = self._claimed_with(parts, changed)
        sizes = np.abs(self.base)
        bounds = CHANGED * size * sizes + ROUNDING * sizes.max(initial=0.0)
        return None if after is None else ~(np.abs(after - self.base) <= bounds)

    def _claimed_with(
        self, parts: Collection[tuple[Version, Mask]], changed: Callable[[Mask, Any], Any]
    ) -> Floats | None:
        """Return what backward claims where values are changed, None where that fails."""
        placed = {(v.place.step, v.place.path): (v, mask) for v, mask in parts if v.place}
        if len(placed) < len(parts) or not all(_can_be_changed(v) for v, _ in parts):
            return None
        self.evaluations += 1
        with ExitStack() as undone, np.errstate(all="ignore"):
            changing = _ChangingStatement(placed, changed, undone)
            undone.enter_context(frame_events(Steps(self._code, changing), self._code.follows))
            claim = self._problem.claim_at(self._problem.here)
        return None if claim is None or not changing.made else _entries(claim, len(self.base))


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


def blocks_of(version: Version) -> Iterator[Mask]:
    """Yield blocks of the entries that a step made: parts of the length of each axis."""
    own = written(version)
    for axis, length in enumerate(own.shape):
        edges = np.linspace(0, length, min(length, MOST_BLOCKS) + 1).astype(int)
        for start, stop in pairwise(edges):
            block = np.zeros(own.shape, dtype=bool)
            block[(slice(None),) * axis + (slice(start, stop),)] = True
            if (own & block).any() and not (own <= block).all():
                yield own & block


def _predecessors(version: Version) -> Iterator[Version]:
    """Yield what an array was before a step changed it in place."""
    for read in version.direct:
        if read.path == version.path and read.value.shape == version.value.shape:
            yield read


def _can_be_changed(version: Version) -> bool:
    place = version.place
    kind = version.value.dtype.kind
    return kind in "bf" and place is not None and place.moment == "after"


def _sizes(value: Any) -> Floats:
    """Return the sizes of entries; of those that are zero, that of the others."""
    sizes = np.abs(np.asarray(value, dtype=np.float64))
    usual = float(np.sqrt(np.mean(np.square(sizes)))) if sizes.size else 1.0
    return np.where(sizes > 0, sizes, usual if np.isfinite(usual) and usual > 0 else 1.0)


def _entries(claim: Any, stop: int) -> Floats:
    entries: Floats = claim.rows(0, stop)[:, 0].astype(np.float64)
    return entries
