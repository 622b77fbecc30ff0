"""Calling forward at many points at once: its checked parameters get a leading axis.

It must not know who asks.
"""

# MERGED Points in batches: copies of what is good until the next is asked for.
#
# It must not evaluate anything.

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import numpy as np

from pytest_gradcheck.binding.forward.forward_function import ForwardFunction
from pytest_gradcheck.binding.forward.outputs import Output, named_outputs
from pytest_gradcheck.binding.forward.side_effects import REPEATABLE
from pytest_gradcheck.binding.values.parameters import Vector
from pytest_gradcheck.errors import GradcheckUsageError

__all__ = ["BatchedForward", "batches", "points_within", "refuse_unbatched"]


def batches(points: Iterable[Vector], length: int) -> Iterator[Vector]:
    """Yield up to `length` points at a time, as a new array of shape (k, n).

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


def points_within(size: int, room: int) -> int:
    """Return how many points of `size` numbers fit into `room` bytes, at least one."""
    return max(1, room // (np.dtype(np.float64).itemsize * max(size, 1)))


#: Points of one call: so many, in so many bytes. What forward itself allocates grows with them.
ROWS = 128
ROOM = 2**25

#: How far the second of two points is from the first, relatively; nearer by `CLOSER` each time
#: where forward is undefined there, so often.
ELSEWHERE = 0.1
CLOSER = 1e-3
TRIES = 4


class BatchedForward:
    """The user's forward as a function of many points.

    Parameters
    ----------
    forward : ForwardFunction
        Called at one point where many at once leave its domain.

    Attributes
    ----------
    points_per_call : int
        How many points go into one call.
    """

    def __init__(self, forward: ForwardFunction) -> None:
        self._forward = forward
        self.points_per_call = min(ROWS, points_within(forward.working_copy.point.size, ROOM))

    def evaluate(self, points: Iterable[Vector]) -> Vector:
        """Return the outputs at each of `points`, shape (k, m), see `ForwardFunction.evaluate`."""
        outputs = [
            row for batch in batches(points, self.points_per_call) for row in self._rows(batch)
        ]
        return self._forward.reading.stacked(outputs)

    def returned(self, batch: Vector) -> Any:
        """Return what forward returns at points of shape (k, n)."""
        args, kwargs = self._forward.working_copy.pack_rows(batch)
        return self._forward.function(*args, **kwargs)

    def _rows(self, batch: Vector) -> Vector:
        forward, count = self._forward, len(batch)
        try:
            outputs = forward.reading.rows(self.returned(batch), count)
        except Exception:  # noqa: BLE001  # which of them are outside shows one by one
            return forward.evaluate(batch)
        forward.counts.forward += count
        return outputs


def refuse_unbatched(
    rows: BatchedForward, forward: ForwardFunction, output: Output, rng: np.random.Generator
) -> tuple[Vector, Vector]:
    """Raise when forward does not take many points at once, each for itself.

    Parameters
    ----------
    rows : BatchedForward
        What calls it so.
    forward : ForwardFunction
        What calls it at one point.
    output : Output
        What it returned at the point of the check.
    rng : numpy.random.Generator
        Draws another point.

    Returns
    -------
    base, repeat : ndarray, shape (m,)
        The outputs at the point of the check, once by itself and once beside another.

    Raises
    ------
    GradcheckUsageError
        When outputs get no leading axis, or one point changes the outputs of another.
    """
    point, name = forward.working_copy.base, forward.name
    attributes = [p.name for p in forward.working_copy.parameters if p.name.startswith("self.")]
    if attributes:
        raise GradcheckUsageError(
            f"batched=True, but {', '.join(attributes)} cannot get a leading axis: an object has "
            f"only one of each. Let {name} take it as an argument, or leave batched out."
        )
    both, separate = _two_points(forward, rng)
    _refuse_shapes(rows, forward, both, output)
    alone, together = rows.evaluate([point]), rows.evaluate(both)
    apart = np.abs(np.vstack([together - separate, alone - separate[:1]]))
    size = np.nanmax(np.abs(separate), initial=0.0)
    if np.nanmax(apart, initial=0.0) > REPEATABLE * size:
        raise GradcheckUsageError(
            f"batched=True, but {name} at two points at once does not return what it does at each "
            "by itself: rows of the leading axis must not depend on each other. Sum and normalise "
            "over the trailing axes only, or leave batched out."
        )
    return alone[0], together[0]


def _two_points(forward: ForwardFunction, rng: np.random.Generator) -> tuple[Vector, Vector]:
    """Return the point of the check beside another at which forward is defined, and the outputs.

    The point itself, where it is defined at none that is near.
    """
    point = forward.working_copy.base
    change = point * rng.uniform(-ELSEWHERE, ELSEWHERE, size=point.size)
    for _ in range(TRIES):
        both = np.stack([point, point + change])
        separate = forward.evaluate(both)
        if np.isfinite(separate).all():
            return both, separate
        change *= CLOSER
    both = np.stack([point, point])
    return both, forward.evaluate(both)


def _refuse_shapes(
    rows: BatchedForward, forward: ForwardFunction, both: Vector, output: Output
) -> None:
    try:
        returned = {
            name: np.shape(value)
            for name, value in named_outputs(
                "output", forward.reading.outputs(rows.returned(both))
            )
        }
    except Exception as error:
        error.add_note(_where(len(both)))
        raise
    for block in output.blocks:
        shape, wanted = returned.get(block.name), (len(both), *block.shape)
        if shape != wanted:
            raise GradcheckUsageError(
                f"batched=True, but {forward.name} returned {block.name} of shape {shape} at two "
                f"points at once, where {wanted} is meant: checked parameters get a leading axis, "
                "and so must outputs. Sum over the trailing axes only, or leave batched out."
            )


def _where(count: int) -> str:
    return f"while gradcheck called it at {count} points at once (batched=True)"
