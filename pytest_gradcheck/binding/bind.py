"""Binding: from a call as the user wrote it to a problem in numbers.

It must not measure or judge; it evaluates forward and backward a few times, at
the user's own point, and leaves everything of the user's as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

import numpy as np

from pytest_gradcheck.binding.backward.backward_function import (
    BackwardFunction,
    BackwardInput,
    BackwardResult,
)
from pytest_gradcheck.binding.backward.claims import Claim, DenseClaim, OtherCotangents
from pytest_gradcheck.binding.backward.repeatability import (
    ask_other_cotangents,
    one_rounding_away,
    refuse_unrepeatable_backward,
)
from pytest_gradcheck.binding.call.attributes import attributes_restored
from pytest_gradcheck.binding.call.resolved_call import (
    Call,
    CallCounts,
    ResolvedCall,
    ReturnConvention,
)
from pytest_gradcheck.binding.constrained_parameters.constraint_arguments import (
    UNCONSTRAINED,
    Constrained,
    ConstraintDeclarations,
    constrain,
)
from pytest_gradcheck.binding.constrained_parameters.tangent_coordinates import (
    AdmissibleCoordinates,
)
from pytest_gradcheck.binding.forward.executor import IN_TURN, Dispatch
from pytest_gradcheck.binding.forward.forward_function import ForwardFunction, SuppressedWarnings
from pytest_gradcheck.binding.forward.outputs import Output
from pytest_gradcheck.binding.forward.side_effects import (
    refuse_changed_arguments,
    refuse_unrepeatable,
)
from pytest_gradcheck.binding.forward.working_copy import (
    FULL_PRECISION,
    LOW_PRECISION,
    WorkingCopy,
)
from pytest_gradcheck.binding.gradient_problem import Problem, no_others, nowhere
from pytest_gradcheck.binding.notes import Seen, convention_note, not_checked, notes_on
from pytest_gradcheck.binding.random_state.generators import find_generators
from pytest_gradcheck.binding.random_state.replay import Replay
from pytest_gradcheck.binding.unused_parameters import watched
from pytest_gradcheck.binding.values.complex_pairs import weights
from pytest_gradcheck.binding.values.parameters import Vector, dtype_name
from pytest_gradcheck.errors import GradcheckUsageError
from pytest_gradcheck.report.report_data import Kind, Note

__all__ = ["bind"]


@contextmanager
def bind(
    call: Call,
    *,
    seed: int,
    convention: str = "pytorch",
    replay: Sequence[object] = (),
    replay_all: bool = False,
    written: ConstraintDeclarations = UNCONSTRAINED,
    ways: Dispatch = IN_TURN,
) -> Iterator[Problem]:
    """Turn `call` into a problem, for as long as the context lasts.

    Parameters
    ----------
    call : Call
        What the user wrote.
    seed : int
        Draws cotangents and tangents.
    convention : {"pytorch", "jax"}
        Of gradients by complex parameters.
    replay : sequence of random generators
        Those to put back beside the ones found.
    replay_all : bool
        Put all generators back, not only those seen to move.
    written : ConstraintDeclarations
        Constraints of parameters, as the user wrote them.
    ways : Dispatch
        How to call forward at perturbed points.

    Yields
    ------
    Problem
        Its `evaluate` is valid inside the context only.

    Raises
    ------
    GradcheckUsageError
        When the call makes no sense, before anybody is accused of anything.
    """
    binding = ResolvedCall.of(call)
    constrained = constrain(written, [leaf for item in binding.items for leaf in item.leaves])
    generators = find_generators(
        [f for f in (binding.forward, binding.backward) if f is not None],
        zip(binding.arguments.names, binding.arguments.values, strict=True),
        replay,
    )
    with (
        attributes_restored(binding.owner),
        Replay(generators, everything=replay_all) as replaying,
    ):
        problem, workspace = _pose(
            call, binding, constrained, replaying, ways, seed=seed, convention=convention
        )
        with SuppressedWarnings():
            yield problem
        workspace.pack()  # arrays that are written to hold the last perturbed point
        refuse_changed_arguments(workspace, problem.forward)


def _pose(
    call: Call,
    binding: ResolvedCall,
    constrained: Mapping[str, Constrained],
    replay: Replay,
    ways: Dispatch,
    *,
    seed: int,
    convention: str,
) -> tuple[Problem, WorkingCopy]:
    """Evaluate at the user's point, ask backward, and put it all into numbers."""
    counts = CallCounts()
    beside = binding.beside(call.has_cache)
    workspace, forward, first = _first_evaluation(binding, replay, beside, counts)
    refuse_changed_arguments(workspace, binding.forward_name)
    replay.observe()
    by_forward = workspace.restore_changed()

    backward = BackwardFunction(
        binding, workspace, counts=counts, convention=convention, seed=seed
    )
    coordinates = (
        AdmissibleCoordinates.of(workspace.parameters, workspace.base, constrained)
        if constrained
        else None
    )
    request = backward.draw(first)
    tangent = request.tangent
    if coordinates is not None and tangent is not None:
        direction, tangent = coordinates.steer(tangent)
        request = replace(request, tangent=direction)
    asked, claim = _ask(backward, first, request)
    refuse_changed_arguments(workspace, backward.name)
    by_backward = workspace.restore_changed()

    again = forward.at_base()
    refuse_changed_arguments(workspace, binding.forward_name)
    moving = replay.confirm()
    refuse_unrepeatable(first, again, binding.forward_name, moving)
    with SuppressedWarnings():
        repeated = backward.ask(again, request)
        refuse_changed_arguments(workspace, backward.name)
        try:
            refuse_unrepeatable_backward(asked, repeated, workspace.parameters, backward.name)
        except GradcheckUsageError:
            if not replay.moved():  # else all is done once more, with everything replayed
                raise
    if request.cotangent is not None:
        by = weights(request.cotangent, again.blocks, convention)
        forward.reading = forward.reading.under(by)
    ways, refrained = ways.with_replay(moving)
    base, repeat = ways.at_base(forward, first, again, seed)
    evaluate, is_elsewhere = ways.evaluator(call, forward)
    seen = Seen(moving, by_forward, by_backward)
    claimed_at = _asking_elsewhere(backward, forward, request, asked.kind)
    problem = Problem(
        kind=asked.kind,
        forward=binding.forward_name,
        backward=binding.backward_name,
        parameters=workspace.parameters,
        point=workspace.point,
        here=workspace.base,
        evaluate=evaluate,
        attempt=forward.attempt,
        base=base,
        repeat=repeat,
        claim=claim,
        outputs=asked.outputs,
        tangent=tangent,
        counts=counts,
        notes=(
            *notes_on(binding, workspace, request, asked, seen=seen, seed=seed),
            *refrained,
            *convention_note(asked.kind, workspace.parameters, again.blocks, convention),
        ),
        not_checked=not_checked(binding.arguments),
        roundings=asked.roundings,
        others=_asking_others(backward, forward, again, request, claim=claim),
        claimed_at=claimed_at,
        claimed_rounded=_asking_rounded(backward, forward, request, asked.kind),
        # What moves generators here while forward is called elsewhere is something else.
        randomness_moved=bool if is_elsewhere else replay.moved,
        edge=forward.edges.near,
    )
    if coordinates is not None:
        problem = _on_coordinates(problem, coordinates, forward)
    return watched(problem), workspace


