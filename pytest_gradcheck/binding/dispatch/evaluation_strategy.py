"""How forward is called at perturbed points: one by one, in batches, or through an executor.

It chooses what evaluates, from the user's options; it does not evaluate at any other point
than the base point itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np

from pytest_gradcheck.binding.call.resolved_call import Call
from pytest_gradcheck.binding.dispatch.batched import BatchedForward, refuse_unbatched
from pytest_gradcheck.binding.dispatch.executor import ExecutorEvaluation, is_worker_of
from pytest_gradcheck.binding.dispatch.serialization import Evaluate, PortableForward
from pytest_gradcheck.binding.forward.forward_function import ForwardFunction
from pytest_gradcheck.binding.forward.outputs import Output
from pytest_gradcheck.binding.values.parameters import Vector
from pytest_gradcheck.report.report_data import Note

__all__ = ["IN_TURN", "Dispatch", "Evaluation"]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Forward as it is called at perturbed points.

    Attributes
    ----------
    evaluate : callable
        ``evaluate(points) -> outputs``, shape (k, m).
    base, repeat : ndarray, shape (m,)
        The outputs at the base point, from two evaluations.
    is_elsewhere : bool
        Whether other processes evaluate.
    notes : tuple of Note
        Which of the user's options is not used.
    """

    evaluate: Evaluate
    base: Vector
    repeat: Vector
    is_elsewhere: bool
    notes: tuple[Note, ...]


@dataclass(frozen=True, slots=True)
class Dispatch:
    """The user's options `executor` and `batched`.

    Attributes
    ----------
    executor : concurrent.futures.Executor or None
        What calls forward at perturbed points; None for this thread.
    batched : bool
        Whether one call of forward is given many points.
    """

    executor: Executor | None = None
    batched: bool = False

    def evaluation(
        self,
        call: Call,
        forward: ForwardFunction,
        outputs: tuple[Output, Output],
        *,
        replayed: Sequence[str],
        seed: int,
    ) -> Evaluation:
        """Return how to evaluate forward at perturbed points.

        Parameters
        ----------
        call : Call
            The user's call, for other processes.
        forward : ForwardFunction
            Forward in this thread.
        outputs : tuple of Output
            What it returned at the base point, twice.
        replayed : sequence of str
            Random generators that are put back before each call: an executor would not.
        seed : int
            Draws the second point of the first batch.

        Returns
        -------
        Evaluation
            The evaluations at the base point are made in the same way.

        Raises
        ------
        GradcheckUsageError
            When forward cannot be called in this way.
        """
        notes = tuple[Note, ...]()
        executor = self.executor
        if executor is not None and (reason := _reason_against(executor, replayed)):
            executor, notes = None, (Note("executor", 0, f"executor is not used: {reason}"),)
        base, repeat = self._at_base(forward, outputs, seed)
        batched = BatchedForward(forward) if self.batched else None
        if executor is None:
            evaluate = forward.evaluate if batched is None else batched.evaluate
            return Evaluation(evaluate, base, repeat, is_elsewhere=False, notes=notes)
        workers = ExecutorEvaluation(
            executor,
            PortableForward.of(call, forward, batched=self.batched),
            name=forward.name,
            counts=forward.counts,
            edges=forward.edges,
            size=forward.working_copy.point.size,
            points_per_call=1 if batched is None else batched.points_per_call,
        )
        with forward.environment.silenced:
            workers.refuse_other_outputs(forward.working_copy.base, base)
        return Evaluation(workers.evaluate, base, repeat, workers.is_elsewhere, notes)

    def _at_base(
        self, forward: ForwardFunction, outputs: tuple[Output, Output], seed: int
    ) -> tuple[Vector, Vector]:
        """Return the outputs at the base point, from two evaluations."""
        first, second = outputs
        if not self.batched:
            return forward.reader.reduced(first.value), forward.reader.reduced(second.value)
        with forward.environment.silenced:
            return refuse_unbatched(
                BatchedForward(forward), forward, first, np.random.default_rng(seed)
            )


def _reason_against(executor: Executor, replayed: Sequence[str]) -> str:
    """Return why an executor is not used, an empty text if it is."""
    if replayed:
        return f"{', '.join(replayed)} is put back before each call"
    return "the check runs in one of its workers" if is_worker_of(executor) else ""


#: One point after the other, in this thread.
IN_TURN = Dispatch()
