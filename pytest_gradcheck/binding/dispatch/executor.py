"""Evaluating through an executor of the user's: the same numbers, in the same order.

It must not start or stop workers; those are the user's.
"""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import contextmanager
from math import ceil
from typing import Protocol

from pytest_gradcheck.binding.call.resolved_call import CallCounts
from pytest_gradcheck.binding.dispatch.batched import batches, points_within
from pytest_gradcheck.binding.dispatch.serialization import (
    Evaluated,
    PortableForward,
    Raised,
    evaluate_serialized,
    serialize,
)
from pytest_gradcheck.binding.forward.domain_boundary import Edges
from pytest_gradcheck.binding.forward.forward_function import SuppressedWarnings
from pytest_gradcheck.binding.values.parameters import Vector
from pytest_gradcheck.errors import GradcheckUsageError

__all__ = ["ExecutorEvaluation"]


#: Bytes of the points that are on their way at once.
ROOM = 2**26

#: Parts of a batch for each worker: one that is done early takes another.
PARTS = 2

DIED = "Does forward end its process, or need more memory than there is? "

Returned = Evaluated | Raised | None


class ExecutorEvaluation:
    """Evaluates at many points through an executor.

    Parameters
    ----------
    executor : concurrent.futures.Executor
        The user's.
    recipe : PortableForward
        Of forward.
    name : str
        Its name, for messages.
    counts : CallCounts
        Counts its calls.
    edges : Edges
        Takes where it gave no outputs.
    size : int
        Numbers of a point.
    points_per_call : int
        Points that go into one call of forward, and so must stay in one batch.

    Attributes
    ----------
    is_elsewhere : bool
        Whether workers are other processes.
    """

    def __init__(
        self,
        executor: Executor,
        recipe: PortableForward,
        *,
        name: str,
        counts: CallCounts,
        edges: Edges,
        size: int,
        points_per_call: int,
    ) -> None:
        self._executor, self._recipe, self._name = executor, recipe, name
        self._counts, self._edges, self._points_per_call = counts, edges, points_per_call
        # Executors do not tell; those of Python and loky know by this name.
        workers = getattr(executor, "_max_workers", None) or os.cpu_count() or 1
        self._parts = PARTS * int(workers)
        self._length = points_per_call * max(
            self._parts, points_within(size * points_per_call, ROOM)
        )
        with self._blaming():
            self.is_elsewhere = executor.submit(os.getpid).result() != os.getpid()
        self._carrier: _Carrier = (_Processes if self.is_elsewhere else _Threads)(recipe)

    def evaluate(self, points: Iterable[Vector]) -> Vector:
        """Return the outputs at each of `points`, shape (k, m), see `ForwardFunction.evaluate`."""
        outputs = list[Vector]()
        for batch in batches(points, self._length):
            self._counts.forward += len(batch)
            for found in self._gather(self._cut(batch)):
                outputs.extend(found.outputs)
                self._edges.add(found.edges)
        return self._recipe.reading.stacked(outputs)

    def _cut(self, batch: Vector) -> list[Vector]:
        """Cut a batch into parts of the same number of calls, but for the last."""
        calls = ceil(len(batch) / self._points_per_call)
        length = self._points_per_call * ceil(calls / self._parts)
        return [batch[start : start + length] for start in range(0, len(batch), length)]

    def _gather(self, parts: Sequence[Vector]) -> list[Evaluated]:
        """Return what came of each part, in order."""
        found = dict[int, Evaluated]()
        for anew in (False, True):
            missing = [k for k in range(len(parts)) if k not in found]
            returned = self._send([parts[k] for k in missing], anew=anew)
            found |= {k: v for k, v in zip(missing, returned, strict=True) if v is not None}
        return [found[k] for k in range(len(parts))]

    def _send(self, parts: Sequence[Vector], *, anew: bool) -> list[Evaluated | None]:
        futures = list[Future[Returned]]()
        try:
            with self._blaming():
                for part in parts:
                    futures.append(self._carrier.send(self._executor, part, anew=anew))
                returned = [future.result() for future in futures]
        except BaseException:
            self._carrier.call_off(futures)
            raise
        evaluated = list[Evaluated | None]()
        for one in returned:
            if isinstance(one, Raised):
                raise one.error
            evaluated.append(one)
        return evaluated

    @contextmanager
    def _blaming(self) -> Iterator[None]:
        """Say of whom it is what goes wrong between here and the workers."""
        try:
            yield
        except GradcheckUsageError:
            raise
        except Exception as error:
            died = isinstance(error, BrokenExecutor)
            raise GradcheckUsageError(
                f"the {type(self._executor).__name__} given as executor failed while it evaluated "
                f"{self._name}, so nothing was judged: {type(error).__name__}: "
                f"{str(error).rstrip('.')}. {DIED if died else ''}Without executor= the check "
                "runs in this process."
            ) from error


class _Carrier(Protocol):
    """Gets points to where they are evaluated."""

    def send(self, executor: Executor, points: Vector, *, anew: bool) -> Future[Returned]:
        """Send points, `anew` with all that is needed to evaluate there."""
        ...  # pragma: no cover

    def call_off(self, futures: Sequence[Future[Returned]]) -> None:
        """Let nothing of the user's be in use by what was sent."""
        ...  # pragma: no cover


class _Threads:
    """Evaluates in threads of this process, each with arguments of its own."""

    def __init__(self, recipe: PortableForward) -> None:
        self._recipe, self._own, self._is_off = recipe, threading.local(), threading.Event()
        self._running, self._idle = 0, threading.Condition()

    def send(self, executor: Executor, points: Vector, *, anew: bool) -> Future[Returned]:
        del anew  # what is needed is here
        return executor.submit(self._run, points)

    def call_off(self, futures: Sequence[Future[Returned]]) -> None:
        self._is_off.set()
        for future in futures:
            future.cancel()
        # Not the futures: an interrupt within `submit` loses the one that it would return.
        with self._idle:
            self._idle.wait_for(lambda: not self._running)

    def _run(self, points: Vector) -> Returned:
        with self._idle:
            if self._is_off.is_set():
                return None
            self._running += 1
        try:
            with SuppressedWarnings():
                if not hasattr(self._own, "evaluate"):
                    self._own.evaluate = self._recipe.make()
                evaluated: Evaluated = self._own.evaluate(self._until_off(points))
                return evaluated
        except Exception as error:  # noqa: BLE001  # raised again where the user waits
            return Raised(error)
        finally:
            with self._idle:
                self._running -= 1
                self._idle.notify_all()

    def _until_off(self, points: Vector) -> Iterator[Vector]:
        for point in points:
            if self._is_off.is_set():
                return
            yield point


class _Processes:
    """Evaluates in other processes, to each of which the recipe is sent once."""

    def __init__(self, recipe: PortableForward) -> None:
        self._token, self._wrapped = uuid.uuid4().hex, serialize(recipe)

    def send(self, executor: Executor, points: Vector, *, anew: bool) -> Future[Returned]:
        recipe = self._wrapped if anew else None
        return executor.submit(evaluate_serialized, self._token, recipe, points)

    def call_off(self, futures: Sequence[Future[Returned]]) -> None:
        for future in futures:
            future.cancel()