def _ask(
    backward: BackwardFunction, output: Output, request: BackwardInput
) -> tuple[BackwardResult, Claim]:
    """Ask backward for its claims, of which a copy is kept."""
    asked = backward.ask(output, request)
    claim = asked.claim.kept()
    return replace(asked, claim=claim), claim


def _asking_others(
    backward: BackwardFunction,
    forward: ForwardFunction,
    output: Output,
    request: BackwardInput,
    *,
    claim: Claim,
) -> Callable[[], Iterator[OtherCotangents]]:
    """Return what asks backward about other cotangents, where it takes any."""
    workspace = forward.workspace
    if request.cotangent is None:
        return no_others

    def ask(request: BackwardInput) -> BackwardResult:
        claims = backward.ask(forward.at_base(), request)
        refuse_changed_arguments(workspace, backward.name)
        return claims

    return partial(
        ask_other_cotangents,
        ask,
        request.cotangent,
        backward.draw_cotangent(output),
        claim=claim,
        parameters=workspace.parameters,
        rng=backward.rng,
    )


def _asking_elsewhere(
    backward: BackwardFunction, forward: ForwardFunction, request: BackwardInput, kind: Kind
) -> Callable[[Vector], Claim | None]:
    """Return what asks backward at other points, straight after a forward there."""
    workspace = forward.workspace

    def claimed_at(point: Vector) -> Claim | None:
        try:
            workspace.point[:] = point
            asked = backward.ask(forward.at_base(), request)
            return asked.claim.kept() if asked.kind == kind else None
        except Exception:  # noqa: BLE001  # nobody asked the user's code for anything there
            return None
        finally:
            workspace.point[:] = workspace.base

    return claimed_at


