"""The user's forward as a function of one vector.

Each call writes the vector to the working copy and is made in the same environment, so that
outputs differ by the perturbation alone. Where forward raises, its outputs are NaN and the point
is kept as an edge of its domain. It does not know backward, nor what is claimed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from pytest_gradcheck.binding.call.resolved_call import CallCounts, ReturnConvention
from pytest_gradcheck.binding.call.user_function import add_note, call_user, ends_check
from pytest_gradcheck.binding.forward.call_environment import CallEnvironment
from pytest_gradcheck.binding.forward.domain_boundary import Edge, Edges, Kind, edge_of
from pytest_gradcheck.binding.forward.inconsistent_outputs import InconsistentOutputError
from pytest_gradcheck.binding.forward.outputs import Output, OutputReader, read_output
from pytest_gradcheck.binding.forward.working_copy import WorkingCopy
from pytest_gradcheck.binding.values.parameters import Vector
from pytest_gradcheck.binding.values.pytree import describe_value
from pytest_gradcheck.errors import GradcheckUsageError

__all__ = ["ForwardFunction"]

#: The most arguments of forward that a note on its call describes.
MOST_ARGUMENTS = 8


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
    environment : CallEnvironment
        Where it is called.
    returns : ReturnConvention
        What it is expected to return.
    counts : CallCounts
        Counts its calls.

    Attributes
    ----------
    reader : OutputReader
        How to read what it returns; known once it was evaluated at the base point.
    edges : Edges
        The points where it was undefined so far.
    environment : CallEnvironment
        As given.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        name: str,
        working_copy: WorkingCopy,
        *,
        environment: CallEnvironment,
        returns: ReturnConvention,
        counts: CallCounts,
    ) -> None:
        self.function = function
        self.name = name
        self.working_copy = working_copy
        self.counts = counts
        self.reader = OutputReader()
        self.edges = Edges()
        self.environment = environment
        self._returns = returns

    def call(self) -> Output:
        """Call forward at the point as it is now, and read all that it returns."""
        self.counts.forward += 1
        args, kwargs = self.working_copy.pack()
        try:
            result = self.environment.run(call_user, self.function, args, kwargs)
        except Exception as error:
            add_note(error, f"gradcheck called forward as {_described(self.name, args, kwargs)}")
            raise
        output = read_output(result, self._returns, self.name)
        if not self.reader.size:
            self.reader = OutputReader.of(output)
        return output

    def reads_replaced_attributes(self, output: Output) -> bool:
        """Return whether forward reads an attribute that another array has taken the place of.

        It has the array by another name then, as in ``params = [self.W]``, or is given a view of
        its memory.

        Parameters
        ----------
        output : Output
            What forward returned at the point as it is.
        """
        if not self.working_copy.replaces_attributes:
            return False
        self.counts.forward += 1
        args, kwargs = self.working_copy.pack()
        with self.working_copy.changed_originals():
            result = self.environment.run(call_user, self.function, args, kwargs)
        return not np.array_equal(self.reader.read(result), output.value, equal_nan=True)

    def reduce(self, weights: Vector) -> None:
        """From now on, evaluate to the product of `weights` and the outputs."""
        self.reader = self.reader.weighted(weights)

    def evaluate(self, points: Iterable[Vector]) -> Vector:
        """Return the outputs at each of `points`, NaN where forward is undefined.

        Parameters
        ----------
        points : iterable of ndarray, shape (n,)
            The point of the working copy itself, as it is, or other vectors, which are written
            to it. Each need be valid only until the next is asked for.

        Returns
        -------
        ndarray of float64, shape (k, m)
            A new array. Where forward raises, or returns another kind or number of outputs, the
            point is added to `edges`.
        """
        return self.reader.stacked([self._evaluate_at(point, self._evaluate) for point in points])

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
            An exception of forward, with a note on what was perturbed.
        GradcheckUsageError
            When forward returns another kind or number of outputs than at the base point.
        """
        return self.reader.stacked([self._evaluate_at(point, self._attempt) for point in points])

    def _evaluate_at(self, vector: Vector, call: Callable[[], Vector]) -> Vector:
        working_copy = self.working_copy
        if vector is working_copy.point:
            return call()
        try:
            working_copy.point[:] = vector
            return call()
        finally:
            working_copy.point[:] = working_copy.base

    def _outputs(self) -> Vector:
        """Call forward at the point as it is now; return its outputs."""
        args, kwargs = self.working_copy.pack()
        return self.reader.read(self.environment.run(call_user, self.function, args, kwargs))

    def _evaluate(self) -> Vector:
        self.counts.forward += 1
        try:
            return self.environment.attempt(self._outputs)
        except InconsistentOutputError as other:
            self._add_edge(other.kind, f"returns {other.what}")
        except Exception as error:
            if ends_check(error):
                raise  # that is no boundary of its domain
            self._add_edge(*edge_of(error))
        return self.reader.undefined()

    def _attempt(self) -> Vector:
        self.counts.forward += 1
        try:
            return self.environment.attempt(self._outputs)
        except InconsistentOutputError as other:
            raise GradcheckUsageError(
                f"{self.name} returned {other.what}, while gradcheck perturbed "
                f"{self._perturbed()}: the kind and the size of its output must not depend on the "
                "parameters."
            ) from None
        except Exception as error:
            add_note(error, f"while gradcheck perturbed {self._perturbed()}")
            raise

    def _add_edge(self, kind: Kind, what: str) -> None:
        """Add the point as it is now to the edges of the domain."""
        working_copy = self.working_copy
        perturbed = np.flatnonzero(working_copy.point != working_copy.base)
        if not perturbed.size:
            return
        change = working_copy.point[perturbed] - working_copy.base[perturbed]
        step = float(change[0] if perturbed.size == 1 else np.abs(change).max())
        self.edges.add([Edge(kind, what, int(perturbed[0]), int(perturbed[-1]) + 1, step)])

    def _perturbed(self) -> str:
        """Return which coordinate is being perturbed, and by how much, in words."""
        working_copy = self.working_copy
        perturbed = np.flatnonzero(working_copy.point != working_copy.base)
        for parameter in working_copy.parameters:
            if perturbed.size == 1 and parameter.start <= perturbed[0] < parameter.stop:
                entry = parameter.entry(int(perturbed[0] - parameter.start))
                step = float(working_copy.point[perturbed[0]] - working_copy.base[perturbed[0]])
                return f"{entry} by {step:.3g}"
        names = ", ".join(
            parameter.name
            for parameter in working_copy.parameters
            if np.any((parameter.start <= perturbed) & (perturbed < parameter.stop))
        )
        return f"several entries of {names}"


def _described(name: str, args: Iterable[Any], kwargs: Mapping[str, Any]) -> str:
    """Return a call as code, with what the arguments are: ``f(<float64 array of shape (3,)>)``."""
    given = [f"<{describe_value(value)}>" for value in args]
    given += [f"{key}=<{describe_value(value)}>" for key, value in kwargs.items()]
    listed = given if len(given) <= MOST_ARGUMENTS else [*given[:MOST_ARGUMENTS], "..."]
    return f"{name}({', '.join(listed)})"
