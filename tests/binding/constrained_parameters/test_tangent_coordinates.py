"""Problems in the coordinates of constrained parameters."""

from typing import Any

import numpy as np
import pytest

from pytest_gradcheck import GradcheckUsageError
from pytest_gradcheck.binding.bind import bind
from pytest_gradcheck.binding.call.resolved_call import Call
from pytest_gradcheck.binding.constrained_parameters.constraint_options import (
    ConstraintDeclarations,
)
from pytest_gradcheck.constraints import hermitian, lower_triangular, simplex, symmetric, unit_norm

S = np.array([[2.0, 0.5], [0.5, 1.0]])
G = np.array([[1.0, 2.0], [4.0, 8.0]])


class Seen:
    """A linear function that records its arguments."""

    def __init__(self, gradient: Any) -> None:
        self.gradient = gradient
        self.arrays: list[Any] = []

    def __call__(self, x: Any) -> Any:
        """Return the real product with the gradient."""
        self.arrays.append(np.array(x))
        return np.sum((np.conj(self.gradient) * x).real)


def posed(call: Call, **declared: object) -> Any:
    """Return the context of a bound call with constraints."""
    return bind(call, seed=0, declarations=ConstraintDeclarations(**declared))


def linear(gradient: Any, value: Any, **declared: object) -> Any:
    """Bind a linear function of one parameter; return the context and the arguments of forward."""
    seen = Seen(gradient)
    return posed(Call(seen, lambda x: gradient, (value,)), **declared), seen.arrays


def test_symmetric_matrices_have_the_coordinates_of_their_upper_triangle() -> None:
    """A coordinate moves an entry and its mirror image by half each; the claim is their mean."""
    context, seen = linear(G, S, tangent=symmetric)
    with context as problem:
        (parameter,) = problem.parameters
        assert parameter.entries == (0, 1, 3)
        assert problem.point.tolist() == [2.0, 0.5, 1.0]
        assert problem.claim.rows(0, 3).tolist() == [[1.0], [3.0], [8.0]]
        problem.point[1] += 0.25
        problem.evaluate([problem.point])
        assert seen[-1].tolist() == [[2.0, 0.625], [0.625, 1.0]]
        problem.point[1] -= 0.25
        problem.evaluate([problem.point])
        assert seen[-1].tolist() == S.tolist()


def test_notes_say_what_is_measured_and_along_what() -> None:
    """The values are not entries of the gradient, so a note says so."""
    with linear(G, S, tangent=symmetric)[0] as problem:
        assert [note.text for note in problem.parameters[0].notes] == [
            "3 of 4 entries measured, the others move with their mirror images",
            "values along admissible directions (symmetric)",
        ]
    with linear(G, np.tril(S), tangent=lower_triangular)[0] as problem:
        assert [(note.kind, note.count, note.text) for note in problem.parameters[0].notes] == [
            ("constrained", 3, "3 of 4 entries measured, the others stay zero")
        ]
    with linear(G, S, bounds=(0, 9))[0] as problem:
        assert problem.parameters[0].notes == ()
        assert problem.parameters[0].entries is None


def test_masked_entries_are_no_coordinates() -> None:
    """They are not perturbed, and there is no claim about them."""
    context, seen = linear(G, S, tangent=np.array([[False, True], [True, False]]))
    with context as problem:
        assert problem.point.tolist() == [0.5, 0.5]
        assert problem.claim.rows(0, 2).tolist() == [[2.0], [4.0]]
        problem.evaluate([np.array([7.0, 9.0])])
        assert seen[-1].tolist() == [[2.0, 7.0], [9.0, 1.0]]


def test_claims_along_directions_that_mix() -> None:
    """Each is the product of gradient and direction; a zero direction has no coordinate."""
    x = np.array([0.6, 0.8, 0.0])
    g = np.array([1.0, 2.0, 3.0])
    with linear(g, x, tangent=lambda x, d: (d - x * (x @ d)) * [1, 1, 0])[0] as problem:
        assert problem.parameters[0].entries == (0, 1)
        wanted = [g[0] - x[0] * 2.2, g[1] - x[1] * 2.2]
        assert problem.claim.rows(0, 2).ravel().tolist() == pytest.approx(wanted)


def test_claims_that_cancel_are_zero() -> None:
    """A multiple of the point has no component along the sphere, up to rounding."""
    x = np.array([0.3, 0.1, 0.7])
    x /= np.linalg.norm(x)
    with linear(4.7 * x, x, tangent=unit_norm)[0] as problem:
        assert problem.claim.rows(0, 3).tolist() == [[0.0], [0.0], [0.0]]


def test_complex_entries_move_in_both_parts() -> None:
    """The imaginary part of a Hermitian diagonal does not move at all."""
    H = np.array([[2.0, 1 + 1j], [1 - 1j, 1.0]])
    with linear(H, H, tangent=hermitian)[0] as problem:
        assert problem.parameters[0].entries == (0, 2, 3, 6)
        assert problem.claim.rows(0, 4).ravel().tolist() == [2.0, 1.0, 1.0, 1.0]


