"""Forward in another thread or process: how to make it there, and send points and outputs.

`PortableForward` holds what it takes to make the same evaluator elsewhere, with arguments of its
own. For other processes `serialize` pickles it, by cloudpickle if that is installed, and
`evaluate_serialized` runs there. It does not know what calls it: any executor does.
"""

from __future__ import annotations

import pickle
import sys
import threading
import traceback
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.binding.call.attributes import bound_object
from pytest_gradcheck.binding.call.installed_code import is_installed
from pytest_gradcheck.binding.call.resolved_call import (
    Call,
    CallCounts,
    ResolvedCall,
    ReturnConvention,
)
from pytest_gradcheck.binding.call.signature import name_of
from pytest_gradcheck.binding.call.user_function import add_note
from pytest_gradcheck.binding.dispatch.batched import BatchedForward
from pytest_gradcheck.binding.dispatch.thread_local_functions import thread_local_function
from pytest_gradcheck.binding.forward.call_environment import CallEnvironment, SilencedWarnings
from pytest_gradcheck.binding.forward.domain_boundary import Edge
from pytest_gradcheck.binding.forward.forward_function import ForwardFunction
from pytest_gradcheck.binding.forward.outputs import OutputReader
from pytest_gradcheck.binding.forward.working_copy import WorkingCopy
from pytest_gradcheck.binding.random_state.replay import Replay
from pytest_gradcheck.binding.values.parameters import Vector
from pytest_gradcheck.binding.values.user_attributes import attribute
from pytest_gradcheck.errors import PACKAGE_DIRECTORY, GradcheckUsageError
from pytest_gradcheck.report.representation import type_name

__all__ = [
    "Evaluate",
    "Evaluated",
    "PortableForward",
    "Raised",
    "evaluate_serialized",
    "serialize",
]


Evaluate = Callable[[Iterable[Vector]], Vector]


@dataclass(frozen=True, slots=True)
class Evaluated:
    """The result of an evaluation elsewhere.

    Attributes
    ----------
    outputs : ndarray, shape (k, m)
        NaN where forward is undefined.
    edges : tuple of Edge
        The nearest of the points where it is.
    """

    outputs: Vector
    edges: tuple[Edge, ...]


@dataclass(frozen=True, slots=True)
class PortableForward:
    """What it takes to make the same evaluator elsewhere.

    Attributes
    ----------
    call : Call
        The user's call, without backward, which is not called and need not be sent.
    displaced : mapping of str to ndarray
        The checked leaves that are not at the user's own point.
    lift : collection of str
        Parameters that forward is given as float64 in place of less precise types.
    copied_each_call : tuple of str
        Arguments that are copied anew for each call, because calls change them.
    reader : OutputReader
        How to read the outputs.
    batched : bool
        Whether one call is given many points.
    errors : mapping of str to str
        Numpy's treatment of floating-point errors where forward was called first.
    """

    call: Call
    displaced: Mapping[str, NDArray[Any]]
    lift: Collection[str]
    copied_each_call: tuple[str, ...]
    reader: OutputReader
    batched: bool
    errors: Mapping[str, Any]

    @classmethod
    def of(cls, call: Call, forward: ForwardFunction, *, batched: bool) -> PortableForward:
        """Return what it takes to make `forward`."""
        working_copy = forward.working_copy
        working_copy.put_attributes_back()
        without = replace(call, backward=True, backward_args=None)
        return cls(
            without,
            working_copy.displaced,
            working_copy.lift,
            working_copy.copied_each_call,
            forward.reader,
            batched,
            np.geterr(),
        )

    def make(self) -> Callable[[Iterable[Vector]], Evaluated]:
        """Return an evaluator with its own copies of the arguments and of forward's objects."""
        resolved = ResolvedCall.of(
            replace(self.call, forward=thread_local_function(self.call.forward))
        )
        working_copy = WorkingCopy(
            resolved.arguments,
            resolved.leaves,
            self.displaced,
            owner=resolved.owner,
            lift=self.lift,
        )
        working_copy.copy_each_call(self.copied_each_call)
        forward = ForwardFunction(
            resolved.forward,
            resolved.forward_name,
            working_copy,
            environment=CallEnvironment(Replay((), everything=False), self._portable_errors()),
            returns=ReturnConvention.OUTPUT,
            counts=CallCounts(),
        )
        forward.reader = self.reader
        evaluate = BatchedForward(forward).evaluate if self.batched else forward.evaluate

        def evaluate_with_edges(points: Iterable[Vector]) -> Evaluated:
            return Evaluated(evaluate(points), forward.edges.drain())

        return evaluate_with_edges

    def _portable_errors(self) -> dict[str, Any]:
        """Return the treatment of errors; a function that is called for them stays behind."""
        has_function = np.geterrcall() is not None
        return {
            kind: "ignore" if how in ("call", "log") and not has_function else how
            for kind, how in self.errors.items()
        }


