"""Adjoints: the derivatives of the output by all values of forward, from local Jacobians.

They are accumulated in reverse, as an automatic differentiation does. A value that is used several
times has a derivative through each use, and one through all uses from one of them on: this is what
a reverse sweep holds before it comes to the others.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.binding.gradient_problem import Problem
from pytest_gradcheck.fault_localization.adjoint_repair.local_jacobians import (
    Jacobian,
    JacobianRecorder,
    selection,
)
from pytest_gradcheck.fault_localization.execution.execution_steps import Step, Steps, UserCode
from pytest_gradcheck.fault_localization.execution.frame_events import frame_events
from pytest_gradcheck.fault_localization.execution.recorded_values import Identity, Version
from pytest_gradcheck.fault_localization.forward_graph import ForwardGraph
from pytest_gradcheck.fault_localization.misplaced_values import is_named

__all__ = ["Adjoints", "Part", "adjoints_of"]

Floats = NDArray[np.float64]

#: The directions along which what was found is verified, each by two evaluations of forward.
DIRECTIONS = 2

#: What was found may differ from what is measured by this share.
AGREEMENT = 1e-5

#: Bound on the noise of outputs, in roundings; and what makes steps at zero possible.
NOISE = 64.0
TINY = 1e-6


@dataclass(frozen=True, slots=True)
class Part:
    """What one use of a value adds to the derivative by it.

    Attributes
    ----------
    step : Step or None
        The use; None for that as an output.
    name : str
        The variable under which the value was read.
    value : ndarray
        With the shape of the value.
    """

    step: Step | None
    name: str
    value: Floats


@dataclass(frozen=True, slots=True)
class Adjoints:
    """The derivatives of the output by values of forward.

    Attributes
    ----------
    totals : mapping of Version to ndarray
        By each value.
    parts : mapping of Version to list of Part
        What they are the sums of, that of the last use first.
    parameters : mapping of str to ndarray
        By the parameters.
    trace : JacobianRecorder
        The execution that they come from.
    """

    totals: Mapping[Version, Floats]
    parts: Mapping[Version, Sequence[Part]]
    parameters: Mapping[str, Floats]
    trace: JacobianRecorder


def adjoints_of(
    problem: Problem, code: UserCode, graph: ForwardGraph, seed: int
) -> Adjoints | None:
    """Return the derivatives by all values of forward; None where they cannot be found.

    Parameters
    ----------
    problem : Problem
        Calls forward.
    code : UserCode
        What is followed.
    graph : ForwardGraph
        What the output was computed from.
    seed : int
        Draws the directions along which the derivatives by the parameters are verified.
    """
    seeds = _seeds(problem, graph.outputs)
    if seeds is None:
        return None
    values = {version.identity: version for version in graph.values}
    epsilons = [np.finfo(v.value.dtype).eps for v in graph.values if v.is_floating]
    epsilon = float(max(epsilons, default=np.finfo(np.float64).eps))
    trace = JacobianRecorder(values.keys(), epsilon)
    with frame_events(Steps(code, trace), code.follows):
        problem.claim_at(problem.here)
    repeated = {version.identity: version.value.shape for version in trace.recorder.versions}
    if not trace.is_whole or any(repeated.get(k) != v.value.shape for k, v in values.items()):
        return None  # it was not the same execution again
    totals, parts = _accumulated(values, trace.jacobians, seeds)
    parameters = {
        p.name: _by_parameter(p.name, problem.here[p.start : p.stop], totals)
        for p in problem.parameters
    }
    gradient = np.concatenate([parameters[p.name] for p in problem.parameters])
    if not _is_verified(problem, gradient, epsilon, seed):
        return None
    return Adjoints(totals, parts, parameters, trace)


def _seeds(problem: Problem, outputs: Sequence[Version]) -> dict[Version, Floats] | None:
    """Return the derivatives by the outputs as such."""
    cotangent, sizes = problem.cotangent, [output.value.size for output in outputs]
    if cotangent is None:
        cotangent = np.ones(1)
    if cotangent.size != sum(sizes) or not sizes:
        return None
    pieces = np.split(cotangent.reshape(-1), np.cumsum(sizes)[:-1])
    return dict(zip(outputs, pieces, strict=True))


def _by_parameter(name: str, entries: Floats, totals: Mapping[Version, Floats]) -> Floats:
    """Return the derivative by a parameter: that by what came from outside with its entries."""
    found = [
        version
        for version in totals
        if version.step is None
        and version.phase == 1
        and version.value.size == entries.size
        and np.array_equal(version.value.reshape(-1), entries)
        and not version.is_alias
    ]
    named = [version for version in found if is_named(version.path, name)] or found
    bases = [version for version in named if set(named).isdisjoint(version.direct)]
    values = [np.zeros(entries.size), *(totals[version].reshape(-1) for version in bases)]
    return np.asarray(np.sum(values, axis=0))


def _is_verified(problem: Problem, gradient: Floats, epsilon: float, seed: int) -> bool:
    """Return whether the derivative by all parameters agrees with what is measured."""
    rng = np.random.default_rng([seed, gradient.size])
    for _ in range(DIRECTIONS):
        scales = np.abs(problem.here) + float(np.abs(problem.here).mean()) + TINY
        direction = rng.choice([-1.0, 1.0], gradient.size) * rng.uniform(0.5, 1, gradient.size)
        change = epsilon ** (1 / 3) * scales * direction
        outputs = [
            float(problem.attempt([problem.here + sign * change])[0, 0]) for sign in (1, -1)
        ]
        measured, found = (outputs[0] - outputs[1]) / 2, float(gradient @ change)
        scale = float(np.abs(gradient * change).max(initial=0.0))
        noise = NOISE * epsilon * max(map(abs, outputs))
        if not abs(measured - found) <= AGREEMENT * scale + noise:
            return False
    return True


def _accumulated(
    values: Mapping[Identity, Version],
    jacobians: Iterable[Jacobian],
    seeds: Mapping[Version, Floats],
) -> tuple[dict[Version, Floats], dict[Version, list[Part]]]:
    """Accumulate local Jacobians in reverse, given the values of forward by their identities."""
    into: dict[Identity, list[Jacobian]] = defaultdict(list)
    for jacobian in jacobians:
        into[jacobian.made].append(jacobian)
    parts: dict[Version, list[Part]] = {version: [] for version in values.values()}
    for version, seed in seeds.items():
        parts[version].append(Part(None, version.path.names, seed.reshape(version.value.shape)))
    totals: dict[Version, Floats] = {}
    for version in sorted(values.values(), key=lambda v: v.number, reverse=True):
        added = [part.value for part in parts[version]]
        total = totals[version] = np.sum([np.zeros(version.value.shape), *added], axis=0)
        if version.original is not None and version.original in parts:
            step = version.step if len(added) != 1 else parts[version][0].step
            parts[version.original].append(Part(step, version.path.names, total))
        for jacobian in into[version.identity]:
            read = values[jacobian.read]
            part = jacobian.vjp(total.reshape(-1)).reshape(read.value.shape)
            _add(parts[read], Part(jacobian.step, jacobian.name, part))
        if version.step is None:
            _add_to_base(parts, version, total)
    return totals, parts


def _add_to_base(parts: Mapping[Version, list[Part]], version: Version, total: Floats) -> None:
    """Add the derivative by a view that came from outside to that by the array that it is of."""
    for base in version.direct:
        matrix = selection(version, base) if base in parts else None
        if matrix is not None:
            part = (total.reshape(-1) @ matrix).reshape(base.value.shape)
            step = next((one.step for one in parts[version]), None)
            parts[base].append(Part(step, version.path.names, part))


def _add(parts: list[Part], part: Part) -> None:
    """Add a part to others; a statement that uses a value in several places is one use."""
    if parts and parts[-1].step == part.step:
        part = Part(part.step, part.name, parts.pop().value + part.value)
    parts.append(part)
