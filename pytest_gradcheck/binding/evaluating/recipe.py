"""What it takes to call the same forward elsewhere: in another thread, or another process.

It must not know how it gets there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from pytest_gradcheck.binding.attributes import bound_object, copy_object, rebind
from pytest_gradcheck.binding.blocks import Vector
from pytest_gradcheck.binding.call import Call
from pytest_gradcheck.binding.evaluating.edges import Edge
from pytest_gradcheck.binding.evaluating.forward import Forward
from pytest_gradcheck.binding.evaluating.reading import Reading
from pytest_gradcheck.binding.evaluating.rows import Rows
from pytest_gradcheck.binding.outputs import Beside
from pytest_gradcheck.binding.problem import Counts
from pytest_gradcheck.binding.replay import Replay
from pytest_gradcheck.binding.resolving import Resolved
from pytest_gradcheck.binding.workspace import Workspace

__all__ = ["Evaluate", "Evaluated", "Recipe"]

Evaluate = Callable[[Iterable[Vector]], Vector]


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What came of an evaluation elsewhere.

    Attributes
    ----------
    outputs : ndarray, shape (k, m)
        NaN where forward gave none.
    edges : tuple of Edge
        The nearest of these points.
    """

    outputs: Vector
    edges: tuple[Edge, ...]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to make an evaluator that does what another does.

    Attributes
    ----------
    call : Call
        The user's; backward is not called, so it need not get there.
    lift : bool
        Whether forward is handed float64 where the user's arrays are less precise.
    remade : tuple of str
        Arguments that are made anew for each call, because calls change them.
    reading : Reading
        How outputs are read.
    batched : bool
        Whether many points go into one call.
    """

    call: Call
    lift: bool
    remade: tuple[str, ...]
    reading: Reading
    batched: bool

    @classmethod
    def of(cls, call: Call, forward: Forward, *, batched: bool) -> Recipe:
        """Return the recipe of `forward`."""
        workspace = forward.workspace
        without = replace(call, backward=True, backward_args=None)
        return cls(without, workspace.lift, workspace.remade, forward.reading, batched)

    def make(self) -> Callable[[Iterable[Vector]], Evaluated]:
        """Return an evaluator with arguments, and an object it is bound to, of its own."""
        call, owner = self.call, bound_object(self.call.forward)
        if owner is not None:
            reason = "another worker calls its method"
            call = replace(call, forward=rebind(call.forward, owner, copy_object(owner, reason)))
        binding = Resolved.of(call)
        workspace = Workspace(
            binding.arguments,
            [leaf for item in binding.items for leaf in item.leaves],
            owner=binding.owner,
            lift=self.lift,
        )
        workspace.remake(self.remade)
        forward = Forward(
            binding.forward,
            binding.forward_name,
            workspace,
            replay=Replay((), everything=False),
            beside=Beside.NOTHING,
            counts=Counts(),
        )
        forward.reading = self.reading
        evaluate = Rows(forward).evaluate if self.batched else forward.evaluate

        def evaluated(points: Iterable[Vector]) -> Evaluated:
            return Evaluated(evaluate(points), forward.edges.drain())

        return evaluated
