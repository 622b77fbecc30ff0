"""Binding: from a call as the user wrote it to a problem in numbers.

It must not measure or judge; it evaluates forward twice and backward once, at
the user's own point, and leaves everything of the user's as it was.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from pytest_gradcheck.binding.arguments import Arguments, bind_arguments, name_of
from pytest_gradcheck.binding.attributes import bound_object, rebind
from pytest_gradcheck.binding.beside import find_beside
from pytest_gradcheck.binding.call import Call
from pytest_gradcheck.binding.calling import BackwardPlan, invoke, plan_backward
from pytest_gradcheck.binding.claims import as_array, build_claim, claim_rounding, decide_kind
from pytest_gradcheck.binding.evaluation import Forward, Quiet
from pytest_gradcheck.binding.generators import SEARCHED, find_generators
from pytest_gradcheck.binding.gradients import match_gradients
from pytest_gradcheck.binding.outputs import Beside, Output
from pytest_gradcheck.binding.problem import Claim, Counts, DenseClaim, Problem, Vector
from pytest_gradcheck.binding.replay import Replay
from pytest_gradcheck.binding.tree import children, describe_value, leaves
from pytest_gradcheck.binding.workspace import LOW_PRECISION, Workspace
from pytest_gradcheck.binding.wrt import Item, select_items
from pytest_gradcheck.errors import GradcheckUsageError
from pytest_gradcheck.report.model import Kind, Note

__all__ = ["bind"]

#: Two evaluations at one point may differ by this, relatively; more is not noise.
REPEATABLE = 1e-4


@contextmanager
def bind(
    call: Call, *, seed: int, replay: Sequence[object] = (), replay_all: bool = False
) -> Iterator[Problem]:
    """Turn `call` into a problem, for as long as the context lasts.

    Parameters
    ----------
    call : Call
        What the user wrote.
    seed : int
        Draws cotangents and tangents.
    replay : sequence of random generators
        Those to put back beside the ones found.
    replay_all : bool
        Put all generators back, not only those seen to move.

    Yields
    ------
    Problem
        Its `evaluate` is valid inside the context only.

    Raises
    ------
    GradcheckUsageError
        When the call makes no sense, before anybody is accused of anything.
    """
    binding = _Binding.of(call)
    generators = find_generators(
        [f for f in (binding.forward, binding.backward) if f is not None],
        zip(binding.arguments.names, binding.arguments.values, strict=True),
        replay,
    )
    with Replay(generators, everything=replay_all) as replaying:
        problem, workspace = _pose(call, binding, replaying, seed)
        with Quiet():
            yield problem
        workspace.pack()  # arrays that are written to hold the last perturbed point
        _refuse_change(workspace, problem.forward)


@dataclass(frozen=True, slots=True)
class _Binding:
    """The call with names resolved and bound objects copied."""

    forward: Callable[..., Any]
    backward: Callable[..., Any] | None
    forward_name: str
    backward_name: str
    owner: object | None
    arguments: Arguments
    items: tuple[Item, ...]
    plan: BackwardPlan | None

    @classmethod
    def of(cls, call: Call) -> _Binding:
        """Resolve names, copy the bound object where its attributes are checked."""
        forward, backward = call.forward, call.backward
        if not callable(forward):
            raise GradcheckUsageError(
                f"forward is {describe_value(forward)}, not a function: the call is "
                "gradcheck(forward, backward, *arguments)."
            )
        if backward is not True and not callable(backward):
            raise GradcheckUsageError(
                f"backward is {describe_value(backward)}, not a function: the call is "
                "gradcheck(forward, backward, *arguments), with backward=True where forward "
                "returns (value, gradients)."
            )
        name = name_of(forward)
        arguments = bind_arguments(forward, call.args, call.kwargs)
        owner = bound_object(forward)
        items = select_items(call.wrt, arguments, bound=owner, forward_name=name)
        if owner is not None and any(item.is_attribute for item in items):
            copied = copy.deepcopy(owner)
            forward = rebind(forward, owner, copied)
            backward = backward if backward is True else rebind(backward, owner, copied)
            items = select_items(call.wrt, arguments, bound=copied, forward_name=name)
            owner = copied
        if backward is True:
            return cls(forward, None, name, name, owner, arguments, items, None)
        plan = plan_backward(
            backward, arguments, forward_name=name, backward_args=call.backward_args
        )
        return cls(forward, backward, name, name_of(backward), owner, arguments, items, plan)

    def beside(self, has_cache: bool | None) -> Beside:
        """Tell what forward is expected to return beside its output."""
        if self.plan is None:
            return Beside.GRADIENTS
        if has_cache or "cache" in self.plan.needs:
            return Beside.CACHE
        if self.plan.optional_cache is not None and has_cache is None:
            return Beside.MAYBE_CACHE
        return Beside.NOTHING

    def available(self) -> tuple[Item, ...]:
        """Return what could have been checked: every argument and leaf that floats."""
        found = []
        for name, value in zip(self.arguments.names, self.arguments.values, strict=True):
            floating = tuple(leaf for leaf in leaves(name, value) if leaf.is_differentiable)
            if floating:
                found.append(Item(name, value, floating))
        return tuple(found)


def _pose(call: Call, binding: _Binding, replay: Replay, seed: int) -> tuple[Problem, Workspace]:
    """Evaluate at the user's point, ask backward, and put it all into numbers."""
    counts = Counts()
    beside = binding.beside(call.has_cache)
    workspace, forward, first = _first_evaluation(binding, replay, beside, counts)
    _refuse_change(workspace, binding.forward_name)
    moving = replay.observe()
    restored = workspace.restore_changed()
    again = forward.at_base()
    _refuse_change(workspace, binding.forward_name)
    _refuse_unrepeatable(first, again, binding.forward_name, moving)

    rng = np.random.default_rng(seed)
    asked = _ask_backward(binding, workspace, again, counts, rng)
    _refuse_change(workspace, binding.backward_name)
    if asked.cotangent is not None:
        forward.reduce_by(asked.cotangent)
    reduced = asked.kind in ("gradient", "vjp")
    problem = Problem(
        kind=asked.kind,
        forward=binding.forward_name,
        backward=binding.backward_name,
        parameters=workspace.parameters,
        point=workspace.point,
        evaluate=forward.evaluate,
        base=forward.reduced(first.value),
        repeat=forward.reduced(again.value),
        claim=asked.claim,
        output_shape=None if reduced else again.shape,
        tangent=asked.tangent,
        counts=counts,
        notes=tuple(
            _notes(binding, workspace, asked, moving=moving, restored=restored, seed=seed)
        ),
        not_checked=_not_checked(binding.arguments),
        roundings=asked.roundings,
        randomness_moved=replay.moved,
    )
    return problem, workspace