def test_forward_is_never_called_beyond_bounds() -> None:
    """The outputs are NaN there, and no call is counted."""
    context, seen = linear(np.ones(2), np.array([0.0, 0.5]), bounds=(0, [None, 1]))
    with context as problem:
        calls = problem.counts.forward
        assert np.isnan(problem.evaluate([np.array([-1e-300, 0.5])])[0]).all()
        assert np.isnan(problem.evaluate([np.array([0.0, 1.1])])[0]).all()
        assert problem.counts.forward == calls
        assert problem.evaluate([np.array([9.0, 1.0])])[0].tolist() == [10.0]
    assert all((x >= 0).all() and x[1] <= 1 for x in seen)


def test_errors_of_a_projection_are_edges_of_the_domain() -> None:
    """So are exceptions of forward."""

    def project(x: Any) -> Any:
        if x[0] > 1:
            raise np.linalg.LinAlgError
        return x

    context, _ = linear(np.ones(2), np.array([0.5, 0.5]), project=project)
    with context as problem:
        assert np.isnan(problem.evaluate([np.array([1.5, 0.5])])[0]).all()
        assert problem.evaluate([np.array([1.0, 0.5])])[0].tolist() == [1.5]


def test_other_parameters_keep_all_their_coordinates() -> None:
    """Constrained and unconstrained parameters cover the point without gaps."""
    call = Call(
        lambda a, p, b: a @ a + p @ p + b,
        lambda a, p, b: (2 * a, 2 * p, 1.0),
        (S[0], S[1] / 1.5, 3.0),
    )
    with posed(call, tangent={"p": np.array([False, True])}) as problem:
        assert [(q.name, q.start, q.stop) for q in problem.parameters] == [
            ("a", 0, 2), ("p", 2, 3), ("b", 3, 4),
        ]  # fmt: skip
        assert problem.point.tolist() == [2.0, 0.5, 1 / 1.5, 3.0]
        assert problem.claim.rows(0, 4).ravel().tolist() == [4.0, 1.0, 2 / 1.5, 1.0]


def test_jacobians_and_elementwise_claims_are_taken_along_too() -> None:
    """They are products for each output."""
    x = np.array([0.25, 0.75])
    with posed(Call(lambda x: x**2, lambda x: 2 * x, (x,)), tangent=simplex) as problem:
        assert problem.kind == "elementwise"
        directions = np.eye(2) - x
        assert problem.claim.rows(0, 2).tolist() == (directions * (2 * x)).tolist()


def test_tangents_handed_to_backward_are_admissible() -> None:
    """The function is measured along the same direction."""
    given: list[Any] = []

    def total(S: Any) -> Any:
        return np.sum(S)

    def backward(S: Any, tangent: Any) -> Any:
        given.append(tangent)
        return np.sum(tangent)

    with posed(Call(total, backward, (S,)), tangent=symmetric) as problem:
        assert problem.kind == "jvp"
        assert given[0].tolist() == given[0].T.tolist()
        assert problem.tangent is not None
        assert given[0][0, 1] == problem.tangent[1] / 2
        assert problem.notes[-1].text == "the tangent is admissible for S"


def test_no_entry_that_may_move_is_an_error() -> None:
    """There is nothing to check."""
    for declared in ({"tangent": np.zeros(2, dtype=bool)}, {"bounds": (0.5, 0.5)}):
        with (
            pytest.raises(GradcheckUsageError) as error,
            linear(np.ones(2), np.full(2, 0.5), **declared)[0],
        ):
            pass
        assert error.value.args[0] == (
            "no entry of x may move under its constraint, so there is nothing to check: leave x "
            "out of wrt=, or allow some of its entries to move."
        )


def test_errors_while_several_entries_move_say_of_what() -> None:
    """The message names the perturbed parameter only."""

    def forward(S: Any, b: Any) -> Any:
        if S[0, 1] != 0.5:
            raise RuntimeError
        return S.sum() + b

    call = Call(forward, lambda S, b: (np.ones((2, 2)), 1.0), (S, 1.0))
    with pytest.raises(RuntimeError) as error, posed(call, tangent={"S": symmetric}) as problem:
        problem.attempt([np.array([2.0, 0.75, 1.0, 1.0])])
    assert error.value.__notes__ == ["while gradcheck perturbed several entries of S"]


def test_rounding_of_claims_stays_when_their_terms_cancel() -> None:
    """A large component across the sphere leaves its rounding in the small one along it."""
    x = np.array([0.6, 0.8])
    g = 1e6 * x + np.array([0.8, -0.6])
    with linear(g, x, tangent=unit_norm)[0] as problem:
        assert problem.claim.rows(0, 2).ravel() == pytest.approx([0.8, -0.6], rel=1e-8)
        assert problem.roundings[0] == pytest.approx(np.finfo(float).eps * 1e6, rel=0.5)


def test_rounding_of_claims_that_do_not_mix_is_their_own() -> None:
    """A mask keeps the rounding as it is."""
    single, mask = np.ones(2, dtype=np.float32), np.array([True, False])
    with linear(single, np.ones(2), tangent=mask)[0] as problem:
        assert problem.roundings == (float(np.finfo(np.float32).eps),)
