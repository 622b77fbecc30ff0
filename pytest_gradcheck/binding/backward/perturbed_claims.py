"""Claims under perturbations: at other points, after rounding, and for other cotangents.

They show whether an error is there at one point only, whether it is the rounding of backward,
and whether a VJP is linear in its cotangent. Backward is called straight after forward at the
same point, since it may read what forward left in a cache. It does not judge the claims.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from pytest_gradcheck.binding.backward.backward_function import (
    BackwardFunction,
    BackwardInput,
    BackwardResult,
)
from pytest_gradcheck.binding.backward.base_claim import BaseClaim
from pytest_gradcheck.binding.backward.claims import Claim, DenseClaim, OtherCotangents
from pytest_gradcheck.binding.call.user_function import ends_check
from pytest_gradcheck.binding.forward.base_evaluation import BaseEvaluation
from pytest_gradcheck.binding.forward.side_effects import refuse_changed_arguments
from pytest_gradcheck.binding.values.parameters import Block, Vector
from pytest_gradcheck.errors import GradcheckUsageError

__all__ = ["PerturbedClaims", "one_rounding_away"]

#: The weight of the second cotangent in the combination with the first: no sum or difference of
#: errors cancels under it.
WEIGHT = -2.5

#: The relative distance of further cotangents from the first two, entry by entry: enough to
#: round differently in any type, too little to change a nonlinearity.
DISTANCE = 1e-3

#: The types of real and imaginary parts that round more coarsely than float64.
COARSE_TYPES = {"float16": np.float16, "float32": np.float32, "complex64": np.float32}

#: The largest perturbation by rounding, in units in the last place: of float64, and of coarser
#: types, where more of them would change the derivative itself.
FLOAT64_ROUNDINGS = 32
COARSE_ROUNDINGS = 2


class PerturbedClaims:
    """Calls backward for other claims than the one that is checked.

    Parameters
    ----------
    base : BaseEvaluation
        Forward at the user's own point.
    claimed : BaseClaim
        The claim that is checked.
    """

    def __init__(self, base: BaseEvaluation, claimed: BaseClaim) -> None:
        self._forward, self._working_copy = base.forward, base.working_copy
        self._claimed, self._backward = claimed, claimed.backward
        self._second_cotangent = (
            None
            if claimed.given.cotangent is None
            else claimed.backward.draw_cotangent(base.output)
        )

    def at(self, point: Vector) -> Claim | None:
        """Return the claim at another point, None where backward gives none of the same kind."""
        return self._claim_at(point, self._claimed.given)

    def again(self) -> Iterator[Claim | None]:
        """Yield the claim that is checked again and again, without end.

        Forward is called once. There are none where it returns the claim itself. Where backward
        changes what it is given, or adds to what it returned before, later claims are other ones.
        """
        if not self._backward.is_called:
            return
        try:
            output = self._forward.environment.attempt(self._forward.call)
        except Exception as error:
            if ends_check(error):
                raise
            return  # it did not raise before
        while True:
            yield self._claim_of(lambda: self._backward.call(output, self._claimed.given))

    def of_multiple(self, factor: float) -> Claim | None:
        """Return the claim of a VJP for a multiple of its cotangent, None where it takes none."""
        cotangent = self._claimed.given.cotangent
        if cotangent is None:
            return None
        return self._claim_at(self._working_copy.base, BackwardInput(cotangent=factor * cotangent))

    def of_two_uses(self) -> Claim | None:
        """Return the claim for two calls of forward with the same objects, None without any."""
        twice = self._backward.used_twice()
        if twice is None:
            return None
        return self._claim_at(self._working_copy.base, self._claimed.given, twice)

    def one_rounding_away(self, rng: np.random.Generator, times: int) -> Claim | None:
        """Return the claim where every coordinate is a few roundings of its type away.

        A cotangent or tangent is multiplied by a random factor as well, and the claim divided
        by it. Claims are multiples of what backward is given: by another factor everything is
        rounded anew.

        Parameters
        ----------
        rng : numpy.random.Generator
            Draws the factor and the signs.
        times : int
            Multiplies the distance of coordinates in float64.

        Returns
        -------
        Claim or None
            None where backward gives no claim of the same kind.
        """
        given, kind, working_copy = self._claimed.given, self._claimed.kind, self._working_copy
        factor = float(rng.uniform(1, 2))
        scaled = (None if v is None else factor * v for v in (given.cotangent, given.tangent))
        parameters = [working_copy.as_passed(parameter) for parameter in working_copy.parameters]
        point = one_rounding_away(working_copy.base, parameters, rng, times)
        claim = self._claim_at(point, BackwardInput(*scaled))
        if claim is None or kind not in ("vjp", "jvp"):
            return claim
        count = 1 if kind == "jvp" else working_copy.base.size
        return DenseClaim(claim.rows(0, count) / factor)

    def of_other_cotangents(self) -> Iterator[OtherCotangents]:
        """Yield the claims of a VJP for zeros, for a second cotangent and for a combination.

        Yields
        ------
        OtherCotangents
            First for the cotangent of the check and an independent one; then, endlessly, for
            cotangents a thousandth away from these two, for which everything is rounded anew.
            Nothing where backward takes no cotangent.
        """
        first, second = self._claimed.given.cotangent, self._second_cotangent
        if first is None or second is None:
            return
        parameters = self._working_copy.parameters
        size = self._working_copy.base.size
        own = self._claimed.claim.rows(0, size)[:, 0]
        other, combined = self._vjp(second), self._vjp(first + WEIGHT * second)
        try:
            zero = self._vjp(np.zeros_like(first))
        except GradcheckUsageError as error:
            if ends_check(error):
                raise
            # The claims of other cotangents can be read, but not these: 0 / 0, or None.
            zero = np.full_like(other, np.nan)
        yield OtherCotangents(parameters, own, zero, other, combined, WEIGHT)
        while True:
            one, two = self._nearby(first), self._nearby(second)
            yield OtherCotangents(
                parameters,
                self._vjp(one),
                zero,
                self._vjp(two),
                self._vjp(one + WEIGHT * two),
                WEIGHT,
            )

    def _claim_at(
        self, point: Vector, given: BackwardInput, backward: BackwardFunction | None = None
    ) -> Claim | None:
        working_copy = self._working_copy
        try:
            working_copy.point[:] = point
            return self._claim_of(lambda: self._call(given, backward))
        finally:
            working_copy.point[:] = working_copy.base

    def _claim_of(self, call: Callable[[], BackwardResult]) -> Claim | None:
        try:
            result = self._forward.environment.attempt(call)
            return result.claim.snapshot() if result.kind == self._claimed.kind else None
        except Exception as error:
            if ends_check(error):
                raise
            return None  # the user did not choose this point

    def _call(
        self, given: BackwardInput, backward: BackwardFunction | None = None
    ) -> BackwardResult:
        return (backward or self._backward).call(self._forward.call(), given)

    def _vjp(self, cotangent: Vector) -> Vector:
        """Return the result of the VJP at the base point for a cotangent, shape (n,)."""
        given = BackwardInput(cotangent=cotangent)
        result = self._forward.environment.attempt(lambda: self._call(given))
        refuse_changed_arguments(self._working_copy, self._backward.name)
        return result.claim.rows(0, self._working_copy.base.size)[:, 0].copy()

    def _nearby(self, cotangent: Vector) -> Vector:
        change = self._backward.rng.uniform(-1, 1, cotangent.size)
        return np.asarray(cotangent * (1 + DISTANCE * change))


def one_rounding_away(
    vector: Vector, blocks: Sequence[Block], rng: np.random.Generator, times: int = 1
) -> Vector:
    """Return numbers that are a few units in the last place of their types away; zeros stay.

    They are several, since a function that is flat does not show a single one.

    Parameters
    ----------
    vector : ndarray, shape (n,)
        The numbers, real and imaginary parts one after the other.
    blocks : sequence of Block
        The arrays that they are in, with the types in which these are passed.
    rng : numpy.random.Generator
        Draws the number of units and the sign.
    times : int
        Multiplies the distance of numbers in float64.

    Returns
    -------
    ndarray, shape (n,)
        The perturbed numbers.
    """
    perturbed = vector.copy()
    for block in blocks:
        part = slice(block.start, block.stop)
        values = vector[part].astype(COARSE_TYPES.get(block.dtype, np.float64))
        most = COARSE_ROUNDINGS if block.dtype in COARSE_TYPES else times * FLOAT64_ROUNDINGS
        units = rng.choice([-1, 1], values.size) * rng.integers(1, most + 1, values.size)
        perturbed[part] = values + units.astype(values.dtype) * np.spacing(values)
    return np.where(vector == 0, 0.0, perturbed)
