"""Batched evaluation: one call of forward at many points, along a leading axis.

A checked parameter of shape ``(a, b)`` is passed with shape ``(k, a, b)``, and outputs are
expected to have the same leading axis, as under `jax.vmap`. But here forward itself has to be
written for it, so that is verified at two points first. It does not know why points are
evaluated.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import numpy as np

from pytest_gradcheck.binding.call.user_function import add_note, call_user
from pytest_gradcheck.binding.forward.forward_function import ForwardFunction
from pytest_gradcheck.binding.forward.outputs import Output, named_outputs
from pytest_gradcheck.binding.forward.side_effects import REPEATABLE
from pytest_gradcheck.binding.values.parameters import Vector
from pytest_gradcheck.errors import GradcheckUsageError

__all__ = ["BatchedForward", "batches", "points_within", "refuse_unbatched"]


#: The most points in one call, and the most bytes of them. What forward allocates grows with them.
POINTS = 128
BYTES = 2**25

#: The relative distance of the second of two points from the first; where forward is undefined
#: there, the distance is multiplied by `SHRINK`, up to so many times.
DISTANCE = 0.1
SHRINK = 1e-3
ATTEMPTS = 4


def batches(points: Iterable[Vector], length: int) -> Iterator[Vector]:
    """Yield copies of up to `length` points at a time, as a new array of shape (k, n).

    Unlike `itertools.batched` it does not keep a point, which is valid only until the next.

    Examples
    --------
    >>> [batch.tolist() for batch in batches(np.eye(3), 2)]
    [[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]], [[0.0, 0.0, 1.0]]]
    """
    points = iter(points)
    for first in points:
        batch = np.empty((length, first.size))
        batch[0] = first
        count = 1
        for point in islice(points, length - 1):
            batch[count] = point
            count += 1
        yield batch[:count]


def points_within(size: int, limit: int) -> int:
    """Return how many points of `size` numbers fit into `limit` bytes, at least one."""
    return max(1, limit // (np.dtype(np.float64).itemsize * max(size, 1)))


class BatchedForward:
    """The user's forward as a function of many points.

    Parameters
    ----------
    forward : ForwardFunction
        Forward at one point, for batches in which it raises.

    Attributes
    ----------
    points_per_call : int
        The most points in one call.
    """

    def __init__(self, forward: ForwardFunction) -> None:
        self._forward = forward
        self.points_per_call = min(POINTS, points_within(forward.working_copy.point.size, BYTES))

    def evaluate(self, points: Iterable[Vector]) -> Vector:
        """Return the outputs at each of `points`, as `ForwardFunction.evaluate` does."""
        outputs = [
            row for batch in batches(points, self.points_per_call) for row in self._rows(batch)
        ]
        return self._forward.reader.stacked(outputs)

    def call(self, batch: Vector) -> Any:
        """Return what forward returns at points of shape (k, n), as it is."""
        forward = self._forward
        args, kwargs = forward.working_copy.pack_rows(batch)
        return forward.environment.run(call_user, forward.function, args, kwargs)

    def _rows(self, batch: Vector) -> Vector:
        forward, count = self._forward, len(batch)
        try:
            outputs = forward.environment.attempt(
                lambda: forward.reader.rows(self.call(batch), count)
            )
        except Exception:  # noqa: BLE001  # one by one it shows which points are undefined
            return forward.evaluate(batch)
        forward.counts.forward += count
        return outputs


def refuse_unbatched(
    batched: BatchedForward, forward: ForwardFunction, output: Output, rng: np.random.Generator
) -> tuple[Vector, Vector]:
    """Raise where forward at two points at once is not what it is at each of them.

    Parameters
    ----------
    batched : BatchedForward
        Forward at many points.
    forward : ForwardFunction
        Forward at one point.
    output : Output
        What it returned at the base point.
    rng : numpy.random.Generator
        Draws the second point.

    Returns
    -------
    base, repeat : ndarray, shape (m,)
        The outputs at the base point: in a batch of its own, and in one with the second point.

    Raises
    ------
    GradcheckUsageError
        When outputs have no leading axis, or one point changes the outputs of another.
    """
    point, name = forward.working_copy.base, forward.name
    attributes = [p.name for p in forward.working_copy.parameters if p.name.startswith("self.")]
    if attributes:
        raise GradcheckUsageError(
            f"batched=True, but {', '.join(attributes)} cannot get a leading axis: an object has "
            f"only one of each. Let {name} take it as an argument, or leave batched out."
        )
    both, separate = _two_points(forward, rng)
    _refuse_shapes(batched, forward, both, output)
    alone, in_batch = batched.evaluate([point]), batched.evaluate(both)
    difference = np.abs(np.vstack([in_batch - separate, alone - separate[:1]]))
    size = np.nanmax(np.abs(separate), initial=0.0)
    if np.nanmax(difference, initial=0.0) > REPEATABLE * size:
        raise GradcheckUsageError(
            f"batched=True, but {name} at two points at once does not return what it does at each "
            "by itself: rows of the leading axis must not depend on each other. Sum and normalize "
            "over the trailing axes only, or leave batched out."
        )
    return alone[0], in_batch[0]


def _two_points(forward: ForwardFunction, rng: np.random.Generator) -> tuple[Vector, Vector]:
    """Return the base point and another, shape (2, n), with the outputs at each, shape (2, m).

    The second is the base point again where forward is undefined at all that were tried.
    """
    point = forward.working_copy.base
    change = point * rng.uniform(-DISTANCE, DISTANCE, size=point.size)
    for _ in range(ATTEMPTS):
        both = np.stack([point, point + change])
        separate = forward.evaluate(both)
        if np.isfinite(separate).all():
            return both, separate
        change *= SHRINK
    both = np.stack([point, point])
    return both, forward.evaluate(both)


def _refuse_shapes(
    batched: BatchedForward, forward: ForwardFunction, both: Vector, output: Output
) -> None:
    """Raise where an output at two points lacks the leading axis."""
    try:
        returned = {
            name: np.shape(value)
            for name, value in named_outputs("output", forward.reader.take(batched.call(both)))
        }
    except Exception as error:
        add_note(error, f"while gradcheck called it at {len(both)} points at once (batched=True)")
        raise
    for block in output.blocks:
        shape, wanted = returned.get(block.name), (len(both), *block.shape)
        if shape != wanted:
            raise GradcheckUsageError(
                f"batched=True, but {forward.name} returned {block.name} of shape {shape} at two "
                f"points at once, where {wanted} is meant: checked parameters get a leading axis, "
                "and so must outputs. Sum over the trailing axes only, or leave batched out."
            )
