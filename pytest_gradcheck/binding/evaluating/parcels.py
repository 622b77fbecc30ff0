"""Points and the recipe of forward on their way to another process, and outputs back.

It must not know who carries them: whatever calls `open_parcel` over there.
"""

from __future__ import annotations

import pickle
import sys
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest_gradcheck
from pytest_gradcheck.binding.arguments import name_of
from pytest_gradcheck.binding.attributes import bound_object
from pytest_gradcheck.binding.blocks import Vector
from pytest_gradcheck.binding.evaluating.quiet import Quiet
from pytest_gradcheck.binding.evaluating.recipe import Evaluated, Recipe
from pytest_gradcheck.binding.generators import is_installed
from pytest_gradcheck.errors import GradcheckUsageError

__all__ = ["Raised", "open_parcel", "wrapped"]

PACKAGE = pytest_gradcheck.__path__[0]


@dataclass(frozen=True, slots=True)
class Raised:
    """What ended an evaluation over there, apart from what goes wrong on the way."""

    error: Exception


class _Kept(threading.local):
    """The last recipe that a thread of this process made, so that it is sent only once."""

    token: str = ""
    evaluate: Callable[[Iterable[Vector]], Evaluated]


_KEPT = _Kept()


def open_parcel(token: str, recipe: bytes | None, points: Vector) -> Evaluated | Raised | None:
    """Evaluate over there.

    Parameters
    ----------
    token : str
        Names the recipe.
    recipe : bytes or None
        The recipe itself, see `wrapped`; None in the hope that it is there.
    points : ndarray, shape (k, n)
        Where to evaluate.

    Returns
    -------
    Evaluated, Raised or None
        Outputs; what ended the evaluation; or None where the recipe is needed.
    """
    try:
        with Quiet():
            if _KEPT.token != token:
                if recipe is None:
                    return None
                _KEPT.evaluate = _unwrapped(recipe).make()
                _KEPT.token = token
            return _KEPT.evaluate(points)
    except Exception as error:  # noqa: BLE001  # it is the user's, and is raised again at home
        return Raised(_portable(error))


def wrapped(recipe: Recipe) -> bytes:
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


def _dumped(pickler: Any, recipe: Recipe, remedy: str) -> bytes:
    try:
        return bytes(pickler.dumps(recipe))
    except Exception as error:
        raise GradcheckUsageError(
            f"{name_of(recipe.call.forward)} cannot be sent to the processes of executor: "
            f"{error}. {remedy}, or use threads."
        ) from error


@contextmanager
def _by_value(cloudpickle: Any, recipe: Recipe) -> Iterator[None]:
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


def _unwrapped(recipe: bytes) -> Recipe:
    try:
        found: Recipe = pickle.loads(recipe)  # noqa: S301  # it is what `wrapped` made
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
    users = [frame for frame in frames if not frame.filename.startswith(PACKAGE)]
    error.add_note("in a worker of executor:\n" + "".join(traceback.format_list(users)).rstrip())
    try:
        pickle.loads(pickle.dumps(error))  # noqa: S301  # our own
    except Exception:  # noqa: BLE001  # errors may hold anything
        return RuntimeError("".join(traceback.format_exception_only(error)).rstrip())
    return error
