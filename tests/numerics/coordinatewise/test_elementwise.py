"""The compressed Jacobian of an elementwise function."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from pytest_gradcheck.numerics.coordinatewise.elementwise import (
    CompressedJacobian,
    measure_elementwise,
)
from pytest_gradcheck.numerics.coordinatewise.full_check import DerivativeTask
from pytest_gradcheck.numerics.measurement import Floats, Indices, Status
from tests.numerics.functions import Counted

POINT = np.random.default_rng(2).normal(size=300)


@dataclass(frozen=True)
class Diagonal:
    """Claims about a function of one array."""

    values: Floats

    @property
    def output_indices(self) -> Indices:
        """Each coordinate has the output of its index."""
        return np.arange(len(self.values))[:, None]

    @property
    def colours(self) -> tuple[slice, ...]:
        """All coordinates."""
        return (slice(0, len(self.values)),)

    def rows(self, start: int, stop: int) -> Floats:
        """Fail: a matrix of all outputs is too large."""
        raise AssertionError("a matrix of all outputs is requested")

    def take(self, indices: Indices) -> Floats:
        """Fail likewise."""
        raise AssertionError("rows of all outputs are requested")

    def along(self, start: int, direction: Floats) -> Floats:
        """Fail likewise."""
        raise AssertionError("a change of all outputs is requested")


def measure(
    function: Callable[[Floats], Any], claim: Any, point: Floats = POINT, **options: Any
) -> tuple[CompressedJacobian, int]:
    """Measure; return the Jacobian and the number of calls."""
    counted, point = Counted(function), point.copy()
    base = counted.at(point)
    claims = Diagonal(np.asarray(claim, dtype=float).reshape(-1, 1))
    counted.calls = 0
    task = DerivativeTask(
        evaluate=counted,
        point=point,
        here=point.copy(),
        segments=[(0, point.size)],
        base=base,
        repeat=base,
        claims=claims,
        tangent=None,
    )
    found = measure_elementwise(
        task, claims, **({"agreement": 1e-6, "step": None, "seed": 0} | options)
    )
    assert (point == task.here).all()
    return found, counted.calls


def test_right_claims_share_one_pair() -> None:
    """Noise, sizes and coupling cost a few evaluations more."""
    few, calls = measure(np.exp, np.exp(POINT[:10]), POINT[:10])
    many, more = measure(np.exp, np.exp(POINT))
    assert more - calls <= 12
    for found, point in ((few, POINT[:10]), (many, POINT)):
        error = np.abs(found.found.value[:, 0] - np.exp(point))
        assert (error <= found.found.bound[:, 0]).all()
        assert (found.found.bound[:, 0] <= 1e-5 * np.exp(point)).all()


def test_wrong_claims_share_two_extrapolations() -> None:
    """However many they are, two extrapolations determine many digits of their derivatives."""
    _, right = measure(np.exp, np.exp(POINT))
    found, calls = measure(np.exp, 1.1 * np.exp(POINT))
    assert calls <= right + 2 + 2 * (40 + 12) + 2
    assert (np.abs(found.found.value[:, 0] - np.exp(POINT)) <= found.found.bound[:, 0]).all()
    assert (found.found.bound[:, 0] <= 1e-8 * np.exp(POINT)).all()


def test_kinks_have_the_slopes_of_both_sides() -> None:
    """Each entry has its own, in its own units."""
    point = np.where(np.arange(300) % 7 == 0, 0.0, POINT)
    scale = np.arange(1.0, 301.0)
    found, _ = measure(lambda x: scale * np.maximum(x, 0), scale * (point > 0), point)
    at_zero = np.flatnonzero(point == 0)
    assert set(found.found.kinks) == {(k, 0) for k in at_zero.tolist()}
    for k in at_zero.tolist():
        assert found.found.kinks[k, 0] == pytest.approx((0.0, scale[k]), abs=1e-6 * scale[k])


def test_edges_are_measured_from_inside() -> None:
    """The other entries are measured from both sides."""
    point = np.abs(POINT)
    point[[4, 20]] = 0.0
    found, _ = measure(lambda x: np.sqrt(x) ** 3 * np.sqrt(x), 2 * point, point)
    assert (found.found.status[[4, 20]] == Status.EDGE).all()
    assert (np.delete(found.found.status, [4, 20]) == Status.SMOOTH).all()


def test_fixed_step() -> None:
    """Values are those of the textbook formula, with bounds on their errors."""
    found, _ = measure(np.exp, np.exp(POINT), step=1e-2)
    expected = np.exp(POINT) * np.sinh(1e-2) / 1e-2
    assert found.found.value[:, 0] == pytest.approx(expected, rel=1e-10)
    assert (np.abs(found.found.value[:, 0] - np.exp(POINT)) <= found.found.bound[:, 0]).all()


def test_coupled_outputs_are_measured_alone_or_not_at_all() -> None:
    """Moving all coordinates at once does not measure their derivatives."""

    def mixing(x: Floats) -> Floats:
        y = np.exp(x)
        y[:20] += x[100:120]
        return y

    found, _ = measure(mixing, np.exp(POINT))
    assert found.coupling.outputs.tolist() == list(range(20))
    known = np.isfinite(found.found.bound[:20, 0])
    assert {pair.output for pair in found.coupling.pairs} == set(np.flatnonzero(known).tolist())
    error = np.abs(found.found.value[:, 0] - np.exp(POINT))[:20][known]
    assert (error <= found.found.bound[:20, 0][known]).all()


@pytest.mark.parametrize("rounded", [np.float16, lambda x: np.round(x, 3)])
def test_entry_has_no_plateau_where_its_neighbours_are_rounded(rounded: Any) -> None:
    """A jump is no evidence for a missing entry of a function that rounds."""
    claim = np.where(np.arange(POINT.size) == 7, 0.0, 2 * POINT)
    found, _ = measure(lambda x: np.float64(rounded(x**2)), claim)
    assert not (found.found.status == Status.PLATEAU).any()


def test_jumps_by_the_own_coordinate_are_not_a_coupling() -> None:
    """Piecewise constant outputs are known to depend on no other coordinate, up to rounding."""
    found, _ = measure(lambda x: np.round(x / 1e-3) * 1e-3, 0 * POINT)
    assert (found.found.status == Status.PLATEAU).all()
    assert (found.coupling.hidden <= 1e-12).all()
