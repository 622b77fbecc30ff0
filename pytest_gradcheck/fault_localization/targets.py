"""What can be perturbed in forward: parameters, values, and single uses of them.

It does not decide what is measured.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from pytest_gradcheck.binding.gradient_problem import Problem
from pytest_gradcheck.fault_localization.execution.execution_steps import Step
from pytest_gradcheck.fault_localization.execution.recorded_values import Moment, Recorder, Version
from pytest_gradcheck.fault_localization.execution.variables import Path
from pytest_gradcheck.fault_localization.forward_graph import ForwardGraph
from pytest_gradcheck.fault_localization.intermediate_derivatives import Target, Watched

__all__ = ["branches", "definitions", "parameter_targets", "uses", "watched"]


def parameter_targets(problem: Problem) -> Iterator[Target]:
    """Yield the parameters as what can be perturbed."""
    for parameter in problem.parameters:
        if parameter.is_complex or parameter.stop == parameter.start:
            continue
        part = slice(parameter.start, parameter.stop)
        value = problem.here[part].reshape(parameter.shape)
        version = Version(Path(parameter.name), value, None, 0, 0)
        yield Target(version, version.path, None, part=part)


def definitions(versions: Sequence[Version], graph: ForwardGraph) -> Iterator[Target]:
    """Yield the values of forward that can be perturbed where they are made, the last first."""
    for version in reversed(versions):
        place = None if version.is_alias else version.place
        if version in graph.values and version.is_floating and place is not None:
            yield Target(version, place.path, place.step, place.moment)


def uses(recorder: Recorder, graph: ForwardGraph) -> Iterator[Target]:
    """Yield the steps of forward that compute from a value, which perturb it there only."""
    computing = {v.step for v in graph.values if v.is_floating}
    for step, path, version in reversed(recorder.uses):
        if version in graph.values and version.is_floating and step in computing:
            yield Target(version, path, step, "during")


def branches(all_uses: Collection[Target]) -> Iterator[Target]:
    """Yield the uses of values that are used more than once."""
    counts = Counter(use.version for use in all_uses)
    yield from (use for use in all_uses if counts[use.version] > 1)


def watched(values: Collection[Version]) -> Watched:
    """Return the values of forward by when they are there first."""
    found: dict[tuple[Step, Moment], list[tuple[Version, Path]]] = {}
    for version in values:
        if version.is_floating and version.place is not None and not version.is_alias:
            place = version.place
            found.setdefault((place.step, place.moment), []).append((version, place.path))
    return found
