"""Several outputs and complex outputs, end to end."""

from collections import namedtuple
from typing import Any

import numpy as np
import pytest

from pytest_gradcheck import GradcheckUsageError
from pytest_gradcheck.binding.bind import bind
from pytest_gradcheck.binding.call.resolved_call import Call
from pytest_gradcheck.binding.gradient_problem import Problem

A = np.random.default_rng(0).normal(size=(2, 3))
X = np.array([1.0, -2.0, 0.5])
Stats = namedtuple("Stats", "y loss")  # noqa: PYI024  # as users write it


def posed(forward: Any, backward: Any, *args: Any, **call: Any) -> Problem:
    """Bind a call and leave the context at once."""
    convention = call.pop("convention", "pytorch")
    with bind(Call(forward, backward, args, **call), seed=0, convention=convention) as problem:
        return problem


def refused(forward: Any, backward: Any, *args: Any) -> str:
    """Return the unfolded message of the usage error that a call raises."""
    with pytest.raises(GradcheckUsageError) as error:
        posed(forward, backward, *args)
    return str(error.value.args[0])


def pair(x: Any) -> Any:
    """Return two outputs in a tuple."""
    return A @ x, np.sum(x**2)


class TestWithoutCotangent:
    """Backward returns the structure of the outputs, with the derivative of each."""

    def test_jacobian_and_gradient(self) -> None:
        """Their columns are next to each other, and outputs keep their names."""
        problem = posed(pair, lambda x: (A, 2 * x), X)
        assert problem.kind == "jacobian"
        assert [block.name for block in problem.outputs] == ["output[0]", "output[1]"]
        expected = np.vstack([A, 2 * X]).T
        assert problem.claim.rows(0, 3).tolist() == expected.tolist()
        assert problem.base.tolist() == [*(A @ X), np.sum(X**2)]

    def test_elementwise_derivative_of_one_of_several(self) -> None:
        """Each is returned as for that output alone."""
        problem = posed(lambda x: (np.sin(x), np.sum(x)), lambda x: (np.cos(x), 0 * x + 1), X)
        expected = np.vstack([np.diag(np.cos(X)), np.ones(3)]).T
        assert problem.claim.rows(0, 3).tolist() == expected.tolist()

    def test_several_parameters_of_several_outputs(self) -> None:
        """The outer structure is that of the outputs, the inner that of the parameters."""
        problem = posed(
            lambda x, b: {"y": A @ x + b, "loss": np.sum(x) * b},
            lambda x, b: {
                "y": {"x": A, "b": np.ones(2)},
                "loss": {"x": 0 * x + b, "b": np.sum(x)},
            },
            X,
            3.0,
        )
        assert problem.claim.rows(0, 3).tolist() == np.vstack([A, [3.0] * 3]).T.tolist()
        assert problem.claim.rows(3, 4).tolist() == [[1, 1, np.sum(X)]]

    def test_container_of_one_scalar_keeps_its_name(self) -> None:
        """A container of one output is a structure, too."""
        problem = posed(lambda x: {"loss": np.sum(x)}, lambda x: {"loss": 0 * x + 1}, X)
        assert problem.kind == "jacobian"
        assert [block.name for block in problem.outputs] == ["output['loss']"]

    def test_other_structure_is_refused(self) -> None:
        """The message says what was expected, and how to get a cotangent or a cache."""
        assert refused(pair, lambda x: A, X) == (
            "lambda returned float64 array of shape (2, 3), but pair has several outputs: "
            "output[0] of shape (2,), output[1] of shape (). Return their structure, a tuple of "
            "2, with the derivatives of that output in the place of each. To be handed an "
            "upstream gradient instead, give backward a parameter cotangent, dout or "
            "grad_output. The tuple of 2 that forward returned is taken as that many outputs; if "
            "it is (output, cache), say has_cache=True."
        )

    def test_wrong_shape_names_the_output(self) -> None:
        """The message says which output the expected Jacobian is of."""
        assert refused(pair, lambda x: (A.T, 2 * x), X) == (
            "lambda returned a gradient of x of shape (3, 2); forward's output[0] has shape (2,), "
            "so its Jacobian has shape (2, 3). Its transpose is right."
        )

    def test_claim_that_is_not_finite_names_the_output(self) -> None:
        """The message says which of the derivatives it is."""
        assert refused(pair, lambda x: (A, np.array([1.0, np.inf, np.inf])), X) == (
            "lambda returned a gradient of output[1] / x that is not finite: output[1] / x[1] is "
            "inf (2 of 3 entries)."
        )


