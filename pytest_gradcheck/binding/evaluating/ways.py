"""How the user wants forward to be called: by whom, and at how many points at once.

It must not evaluate anything; it chooses what does.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace

import numpy as np

from pytest_gradcheck.binding.blocks import Vector
from pytest_gradcheck.binding.call import Call
from pytest_gradcheck.binding.evaluating.forward import Forward
from pytest_gradcheck.binding.evaluating.handing_out import HandedOut
from pytest_gradcheck.binding.evaluating.quiet import Quiet
from pytest_gradcheck.binding.evaluating.recipe import Evaluate, Recipe
from pytest_gradcheck.binding.evaluating.rows import Rows, refuse_unbatched
from pytest_gradcheck.binding.outputs import Output
from pytest_gradcheck.report.model import Note

__all__ = ["PLAINLY", "Ways"]


@dataclass(frozen=True, slots=True)
class Ways:
    """Ways to call forward.

    Attributes
    ----------
    executor : concurrent.futures.Executor or None
        Who calls it at perturbed points; None for this thread.
    batched : bool
        Whether many points go into one call.
    """

    executor: Executor | None = None
    batched: bool = False

    def with_replay(self, moving: Sequence[str]) -> tuple[Ways, tuple[Note, ...]]:
        """Return the ways that go together with random generators that move, and what to say."""
        if self.executor is None or not moving:
            return self, ()
        text = f"executor is not used: {', '.join(moving)} is put back before each call"
        return replace(self, executor=None), (Note("executor", 0, text),)

    def at_base(
        self, forward: Forward, first: Output, again: Output, seed: int
    ) -> tuple[Vector, Vector]:
        """Return the outputs at the point, twice, as they are when called in these ways.

        Raises
        ------
        GradcheckUsageError
            When forward cannot be called so.
        """
        if not self.batched:
            reduced = forward.reading.reduced
            return reduced(first.value), reduced(again.value)
        with Quiet():
            return refuse_unbatched(Rows(forward), forward, first, np.random.default_rng(seed))

    def evaluator(self, call: Call, forward: Forward) -> tuple[Evaluate, bool]:
        """Return what evaluates at perturbed points, and whether in other processes."""
        rows = Rows(forward) if self.batched else None
        if self.executor is None:
            return (forward.evaluate if rows is None else rows.evaluate), False
        handed = HandedOut(
            self.executor,
            Recipe.of(call, forward, batched=self.batched),
            name=forward.name,
            counts=forward.counts,
            edges=forward.edges,
            size=forward.workspace.point.size,
            together=1 if rows is None else rows.together,
        )
        return handed.evaluate, handed.is_elsewhere


#: At one point after the other, in this thread.
PLAINLY = Ways()
