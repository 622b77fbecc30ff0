"""Constraints as sets: projections, directions, and the examples in their docstrings."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pytest_gradcheck import GradcheckUsageError
from pytest_gradcheck.constraints import (
    Constraint,
    hermitian,
    lower_triangular,
    masked,
    orthogonal,
    positive_definite,
    simplex,
    symmetric,
    unit_norm,
    upper_triangular,
)

RNG = np.random.default_rng(0)

REAL = {
    "symmetric": (symmetric, (4, 4)),
    "symmetric stack": (symmetric, (2, 3, 3)),
    "hermitian": (hermitian, (3, 3)),
    "lower": (lower_triangular, (4, 3)),
    "upper": (upper_triangular, (2, 3, 3)),
    "simplex": (simplex, (5,)),
    "simplex rows": (simplex, (2, 3)),
    "simplex columns": (simplex.along(0), (2, 3)),
    "simplex whole": (simplex.along(None), (2, 3)),
    "unit": (unit_norm, (5,)),
    "unit rows": (unit_norm, (2, 3)),
    "unit columns": (unit_norm.along(0), (2, 3)),
    "unit whole": (unit_norm.along(None), (2, 3)),
    "orthogonal": (orthogonal, (3, 3)),
    "tall": (orthogonal, (4, 2)),
    "wide": (orthogonal, (2, 4)),
    "orthogonal stack": (orthogonal, (2, 3, 3)),
}

CASES = [
    pytest.param(rule, RNG.uniform(0.1, 1.0, size=shape), id=name)
    for name, (rule, shape) in REAL.items()
]
CASES += [
    pytest.param(rule, RNG.normal(size=shape) + 1j * RNG.normal(size=shape), id=f"complex {name}")
    for name, rule, shape in [
        ("symmetric", symmetric, (3, 3)),
        ("hermitian", hermitian, (3, 3)),
        ("unit", unit_norm, (4,)),
        ("unitary", orthogonal, (3, 3)),
    ]
]


@pytest.mark.parametrize(("rule", "array"), CASES)
def test_projection_leaves_the_set_unchanged(rule: Constraint, array: NDArray[Any]) -> None:
    """An array in the set is its own projection."""
    inside = rule.project(array)
    assert np.abs(inside - array).max() > 0
    np.testing.assert_allclose(rule.project(inside), inside, atol=1e-14)


@pytest.mark.parametrize(("rule", "array"), CASES)
def test_derivative_of_a_move_is_the_direction(rule: Constraint, array: NDArray[Any]) -> None:
    """A small move follows the direction to first order."""
    point = rule.project(array)
    change = np.random.default_rng(1).normal(size=point.shape).astype(point.dtype)
    h = 1e-5
    slope = (rule.move(point, h * change) - rule.move(point, -h * change)) / (2 * h)
    np.testing.assert_allclose(slope, rule.direction(point, change), atol=1e-8)


@pytest.mark.parametrize(("rule", "array"), CASES)
def test_tangent_direction_is_its_own_projection(rule: Constraint, array: NDArray[Any]) -> None:
    """A tangent direction is unchanged."""
    point = rule.project(array)
    once = rule.tangent(point, np.random.default_rng(1).normal(size=point.shape))
    np.testing.assert_allclose(rule.tangent(point, once), once, atol=1e-14)


@pytest.mark.parametrize(("rule", "array"), CASES)
def test_measured_entries_span_all_directions(rule: Constraint, array: NDArray[Any]) -> None:
    """The entries that are not measured add no direction."""
    point = rule.project(array)
    units = np.eye(point.size).reshape(-1, *point.shape)
    if point.dtype.kind == "c":
        units = np.concatenate([units, 1j * units])
    rows = np.array([rule.tangent(point, unit).ravel() for unit in units])
    measured = np.resize(rule.measured(point).ravel(), len(rows))
    parts = np.hstack([rows.real, rows.imag])
    assert np.linalg.matrix_rank(parts[measured]) == np.linalg.matrix_rank(parts)


@pytest.mark.parametrize("rule", [unit_norm, simplex], ids=["unit", "simplex"])
def test_dominant_entry_is_left_out(rule: Constraint) -> None:
    """It hardly moves, and the directions of the others span the tangent space."""
    point = rule.project(np.array([1.0, 1e-9, 1e-9]))
    assert rule.measured(point).tolist() == [False, True, True]


def test_small_steps_stay_in_the_simplex() -> None:
    """A step that is small against its entry makes no other entry negative."""
    point = np.array([1e-9, 0.4, 0.6 - 1e-9])
    for k in range(3):
        for sign in (1, -1):
            moved = simplex.move(point, sign * 0.3 * point[k] * np.eye(3)[k])
            assert simplex.contains(moved)
            assert moved.sum() == pytest.approx(1, abs=1e-15)


def test_positive_definite_contains_no_other_matrix() -> None:
    """The Cholesky factorization decides, for every matrix of a stack."""
    assert positive_definite.contains(np.diag([1.0, 1e-12]))
    assert not positive_definite.contains(np.diag([1.0, -1e-12]))
    assert not positive_definite.contains(np.array([np.eye(2), -np.eye(2)]))


def test_masks_are_broadcast_to_the_parameter() -> None:
    """Only entries under the mask move."""
    rule = masked([True, False])
    assert rule.tangent(np.zeros((2, 2)), np.ones((2, 2))).tolist() == [[1, 0], [1, 0]]
    assert rule.measured(np.zeros((2, 2))).tolist() == [[True, False], [True, False]]


def test_mask_of_numbers_is_refused() -> None:
    """The numbers 1 and 0 could also be indices."""
    with pytest.raises(GradcheckUsageError) as error:
        masked([1, 0])
    assert error.value.args[0] == (
        "masked takes a boolean array, True where an entry may move; it was given int64. Write "
        "mask != 0."
    )


@pytest.mark.parametrize(
    ("rule", "shape", "wanted"),
    [
        (symmetric, (2, 3), "square matrices in its last two axes"),
        (symmetric, (3,), "square matrices in its last two axes"),
        (lower_triangular, (3,), "matrices in its last two axes"),
        (orthogonal, (3,), "matrices in its last two axes"),
        (masked([True, False]), (3,), "the shape (2,) of its mask"),
        (masked(np.ones((2, 3), dtype=bool)), (3,), "the shape (2, 3) of its mask"),
        (simplex.along(1), (3,), "an axis 1"),
        (unit_norm.along(None), (), None),
        (masked(True), (3,), None),
    ],
)
def test_shapes_that_do_not_fit(
    rule: Constraint, shape: tuple[int, ...], wanted: str | None
) -> None:
    """The required shape is described in words, for a message."""
    assert rule.wanted_shape(shape) == wanted


@pytest.mark.parametrize(
    ("rule", "expression"),
    [
        (symmetric, "(x + x.mT) / 2"),
        (hermitian, "(x + x.mT.conj()) / 2"),
        (lower_triangular, "np.tril(x)"),
        (upper_triangular, "np.triu(x)"),
        (simplex, "x / x.sum(axis=-1, keepdims=True)"),
        (simplex.along(None), "x / x.sum()"),
        (unit_norm.along(0), "x / np.linalg.norm(x, axis=0, keepdims=True)"),
        (unit_norm.along(None), "x / np.linalg.norm(x)"),
        (orthogonal, "np.linalg.qr(x)[0]"),
    ],
)
def test_remedies_move_an_array_into_the_set(rule: Constraint, expression: str) -> None:
    """The expression in the message works when it is pasted."""
    assert rule.remedy("x") == expression
    x = np.random.default_rng(0).uniform(0.1, 1, size=(3, 3))
    moved = eval(expression, {"np": np, "x": x})  # noqa: S307  # the expression is the one above
    np.testing.assert_allclose(rule.project(moved), moved, atol=1e-15)


def test_repr_is_the_adjective_of_the_set() -> None:
    """Messages and reports show it."""
    assert [repr(symmetric), repr(unit_norm), repr(Constraint())] == [
        "symmetric",
        "of unit norm",
        "unconstrained",
    ]