class TestCotangent:
    """A cotangent has the structure of the outputs."""

    @pytest.mark.parametrize(
        "wrap",
        [
            tuple,
            list,
            lambda parts: Stats(*parts),
            lambda parts: {"y": parts[0], "loss": parts[1]},
        ],
    )
    def test_structure_and_types(self, wrap: Any) -> None:
        """Containers, shapes and dtypes are those of what forward returned."""
        given: list[Any] = []

        def forward(x: Any) -> Any:
            return wrap([(A @ x).astype(np.float32), float(np.sum(x**2))])

        def backward(x: Any, dout: Any) -> Any:
            given.append(dout)
            y, loss = dout.values() if isinstance(dout, dict) else dout
            return A.T @ y + 2 * x * loss

        problem = posed(forward, backward, X)
        assert problem.kind == "vjp"
        assert type(given[0]) is type(forward(X))
        y, loss = given[0].values() if isinstance(given[0], dict) else given[0]
        assert (y.dtype, y.shape, type(loss)) == (np.float32, (2,), float)
        rounded = (A @ X).astype(np.float32).astype(np.float64)
        expected = y.astype(np.float64) @ rounded + loss * np.sum(X**2)
        assert problem.base == pytest.approx([expected], rel=1e-14)

    def test_rounded_cotangent_is_the_one_that_reduces(self) -> None:
        """The outputs are weighted with the cotangent as it was rounded for backward."""
        given: list[Any] = []

        def backward(dout: Any) -> Any:
            given.append(dout)
            return dout

        problem = posed(lambda x: (x + 0).astype(np.float16), backward, X)
        assert given[0].dtype == np.float16
        assert problem.base.tolist() == [given[0].astype(np.float64) @ X]

    def test_error_of_backward_proposes_has_cache(self) -> None:
        """The message says that a tuple may be (output, cache)."""

        def forward(x: Any) -> Any:
            return A @ x, x

        with pytest.raises(AttributeError) as error:
            posed(forward, lambda x, dout: A.T @ dout.reshape(2), X)
        assert error.value.__notes__ == [
            "gradcheck called backward as lambda(x=<float64 array of shape (3,)>, "
            "dout=<cotangent, tuple>)",
            "The tuple of 2 that forward returned is taken as that many outputs; if it is "
            "(output, cache), say has_cache=True.",
        ]


class TestEvaluation:
    """Outputs at perturbed points."""

    def test_cache_beside_several_outputs(self) -> None:
        """The first part of the pair may be a container."""
        problem = posed(
            lambda x: ({"y": A @ x, "loss": np.sum(x)}, x.shape),
            lambda cache, dout: A.T @ dout["y"] + np.ones(cache) * dout["loss"],
            X,
        )
        assert (problem.kind, problem.notes[0].kind) == ("vjp", "cotangent")

    def test_vector_is_evaluated_in_the_order_of_the_outputs(self) -> None:
        """Complex parameters are perturbed by their parts."""

        def backward(x: Any, tangent: Any) -> Any:
            return tangent[0] * 1j, 2 * tangent

        with bind(Call(lambda x: (x[0] * 1j, 2 * x), backward, (X,)), seed=0) as problem:
            assert problem.evaluate([X + 1])[0].tolist() == [0, 2, 4, -2, 3]

    def test_output_that_vanishes_while_perturbing_is_refused(self) -> None:
        """The message names the entry, and the part of it where it is complex."""
        z = np.array([1 + 2j, 3j])

        def forward(z: Any) -> Any:
            outputs = {"a": np.sum(np.abs(z)), "b": np.sum(z.real)}
            return outputs if z[1] == 3j else {"a": outputs["a"]}

        def backward(z: Any) -> Any:
            return {"a": z / np.abs(z), "b": np.ones(2) + 0j}

        with bind(Call(forward, backward, (z,)), seed=0) as problem:
            problem.point[3] += 0.5
            with pytest.raises(GradcheckUsageError) as error:
                problem.attempt([problem.point])
            problem.point[3] -= 0.5
        assert error.value.args[0] == (
            "forward returned no output['b'], while gradcheck perturbed z[1].imag by 0.5: the "
            "kind and the size of its output must not depend on the parameters."
        )


