"""Binding: from a call as the user wrote it to a problem in numbers.

It is a pipeline, in which each stage takes what those before it made:

1. The signature of forward names its arguments, and `wrt` selects what is checked (`call`).
2. The constraints of the parameters are read (`constrained_parameters`).
3. All that the functions can reach is found, to be put back at the end (`state`), and with it the
   random generators that they may draw from (`random_state`).
4. Forward is evaluated at the base point, on a working copy of its arguments (`forward`).
5. Backward is called there for its claim, and both a second time (`backward`).
6. The way to evaluate forward at perturbed points is chosen (`dispatch`).
7. All this is posed as a `Problem`, with notes on how it came about.

Constraints are a change of variables: stages 5 and 7 pass through it where there are any. Binding
does not measure or judge. It calls the user's functions a few times, at the user's own point, and
leaves everything of the user's as it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from functools import partial

from pytest_gradcheck.binding.backward.backward_function import BackwardFunction
from pytest_gradcheck.binding.backward.base_claim import claim_at_base
from pytest_gradcheck.binding.backward.detached_outputs import detached_outputs
from pytest_gradcheck.binding.backward.perturbed_claims import PerturbedClaims
from pytest_gradcheck.binding.backward.repeatability import repeat_at_base
from pytest_gradcheck.binding.call.automatic_differentiation import AutomaticBackward
from pytest_gradcheck.binding.call.call_values import call_values
from pytest_gradcheck.binding.call.resolved_call import Call, ResolvedCall
from pytest_gradcheck.binding.constrained_parameters.constraint_options import (
    UNCONSTRAINED,
    Constrained,
    ConstraintDeclarations,
    constrain,
)
from pytest_gradcheck.binding.constrained_parameters.tangent_coordinates import (
    AdmissibleCoordinates,
)
from pytest_gradcheck.binding.dispatch.evaluation_strategy import IN_TURN, Dispatch
from pytest_gradcheck.binding.displacement import Displacement
from pytest_gradcheck.binding.forward.base_evaluation import evaluate_at_base
from pytest_gradcheck.binding.forward.call_environment import CallEnvironment
from pytest_gradcheck.binding.forward.parameter_rounding import repeat_one_rounding_away
from pytest_gradcheck.binding.gradient_problem import Problem
from pytest_gradcheck.binding.nothing_to_check import (
    is_nothing,
    refuse_empty_output,
    refuse_empty_parameters,
)
from pytest_gradcheck.binding.random_state.generators import find_generators
from pytest_gradcheck.binding.random_state.replay import Replay
from pytest_gradcheck.binding.reference import BoundReference, Reference
from pytest_gradcheck.binding.report_notes import (
    binding_notes,
    convention_note,
    nondifferentiable_notes,
    not_checked,
)
from pytest_gradcheck.binding.state.reachable import reachable
from pytest_gradcheck.binding.state.snapshot import state_restored
from pytest_gradcheck.binding.unused_parameters import watch_unused
from pytest_gradcheck.binding.values.complex_pairs import weights
from pytest_gradcheck.binding.values.pytree import Leaf, LeafNames

__all__ = ["bind"]

UNOBSERVED = nullcontext()


@contextmanager
def bind(
    call: Call,
    *,
    seed: int,
    convention: str = "pytorch",
    replay: Sequence[object] = (),
    replay_all: bool = False,
    declarations: ConstraintDeclarations = UNCONSTRAINED,
    dispatch: Dispatch = IN_TURN,
    accepts_nothing: bool = False,
    observer: AbstractContextManager[None] = UNOBSERVED,
    displacement: Displacement | None = None,
    reference: Reference | None = None,
) -> Iterator[Problem]:
    """Turn `call` into a problem, for as long as the context lasts.

    Parameters
    ----------
    call : Call
        The call as the user wrote it.
    seed : int
        Draws cotangents and tangents.
    convention : {"pytorch", "jax"}
        The convention of gradients with respect to complex parameters.
    replay : sequence of random generators
        Generators to put back before each call, in addition to those that are found.
    replay_all : bool
        Put all generators back, not only those that were seen to move.
    declarations : ConstraintDeclarations
        Constraints of parameters, as the user wrote them.
    dispatch : Dispatch
        How to call forward at perturbed points.
    accepts_nothing : bool
        Whether there may be nothing to check, as every parameter or an output is empty.
    observer : context manager, optional
        Entered while the claim is computed: by backward, or by forward that returns it.
    displacement : Displacement, optional
        From the user's own point to another one, which takes its place.
    reference : (callable, callable or str or None), optional
        The same function in float64, and its backward: derivatives are those of this one.

    Yields
    ------
    Problem
        Its `evaluate` is valid inside the context only.

    Raises
    ------
    GradcheckUsageError
        When the call makes no sense, so that there is nothing to check yet.
    """
    resolved = ResolvedCall.of(call)
    constraints = constrain(declarations, resolved.leaves)
    if displacement is not None:
        displaced = displacement.displaced(resolved.leaves, constraints)
        resolved = replace(resolved, displaced=displaced)
        constraints = constrain(declarations, [Leaf(*item) for item in displaced.items()])
    if not accepts_nothing:
        refuse_empty_parameters(resolved.leaves, resolved.integers, resolved.forward_name)
    reached = reachable(resolved.functions(), resolved.named_arguments())
    generators = find_generators(reached, replay)
    attributes = [leaf for item in resolved.attributes for leaf in item.leaves]
    replaying = Replay(
        generators, everything=replay_all, perturbed=[leaf.name for leaf in attributes]
    )
    environment = CallEnvironment(replaying)
    try:
        # What another check perturbs is put back before its turn ends.
        with replaying, state_restored(reached, [leaf.value for leaf in attributes]):
            problem = _pose(
                call,
                resolved,
                constraints,
                replaying,
                dispatch,
                environment=environment,
                seed=seed,
                convention=convention,
                accepts_nothing=accepts_nothing,
                observer=observer,
                reference=reference,
            )
            with environment.silenced:
                yield problem
            replaying.refuse_mixed()
    finally:
        # Once more: a signal may have been handled where the contexts above ended.
        environment.silenced.end()
        replaying.end()


def _pose(
    call: Call,
    resolved: ResolvedCall,
    constraints: Mapping[str, Constrained],
    replay: Replay,
    dispatch: Dispatch,
    *,
    environment: CallEnvironment,
    seed: int,
    convention: str,
    accepts_nothing: bool,
    observer: AbstractContextManager[None],
    reference: Reference | None,
) -> Problem:
    """Evaluate forward at the base point, call backward for its claim, and pose the problem.

    Outputs and caches of these calls are not held by the problem; they are released here.
    """
    with observer if resolved.backward is None else UNOBSERVED:
        base = evaluate_at_base(resolved, replay, environment, lifts=reference is None)
    forward, working_copy, point = base.forward, base.working_copy, base.working_copy.point
    if not accepts_nothing:
        refuse_empty_output(base.output, forward.name)
    layout = base.output.layout
    resolved = resolved.for_outputs(
        layout.names, is_number=not layout.is_several and layout.blocks[0].shape == ()
    )
    detached = detached_outputs(resolved, base, environment)
    backward = BackwardFunction(
        resolved,
        working_copy,
        environment=environment,
        counts=forward.counts,
        convention=convention,
        seed=seed,
        detached=detached,
    )
    coordinates = (
        AdmissibleCoordinates.of(working_copy.parameters, working_copy.base, constraints)
        if constraints
        else None
    )
    given, tangent = backward.draw(base.output), None
    if coordinates is not None:
        given, tangent = coordinates.admissible(given)
    with observer:
        claimed = claim_at_base(base, backward, given)
    repetition = repeat_at_base(base, claimed, replay)
    perturbed = PerturbedClaims(base, claimed)

    outputs, measured = repetition.output.blocks, (base.output, repetition.output)
    errors = None
    if reference is not None:
        bound = BoundReference(reference, call, resolved, base)
        errors = bound.errors(claimed)
        if coordinates is not None:  # which the claims of the reference are not in
            errors = replace(errors, plain_claim=None, exact_claim=None)
        forward, point = bound.forward, bound.forward.working_copy.point
        measured = (bound.output, forward.call())
        call = bound.call
    if given.cotangent is not None:
        forward.reduce(weights(given.cotangent, outputs, convention))
    evaluation = dispatch.evaluation(
        call,
        forward,
        measured,
        replayed=repetition.replayed,
        seed=seed,
    )
    repeat = repeat_one_rounding_away(
        evaluation.evaluate,
        forward.working_copy,
        measured[0],
        base=evaluation.base,
        repeat=evaluation.repeat,
        seed=seed,
    )

    problem = Problem(
        kind=claimed.kind,
        forward=resolved.forward_name,
        backward=resolved.backward_name,
        parameters=working_copy.parameters,
        point=point,
        here=working_copy.base,
        evaluate=evaluation.evaluate,
        attempt=forward.attempt,
        base=evaluation.base,
        repeat=repeat,
        claim=claimed.claim,
        outputs=claimed.result.outputs,
        tangent=given.tangent,
        counts=forward.counts,
        notes=(
            *binding_notes(resolved, base, claimed, repetition, seed=seed),
            *nondifferentiable_notes(layout, detached),
            *evaluation.notes,
            *convention_note(claimed.kind, working_copy.parameters, outputs, convention),
        ),
        not_checked=not_checked(
            resolved.arguments, LeafNames(leaf.name for leaf in resolved.leaves)
        ),
        roundings=claimed.result.roundings,
        other_cotangents=perturbed.of_other_cotangents,
        claim_at=perturbed.at,
        claims_again=perturbed.again,
        claim_of_multiple=perturbed.of_multiple,
        claim_of_two_uses=perturbed.of_two_uses,
        claim_one_rounding_away=perturbed.one_rounding_away,
        # Other processes evaluate: whatever moves generators in this one, it is not forward.
        randomness_moved=bool if evaluation.is_elsewhere else replay.moved,
        random_claim=repetition.draws.refusal,
        two_derivatives=backward.two_derivatives,
        edge=forward.edges.nearest,
        checks_nothing=is_nothing(working_copy.parameters, outputs, claimed.result.claim),
        outputs_at_base=outputs,
        output_values=base.output.value,
        cotangent=given.cotangent,
        call_values=partial(call_values, resolved),
        functions=tuple(resolved.functions()),
        is_automatic=isinstance(resolved.backward, AutomaticBackward),
        take_outputs=forward.reader.take,
        kernel_errors=errors,
    )
    if coordinates is not None:
        problem = coordinates.pose(problem, tangent)
    return watch_unused(problem)
