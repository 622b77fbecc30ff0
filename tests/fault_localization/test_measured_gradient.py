"""The gradient that backward has to return, by entries or along directions."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.fault_localization.execution.recorded_values import Version
from pytest_gradcheck.fault_localization.execution.variables import Path
from pytest_gradcheck.fault_localization.intermediate_derivatives import Slopes, Target
from pytest_gradcheck.fault_localization.measured_gradient import (
    DIRECTIONS,
    MeasuredGradient,
    along_directions,
    is_same,
    of_all_entries,
)

RIGHT = np.array([3.0, -2.0, 0.5, 1.0, 4.0, -1.0, 2.0])


def target(name: str, part: slice, shape: tuple[int, ...]) -> Target:
    """Return a parameter that is a part of `RIGHT`."""
    value = np.ones(shape)
    return Target(Version(Path(name), value, None, 1, part.start), Path(name), None, part=part)


TARGETS = (target("W", slice(0, 6), (2, 3)), target("b", slice(6, 7), ()))


def by_directions(error: float = 0.0, *others: Target) -> MeasuredGradient | None:
    """Return what is measured of `RIGHT`, known up to an error."""

    def measure(one: Target, directions: NDArray[np.float64]) -> Slopes:
        assert one.part is not None
        slopes = directions.reshape(len(directions), -1) @ RIGHT[one.part]
        return Slopes(slopes, np.full(len(slopes), error))

    return along_directions([*TARGETS, *others], measure, 3)


def by_entries() -> MeasuredGradient:
    """Return `RIGHT` as the derivatives by two parameters."""
    problem: Any = SimpleNamespace(
        parameters=[
            SimpleNamespace(name="W", start=0, stop=6),
            SimpleNamespace(name="b", start=6, stop=7),
        ]
    )
    return of_all_entries(problem, {"W": RIGHT[:6].reshape(2, 3), "b": RIGHT[6:]})


def test_entries_that_differ_are_wrong() -> None:
    """Those that differ by less than measurements do are right."""
    gradient, returned = by_entries(), RIGHT * (1 + 1e-7)
    returned[[1, 6]] *= 1.01
    np.testing.assert_array_equal(gradient.values, RIGHT)
    wrong = gradient.wrong(gradient.products(returned))
    np.testing.assert_array_equal(np.flatnonzero(wrong), [1, 6])
    assert gradient.count_of_wrong(gradient.products(returned)) == 2


def test_one_wrong_entry_is_wrong_along_all_directions() -> None:
    """Directions are of one parameter each, so that the others remain right."""
    gradient = by_directions()
    assert gradient is not None
    assert len(gradient.values) == DIRECTIONS
    returned = RIGHT.copy()
    assert not gradient.wrong(gradient.products(returned)).any()
    returned[4] += 0.1
    wrong = gradient.wrong(gradient.products(returned))
    np.testing.assert_array_equal(wrong, np.arange(DIRECTIONS) < DIRECTIONS // 2)


def test_parameter_with_one_entry_counts_once() -> None:
    """All of its directions say the same; those of a parameter with more entries do not."""
    gradient, returned = by_directions(), RIGHT.copy()
    assert gradient is not None
    returned[6] *= 2
    assert gradient.wrong(gradient.products(returned)).sum() == DIRECTIONS // 2
    assert gradient.count_of_wrong(gradient.products(returned)) == 1
    assert gradient.count_of_wrong(gradient.products(2 * RIGHT)) == 7


def test_differences_within_the_bounds_are_not_wrong() -> None:
    """They may be errors of the measurement."""
    gradient = by_directions(error=1e-3)
    assert gradient is not None
    assert not gradient.wrong(gradient.values + 9e-4).any()
    assert gradient.wrong(gradient.values + 1.1e-3).all()


def test_gradient_with_large_bounds_is_unknown() -> None:
    """Too little could be told from it, as from one that is zero or not a number."""
    assert by_directions(error=0.1) is None
    assert by_directions(error=np.nan) is None
    zero = lambda _, d: Slopes(np.zeros(len(d)), np.zeros(len(d)))  # noqa: E731
    assert along_directions(TARGETS, zero, 3) is None


def test_values_that_are_no_parameters_are_left_out() -> None:
    """Backward returns no gradients for them."""
    value = Target(Version(Path("z"), np.ones(4), None, 1, 9), Path("z"), None)
    gradient = by_directions(0.0, value)
    assert gradient is not None
    assert len(gradient.parts) == len(TARGETS)


def test_values_are_the_same_up_to_the_errors_of_differences() -> None:
    """Relative to the largest entry, and whatever their shapes."""
    one = np.array([1e3, 1.0, 0.0])
    assert is_same(one, one[:, np.newaxis] + 1e-3)
    assert not is_same(one, one + 1e-1)
    assert not is_same(one, one[:2])
