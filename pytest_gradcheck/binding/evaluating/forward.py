"""Calling forward at points around the user's: cheaply, and always the same.

It must not know backward or what is claimed; it turns vectors into outputs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from pytest_gradcheck.binding.blocks import Vector
from pytest_gradcheck.binding.evaluating.reading import Reading
from pytest_gradcheck.binding.outputs import Beside, Output, read_output
from pytest_gradcheck.binding.problem import Counts
from pytest_gradcheck.binding.replay import Replay
from pytest_gradcheck.binding.workspace import Workspace

__all__ = ["Forward"]


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

    Attributes
    ----------
    reading : Reading
        How what it returns is read: as it was at the point, once that was evaluated.
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
        self.function = function
        self.name = name
        self.workspace = workspace
        self.counts = counts
        self.reading = Reading()
        self._rewind = replay.rewind
        self._beside = beside

    def at_base(self) -> Output:
        """Call forward at the unperturbed point, under the user's own settings."""
        self._rewind()
        self.counts.forward += 1
        args, kwargs = self.workspace.pack()
        output = read_output(self.function(*args, **kwargs), self._beside, self.name)
        if not self.reading.size:
            self.reading = Reading.of(output)
        return output

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
        return self.reading.stacked([self._at(point) for point in points])

    def _at(self, vector: Vector) -> Vector:
        workspace = self.workspace
        if vector is workspace.point:
            return self._here()
        try:
            workspace.point[:] = vector
            return self._here()
        finally:
            workspace.point[:] = workspace.base

    def _here(self) -> Vector:
        """Call forward at the workspace's point as it is now."""
        self.counts.forward += 1
        self._rewind()
        args, kwargs = self.workspace.pack()
        try:
            result = self.function(*args, **kwargs)
        except (ArithmeticError, ValueError):  # numpy's LinAlgError is a ValueError
            return self.reading.nowhere()
        except Exception as error:
            error.add_note(self._where())
            raise
        return self.reading.numbers(self.reading.outputs(result), self.name, self._where)

    def _where(self) -> str:
        """Say which coordinate is being perturbed, and by how much."""
        workspace = self.workspace
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