def _first_evaluation(
    binding: _Binding, replay: Replay, beside: Beside, counts: Counts
) -> tuple[Workspace, Forward, Output]:
    """Evaluate forward; in float64 where it follows the type of what it is given."""
    checked = [leaf for item in binding.items for leaf in item.leaves]

    def attempt(*, lift: bool) -> tuple[Workspace, Forward, Output]:
        workspace = Workspace(binding.arguments, checked, owner=binding.owner, lift=lift)
        forward = Forward(
            binding.forward,
            binding.forward_name,
            workspace,
            replay=replay,
            beside=beside,
            counts=counts,
        )
        return workspace, forward, forward.at_base()

    if any(str(leaf.array.dtype) in LOW_PRECISION for leaf in checked):
        try:
            lifted = attempt(lift=True)
        except Exception:  # noqa: BLE001  # forward may insist on its own type; then it gets it
            return attempt(lift=False)
        if lifted[2].dtype == np.float64:
            return lifted
    return attempt(lift=False)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What backward was asked and what it claims."""

    kind: Kind
    claim: Claim
    cotangent: Vector | None
    tangent: Vector | None
    roundings: tuple[float, ...]


def _ask_backward(
    binding: _Binding,
    workspace: Workspace,
    output: Output,
    counts: Counts,
    rng: np.random.Generator,
) -> _Asked:
    """Call backward straight after a forward, and read its claims."""
    plan = binding.plan
    scalar = output.is_scalar
    if plan is None or binding.backward is None:
        return _read(binding, workspace, output, output.beside, None)
    wants_cotangent = plan.wants_cotangent(scalar_output=scalar)
    cotangent = _signed(rng, output.shape) if wants_cotangent else None
    tangents = (
        [_signed(rng, leaf.array.shape) for item in binding.items for leaf in item.leaves]
        if "tangent" in plan.needs
        else None
    )
    sources = dict(zip(binding.arguments.names, workspace.values(), strict=True))
    sources |= {"<output>": copy.deepcopy(output.raw)}
    if output.has_beside:
        sources["<cache>"] = output.beside
    if cotangent is not None:
        sources["<cotangent>"] = _like(cotangent, output.raw)
    if tangents is not None:
        sources["<tangent>"] = tangents[0] if len(tangents) == 1 else tuple(tangents)
    counts.backward += 1
    returned = invoke(plan, binding.backward, sources, scalar_output=scalar)
    if tangents is not None:
        return _read_jvp(binding, output, returned, tangents)
    return _read(binding, workspace, output, returned, cotangent)


def _read(
    binding: _Binding,
    workspace: Workspace,
    output: Output,
    returned: Any,
    cotangent: Vector | None,
) -> _Asked:
    name = binding.backward_name
    found = _match(binding, returned)
    claims = {p.name: as_array(found[p.name], p.name, name) for p in workspace.parameters}
    kind: Kind = "gradient"
    if cotangent is not None:
        kind = "vjp"
    elif not output.is_scalar:
        kind = decide_kind(claims, workspace.parameters, output.shape)
    claim = build_claim(
        claims, workspace.parameters, kind=kind, output=output.shape, backward_name=name
    )
    roundings = tuple(claim_rounding(claims[p.name]) for p in workspace.parameters)
    flat = None if cotangent is None else cotangent.reshape(-1)
    return _Asked(kind, claim, flat, None, roundings)


def _read_jvp(
    binding: _Binding, output: Output, returned: Any, tangents: Sequence[Vector]
) -> _Asked:
    claim = as_array(returned, "output", binding.backward_name)
    if claim.shape != output.shape:
        raise GradcheckUsageError(
            f"{binding.backward_name} returned a derivative along the tangent of shape "
            f"{claim.shape}; forward's output has shape {output.shape}."
        )
    row = np.asarray(claim, dtype=np.float64).reshape(1, -1)
    tangent = np.concatenate([part.reshape(-1) for part in tangents])
    return _Asked("jvp", DenseClaim(row), None, tangent, (claim_rounding(claim),))


def _match(binding: _Binding, returned: Any) -> dict[str, Any]:
    """Find the claims in what was returned, those about attributes beside them otherwise."""
    positional, available = binding.arguments.positional, binding.available()

    def match(items: Sequence[Item]) -> dict[str, Any]:
        return match_gradients(
            returned,
            items,
            positional=positional,
            available=available,
            backward_name=binding.backward_name,
        )

    attributes = [item for item in binding.items if item.is_attribute]
    others = [item for item in binding.items if not item.is_attribute]
    if not attributes or binding.owner is None:
        return match(binding.items)
    try:
        return match(binding.items)
    except GradcheckUsageError:
        claims = match(others) if others else {}
        for item in attributes:
            claims |= find_beside(binding.owner, item)
        return claims


def _signed(rng: np.random.Generator, shape: tuple[int, ...]) -> Vector:
    """Draw ``sign x U[0.5, 1.5]``: no error cancels another, and none is weighted away."""
    signs = rng.choice([-1.0, 1.0], size=shape)
    return np.asarray(signs * rng.uniform(0.5, 1.5, size=shape))


def _like(cotangent: Vector, raw: Any) -> Any:
    """Return the cotangent in the form of the output: a number for a number, its own dtype."""
    if isinstance(raw, (np.ndarray, np.generic)):
        return cotangent.astype(raw.dtype) if raw.shape else raw.dtype.type(cotangent)
    return cotangent.tolist() if isinstance(raw, (float, list)) else cotangent.copy()


def _refuse_change(workspace: Workspace, function_name: str) -> None:
    change = workspace.find_change()
    if change is None:
        return
    subscript = f"[{', '.join(map(str, change.index))}]" if change.index else ""
    name = change.parameter
    raise GradcheckUsageError(
        f"{function_name} changes its argument {name} in place: {name}{subscript} was "
        f"{change.before} and became {change.after}. Work on a copy, for example "
        f"{name.split('[')[0].split('.')[-1]} = {name}.copy(), so that the derivative is that of "
        "the value passed in."
    )


def _refuse_unrepeatable(
    first: Output, again: Output, forward_name: str, moving: Sequence[str]
) -> None:
    if first.shape != again.shape:
        raise GradcheckUsageError(
            f"{forward_name} returned shape {first.shape} and then {again.shape} at the same "
            "point: the output must not depend on what was called before."
        )
    size = float(np.abs(first.value).max())
    apart = np.abs(first.value - again.value)
    if float(apart.max()) <= REPEATABLE * size:
        return
    worst = int(np.argmax(apart))
    tried = f" {', '.join(moving)} was put back each time." if moving else ""
    raise GradcheckUsageError(
        f"{forward_name} is not repeatable: at the same point it gave {first.value[worst]:.8g} "
        f"and then {again.value[worst]:.8g}, so no derivative of it can be measured.{tried} Its "
        f"randomness was looked for in {SEARCHED}. If it draws from another generator, say "
        "replay=generator; if it keeps state between calls, reset that in forward."
    )


def _notes(
    binding: _Binding,
    workspace: Workspace,
    asked: _Asked,
    *,
    moving: Sequence[str],
    restored: Sequence[str],
    seed: int,
) -> Iterator[Note]:
    if binding.plan is not None and binding.plan.note is not None:
        yield binding.plan.note
    if asked.cotangent is not None:
        yield Note("cotangent", 0, f"a random signed cotangent was drawn from seed {seed}")
    if asked.tangent is not None:
        yield Note("tangent", 0, f"a random signed tangent was drawn from seed {seed}")
    if moving:
        yield Note("replayed", 0, f"replayed before each evaluation: {', '.join(moving)}")
    if restored:
        yield Note("restored", 0, f"changed by forward, restored each time: {', '.join(restored)}")
    values = dict(zip(binding.arguments.names, binding.arguments.values, strict=True))
    cast = [item.name for item in binding.items if isinstance(values.get(item.name), int)]
    if cast:
        yield Note("cast", 0, f"a Python int, checked as a float: {', '.join(cast)}")
    lifted = [p.name for p in workspace.parameters if workspace.is_lifted(p)]
    if lifted:
        yield Note("cast", 0, f"measured in float64, forward follows: {', '.join(lifted)}")


def _not_checked(arguments: Arguments) -> tuple[str, ...]:
    """Name the arguments that are neither data nor plain options of forward."""
    listed = []
    for name, value in zip(arguments.names, arguments.values, strict=True):
        plain = value is None or isinstance(value, (str, bytes, bool, int, float, complex))
        if plain or children(value) is not None or any(leaves(name, value)):
            continue
        if not isinstance(value, (np.ndarray, np.generic)):
            listed.append(f"{name} ({describe_value(value)})")
    return tuple(listed)
