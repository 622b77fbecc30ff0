"""How far coordinates are moved, and by which step."""

import numpy as np
import pytest

from pytest_gradcheck.binding.claimed import DenseClaim
from pytest_gradcheck.numerics.function import Function
from pytest_gradcheck.numerics.scale import Scales
from pytest_gradcheck.numerics.screening.aiming import Aim, aim
from tests.numerics.functions import Counted, Floats
from tests.numerics.screening.builders import Shapes, direction_of, segments_of

SHAPES: Shapes = [(20, 32), (10,)]
SIZE = 650
POINT = np.ones(SIZE)
CLAIM = np.concatenate([np.full(640, 1.0), np.full(10, 0.5)])
EPS32 = 8 * float(np.finfo(np.float32).eps)


def aimed(
    *, rounding: float = 0.0, noise: float = 1e-12, claim: Floats = CLAIM, base: float = 100.0
) -> Aim:
    """Aim at a function of so much noise, claims about which are rounded."""
    segments = segments_of(SHAPES, rounding)
    scales = Scales.of(POINT, [(s.start, s.stop) for s in segments])
    counted = Counted(lambda x: float(x.sum()))
    at, noises = np.full(1, base), np.full(1, noise)
    function = Function(counted, POINT, at, noises, np.zeros(1), scales)
    claims = DenseClaim(claim[:, None])
    return aim(function, claims, segments, here=POINT, seed=0, rng=np.random.default_rng(0))


def test_change_and_tolerance_are_of_what_is_moved_further() -> None:
    """The likely change adds up in squares, that of claims of one sign in sums."""
    found = aimed()
    assert found.projector.weights.lifts.tolist() == [1.0, 2.0]
    assert found.least.tolist() == [0.5, 1.0]
    assert found.change() == pytest.approx([np.sqrt(640 + 10)])
    assert found.change([1]) == pytest.approx([np.sqrt(10)])
    assert found.tolerance == pytest.approx([650.0])
    assert found.projector.function.sizes == pytest.approx(found.change())


def test_nothing_claimed_leaves_the_size_of_the_output() -> None:
    """There is no better guess."""
    assert aimed(claim=0 * CLAIM).projector.function.sizes.tolist() == [100.0]


def test_step_balances_noise_where_that_hides_errors() -> None:
    """It is larger for what changes less."""
    found = aimed(rounding=1e-15)
    assert not found.is_rounded
    assert 1e-6 < found.step() < found.step([1]) < 1e-2
    assert found.hidden([1]) == pytest.approx([4e-12 / found.step([1])], rel=1e-2)


def test_rounding_that_hides_errors_asks_for_smaller_steps() -> None:
    """Noise is a small share of it still; nothing is gained by going further."""
    found, plain = aimed(rounding=EPS32), aimed()
    assert found.is_rounded
    rounding = np.linalg.norm(found.projector.roundings)
    assert 4e-12 / found.step() == pytest.approx(0.03 * rounding)
    assert found.step() < plain.step()
    assert found.hidden(slice(None)) == pytest.approx([1.03 * rounding])


def test_small_segments_promise_less_where_rounding_hides_errors() -> None:
    """By themselves they show as well, and hide less of the others."""
    weights = aimed(rounding=EPS32).projector.weights
    assert weights.lifts == pytest.approx([1.0, 8.0])


def test_noise_that_is_not_known_yet_hides_errors() -> None:
    """Segments are moved as is natural until it is."""
    found = aimed(rounding=EPS32, noise=0.0)
    assert found.projector.weights.lifts.tolist() == [1.0, 2.0]


def test_coordinates_are_held_where_they_are() -> None:
    """No direction moves them."""
    held = np.array([3, 645])
    direction = direction_of(aimed().holding(held).projector, 1)
    assert np.flatnonzero(direction == 0).tolist() == [3, 645]
