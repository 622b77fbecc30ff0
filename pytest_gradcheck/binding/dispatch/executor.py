"""Evaluation through an executor of the user's: the same outputs, in the same order.

Any `concurrent.futures.Executor` will do. A batch of points is split into parts, of which each
is one task. Threads make their own copies of the arguments; other processes are sent forward
with the first task for which they lack it. It does not start or stop workers.
"""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import contextmanager, suppress
from contextvars import ContextVar, copy_context
from math import ceil
from typing import Protocol

import numpy as np

from pytest_gradcheck.binding.call.resolved_call import CallCounts
from pytest_gradcheck.binding.dispatch.batched import batches, points_within
from pytest_gradcheck.binding.dispatch.serialization import (
    Evaluated,
    PortableForward,
    Raised,
    evaluate_serialized,
    serialize,
)
from pytest_gradcheck.binding.forward.call_environment import SilencedWarnings
from pytest_gradcheck.binding.forward.domain_boundary import Edges
from pytest_gradcheck.binding.forward.side_effects import REPEATABLE
from pytest_gradcheck.binding.values.parameters import Vector
from pytest_gradcheck.errors import GradcheckUsageError
from pytest_gradcheck.report.representation import type_name

__all__ = ["ExecutorEvaluation", "is_worker_of"]


#: The most bytes of points that are submitted at once.
BYTES = 2**26

#: Parts of a batch per worker: a worker that finishes early takes another.
PARTS = 2

DIED = "Does forward end its process, or need more memory than there is? "

Returned = Evaluated | Raised | None


#: The executors in whose workers the code at hand runs.
_USED: ContextVar[tuple[Executor, ...]] = ContextVar("used", default=())


def is_worker_of(executor: Executor) -> bool:
    """Return whether this thread is a worker of an executor, or one waits for this thread.

    Where it has no other worker, it would wait for itself.
    """
    if any(used is executor for used in _USED.get()):
        return True
    # Executors have no public attribute for it; that of Python has this one. A new thread is in it
    # by the end of the submission that started it, for which another submission waits.
    threads = getattr(executor, "_threads", None)
    if not isinstance(threads, set):
        return False
    with suppress(Exception):  # raised again where the executor is used
        executor.submit(int).cancel()
    return threading.current_thread() in threads


class ExecutorEvaluation:
    """Forward as a function of many points, evaluated by an executor.

    Parameters
    ----------
    executor : concurrent.futures.Executor
        The user's.
    forward : PortableForward
        What workers evaluate.
    name : str
        Its name, for messages.
    counts : CallCounts
        Counts its calls.
    edges : Edges
        Collects points where it is undefined.
    size : int
        The length of a point.
    points_per_call : int
        Points that go into one call of forward, and so must not be split.

    Attributes
    ----------
    is_elsewhere : bool
        Whether workers are other processes.
    """

    def __init__(
        self,
        executor: Executor,
        forward: PortableForward,
        *,
        name: str,
        counts: CallCounts,
        edges: Edges,
        size: int,
        points_per_call: int,
    ) -> None:
        self._executor, self._forward, self._name = executor, forward, name
        self._counts, self._edges, self._points_per_call = counts, edges, points_per_call
        # Executors have no public attribute for it; those of Python and loky have this one.
        workers = getattr(executor, "_max_workers", None) or os.cpu_count() or 1
        self._parts = PARTS * int(workers)
        self._length = points_per_call * max(
            self._parts, points_within(size * points_per_call, BYTES)
        )
        with self._executor_errors():
            self.is_elsewhere = executor.submit(os.getpid).result() != os.getpid()
        self._transport: _Transport = (
            _Processes(forward) if self.is_elsewhere else _Threads(forward, executor)
        )

    def refuse_other_outputs(self, point: Vector, base: Vector) -> None:
        """Raise where workers do not return what forward returned at the base point here.

        Parameters
        ----------
        point : ndarray, shape (n,)
            The base point.
        base : ndarray, shape (m,)
            The outputs there.
        """
        (found,) = self._evaluate_parts([point[None]])
        (there,) = found.outputs
        change = np.abs(there - base)
        if float(change.max()) <= REPEATABLE * float(np.abs(base).max()):
            return
        worst = int(np.argmax(change))
        raise GradcheckUsageError(
            f"{self._name} returned {there[worst]:.8g} in a worker of executor, but "
            f"{base[worst]:.8g} here, at the same point: it depends on something that workers do "
            "not have, for example a variable that was set after its module was imported, or an "
            "environment variable. Pass that as an argument, or leave executor out."
        )

    def evaluate(self, points: Iterable[Vector]) -> Vector:
        """Return the outputs at each of `points`, as `ForwardFunction.evaluate` does."""
        outputs = list[Vector]()
        for batch in batches(points, self._length):
            self._counts.forward += len(batch)
            for found in self._evaluate_parts(self._split(batch)):
                outputs.extend(found.outputs)
                self._edges.add(found.edges)
        return self._forward.reader.stacked(outputs)

    def _split(self, batch: Vector) -> list[Vector]:
        """Split a batch into parts of equally many calls, except for the last."""
        calls = ceil(len(batch) / self._points_per_call)
        length = self._points_per_call * ceil(calls / self._parts)
        return [batch[start : start + length] for start in range(0, len(batch), length)]

    def _evaluate_parts(self, parts: Sequence[Vector]) -> list[Evaluated]:
        """Return the result of each part, in order; resubmit those whose worker lacked forward."""
        found = dict[int, Evaluated]()
        for with_forward in (False, True):
            missing = [k for k in range(len(parts)) if k not in found]
            returned = self._submit([parts[k] for k in missing], with_forward=with_forward)
            found |= {k: v for k, v in zip(missing, returned, strict=True) if v is not None}
        return [found[k] for k in range(len(parts))]

    def _submit(self, parts: Sequence[Vector], *, with_forward: bool) -> list[Evaluated | None]:
        futures = list[Future[Returned]]()
        try:
            with self._executor_errors():
                for part in parts:
                    futures.append(
                        self._transport.submit(self._executor, part, with_forward=with_forward)
                    )
                returned = [future.result() for future in futures]
        except BaseException:
            self._transport.cancel(futures)
            raise
        evaluated = list[Evaluated | None]()
        for result in returned:
            if isinstance(result, Raised):
                raise result.error
            evaluated.append(result)
        return evaluated

    @contextmanager
    def _executor_errors(self) -> Iterator[None]:
        """Raise what the executor raises as a usage error that names it."""
        try:
            yield
        except GradcheckUsageError:
            raise
        except Exception as error:
            died = isinstance(error, BrokenExecutor)
            raise GradcheckUsageError(
                f"the {type_name(self._executor)} given as executor failed while it evaluated "
                f"{self._name}, so nothing was judged: {type_name(error)}: "
                f"{str(error).rstrip('.')}. {DIED if died else ''}Without executor= the check "
                "runs in this process."
            ) from error