def _asking_rounded(
    backward: BackwardFunction, forward: ForwardFunction, request: BackwardInput, kind: Kind
) -> Callable[[np.random.Generator, int], Claim | None]:
    """Return what asks backward one rounding away, or so many times as far."""
    workspace = forward.workspace
    inputs = [workspace.seen(parameter) for parameter in workspace.parameters]

    def claimed_rounded(rng: np.random.Generator, times: int) -> Claim | None:
        # Claims are multiples of what backward is handed: by another factor all is rounded anew.
        factor = float(rng.uniform(1, 2))
        handed = (None if v is None else factor * v for v in (request.cotangent, request.tangent))
        ask = _asking_elsewhere(backward, forward, BackwardInput(*handed), kind)
        claim = ask(one_rounding_away(workspace.base, inputs, rng, times))
        if claim is None or kind not in ("vjp", "jvp"):
            return claim
        return DenseClaim(claim.rows(0, 1 if kind == "jvp" else workspace.base.size) / factor)

    return claimed_rounded


def _on_coordinates(
    problem: Problem, coordinates: AdmissibleCoordinates, forward: ForwardFunction
) -> Problem:
    """Pose the same problem for the coordinates of constrained parameters."""
    claim, roundings, notes = problem.claim, problem.roundings, problem.notes
    entries, claimed_rounded = coordinates, problem.claimed_rounded
    if problem.kind == "jvp":
        names = ", ".join(part.name for part in coordinates.constrained())
        notes = (*notes, Note("direction", 0, f"the tangent is admissible for {names}"))
    else:
        coordinates, claim, roundings = coordinates.along(claim, roundings)

        def claimed_rounded(rng: np.random.Generator, times: int) -> Claim | None:
            found = problem.claimed_rounded(rng, times)
            return None if found is None else entries.along(found, problem.roundings)[1]

    return replace(
        problem,
        parameters=coordinates.parameters(),
        point=coordinates.point(),
        here=coordinates.point(),
        evaluate=coordinates.evaluator(problem.evaluate, problem.point, forward.reading.nowhere),
        attempt=coordinates.evaluator(problem.attempt, problem.point, forward.reading.nowhere),
        edge=lambda start, stop: problem.edge(*coordinates.entries(start, stop)),
        claim=claim,
        roundings=roundings,
        claimed_at=nowhere,
        claimed_rounded=claimed_rounded,
        notes=notes,
    )


def _first_evaluation(
    binding: ResolvedCall, replay: Replay, beside: ReturnConvention, counts: CallCounts
) -> tuple[WorkingCopy, ForwardFunction, Output]:
    """Evaluate forward; in float64 where it follows the type of what it is given."""
    checked = [leaf for item in binding.items for leaf in item.leaves]

    def attempt(*, lift: bool) -> tuple[WorkingCopy, ForwardFunction, Output]:
        workspace = WorkingCopy(binding.arguments, checked, owner=binding.owner, lift=lift)
        forward = ForwardFunction(
            binding.forward,
            binding.forward_name,
            workspace,
            replay=replay,
            beside=beside,
            counts=counts,
        )
        return workspace, forward, forward.at_base()

    if any(dtype_name(leaf.array.dtype) in LOW_PRECISION for leaf in checked):
        try:
            lifted = attempt(lift=True)
        except Exception:  # noqa: BLE001  # forward may insist on its own type; then it gets it
            return attempt(lift=False)
        # A long double says nothing of the others, which are lifted beside a float64, too.
        if np.finfo(lifted[2].dtype).eps <= FULL_PRECISION:
            return lifted
    return attempt(lift=False)
