"""The graph of forward: which values its output was computed from, and through which others.

It does not know any derivative.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence

import numpy as np

from pytest_gradcheck.fault_localization.execution_steps import Step
from pytest_gradcheck.fault_localization.intermediate_derivatives import Target
from pytest_gradcheck.fault_localization.recorded_values import Version, ancestors

__all__ = ["ForwardGraph"]


class ForwardGraph:
    """The values that the output of forward was computed from.

    Parameters
    ----------
    versions : sequence of Version
        All that was recorded.
    outputs : collection of Version
        What forward returned as its output.

    Attributes
    ----------
    values : set of Version
        These values, the outputs included.
    """

    def __init__(self, versions: Sequence[Version], outputs: Collection[Version]) -> None:
        self.values = set(ancestors(list(outputs)))
        self._outputs = set(outputs)
        self._sources = [v for v in versions if v.step is None and v in self.values]
        self._next: dict[Version, list[Version]] = defaultdict(list)
        for version in versions:
            if version in self.values:
                for read in (*version.direct, *version.indirect):
                    self._next[read].append(version)

    def passes_through(self, start: Target, partners: Iterable[Target]) -> bool:
        """Return whether all that a value does to the output, it does through some others.

        Parameters
        ----------
        start : Target
            The value, or one use of it.
        partners : iterable of Target
            Others, or uses of them.
        """
        partners = list(partners)
        blocked = {target.version for target in partners if not target.is_use}
        blocked_uses = {(t.version, t.step) for t in partners if t.is_use}
        if len(blocked) + len(blocked_uses) < len(partners):
            return False  # one of them is counted twice
        pending: list[tuple[Version, Step | None]] = []
        if start.is_use:
            pending = [
                (start.version, version.step)
                for version in self._next[start.version]
                if version.step == start.step
            ]
        else:
            values = [start.version] if start.step is not None else self._arguments(start.version)
            pending = [(v, follower.step) for v in values for follower in self._next[v]]
        seen: set[tuple[Version, Step | None]] = set()
        while pending:
            version, step = pending.pop()
            if (version, step) in seen or (version, step) in blocked_uses or version in blocked:
                continue
            seen.add((version, step))
            for follower in self._next[version]:
                if follower.step != step or follower in blocked:
                    continue
                if follower in self._outputs:
                    return False
                pending += [(follower, after.step) for after in self._next[follower]]
        return True

    def uses(self, version: Version) -> Iterator[Target]:
        """Yield the steps that read a value, as uses of it."""
        for step in dict.fromkeys(follower.step for follower in self._next[version]):
            yield Target(version, version.path, step, is_use=True)

    def _arguments(self, parameter: Version) -> list[Version]:
        """Return the values from outside that are a parameter."""
        return [
            version
            for version in self._sources
            if version.value.shape == parameter.value.shape
            and np.array_equal(version.value, parameter.value)
        ]