class TestTangent:
    """A tangent has the structure of the parameters, its result that of the outputs."""

    def test_several_parameters_and_outputs(self) -> None:
        """The tangent is a tuple in the order of wrt; the result is like the outputs."""
        given: list[Any] = []

        def backward(x: Any, params: Any, tangent: Any) -> Any:
            given.append(tangent)
            dx, dp = tangent
            return {"y": A @ dx + dp["b"], "loss": 2 * x @ dx}

        problem = posed(
            lambda x, params: {"y": A @ x + params["b"], "loss": np.sum(x**2)},
            backward,
            X,
            {"b": np.ones(2), "n": 3},
        )
        dx, dp = given[0]
        assert (dx.shape, dp["b"].shape, dp["n"]) == ((3,), (2,), 3)
        assert problem.tangent is not None
        assert problem.tangent.tolist() == [*dx, *dp["b"]]
        assert problem.claim.rows(0, 1).tolist() == [[*(A @ dx + dp["b"]), 2 * X @ dx]]

    def test_complex_parameters_and_outputs(self) -> None:
        """Both parts of the direction are random, both parts of the result are claims."""
        given: list[Any] = []

        def backward(z: Any, tangent: Any) -> Any:
            given.append(tangent)
            return 2 * z * tangent

        z = np.array([1 + 2j, -1j])
        problem = posed(lambda z: z**2, backward, z)
        assert problem.tangent is not None
        assert problem.tangent.view(np.complex128).tolist() == given[0].tolist()
        claim = problem.claim.rows(0, 1).view(np.complex128)
        assert claim.tolist() == [(2 * z * given[0]).tolist()]

    def test_rounded_tangent_is_the_direction(self) -> None:
        """The claim is about the tangent as it was rounded for a float32 parameter."""
        given: list[Any] = []

        def backward(x: Any, tangent: Any) -> Any:
            given.append(tangent)
            return tangent

        def forward(x: Any) -> Any:
            assert x.dtype == np.float32
            return x + 0

        problem = posed(forward, backward, X.astype(np.float32))
        assert problem.tangent is not None
        assert given[0].dtype == np.float32
        assert problem.tangent.tolist() == given[0].tolist()

    def test_other_structure_is_refused(self) -> None:
        """The message says what was expected."""
        assert refused(pair, lambda x, tangent: A @ tangent, X) == (
            "lambda returned float64 array of shape (2,), but pair has several outputs: "
            "output[0] of shape (2,), output[1] of shape (). Return their structure, a tuple of "
            "2, with its derivative along the tangent in the place of each. The tuple of 2 that "
            "forward returned is taken as that many outputs; if it is (output, cache), say "
            "has_cache=True."
        )

    def test_wrong_shape_names_the_output(self) -> None:
        """Its shapes must match exactly."""
        assert refused(pair, lambda x, tangent: (A @ tangent, tangent), X) == (
            "lambda returned a derivative along the tangent of shape (3,); forward's output[1] "
            "has shape ()."
        )