class _Transport(Protocol):
    """How points get to where they are evaluated."""

    def submit(
        self, executor: Executor, points: Vector, *, with_forward: bool
    ) -> Future[Returned]:
        """Submit points, if `with_forward` along with what it takes to evaluate there."""
        ...  # pragma: no cover

    def cancel(self, futures: Sequence[Future[Returned]]) -> None:
        """Cancel what was submitted, so that no worker in this process uses what is the user's."""
        ...  # pragma: no cover


class _Threads:
    """Evaluates in threads of this process, each with its own copies of the arguments."""

    def __init__(self, forward: PortableForward, executor: Executor) -> None:
        self._forward, self._local = forward, threading.local()
        # Threads have contexts of their own, but forward may depend on that of the check.
        self._context = copy_context()
        self._context.run(_USED.set, (*_USED.get(), executor))
        self._is_cancelled = threading.Event()
        self._running, self._idle = 0, threading.Condition()

    def submit(
        self, executor: Executor, points: Vector, *, with_forward: bool
    ) -> Future[Returned]:
        del with_forward  # threads have it already
        return executor.submit(self._context.copy().run, self._run, points)

    def cancel(self, futures: Sequence[Future[Returned]]) -> None:
        self._is_cancelled.set()
        for future in futures:
            future.cancel()
        # Not the futures: an interrupt within `submit` loses the one that it would return.
        with self._idle:
            self._idle.wait_for(lambda: not self._running)

    def _run(self, points: Vector) -> Returned:
        with self._idle:
            if self._is_cancelled.is_set():
                return None
            self._running += 1
        try:
            with SilencedWarnings():
                if not hasattr(self._local, "evaluate"):
                    self._local.evaluate = self._forward.make()
                evaluated: Evaluated = self._local.evaluate(self._until_cancelled(points))
                return evaluated
        except Exception as error:  # noqa: BLE001  # raised again in the thread of the check
            return Raised(error)
        finally:
            with self._idle:
                self._running -= 1
                self._idle.notify_all()

    def _until_cancelled(self, points: Vector) -> Iterator[Vector]:
        for point in points:
            if self._is_cancelled.is_set():
                return
            yield point


class _Processes:
    """Evaluates in other processes, to each of which forward is sent once."""

    def __init__(self, forward: PortableForward) -> None:
        self._token, self._serialized = uuid.uuid4().hex, serialize(forward)

    def submit(
        self, executor: Executor, points: Vector, *, with_forward: bool
    ) -> Future[Returned]:
        serialized = self._serialized if with_forward else None
        return executor.submit(evaluate_serialized, self._token, serialized, points)

    def cancel(self, futures: Sequence[Future[Returned]]) -> None:
        for future in futures:
            future.cancel()
