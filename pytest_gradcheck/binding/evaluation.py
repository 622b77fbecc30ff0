"""Calling forward at points around the user's: cheaply, quietly, and always the same.

It must not know backward or what is claimed; it turns a vector into outputs.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any

import numpy as np

from pytest_gradcheck.binding.complexes import flat_real
from pytest_gradcheck.binding.outputs import Beside, Output, read_output
from pytest_gradcheck.binding.problem import Counts, Vector
from pytest_gradcheck.binding.replay import Replay
from pytest_gradcheck.binding.workspace import Workspace
from pytest_gradcheck.errors import GradcheckUsageError

__all__ = ["Forward", "Quiet"]


class Forward:
    """The user's forward as a function of the point.

    Parameters
    ----------
    function : callable
        The user's function, maybe rebound to a copy of its object.
    name : str
        Its name, for messages.
    workspace : Workspace
        The arguments to call it with.
    replay : Replay
        Puts randomness back before each call.
    beside : Beside
        What it returns beside the output.
    counts : Counts
        Counts its calls.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        name: str,
        workspace: Workspace,
        *,
        replay: Replay,
        beside: Beside,
        counts: Counts,
    ) -> None:
        self._function = function
        self._name = name
        self._workspace = workspace
        self._rewind = replay.rewind
        self._beside = beside
        self._counts = counts
        self._size = 0
        self._has_beside = False
        self._flatten: Callable[[Any], Vector] = flat_real
        self._cotangent: Vector | None = None

    def at_base(self) -> Output:
        """Call forward at the unperturbed point, under the user's own settings."""
        self._rewind()
        self._counts.forward += 1
        args, kwargs = self._workspace.pack()
        output = read_output(self._function(*args, **kwargs), self._beside, self._name)
        self._size, self._has_beside = output.value.size, output.has_beside
        self._flatten = output.layout.flatten
        return output

    def reduce_by(self, cotangent: Vector) -> None:
        """From now on evaluate to the product of `cotangent` and the outputs."""
        self._cotangent = cotangent

    def reduced(self, output: Vector) -> Vector:
        """Return outputs as `evaluate` does, shape (m,)."""
        return output if self._cotangent is None else np.atleast_1d(self._cotangent @ output)

    def nowhere(self) -> Vector:
        """Return what `evaluate` does where forward is undefined."""
        return self.reduced(np.full(self._size, np.nan))

    def evaluate(self, points: Iterable[Vector]) -> Vector:
        """Return the outputs at each of `points`, NaN where forward is undefined there.

        Parameters
        ----------
        points : iterable of ndarray, shape (n,)
            The workspace's own point, or other vectors, each good until the next is
            asked for; the point is put back where those were written to it.

        Returns
        -------
        ndarray of float64, shape (k, m)
            A new array.
        """
        outputs = [self._at(point) for point in points]
        return np.array(outputs) if outputs else np.empty((0, self.nowhere().size))

    def _at(self, vector: Vector) -> Vector:
        workspace = self._workspace
        if vector is workspace.point:
            return self._here()
        try:
            workspace.point[:] = vector
            return self._here()
        finally:
            workspace.point[:] = workspace.base

    def _here(self) -> Vector:
        """Call forward at the workspace's point as it is now."""
        workspace = self._workspace
        self._counts.forward += 1
        self._rewind()
        args, kwargs = workspace.pack()
        try:
            result = self._function(*args, **kwargs)
        except (ArithmeticError, ValueError):  # numpy's LinAlgError is a ValueError
            return self.nowhere()
        except Exception as error:
            error.add_note(self._where())
            raise
        output = result[0] if self._has_beside else result
        values = self._flatten(output)
        if values.size != self._size:
            raise GradcheckUsageError(
                f"{self._name} returned {values.size} numbers {self._where()}, but {self._size} "
                "at the point itself: the output's size must not depend on the parameters."
            )
        return self.reduced(values)

    def _where(self) -> str:
        """Say which coordinate is being perturbed, and by how much."""
        workspace = self._workspace
        moved = np.flatnonzero(workspace.point != workspace.base)
        for parameter in workspace.parameters:
            if moved.size == 1 and parameter.start <= moved[0] < parameter.stop:
                entry = parameter.entry(int(moved[0] - parameter.start))
                step = float(workspace.point[moved[0]] - workspace.base[moved[0]])
                return f"while gradcheck perturbed {entry} by {step:.3g}"
        names = ", ".join(
            parameter.name
            for parameter in workspace.parameters
            if np.any((parameter.start <= moved) & (moved < parameter.stop))
        )
        return f"while gradcheck perturbed several entries of {names}"


class Quiet:
    """Silences warnings and floating point errors at points the user did not choose.

    Python's warning filters belong to the process: checks that overlap in
    threads share one silence, which ends with the last of them.
    """

    _lock = threading.Lock()
    _inside = 0
    _filters: warnings.catch_warnings[None] | None = None

    def __enter__(self) -> None:
        with Quiet._lock:
            if Quiet._inside == 0:
                Quiet._filters = warnings.catch_warnings()
                Quiet._filters.__enter__()
                warnings.simplefilter("ignore")
            Quiet._inside += 1
        self._errors = np.errstate(all="ignore")
        self._errors.__enter__()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._errors.__exit__(kind, error, traceback)
        with Quiet._lock:
            Quiet._inside -= 1
            if Quiet._inside == 0 and Quiet._filters is not None:
                Quiet._filters.__exit__(kind, error, traceback)
                Quiet._filters = None