class TestComplex:
    """A complex output is two real ones."""

    def test_holomorphic_jacobian(self) -> None:
        """Four real derivatives for each complex one, and the claim is elementwise."""
        z = np.array([1 + 2j, 0.5j])
        problem = posed(np.square, lambda x: 2 * x, z)
        assert problem.kind == "elementwise"
        assert problem.claim.rows(0, 2).tolist() == [[2, 4, 0, 0], [-4, 2, 0, 0]]

    @pytest.mark.parametrize(("convention", "sign"), [("pytorch", 1), ("jax", -1)])
    def test_cotangent_reduces_by_convention(self, convention: str, sign: int) -> None:
        """There is a note on the convention where it makes a difference."""
        given: list[Any] = []

        def backward(x: Any, dout: Any) -> Any:
            given.append(dout)
            return np.real(dout)

        problem = posed(lambda x: x + 2j, backward, X, convention=convention)
        cotangent = given[0]
        assert cotangent.dtype == np.complex128
        expected = cotangent.real @ X + sign * 2 * cotangent.imag.sum()
        assert problem.base == pytest.approx([expected])
        assert problem.notes[-1].text == (
            f"complex gradients are dL/dRe {'+' if sign > 0 else '-'} i dL/dIm "
            f"(convention={convention!r})"
        )

    def test_convention_is_not_noted_where_it_decides_nothing(self) -> None:
        """Holomorphic Jacobians and JVPs are the same in both conventions."""
        z = np.array([1 + 2j, 0.5j])
        assert posed(lambda z: z**2, lambda z: np.diag(2 * z), z).notes == ()
        assert len(posed(lambda z: z**2, lambda z, tangent: 2 * z * tangent, z).notes) == 1

    def test_complex_claim_about_real_numbers_is_refused(self) -> None:
        """Its imaginary part may be rounding, but nothing else."""
        assert refused(lambda x: np.sum(x**2), lambda x: 2 * x + 0.5j, X) == (
            "lambda returned complex numbers for the derivative of x, which is real: x[0] is "
            "2+0.5j. Return the real part."
        )
        problem = posed(lambda x: np.sum(x**2), lambda x: 2 * x + 1e-16j, X)
        assert problem.claim.rows(0, 3).tolist() == [[2], [-4], [1]]


def best(x: Any) -> Any:
    """Return a number, and an index and a mask, which have no derivative."""
    return np.sum(x**2), np.argmax(x), x > 0


class TestDiscreteOutputs:
    """Integers and booleans beside floating outputs are left out, and that is said."""

    def test_they_are_noted(self) -> None:
        """The note names them."""
        problem = posed(best, lambda x: (2 * x, None, None), X)
        assert [block.name for block in problem.outputs] == ["output[0]"]
        assert [(note.kind, note.text) for note in problem.notes] == [
            (
                "nondifferentiable",
                "left out, since integers have no derivative: output[1], output[2]",
            )
        ]

    @pytest.mark.parametrize("returned", [2 * X, (2 * X,), (2 * X, None, None), [2 * X, 0, X > 0]])
    def test_backward_may_return_the_derivative_of_the_others(self, returned: Any) -> None:
        """Alone, or with nothing that is a derivative in the places of the discrete ones."""
        assert posed(best, lambda x: returned, X).claim.rows(0, 3).tolist() == [[2], [-4], [1]]

    def test_gradients_of_as_many_parameters_are_no_derivatives_by_output(self) -> None:
        """A floating array in the place of an index is the gradient of a parameter."""
        problem = posed(lambda x, w: (x @ w, 3), lambda x, w: (w, x), X, 2 * X)
        assert problem.claim.rows(0, 6).ravel().tolist() == [*(2 * X), *X]

    def test_keys_may_be_missing(self) -> None:
        """Where the outputs are a mapping."""
        for about in (3, {"n": 3, "places": [0, 1]}):
            outputs = {"loss": X @ X, "about": about}
            problem = posed(lambda x, o=outputs: o | {"loss": x @ x}, lambda x: {"loss": 2 * x}, X)
            assert problem.claim.rows(0, 3).tolist() == [[2], [-4], [1]]

    def test_their_upstream_gradients_are_zeros(self) -> None:
        """In their own types, so that no index is multiplied by a random number."""
        given: list[Any] = []

        def backward(x: Any, dout: Any) -> Any:
            given.append(dout)
            return 2 * x * dout[0]

        posed(best, backward, X)
        assert (given[0][1], given[0][2].tolist()) == (0, [False] * 3)

    def test_an_upstream_gradient_of_each(self) -> None:
        """The one that is not used may still be asked for."""
        problem = posed(lambda x: (x**2, np.sign(x).astype(int)), lambda dy, di, x: 2 * x * dy, X)
        kinds = [note.kind for note in problem.notes]
        assert kinds == ["called", "cotangent", "nondifferentiable"]
        assert "not checked" not in problem.notes[1].text
