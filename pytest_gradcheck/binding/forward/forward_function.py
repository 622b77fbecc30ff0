"""Calling forward at points around the user's: cheaply, and always the same.

It must not know backward or what is claimed; it turns vectors into outputs.
"""

# MERGED Silence at points the user did not choose.
#
# It must not call anything.

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any

import numpy as np

from pytest_gradcheck.binding.call.resolved_call import CallCounts, ReturnConvention
from pytest_gradcheck.binding.forward.domain_boundary import Edge, Edges, Kind, is_outcome, raising
from pytest_gradcheck.binding.forward.outputs import Output, Reading, read_output
from pytest_gradcheck.binding.forward.working_copy import WorkingCopy
from pytest_gradcheck.binding.random_state.replay import Replay
from pytest_gradcheck.binding.values.parameters import Vector
from pytest_gradcheck.errors import GradcheckUsageError

__all__ = ["ForwardFunction", "SuppressedWarnings"]


class SuppressedWarnings:
    """Silences warnings and floating point errors at points the user did not choose.

    Python's warning filters belong to the process: checks that overlap in
    threads share one silence, which ends with the last of them.
    """

    _lock = threading.Lock()
    _inside = 0
    _filters: warnings.catch_warnings[None] | None = None

    def __enter__(self) -> None:
        with SuppressedWarnings._lock:
            if SuppressedWarnings._inside == 0:
                SuppressedWarnings._filters = warnings.catch_warnings()
                SuppressedWarnings._filters.__enter__()
                warnings.simplefilter("ignore")
            SuppressedWarnings._inside += 1
        self._errors = np.errstate(all="ignore")
        self._errors.__enter__()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._errors.__exit__(kind, error, traceback)
        with SuppressedWarnings._lock:
            SuppressedWarnings._inside -= 1
            if SuppressedWarnings._inside == 0 and SuppressedWarnings._filters is not None:
                SuppressedWarnings._filters.__exit__(kind, error, traceback)
                SuppressedWarnings._filters = None


class ForwardFunction:
    """The user's forward as a function of the point.

    Parameters
    ----------
    function : callable
        The user's function, maybe rebound to a copy of its object.
    name : str
        Its name, for messages.
    working_copy : WorkingCopy
        The arguments to call it with.
    replay : Replay
        Puts randomness back before each call.
    returns : ReturnConvention
        What it is expected to return.
    counts : CallCounts
        Counts its calls.

    Attributes
    ----------
    reading : Reading
        How what it returns is read: as it was at the point, once that was evaluated.
    edges : Edges
        Where it gave no outputs so far.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        name: str,
        working_copy: WorkingCopy,
        *,
        replay: Replay,
        returns: ReturnConvention,
        counts: CallCounts,
    ) -> None:
        self.function = function
        self.name = name
        self.working_copy = working_copy
        self.counts = counts
        self.reading = Reading()
        self.edges = Edges()
        self._rewind = replay.rewind
        self._returns = returns

    def at_base(self) -> Output:
        """Call forward at the unperturbed point, under the user's own settings."""
        self._rewind()
        self.counts.forward += 1
        args, kwargs = self.working_copy.pack()
        output = read_output(self.function(*args, **kwargs), self._returns, self.name)
        if not self.reading.size:
            self.reading = Reading.of(output)
        return output

    def reduce(self, weights: Vector) -> None:
        """From now on, evaluate to the product of `weights` and the outputs."""
        self.reading = self.reading.under(weights)

    def evaluate(self, points: Iterable[Vector]) -> Vector:
        """Return the outputs at each of `points`, NaN where forward gives none.

        Parameters
        ----------
        points : iterable of ndarray, shape (n,)
            The working copy's own point, or other vectors, each good until the next is
            asked for; the point is put back where those were written to it.

        Returns
        -------
        ndarray of float64, shape (k, m)
            A new array. Whatever forward raises is an edge of its domain, see `edges`.
        """
        return self.reading.stacked([self._at(point, self._measured) for point in points])

    def attempt(self, points: Iterable[Vector]) -> Vector:
        """Return the outputs at each of `points`, or raise what forward raises there.

        Parameters
        ----------
        points : iterable of ndarray, shape (n,)
            As for `evaluate`.

        Returns
        -------
        ndarray of float64, shape (k, m)
            A new array.

        Raises
        ------
        Exception
            Of forward, with a note on what was perturbed.
        GradcheckUsageError
            When it returns another number of outputs than at the point.
        """
        return self.reading.stacked([self._at(point, self._attempted) for point in points])

    def _at(self, vector: Vector, call: Callable[[], Vector]) -> Vector:
        working_copy = self.working_copy
        if vector is working_copy.point:
            return call()
        try:
            working_copy.point[:] = vector
            return call()
        finally:
            working_copy.point[:] = working_copy.base

    def _here(self) -> Vector:
        """Call forward at the point as it is now, and return its outputs, of any size."""
        self.counts.forward += 1
        self._rewind()
        args, kwargs = self.working_copy.pack()
        result = self.function(*args, **kwargs)
        return self.reading.flatten(self.reading.outputs(result))

    def _measured(self) -> Vector:
        reading = self.reading
        try:
            values = self._here()
        except Exception as error:
            if is_outcome(error):
                raise
            self._keep(*raising(error))
            return reading.nowhere()
        if values.size != reading.size:
            self._keep("size", f"returns {values.size} numbers, not {reading.size}")
            return reading.nowhere()
        return reading.reduced(values)

    def _attempted(self) -> Vector:
        try:
            values = self._here()
        except Exception as error:
            error.add_note(f"while gradcheck perturbed {self._perturbed()}")
            raise
        if values.size != self.reading.size:
            raise GradcheckUsageError(
                f"{self.name} returned {values.size} numbers while gradcheck perturbed "
                f"{self._perturbed()}, but {self.reading.size} at the point itself: the output's "
                "size must not depend on the parameters."
            )
        return self.reading.reduced(values)

    def _keep(self, kind: Kind, what: str) -> None:
        """Keep what happened at the working copy's point as it is now."""
        working_copy = self.working_copy
        moved = np.flatnonzero(working_copy.point != working_copy.base)
        if not moved.size:
            return
        change = working_copy.point[moved] - working_copy.base[moved]
        step = float(change[0] if moved.size == 1 else np.abs(change).max())
        self.edges.add([Edge(kind, what, int(moved[0]), int(moved[-1]) + 1, step)])

    def _perturbed(self) -> str:
        """Say which coordinate is being perturbed, and by how much."""
        working_copy = self.working_copy
        moved = np.flatnonzero(working_copy.point != working_copy.base)
        for parameter in working_copy.parameters:
            if moved.size == 1 and parameter.start <= moved[0] < parameter.stop:
                entry = parameter.entry(int(moved[0] - parameter.start))
                step = float(working_copy.point[moved[0]] - working_copy.base[moved[0]])
                return f"{entry} by {step:.3g}"
        names = ", ".join(
            parameter.name
            for parameter in working_copy.parameters
            if np.any((parameter.start <= moved) & (moved < parameter.stop))
        )
        return f"several entries of {names}"
