"""Constraints of parameters from the options `tangent=`, `project=` and `bounds=`."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pytest_gradcheck import GradcheckUsageError
from pytest_gradcheck.binding.constrained_parameters.constraint_options import (
    UNCONSTRAINED,
    ConstraintDeclarations,
    constrain,
    read_bounds,
)
from pytest_gradcheck.binding.values.pytree import Leaf
from pytest_gradcheck.constraints import (
    Constraint,
    lower_triangular,
    masked,
    orthogonal,
    positive_definite,
    simplex,
    symmetric,
    unit_norm,
)

BOUNDED = np.array([0.0, 0.5, 1.0])


def bounds_refused(written: object, value: Any = BOUNDED) -> str:
    """Return the message for bounds that are refused."""
    with pytest.raises(GradcheckUsageError) as error:
        read_bounds(written, Leaf("x", value))
    return str(error.value.args[0])


@pytest.mark.parametrize(
    ("written", "low", "high"),
    [
        ((0, 1), [0, 0, 0], [1, 1, 1]),
        ([0, None], [0, 0, 0], [np.inf] * 3),
        ((None, BOUNDED), [-np.inf] * 3, [0, 0.5, 1]),
        (([0, None, 0.5], 2.5), [0, -np.inf, 0.5], [2.5] * 3),
        ((-np.inf, np.inf), [-np.inf] * 3, [np.inf] * 3),
    ],
)
def test_numbers_none_and_arrays(written: object, low: list[float], high: list[float]) -> None:
    """They broadcast to the parameter; None is no bound."""
    box = read_bounds(written, Leaf("x", BOUNDED))
    assert box.low.tolist() == low
    assert box.high.tolist() == high


def test_bounds_are_rounded_as_the_parameter_is() -> None:
    """A float32 parameter at 0.1 is not above a bound of 0.1."""
    x = np.full(2, 0.1, dtype=np.float32)
    assert float(x[0]) > 0.1
    box = read_bounds((0.1, 0.1), Leaf("x", x))
    assert box.holds(x)
    assert not box.is_open.any()


def test_box_holds_its_border_and_nothing_beyond() -> None:
    """Bounds are closed; NaN is not within any."""
    box = read_bounds((0, 1), Leaf("x", BOUNDED))
    assert box.holds(BOUNDED)
    assert not box.holds(BOUNDED + 1e-16 * (BOUNDED > 0) - 5e-324)
    assert not box.holds(np.full(3, np.nan))


def test_directions_turn_away_from_near_bounds_alone() -> None:
    """Each entry turns by itself."""
    box = read_bounds((0, [1, 10, 1]), Leaf("x", np.array([0.01, 5.0, 0.9])))
    turned = box.inward(np.array([0.01, 5.0, 0.9]), np.array([-1.0, -1.0, 1.0]))
    assert turned.tolist() == [1, -1, -1]


PAIR = (
    "it must be a pair (low, high) of numbers, None or arrays, for example (0, None). From pairs "
    "for each entry: low, high = zip(*pairs)."
)
FITS = "a bound is a number, None or an array that broadcasts to the shape (3,) of x."
START = "a check starts inside the bounds. Pass another point, for example np.clip(x, low, high),"


@pytest.mark.parametrize(
    ("written", "message"),
    [
        (0, f"bounds of x is 0: {PAIR}"),
        ([(0, 1), (0, 1), (0, 1)], f"bounds of x is [(0, 1), (0, 1), (0, 1)]: {PAIR}"),
        (np.zeros(3), f"bounds of x is float64 array of shape (3,): {PAIR}"),
        (("a", 1), f"bounds of x hold 'a': {FITS}"),
        ((np.zeros(2), 1), f"bounds of x hold float64 array of shape (2,): {FITS}"),
        (
            (0, [1, -1, 1]),
            "bounds of x leave no room: the lower one of x[1] is 0, the upper one -1.",
        ),
        (
            (np.nan, 1),
            "bounds of x leave no room: the lower one of x[0] is nan, the upper one 1.",
        ),
        ((0.1, 1), f"x[0] is 0, below its bound 0.1: {START} or other bounds."),
        ((None, 0.9), f"x[2] is 1, above its bound 0.9: {START} or other bounds."),
    ],
)
def test_what_is_refused(written: object, message: str) -> None:
    """The message names the entry, and says what to write."""
    assert bounds_refused(written) == message


def test_number_beyond_its_bound() -> None:
    """Its name has no index."""
    message = bounds_refused((0, None), -1.0)
    assert message == f"x is -1, below its bound 0: {START} or other bounds."


def test_complex_parameters_have_no_bounds() -> None:
    """Complex numbers have no order."""
    assert bounds_refused((0, 1), np.array([1j])) == (
        "bounds of x: it holds complex numbers, which have no order. Leave it out of bounds."
    )


S = np.array([[2.0, 0.5], [0.5, 1.0]])
X = np.array([0.6, 0.0, 0.8])
LEAVES = [Leaf("parameters['S']", S), Leaf("x", X)]


def normalised(x: Any) -> Any:
    """Return the nearest unit vector."""
    return x / np.linalg.norm(x)


def rule_of(value: Any, **written: object) -> Constraint:
    """Return the constraint of the only parameter."""
    return constrain(ConstraintDeclarations(**written), [Leaf("x", value)])["x"].constraint


def refused(leaves: list[Leaf], **written: object) -> str:
    """Return the message for what is refused."""
    with pytest.raises(GradcheckUsageError) as error:
        constrain(ConstraintDeclarations(**written), leaves)
    return str(error.value.args[0])


def test_nothing_written_constrains_nothing() -> None:
    """A check without constraints has none."""
    assert constrain(UNCONSTRAINED, LEAVES) == {}


@pytest.mark.parametrize("name", ["S", "parameters['S']"])
def test_parameters_go_by_full_and_short_names(name: str) -> None:
    """Short names mean the same as in `wrt`."""
    found = constrain(ConstraintDeclarations(tangent={name: symmetric}), LEAVES)
    assert list(found) == ["parameters['S']"]
    assert found["parameters['S']"].constraint is symmetric


def test_only_parameter_needs_no_name() -> None:
    """It can be meant for one parameter only."""
    assert rule_of(X, tangent=unit_norm) is unit_norm
    assert constrain(ConstraintDeclarations(bounds=(0, 1)), [Leaf("x", X)])["x"].box is not None


def test_helper_may_be_given_as_projection() -> None:
    """The constraint has a tangent and a projection."""
    assert rule_of(X, project=unit_norm) is unit_norm


def test_projection_beside_directions_replaces_theirs() -> None:
    """It is the retraction; directions and membership are those of the constraint."""
    rule = rule_of(X, tangent=unit_norm, project=lambda x: x / np.linalg.norm(x))
    assert rule.tangent(X, X).tolist() == [0, 0, 0]
    assert rule.project(2 * X).tolist() == X.tolist()
    assert rule.measured(X).all()


def test_boolean_array_is_a_mask() -> None:
    """Entries under True may move."""
    rule = rule_of(X, tangent=np.array([True, False, True]))
    assert rule.measured(X).tolist() == [True, False, True]


def test_functions_of_a_direction_or_of_point_and_direction() -> None:
    """It is told by the number of required parameters; a function without signature takes one."""
    assert rule_of(X, tangent=lambda d: d[::-1]).tangent(X, X).tolist() == X[::-1].tolist()
    rule = rule_of(X, tangent=lambda x, d, scale=1: scale * (d - x * (x @ d)))
    assert rule.tangent(X, X).tolist() == [0, 0, 0]
    assert rule_of(S, tangent=np.tril).tangent(S, S).tolist() == np.tril(S).tolist()
    assert rule_of(X, tangent=np.negative).tangent(X, X).tolist() == (-X).tolist()


def test_bounds_and_directions_hold_together() -> None:
    """An entry without room between its bounds may not move either."""
    found = constrain(
        ConstraintDeclarations(tangent=masked([True, True, False]), bounds=([0, 0, 0], [1, 0, 1])),
        [Leaf("x", X)],
    )["x"]
    assert found.measured().tolist() == [True, False, False]


def test_moves_end_at_the_bounds() -> None:
    """Beyond them no array is admissible."""
    found = constrain(ConstraintDeclarations(bounds=(0, 1)), [Leaf("x", X)])["x"]
    moved = found.move(np.array([0.4, 0.0, 0.0]))
    assert moved is not None
    assert moved.tolist() == [1, 0, 0.8]
    assert found.move(np.array([0.5, 0.0, 0.0])) is None


def test_moves_end_where_the_set_does() -> None:
    """A matrix that is no longer positive definite is not admissible either."""
    found = constrain(ConstraintDeclarations(tangent=positive_definite), [Leaf("S", S)])["S"]
    assert found.move(np.diag([-1.7, 0.0])) is not None
    assert found.move(np.diag([-1.8, 0.0])) is None


def test_point_that_is_off_by_rounding_is_kept() -> None:
    """A change of zero gives the point itself, and any other change starts from it."""
    x = X * (1 + 1e-9)
    found = constrain(ConstraintDeclarations(tangent=unit_norm), [Leaf("x", x)])["x"]
    moved = found.move(np.zeros(3))
    assert moved is not None
    assert moved.tolist() == x.tolist()


def test_float32_may_be_off_by_its_own_rounding() -> None:
    """A unit vector in float32 is not one in float64."""
    x = normalised(np.arange(1.0, 4.0)).astype(np.float32)
    assert (
        constrain(ConstraintDeclarations(tangent=unit_norm), [Leaf("x", x)])["x"].point.dtype
        == np.float64
    )


class TestRefused:
    """Messages of options that are refused."""

    def test_no_name_for_several_parameters(self) -> None:
        """The message names the parameters."""
        assert refused(LEAVES, tangent=symmetric) == (
            "tangent does not say of which parameter, and 2 are checked: parameters['S'], x. "
            "Write tangent={\"parameters['S']\": ...}."
        )

    def test_unknown_name(self) -> None:
        """The message proposes the similar name."""
        leaves = [Leaf("weights", X), Leaf("bias", X)]
        assert refused(leaves, bounds={"weight": (0, 1)}) == (
            "bounds={'weight': ...}: no parameter of that name is checked. Did you mean "
            "'weights'? Checked: weights, bias."
        )

    def test_name_of_several(self) -> None:
        """The message lists them."""
        leaves = [Leaf("a['W']", X), Leaf("b['W']", X)]
        assert refused(leaves, project={"W": normalised}) == (
            "project={'W': ...} could mean any of a['W'], b['W']: write one of them in full."
        )

    def test_no_constraint(self) -> None:
        """The message says what a tangent is."""
        assert refused([Leaf("x", X)], tangent="symmetric") == (
            "tangent of x is str: it must be one of pytest_gradcheck.constraints (symmetric, "
            "simplex, ...), a boolean array (True where an entry may move), or a function that "
            "returns the admissible part of a direction."
        )

    def test_no_projection(self) -> None:
        """A projection must be a function."""
        assert refused([Leaf("x", X)], project=X) == (
            "project of x is float64 array of shape (3,): it must be a function that returns the "
            "admissible array nearest to the one it is given."
        )

    def test_shape_that_cannot_be(self) -> None:
        """The message says which shape it takes."""
        assert refused([Leaf("x", X)], tangent=symmetric) == (
            "x of shape (3,) cannot be symmetric: that takes square matrices in its last two axes."
        )

    @pytest.mark.parametrize(
        ("rule", "value", "message"),
        [
            (
                symmetric,
                np.array([[1.0, 2.0], [4.0, 1.0]]),
                "x is not symmetric: x[0, 1] is 2 where the nearest admissible array has 3. A "
                "check starts inside the set: pass x = (x + x.mT) / 2.",
            ),
            (
                lower_triangular,
                np.array([[1.0, 2.0], [4.0, 1.0]]),
                "x is not lower-triangular: x[0, 1] is 2 where the nearest admissible array has "
                "0. A check starts inside the set: pass x = np.tril(x).",
            ),
            (
                unit_norm,
                np.array([3.0, 4.0]),
                "x is not of unit norm: x[0] is 3 where the nearest admissible array has 0.6. A "
                "check starts inside the set: pass x = x / np.linalg.norm(x, axis=-1, "
                "keepdims=True).",
            ),
            (
                orthogonal,
                2 * np.eye(2),
                "x is not orthogonal: x[0, 0] is 2 where the nearest admissible array has 1. A "
                "check starts inside the set: pass x = np.linalg.qr(x)[0].",
            ),
            (
                simplex,
                np.array([1.5, -0.5]),
                "x is not on the simplex at the point of the check. A check starts inside the "
                "set: pass another point.",
            ),
            (
                positive_definite,
                np.diag([1.0, -1.0]),
                "x is not positive definite at the point of the check. A check starts inside the "
                "set: pass another point.",
            ),
        ],
        ids=repr,
    )
    def test_point_outside(self, rule: Constraint, value: Any, message: str) -> None:
        """The message names the first entry, and what to write where there is an expression."""
        assert refused([Leaf("x", value)], tangent=rule) == message

    def test_point_that_the_projection_moves(self) -> None:
        """The message is the same for the user's own functions."""
        assert refused([Leaf("x", 2 * X)], project=normalised) == (
            "x is not what project makes of it: x[0] is 1.2 where the nearest admissible array "
            "has 0.6. A check starts inside the set: pass x = project(x)."
        )
