"""The graph of forward: which values its output was computed from, and through which others.

It does not know any derivative.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence

import numpy as np

from pytest_gradcheck.fault_localization.execution.execution_steps import Step
from pytest_gradcheck.fault_localization.execution.recorded_values import Version, ancestors
from pytest_gradcheck.fault_localization.intermediate_derivatives import Target

__all__ = ["ForwardGraph"]

#: A value, and a step that reads it.
_Edge = tuple[Version, Step | None]


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
    outputs : list of Version
        What forward returned, in order.
    values : set of Version
        All values that it was computed from, with these.
    """

    def __init__(self, versions: Sequence[Version], outputs: Collection[Version]) -> None:
        self.values = set(ancestors(list(outputs)))
        self.outputs = list(outputs)
        self._sources = [v for v in versions if v.step is None and v in self.values]
        self._next: dict[Version, list[Version]] = defaultdict(list)
        for version in versions:
            if version in self.values:
                for read in (*version.direct, *version.indirect):
                    self._next[read].append(version)

    def passes_through(
        self, start: Target, partners: Iterable[Target], still: Collection[Version] = ()
    ) -> bool:
        """Return whether all that a value does to the output, it does through some others.

        Parameters
        ----------
        start : Target
            The value, or one use of it.
        partners : iterable of Target
            Others, or uses of them; a use in no step is that as an output.
        still : collection of Version
            Values that do not depend on it, as on a part of a parameter.
        """
        partners = list(partners)
        blocked = {target.version for target in partners if not target.is_use}
        blocked_uses = {(t.version, t.step) for t in partners if t.is_use}
        if len(blocked) + len(blocked_uses) < len(partners):
            return False  # one of them is counted twice
        if any(self._leads_to(t, blocked - {t.version}, blocked_uses) for t in partners):
            return False  # one of them is part of another one
        pending = self._edges_of(start)
        seen: set[_Edge] = set()
        while pending:
            version, step = pending.pop()
            if (version, step) in seen or (version, step) in blocked_uses or version in blocked:
                continue
            seen.add((version, step))
            for follower in self._next[version]:
                if follower.step != step or follower in blocked or follower in still:
                    continue
                if follower in self.outputs and (follower, None) not in blocked_uses:
                    return False
                pending += [(follower, after.step) for after in self._next[follower]]
        return True

    def _edges_of(self, target: Target) -> list[_Edge]:
        """Return a value, or several that are a parameter, with the steps that read them."""
        if target.is_use:
            return [(target.version, target.step)]
        is_parameter = target.step is None
        values = self._arguments(target.version.root) if is_parameter else [target.version]
        return [(value, follower.step) for value in values for follower in self._next[value]]

    def _leads_to(
        self, start: Target, values: Collection[Version], uses: Collection[_Edge]
    ) -> bool:
        """Return whether any of some values, or of some uses, is computed from one."""
        pending, seen = self._edges_of(start), set[_Edge]()
        while pending:
            version, step = pending.pop()
            if (version, step) in seen:
                continue
            seen.add((version, step))
            if (version, step) in uses and (version, step) != (start.version, start.step):
                return True
            for follower in self._next[version]:
                if follower.step == step:
                    if follower in values or (follower, None) in uses:
                        return True
                    pending += [(follower, after.step) for after in self._next[follower]]
        return False

    def branches(self, version: Version) -> Iterator[Target]:
        """Yield the steps that read a value, as uses of it, if there are several."""
        uses = list(self.uses(version))
        if len(uses) > 1:
            yield from uses

    def uses(self, version: Version) -> Iterator[Target]:
        """Yield the steps that read a value, as uses of it."""
        for step in dict.fromkeys(follower.step for follower in self._next[version]):
            yield Target(version, version.path, step, "during")

    def _arguments(self, parameter: Version) -> list[Version]:
        """Return the values from outside that are a parameter."""
        return [
            version
            for version in self._sources
            if version.value.shape == parameter.value.shape
            and np.array_equal(version.value, parameter.value)
        ]
