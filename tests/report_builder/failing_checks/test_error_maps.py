"""Maps of where claims are wrong, which are bounded and lose no wrong entry."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pytest_gradcheck import ErrorMap, Report, check_gradient
from pytest_gradcheck.binding.values.parameters import Parameter
from pytest_gradcheck.report_builder.failing_checks.error_maps import (
    CHARACTERS,
    MOST_CELLS,
    error_map,
)

CORRECT, WRONG = CHARACTERS.index("."), CHARACTERS.index("0")
RNG = np.random.default_rng(0)


def drawn(shape: tuple[int, ...], *wrong: tuple[int, ...]) -> ErrorMap:
    """Return the map of a real parameter that is wrong at some indices."""
    codes = np.full(shape, CORRECT, dtype=np.uint8)
    for index in wrong:
        codes[index] = WRONG
    found = error_map(Parameter("W", shape, "float64", 0, codes.size), codes.ravel())
    assert found is not None
    return found


def checked(change: Callable[[Any], None], shape: tuple[int, ...], **options: Any) -> Report:
    """Return the report of a sum of squares whose gradient is changed in place."""

    def backward(W: Any) -> Any:
        gradient = 2 * W
        change(gradient)
        return gradient

    W = RNG.normal(size=shape) + 3.0
    return check_gradient(lambda W: np.sum(W**2), backward, W, **options)


def test_cells_show_how_many_digits_agree() -> None:
    """Correct entries have no digit."""

    def change(gradient: Any) -> None:
        gradient[0] *= [3.0, 1.02, 1.00002]

    error = checked(change, (2, 3))["W"].error_map
    assert error is not None
    assert [plane.rows for plane in error.planes] == [("014", "...")]
    assert (error.shape, error.axes, error.block) == ((2, 3), (0, 1), (1, 1))


def test_a_check_that_passes_has_no_map() -> None:
    """Nor has a correct parameter of one that fails, or a single number."""
    assert checked(lambda gradient: None, (2, 3))["W"].error_map is None
    report = check_gradient(
        lambda a, b, c: np.sum(a * a) + np.sum(b * b) + c * c,
        lambda a, b, c: (2 * a, 3 * b, 3 * c),
        *(np.ones(2), np.ones(2), 1.0),
    )
    assert [p.error_map is None for p in report.parameters] == [True, False, True]


def test_one_wrong_entry_of_many_is_seen() -> None:
    """A cell shows the worst of its block."""
    found = drawn((1000, 700), (999, 1))
    (plane,) = found.planes
    assert (found.block, len(plane.rows), len(plane.rows[0])) == ((16, 11), 63, 64)
    assert [row.count("0") for row in plane.rows] == [0] * 62 + [1]
    assert plane.rows[-1][0] == "0"


def test_a_vector_is_a_row() -> None:
    """It has more columns than a matrix."""
    found = drawn((1000,), (7,))
    assert found.block == (8,)
    assert found.planes[0].rows == ("0" + "." * 124,)


def test_more_axes_are_planes_of_the_two_longest() -> None:
    """The index of a plane is that on the other axes."""
    found = drawn((4, 3, 2, 2), (3, 1, 0, 1))
    assert found.axes == (0, 1)
    assert [plane.index for plane in found.planes] == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert found.planes[1].rows == ("...", "...", "...", ".0.")


def test_of_many_planes_the_worst_are_shown() -> None:
    """Those in which nothing is wrong are counted."""
    found = drawn((30, 20, 5, 5), (0, 0, 1, 1), (0, 0, 3, 4))
    assert [plane.index for plane in found.planes] == [(1, 1), (3, 4)]
    assert found.correct_planes == 23


def test_planes_beyond_the_limit_are_one() -> None:
    """It has the worst at each place, so that none disappears."""
    wrong = [(k % 30, 0, k // 5, k % 5) for k in range(25)]
    found = drawn((30, 20, 5, 5), *wrong)
    assert len(found.planes) == 12
    assert found.planes[-1].index is None
    assert found.correct_planes == 0
    rows = {k for plane in found.planes for k, row in enumerate(plane.rows) if "0" in row}
    assert rows == {k // found.block[0] for k in range(25)}


@pytest.mark.parametrize("shape", [(2**20,), (1000, 1000), (100, 100, 100), (64, 64, 16, 16)])
def test_a_map_is_bounded(shape: tuple[int, ...]) -> None:
    """Whatever the size of the parameter."""
    found = drawn(shape, *(tuple(int(RNG.integers(n)) for n in shape) for _ in range(100)))
    assert sum(len(row) for plane in found.planes for row in plane.rows) <= MOST_CELLS


def test_complex_parts_are_a_further_axis() -> None:
    """An error of the imaginary parts has a plane of its own."""
    z = RNG.normal(size=(3, 2)) + 1j * RNG.normal(size=(3, 2))
    report = check_gradient(
        lambda z: np.sum(np.abs(z) ** 2), lambda z: 2 * z.real + 3j * z.imag, z
    )
    error = report["z"].error_map
    assert error is not None
    assert error.shape == (3, 2, 2)
    assert [plane.rows[0] for plane in error.planes] == ["..", "00"]


def test_screened_entries_are_what_was_seen() -> None:
    """Measured entries have digits, and the rest of a wrong region is known to be wrong."""

    def change(gradient: Any) -> None:
        gradient[3] = 0.0

    error = checked(change, (40, 50), mode="fast")["W"].error_map
    assert error is not None
    (plane,) = error.planes
    assert set("".join(plane.rows[:3] + plane.rows[4:])) <= {"~", "."}
    assert set(plane.rows[3]) == {"0", "x"}


def test_a_factor_that_directions_show_is_everywhere() -> None:
    """Its digits are those of all claims."""

    def change(gradient: Any) -> None:
        gradient *= 1.001

    error = checked(change, (40, 50), mode="fast")["W"].error_map
    assert error is not None
    assert {char for plane in error.planes for row in plane.rows for char in row} <= {"2", "3"}


def test_what_nothing_is_known_about_is_inconclusive() -> None:
    """A screen that measured nothing says so of every entry."""

    def jumping(W: Any) -> Any:
        return np.sum(W) + 1e3 * np.sign(np.sum(W) - W.size)

    report = check_gradient(jumping, np.ones_like, np.ones((40, 50)), mode="fast")
    error = report["W"].error_map
    assert report.verdict == "inconclusive"
    assert error is not None
    assert {char for plane in error.planes for row in plane.rows for char in row} == {"?"}


def test_entries_of_a_constraint_are_told_apart() -> None:
    """Those that it determines are not checked by themselves."""
    parameter = Parameter("S", (2, 2), "float64", 0, 3, entries=(0, 1, 3))
    found = error_map(parameter, np.array([CORRECT, WRONG, CORRECT], dtype=np.uint8))
    assert found is not None
    assert found.planes[0].rows == (".0", "-.")


def test_elementwise_errors_at_other_places() -> None:
    """An entry that moves other outputs is wrong, though its own derivative is right."""
    report = check_gradient(np.cumsum, np.ones_like, np.arange(1.0, 6.0))
    error = report.parameters[0].error_map
    assert error is not None
    assert error.planes[0].rows[0].startswith("0")