@dataclass(frozen=True, slots=True)
class Raised:
    """An exception of the user's function, as opposed to one of the executor."""

    error: Exception


class _WorkerCache(threading.local):
    """The last evaluator that a thread of a worker made, so that it is sent only once."""

    token: str = ""
    evaluate: Callable[[Iterable[Vector]], Evaluated]


_CACHE = _WorkerCache()


def evaluate_serialized(
    token: str, serialized: bytes | None, points: Vector
) -> Evaluated | Raised | None:
    """Evaluate in a worker process.

    Parameters
    ----------
    token : str
        Identifies the evaluator.
    serialized : bytes or None
        What it is made of, see `serialize`; None if the worker may have made it already.
    points : ndarray, shape (k, n)
        Where to evaluate.

    Returns
    -------
    Evaluated, Raised or None
        The outputs; the exception that ended the evaluation; or None where the worker has yet to
        be sent the evaluator.
    """
    try:
        with SilencedWarnings():
            if _CACHE.token != token:
                if serialized is None:
                    return None
                _CACHE.evaluate = _deserialize(serialized).make()
                _CACHE.token = token
            return _CACHE.evaluate(points)
    except Exception as error:  # noqa: BLE001  # raised again in the process of the check
        return Raised(_portable_error(error))


def serialize(forward: PortableForward) -> bytes:
    """Return `forward` as bytes, by cloudpickle where that is installed, else by pickle.

    Raises
    ------
    GradcheckUsageError
        When it cannot be pickled.
    """
    try:
        import cloudpickle
    except ImportError:
        return _pickled(pickle, forward, "Install cloudpickle, which can send closures")
    with _by_value(cloudpickle, forward):
        return _pickled(cloudpickle, forward, "Leave that out of what it takes and closes over")


def _pickled(pickler: Any, forward: PortableForward, remedy: str) -> bytes:
    try:
        return bytes(pickler.dumps(forward))
    except Exception as error:
        raise GradcheckUsageError(
            f"{name_of(forward.call.forward)} cannot be sent to the processes of executor: "
            f"{error}. {remedy}, or use threads."
        ) from error


@contextmanager
def _by_value(cloudpickle: Any, portable: PortableForward) -> Iterator[None]:
    """Pickle forward's own module by value: workers may not be able to import a test module."""
    forward = portable.call.forward
    names = {attribute(forward, "__module__"), type(bound_object(forward)).__module__}
    modules = [sys.modules[name] for name in names if name in sys.modules]
    own = [m for m in modules if not is_installed(getattr(m, "__file__", None))]
    for module in own:
        cloudpickle.register_pickle_by_value(module)
    try:
        yield
    finally:
        for module in own:
            cloudpickle.unregister_pickle_by_value(module)


def _deserialize(serialized: bytes) -> PortableForward:
    try:
        found: PortableForward = pickle.loads(serialized)  # noqa: S301  # our own
    except Exception as error:
        raise GradcheckUsageError(
            f"a worker of executor could not load forward: {type_name(error)}: {error}. "
            "Install cloudpickle beside pytest, or define forward in a module that workers can "
            "import."
        ) from error
    return found


def _portable_error(error: Exception) -> Exception:
    """Return an exception that can be pickled, with its traceback as a note."""
    frames = traceback.extract_tb(error.__traceback__)
    users = [frame for frame in frames if not frame.filename.startswith(PACKAGE_DIRECTORY)]
    lines = "".join(traceback.format_list(users)).rstrip()
    add_note(error, f"in a worker of executor:\n{lines}")
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301  # our own
    except Exception:  # noqa: BLE001  # exceptions may hold anything
        return RuntimeError("".join(traceback.format_exception_only(error)).rstrip())
    return error
