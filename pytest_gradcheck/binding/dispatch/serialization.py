"""Points and the recipe of forward on their way to another process, and outputs back.

It must not know who carries them: whatever calls `evaluate_serialized` over there.
"""

# MERGED What it takes to call the same forward elsewhere: in another thread, or another process.
#
# It must not know how it gets there.

from __future__ import annotations

import pickle
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from pytest_gradcheck.binding.call.attributes import bound_object, copy_object, rebind
from pytest_gradcheck.binding.call.resolved_call import (
    Call,
    CallCounts,
    ResolvedCall,
    ReturnConvention,
)
from pytest_gradcheck.binding.call.signature import name_of
from pytest_gradcheck.binding.dispatch.batched import BatchedForward
from pytest_gradcheck.binding.forward.domain_boundary import Edge
from pytest_gradcheck.binding.forward.forward_function import ForwardFunction, SuppressedWarnings
from pytest_gradcheck.binding.forward.outputs import Reading
from pytest_gradcheck.binding.forward.working_copy import WorkingCopy
from pytest_gradcheck.binding.random_state.generators import is_installed
from pytest_gradcheck.binding.random_state.replay import Replay
from pytest_gradcheck.binding.values.parameters import Vector
from pytest_gradcheck.errors import PACKAGE_DIRECTORY, GradcheckUsageError

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
class PortableForward:
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
    def of(cls, call: Call, forward: ForwardFunction, *, batched: bool) -> PortableForward:
        """Return the recipe of `forward`."""
        working_copy = forward.working_copy
        without = replace(call, backward=True, backward_args=None)
        return cls(without, working_copy.lift, working_copy.remade, forward.reading, batched)

    def make(self) -> Callable[[Iterable[Vector]], Evaluated]:
        """Return an evaluator with arguments, and an object it is bound to, of its own."""
        call, owner = self.call, bound_object(self.call.forward)
        if owner is not None:
            reason = "another worker calls its method"
            call = replace(call, forward=rebind(call.forward, owner, copy_object(owner, reason)))
        resolved = ResolvedCall.of(call)
        working_copy = WorkingCopy(
            resolved.arguments, resolved.leaves, owner=resolved.owner, lift=self.lift
        )
        working_copy.remake(self.remade)
        forward = ForwardFunction(
            resolved.forward,
            resolved.forward_name,
            working_copy,
            replay=Replay((), everything=False),
            returns=ReturnConvention.OUTPUT,
            counts=CallCounts(),
        )
        forward.reading = self.reading
        evaluate = BatchedForward(forward).evaluate if self.batched else forward.evaluate

        def evaluated(points: Iterable[Vector]) -> Evaluated:
            return Evaluated(evaluate(points), forward.edges.drain())

        return evaluated


@dataclass(frozen=True, slots=True)
class Raised:
    """What ended an evaluation over there, apart from what goes wrong on the way."""

    error: Exception


class _Kept(threading.local):
    """The last recipe that a thread of this process made, so that it is sent only once."""

    token: str = ""
    evaluate: Callable[[Iterable[Vector]], Evaluated]


_KEPT = _Kept()


def evaluate_serialized(
    token: str, recipe: bytes | None, points: Vector
) -> Evaluated | Raised | None:
    """Evaluate over there.

    Parameters
    ----------
    token : str
        Names the recipe.
    recipe : bytes or None
        The recipe itself, see `serialize`; None in the hope that it is there.
    points : ndarray, shape (k, n)
        Where to evaluate.

    Returns
    -------
    Evaluated, Raised or None
        Outputs; what ended the evaluation; or None where the recipe is needed.
    """
    try:
        with SuppressedWarnings():
            if _KEPT.token != token:
                if recipe is None:
                    return None
                _KEPT.evaluate = _unwrapped(recipe).make()
                _KEPT.token = token
            return _KEPT.evaluate(points)
    except Exception as error:  # noqa: BLE001  # it is the user's, and is raised again at home
        return Raised(_portable(error))


def serialize(recipe: PortableForward) -> bytes:
    """Return a recipe as bytes, by cloudpickle where that is installed.

    Raises
    ------
    GradcheckUsageError
        When it cannot be.
    """
    try:
        import cloudpickle
    except ImportError:
        return _dumped(pickle, recipe, "Install cloudpickle, which can send closures")
    with _by_value(cloudpickle, recipe):
        return _dumped(cloudpickle, recipe, "Leave that out of what it takes and closes over")


def _dumped(pickler: Any, recipe: PortableForward, remedy: str) -> bytes:
    try:
        return bytes(pickler.dumps(recipe))
    except Exception as error:
        raise GradcheckUsageError(
            f"{name_of(recipe.call.forward)} cannot be sent to the processes of executor: "
            f"{error}. {remedy}, or use threads."
        ) from error


@contextmanager
def _by_value(cloudpickle: Any, recipe: PortableForward) -> Iterator[None]:
    """Let forward's own module be sent along: workers may not be able to import a test."""
    forward = recipe.call.forward
    names = {getattr(forward, "__module__", None), type(bound_object(forward)).__module__}
    modules = [sys.modules[name] for name in names if name in sys.modules]
    own = [m for m in modules if not is_installed(getattr(m, "__file__", None))]
    for module in own:
        cloudpickle.register_pickle_by_value(module)
    try:
        yield
    finally:
        for module in own:
            cloudpickle.unregister_pickle_by_value(module)


def _unwrapped(recipe: bytes) -> PortableForward:
    try:
        found: PortableForward = pickle.loads(recipe)  # noqa: S301  # it is what `serialize` made
    except Exception as error:
        raise GradcheckUsageError(
            f"a worker of executor could not load forward: {type(error).__name__}: {error}. "
            "Install cloudpickle beside pytest, or define forward in a module that workers can "
            "import."
        ) from error
    return found


def _portable(error: Exception) -> Exception:
    """Return an error that survives the way home, with where it was raised as a note."""
    frames = traceback.extract_tb(error.__traceback__)
    users = [frame for frame in frames if not frame.filename.startswith(PACKAGE_DIRECTORY)]
    error.add_note("in a worker of executor:\n" + "".join(traceback.format_list(users)).rstrip())
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301  # our own
    except Exception:  # noqa: BLE001  # errors may hold anything
        return RuntimeError("".join(traceback.format_exception_only(error)).rstrip())
    return error
