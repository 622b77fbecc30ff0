"""A trial of a derivative that a message is about to propose, along a random direction.

Forward is evaluated on both sides of the user's point, at two distances. Where they show the same
slope, a proposal that does not have it is not the derivative. This is no measurement for a
verdict: it has no bound on its error, and only decides what a usage error says.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.binding.forward.forward_function import ForwardFunction
from pytest_gradcheck.binding.values.complex_pairs import claim_coordinates, weights
from pytest_gradcheck.binding.values.parameters import Block, Parameter, Vector
from pytest_gradcheck.binding.values.signed_numbers import signed_numbers

__all__ = ["TrialDerivative"]

#: Distances of the points, in units of the size of the parameter.
DISTANCES = (1e-3, 1e-5)

#: Relative difference of slopes that are taken to be the same.
TOLERANCE = 1e-3


class TrialDerivative:
    """Tells whether an array is the derivative of an output with respect to a parameter.

    Parameters
    ----------
    forward : ForwardFunction
        Forward as a function of the point.
    output : Block
        The output.
    blocks : sequence of Block
        All outputs of forward.
    cotangent : ndarray or None
        What reduces the outputs to one number, where backward is given it.
    convention : {"pytorch", "jax"}
        The convention of complex gradients.
    """

    def __init__(
        self,
        forward: ForwardFunction,
        output: Block,
        blocks: tuple[Block, ...],
        *,
        cotangent: Vector | None,
        convention: str,
    ) -> None:
        self._forward = forward
        self._output = output
        self._weights = None if cotangent is None else weights(cotangent, blocks, convention)
        self._convention = convention
        self._measured: dict[tuple[str, frozenset[int]], tuple[Vector, Vector, Vector]] = {}

    def __call__(
        self, array: NDArray[Any], parameter: Parameter, summed: tuple[int, ...]
    ) -> bool | None:
        """Return whether an array is the derivative; None if forward does not show it.

        Parameters
        ----------
        array : ndarray
            Of the shape of the output, then of the parameter.
        parameter : Parameter
            The parameter.
        summed : tuple of int
            Axes of the array along which it is tested in the mean only.
        """
        output = self._output
        matrix = array.reshape(output.size, -1)
        rows = claim_coordinates(
            matrix, output=output, parameter=parameter, convention=self._convention
        )
        first = array.ndim - len(parameter.shape)
        along = frozenset(axis - first for axis in summed if axis >= first)
        direction, *slopes = self._slopes(parameter, along)
        over = tuple(axis for axis in summed if axis < first)
        near, far, predicted = (
            slope.reshape(*array.shape[:first], -1).sum(axis=over)
            for slope in (*slopes, direction @ rows)
        )
        if not (np.isfinite(near).all() and _are_equal(near, far)):
            return None
        return _are_equal(near, predicted)

    def _slopes(
        self, parameter: Parameter, along: frozenset[int]
    ) -> tuple[Vector, Vector, Vector]:
        """Return a direction, constant along some axes of a parameter, and two slopes along it."""
        found = self._measured.get((parameter.name, along))
        if found is None:
            direction = self._direction(parameter, along)
            near, far = (self._slope(parameter, h * direction) / h for h in DISTANCES)
            found = self._measured[parameter.name, along] = direction, near, far
        return found

    def _direction(self, parameter: Parameter, along: frozenset[int]) -> Vector:
        """Draw a direction of the size of a parameter, constant along some of its axes."""
        rng = np.random.default_rng(0)
        part = self._forward.working_copy.base[parameter.start : parameter.stop]
        scale = float(np.abs(part).max(initial=0.0)) or 1.0
        shape = [1 if k in along else length for k, length in enumerate(parameter.shape)]
        parts = (2,) if parameter.is_complex else ()
        drawn = signed_numbers(rng, (*shape, *parts))
        return scale * np.broadcast_to(drawn, (*parameter.shape, *parts)).reshape(-1)

    def _slope(self, parameter: Parameter, step: Vector) -> Vector:
        """Return half the difference of the outputs on both sides."""
        base = self._forward.working_copy.base
        part = slice(parameter.start, parameter.stop)
        points = [base.copy(), base.copy()]
        points[0][part] += step
        points[1][part] -= step
        with self._forward.environment.silenced:
            right, left = self._forward.evaluate(points)
            change = (right - left) / 2
        if self._weights is not None:
            return np.atleast_1d(self._weights @ change)
        return np.asarray(change[self._output.start : self._output.stop])


def _are_equal(a: Vector, b: Vector) -> bool:
    size = max(float(np.linalg.norm(a)), float(np.linalg.norm(b)))
    return float(np.linalg.norm(a - b)) <= TOLERANCE * size
