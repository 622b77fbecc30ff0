"""Coordinates of constrained parameters: each moves the parameter along an admissible direction.

The direction of coordinate k is the tangent of the k-th unit vector, and a perturbed array is
retracted to the set (P.-A. Absil, R. Mahony, R. Sepulchre, Optimization Algorithms on Matrix
Manifolds, 2008, ch. 4). A claim about entries becomes a directional derivative for each
coordinate. It does not know how a constraint was declared, nor what forward is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.binding.backward.backward_function import BackwardInput
from pytest_gradcheck.binding.backward.claims import Claim, DenseClaim
from pytest_gradcheck.binding.constrained_parameters.constraint_options import Constrained
from pytest_gradcheck.binding.gradient_problem import Problem, no_claim, no_claims
from pytest_gradcheck.binding.values.parameters import Parameter, Vector
from pytest_gradcheck.errors import GradcheckUsageError
from pytest_gradcheck.report.report_data import Note

__all__ = ["AdmissibleCoordinates"]

#: Below this length, relative to the unit vector, a direction is zero up to rounding.
NO_DIRECTION = 1e-8

#: Below so many roundings of its terms, a product of claim and direction is zero.
CANCELLED = 32.0


@dataclass(frozen=True, slots=True)
class _Part:
    """The coordinates of one parameter: some of its entries, or all.

    Attributes
    ----------
    parameter : Parameter
        With the place of all its entries in the point of the working copy.
    constrained : Constrained or None
        None where every entry is a coordinate.
    entries : ndarray of int, shape (k,)
        The entries (of a complex parameter: real and imaginary parts) that have a coordinate.
    values : ndarray, shape (k,)
        Their values at the base point.
    """

    parameter: Parameter
    constrained: Constrained | None
    entries: NDArray[np.intp]
    values: Vector

    def write(self, coordinates: Vector, target: Vector) -> bool:
        """Write the array at these coordinates, flat, to `target`; False where there is none."""
        if self.constrained is None:
            target[:] = coordinates
            return True
        change = coordinates - self.values
        if not change.any():
            return True
        moved = self.constrained.move(self._scattered(change))
        if moved is None:
            return False
        target[:] = _flat(moved)
        return True

    def direction(self, change: Vector) -> NDArray[Any]:
        """Return the derivative of the parameter along a change of its coordinates."""
        scattered = self._scattered(change)
        return scattered if self.constrained is None else self.constrained.direction(scattered)

    def _scattered(self, change: Vector) -> NDArray[Any]:
        """Return a change of the coordinates as a change of the entries, in their shape."""
        flat = np.zeros(self.parameter.stop - self.parameter.start)
        flat[self.entries] = change
        whole = flat.view(np.complex128) if self.parameter.is_complex else flat
        return whole.reshape(self.parameter.shape)

    def along(self, claim: Vector, rounding: float) -> tuple[_Part, Vector, float]:
        """Return the part without zero directions, the claims along the others, their rounding."""
        if self.constrained is None or not self.constrained.constraint.mixes:
            return self, claim[self.entries], rounding
        rounding = max(rounding, self.constrained.constraint.precision)
        kept, rows, sizes = [], [], []
        unit = np.zeros(self.entries.size)
        for k in range(unit.size):
            unit[k - 1], unit[k] = 0.0, 1.0
            direction = _flat(self.direction(unit))
            if np.abs(direction).max(initial=0.0) > NO_DIRECTION:
                kept.append(k)
                moved = np.flatnonzero(direction)
                rows.append(direction[moved] @ claim[moved])
                sizes.append(np.abs(direction[moved]) @ np.abs(claim[moved]))
        part = replace(self, entries=self.entries[kept], values=self.values[kept])
        products, terms = (np.array(r).reshape(len(kept), claim.shape[1]) for r in (rows, sizes))
        products[np.abs(products) <= CANCELLED * rounding * terms] = 0.0
        # Where terms cancel, their rounding remains.
        largest = np.abs(products).max(initial=0.0)
        lost = terms.max(initial=0.0) / largest if largest else 1.0
        return part, products, rounding * max(1.0, float(lost))

    @property
    def is_whole(self) -> bool:
        """Whether every entry has a coordinate."""
        return self.entries.size == self.parameter.stop - self.parameter.start

    def notes(self) -> Iterator[Note]:
        """Yield notes on which entries are measured, and along which directions."""
        if self.constrained is None:
            return
        constraint = self.constrained.constraint
        count, size = self.entries.size, self.parameter.stop - self.parameter.start
        if not self.is_whole:
            text = f"{count} of {size} entries measured, {constraint.others}"
            yield Note("constrained", count, text)
        if constraint.mixes:
            text = f"values along admissible directions ({constraint.name})"
            yield Note("direction", count, text)


@dataclass(frozen=True, slots=True)
class AdmissibleCoordinates:
    """The coordinates of all parameters, one after the other.

    The point of a constrained check is the vector of them. Perturbing a coordinate moves its
    parameter along an admissible direction, within the set.
    """

    parts: tuple[_Part, ...]

    @classmethod
    def of(
        cls,
        parameters: Sequence[Parameter],
        base: Vector,
        constrained: Mapping[str, Constrained],
    ) -> AdmissibleCoordinates:
        """Return coordinates for all entries that may move.

        Parameters
        ----------
        parameters : sequence of Parameter
            All parameters, with the places of their entries in `base`.
        base : ndarray, shape (n,)
            The values of all entries.
        constrained : mapping of str to Constrained
            Constraints by the parameter's name.

        Returns
        -------
        AdmissibleCoordinates
            Including those whose direction is zero, which `along` removes.

        Raises
        ------
        GradcheckUsageError
            Where no entry of a parameter may move.
        """
        parts = []
        for parameter in parameters:
            constraint = constrained.get(parameter.name)
            values = base[parameter.start : parameter.stop]
            entries = np.arange(values.size)
            if constraint is not None:
                width = 2 if parameter.is_complex else 1
                entries = np.flatnonzero(np.repeat(constraint.measured().ravel(), width))
            parts.append(_Part(parameter, constraint, entries, values[entries]))
        return cls(tuple(parts))._checked()

    def along(
        self, claim: Claim, roundings: Sequence[float]
    ) -> tuple[AdmissibleCoordinates, DenseClaim, tuple[float, ...]]:
        """Return the coordinates with non-zero directions, and the claims along these.

        Parameters
        ----------
        claim : Claim
            About all entries.
        roundings : sequence of float
            Relative rounding of the claim about each parameter.

        Returns
        -------
        AdmissibleCoordinates
            Without those whose direction is zero.
        DenseClaim
            By coordinate and output.
        tuple of float
            Relative rounding of these claims, for each parameter.
        """
        found = [
            part.along(claim.rows(part.parameter.start, part.parameter.stop), rounding)
            for part, rounding in zip(self.parts, roundings, strict=True)
        ]
        parts, rows, rounded = zip(*found, strict=True)
        return AdmissibleCoordinates(parts)._checked(), DenseClaim(np.concatenate(rows)), rounded

    def pose(self, problem: Problem, tangent: Vector | None) -> Problem:
        """Return the same problem with these coordinates for those of all entries.

        Parameters
        ----------
        problem : Problem
            For all entries.
        tangent : ndarray or None
            The tangent of a JVP in these coordinates, see `admissible`.

        Returns
        -------
        Problem
            Of a JVP the claim is the same, since it is about outputs; others are projected
            to the admissible directions.

        Raises
        ------
        GradcheckUsageError
            Where no entry of a parameter may move.
        """
        coordinates: AdmissibleCoordinates = self
        claim, roundings, notes = problem.claim, problem.roundings, problem.notes
        claim_one_rounding_away = problem.claim_one_rounding_away
        if problem.kind == "jvp":
            names = ", ".join(part.name for part in self.constrained())
            notes = (*notes, Note("direction", 0, f"the tangent is admissible for {names}"))
        else:
            coordinates, claim, roundings = self.along(claim, roundings)

            def claim_one_rounding_away(rng: np.random.Generator, times: int) -> Claim | None:
                found = problem.claim_one_rounding_away(rng, times)
                return None if found is None else self.along(found, problem.roundings)[1]

        undefined = np.full_like(problem.base, np.nan)
        return replace(
            problem,
            parameters=coordinates.parameters(),
            point=coordinates.point(),
            here=coordinates.point(),
            evaluate=coordinates.evaluator(problem.evaluate, problem.point, undefined),
            attempt=coordinates.evaluator(problem.attempt, problem.point, undefined),
            edge=lambda start, stop: problem.edge(*coordinates.entries(start, stop)),
            claim=claim,
            roundings=roundings,
            tangent=tangent,
            claim_at=no_claim,
            claims_again=no_claims,
            claim_of_multiple=no_claim,
            claim_of_two_uses=no_claim,
            claim_one_rounding_away=claim_one_rounding_away,
            notes=notes,
        )

    def admissible(self, given: BackwardInput) -> tuple[BackwardInput, Vector | None]:
        """Make what backward is given admissible.

        Returns
        -------
        BackwardInput
            With an admissible tangent, of all entries, where it had any.
        ndarray, shape (n,), or None
            That tangent in coordinates.
        """
        if given.tangent is None:
            return given, None
        direction, tangent = self.steer(given.tangent)
        return replace(given, tangent=direction), tangent

    def steer(self, tangent: Vector) -> tuple[Vector, Vector]:
        """Make a random direction admissible.

        Parameters
        ----------
        tangent : ndarray
            The direction, of all entries of all parameters.

        Returns
        -------
        ndarray
            The admissible direction, of all entries.
        ndarray, shape (n,)
            The same in coordinates.
        """
        directions, changes = [], []
        for part in self.parts:
            parameter, constraint = part.parameter, part.constrained
            own = tangent[parameter.start : parameter.stop]
            shaped = (own.view(np.complex128) if parameter.is_complex else own).reshape(
                parameter.shape
            )
            change = _flat(shaped if constraint is None else constraint.steer(shaped))[
                part.entries
            ]
            directions.append(_flat(part.direction(change)))
            changes.append(change)
        return np.concatenate(directions), np.concatenate(changes)

    def parameters(self) -> tuple[Parameter, ...]:
        """Return the parameters with the places of their coordinates."""
        return tuple(
            replace(
                part.parameter,
                start=start,
                stop=stop,
                entries=None if part.is_whole else tuple(part.entries.tolist()),
                notes=tuple(part.notes()),
            )
            for part, start, stop in self._places()
        )

    def constrained(self) -> tuple[Parameter, ...]:
        """Return the parameters that have a constraint."""
        return tuple(part.parameter for part in self.parts if part.constrained is not None)

    def point(self) -> Vector:
        """Return the values of all coordinates."""
        return np.concatenate([part.values for part in self.parts])

    def evaluator(
        self,
        evaluate: Callable[[Iterable[Vector]], Vector],
        point: Vector,
        undefined: Vector,
    ) -> Callable[[Iterable[Vector]], Vector]:
        """Return an evaluator of points in coordinates.

        Parameters
        ----------
        evaluate : callable
            The evaluator of points of all entries; cheapest when given `point`.
        point : ndarray
            Changed in place for each evaluation, and restored.
        undefined : ndarray, shape (m,)
            The outputs where there is no admissible array.

        Returns
        -------
        callable
            ``f(vectors of coordinates) -> outputs``; `evaluate` is never given an array that is
            not admissible.
        """
        base = point.copy()
        parts = [
            (part, slice(start, stop), point[part.parameter.start : part.parameter.stop])
            for part, start, stop in self._places()
        ]

        def is_admissible(vector: Vector) -> bool:
            """Write the arrays at these coordinates to the point, where there are any."""
            try:
                return all(part.write(vector[place], target) for part, place, target in parts)
            except (ArithmeticError, ValueError):  # of the user's own projection
                return False

        def evaluate_at(vectors: Iterable[Vector]) -> Vector:
            admissible = list[bool]()

            def places() -> Iterator[Vector]:
                for vector in vectors:
                    admissible.append(is_admissible(vector))
                    if admissible[-1]:
                        yield point
                    point[:] = base

            try:
                outputs = evaluate(places())
            finally:
                point[:] = base
            found = np.tile(undefined, (len(admissible), 1))
            found[admissible] = outputs
            return found

        return evaluate_at

    def entries(self, start: int, stop: int) -> tuple[int, int]:
        """Return the range of entries, of all parameters, that some coordinates move.

        One coordinate of a constrained parameter may move any of its entries.
        """
        ranges = [
            (part.parameter.start, part.parameter.stop)
            if part.constrained is not None
            else (
                part.parameter.start + max(start, first) - first,
                part.parameter.stop + min(stop, last) - last,
            )
            for part, first, last in self._places()
            if first < stop and start < last
        ]
        return ranges[0][0], ranges[-1][1]

    def _places(self) -> Iterator[tuple[_Part, int, int]]:
        start = 0
        for part in self.parts:
            yield part, start, start + part.entries.size
            start += part.entries.size

    def _checked(self) -> AdmissibleCoordinates:
        for part in self.parts:
            if not part.entries.size and part.parameter.stop > part.parameter.start:
                name = part.parameter.name
                raise GradcheckUsageError(
                    f"no entry of {name} may move under its constraint, so there is nothing to "
                    f"check: leave {name} out of wrt=, or allow some of its entries to move."
                )
        return self


def _flat(array: NDArray[Any]) -> Vector:
    """Return an array as a vector of real numbers, two for each complex one."""
    flat = np.ascontiguousarray(array).reshape(-1)
    return flat.view(np.float64) if flat.dtype.kind == "c" else flat
