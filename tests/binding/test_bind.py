"""Binding end to end: from a call to a problem in numbers, with nothing of the user's changed."""

import functools
import random
import warnings
from collections import namedtuple
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from pytest_gradcheck import GradcheckUsageError
from pytest_gradcheck.binding.bind import bind
from pytest_gradcheck.binding.call.resolved_call import Call
from pytest_gradcheck.binding.gradient_problem import Problem

RNG = np.random.default_rng(0)


def posed(forward: Callable[..., Any], backward: Any, *args: Any, **call: Any) -> Problem:
    """Bind a call and leave the context at once."""
    with bind(Call(forward, backward, args, **call), seed=0) as problem:
        return problem


def refused(forward: Callable[..., Any], backward: Any, *args: Any, **call: Any) -> str:
    """Return the unfolded message of the usage error that a call raises."""
    with (
        pytest.raises(GradcheckUsageError) as error,
        bind(Call(forward, backward, args, **call), seed=0),
    ):
        pass
    return str(error.value.args[0])


def square(x: Any) -> Any:
    """Return the sum of squares."""
    return np.sum(np.asarray(x) ** 2)


def square_gradient(x: Any) -> Any:
    """Return its gradient."""
    return 2 * np.asarray(x)


def names(problem: Problem) -> list[str]:
    """Return the names of the parameters."""
    return [parameter.name for parameter in problem.parameters]


class TestKinds:
    """What backward asks for decides which derivative is checked."""

    def test_scalar_output_is_a_gradient(self) -> None:
        """There is one output, and a claim for each entry."""
        problem = posed(square, square_gradient, np.array([1.0, 2.0]))
        assert problem.kind == "gradient"
        assert problem.outputs == ()
        assert problem.base.tolist() == [5.0]
        assert problem.claim.rows(0, 2).tolist() == [[2.0], [4.0]]

    def test_one_by_one_cost_counts_as_a_scalar(self) -> None:
        """An output of shape (1, 1) has a gradient of the parameter's shape."""
        problem = posed(lambda x: square(x).reshape(1, 1), square_gradient, np.array([1.0, 2.0]))
        assert problem.kind == "gradient"

    def test_array_output_is_a_jacobian(self) -> None:
        """Rows of the claim are coordinates, columns are outputs."""
        A = RNG.normal(size=(3, 2))
        problem = posed(lambda x: A @ x, lambda x: A, np.ones(2))
        assert problem.kind == "jacobian"
        assert [block.shape for block in problem.outputs] == [(3,)]
        assert problem.claim.rows(0, 2).tolist() == A.T.tolist()

    def test_claim_of_the_common_shape_is_elementwise(self) -> None:
        """The claim is the diagonal of a Jacobian that is zero elsewhere."""
        x = np.array([[0.0, 1.0]])
        problem = posed(np.tanh, lambda x: 1 - np.tanh(x) ** 2, x)
        assert problem.kind == "elementwise"
        assert problem.claim.rows(0, 2).tolist() == [[1.0, 0.0], [0.0, 1 - np.tanh(1.0) ** 2]]

    def test_cotangent_makes_a_vjp(self) -> None:
        """Outputs are reduced by the cotangent that backward was given."""
        given: list[Any] = []

        def backward(dout: Any) -> Any:
            given.append(dout)
            return dout * 2

        problem = posed(lambda x: 2 * x, backward, np.ones((2, 3)))
        assert problem.kind == "vjp"
        assert given[0].shape == (2, 3)
        assert problem.base == pytest.approx([np.sum(given[0] * 2)])
        assert problem.notes[0].text == "a random signed cotangent was drawn from seed 0"

    def test_cotangent_has_either_sign_and_no_zero(self) -> None:
        """No error cancels another, and none is weighted away."""
        given: list[Any] = []

        def backward(dout: Any) -> Any:
            given.append(dout)
            return dout

        posed(lambda x: x, backward, np.ones(200))
        assert (np.abs(given[0]) >= 0.5).all()
        assert (np.abs(given[0]) <= 1.5).all()
        assert 50 < np.count_nonzero(given[0] > 0) < 150

    def test_tangent_makes_a_jvp(self) -> None:
        """The claim is about one direction."""
        problem = posed(lambda x: x**2, lambda x, tangent: 2 * x * tangent, np.ones(3))
        assert problem.kind == "jvp"
        assert problem.tangent is not None
        assert problem.claim.rows(0, 1).tolist() == [(2 * problem.tangent).tolist()]

    def test_true_takes_value_and_gradients_from_forward(self) -> None:
        """`backward=True` splits what forward returns."""
        problem = posed(lambda x: (square(x), 2 * x), True, np.ones(2))
        assert problem.kind == "gradient"
        assert problem.counts.backward == 0

    def test_backward_is_called_straight_after_forward_at_the_point(self) -> None:
        """It reads the state that forward left at the unperturbed point."""
        log: list[str] = []

        def forward(x: Any) -> Any:
            log.append(f"forward {x[0]}")
            return square(x)

        def backward(x: Any) -> Any:
            log.append("backward")
            return 2 * x

        posed(forward, backward, np.array([3.0]))
        assert log[-2:] == ["forward 3.0", "backward"]


class TestParameters:
    """What is checked, and how it is passed to forward."""

    def test_default_is_every_floating_argument(self) -> None:
        """Also inside containers; integers, flags, texts and defaults are not checked."""

        def forward(x: Any, params: Any, n: Any, flag: Any, eps: float = 1e-3) -> Any:
            return square(x) + params["W"] + eps

        problem = posed(
            forward, lambda x, params: (2 * x, {"W": 1.0}, None, None), np.ones(2), {"W": 1.0},
            np.arange(3), True,
        )  # fmt: skip
        assert names(problem) == ["x", "params['W']"]

    @pytest.mark.parametrize("wrt", ["params['W']", "W", ["W"]])
    def test_wrt_names_leaves_in_full_or_short_and_positions(self, wrt: Any) -> None:
        """All of these mean the same leaf."""
        problem = posed(lambda x, params: x * params["W"], lambda x: x, 2.0, {"W": 3.0}, wrt=wrt)
        assert names(problem) == ["params['W']"]

    def test_wrt_takes_positions(self) -> None:
        """Positions count forward's positional arguments, also from the end."""
        for wrt in (1, -1, [1]):
            assert names(posed(lambda x, w: x * w, lambda x: x, 2.0, 3.0, wrt=wrt)) == ["w"]

    Pair = namedtuple("Pair", "left right")  # noqa: PYI024  # users have untyped ones

    @dataclass
    class Layer:
        """Two parameters."""

        W: Any
        b: Any

    @pytest.mark.parametrize(
        "argument",
        [
            {"W": np.ones((2, 2)), "b": 0.5},
            [np.ones((2, 2)), 0.5],
            (np.ones((2, 2)), 0.5),
            Pair(np.ones((2, 2)), 0.5),
            Layer(np.ones((2, 2)), 0.5),
            {"outer": [{"W": np.ones((2, 2))}, (0.5,)]},
        ],
        ids=["dict", "list", "tuple", "namedtuple", "dataclass", "nested"],
    )
    def test_forward_gets_containers_as_they_came(self, argument: Any) -> None:
        """Perturbing the point perturbs the leaves, in containers of the same type."""
        seen: list[Any] = []

        def forward(p: Any) -> float:
            seen.append(type(p))
            return float(sum(np.sum(leaf**2) for leaf in _flat(p)))

        def backward(p: Any) -> Any:
            return _map(p, lambda leaf: 2 * leaf)

        with bind(Call(forward, backward, (argument,)), seed=0) as problem:
            assert problem.point.tolist() == [1.0, 1.0, 1.0, 1.0, 0.5]
            assert problem.claim.rows(0, 5).ravel().tolist() == [2.0, 2.0, 2.0, 2.0, 1.0]
            problem.point[4] = 2.0
            assert problem.evaluate([problem.point])[0].tolist() == [8.0]
            problem.point[4] = 0.5
        assert set(seen) == {type(argument)}

    @pytest.mark.parametrize(
        "x",
        [
            np.asfortranarray(np.arange(6.0).reshape(2, 3)),
            np.arange(12.0).reshape(2, 6)[:, ::2],
            np.arange(6.0).reshape(3, 2).T,
            np.arange(6.0)[::-1].reshape(2, 3),
        ],
        ids=["fortran", "strided", "transposed", "reversed"],
    )
    def test_arrays_of_any_layout(self, x: Any) -> None:
        """Coordinates are in C order of the entries, for any memory layout."""
        weights = np.arange(6.0).reshape(2, 3)
        with bind(Call(lambda x: np.sum(weights * x), lambda x: weights, (x,)), seed=0) as problem:
            assert problem.point.tolist() == x.ravel().tolist()
            problem.point[4] += 1
            assert problem.evaluate([problem.point])[0, 0] == pytest.approx(
                np.sum(weights * x) + 4
            )
            problem.point[4] -= 1

    def test_read_only_array_is_fine(self) -> None:
        """Only copies are perturbed."""
        x = np.ones(3)
        x.flags.writeable = False
        assert posed(square, square_gradient, x).point.tolist() == [1.0, 1.0, 1.0]

    def test_list_of_numbers_comes_as_a_list(self) -> None:
        """A rectangular list is one parameter and stays a list."""
        problem = posed(lambda x: square(x) * (type(x) is list), square_gradient, [[1.0, 2.0]])
        assert problem.parameters[0].shape == (1, 2)
        assert problem.base.tolist() == [5.0]

    def test_python_int_that_is_named_is_a_float(self) -> None:
        """It is checked as a float, with a note."""
        problem = posed(lambda x, theta: x * theta, lambda x: x, 2, 4, wrt="theta")
        assert problem.point.tolist() == [4.0]
        assert [note.text for note in problem.notes] == ["a Python int, checked as a float: theta"]

    def test_float32_is_measured_in_float64_where_forward_follows(self) -> None:
        """The rounding of float32 would dominate a difference quotient."""
        problem = posed(square, square_gradient, np.ones(2, dtype=np.float32))
        assert problem.parameters[0].dtype == "float32"
        assert problem.notes[0].text == "measured in float64, forward follows: x"

    def test_float32_beside_a_long_double_is_measured_in_float64(self) -> None:
        """Even beside a float64 that determines the type of the output."""

        def forward(x: Any, y: Any) -> Any:
            return np.sum(x**2) + np.sum(y**2)

        problem = posed(
            forward,
            lambda x, y: (2 * x, 2 * y),
            np.ones(2, dtype=np.float32),
            np.ones(2, dtype=np.longdouble),
        )
        assert problem.notes[0].text == "measured in float64, forward follows: x"

    def test_float32_stays_where_forward_insists(self) -> None:
        """A forward that computes in float32 gets float32."""

        def forward(x: Any) -> Any:
            if x.dtype != np.float32:
                raise TypeError(x.dtype)
            return np.sum(x**2)

        problem = posed(forward, square_gradient, np.ones(2, dtype=np.float32))
        assert problem.notes == ()
        assert problem.base.tolist() == [2.0]

    def test_complex_entry_takes_two_coordinates(self) -> None:
        """Real and imaginary part, with the gradient df/dRe + i df/dIm."""
        z = np.array([1 + 2j])
        problem = posed(lambda z: float(np.sum(abs(z) ** 2)), lambda z: 2 * z, z)
        assert problem.point.tolist() == [1.0, 2.0]
        assert problem.claim.rows(0, 2).tolist() == [[2.0], [4.0]]

    def test_other_vectors_may_be_evaluated(self) -> None:
        """The point is restored after an evaluation at another one."""
        with bind(Call(square, square_gradient, (np.ones(2),)), seed=0) as problem:
            assert problem.evaluate([np.array([3.0, 4.0])])[0].tolist() == [25.0]
            assert problem.point.tolist() == [1.0, 1.0]


class Layer:
    """A layer with an alias of its parameters and a cache in its attributes."""

    def __init__(self) -> None:
        self.W = np.arange(6.0).reshape(3, 2)
        self.b = np.zeros(2)
        self.gain = 2.0
        self.params = [self.W, self.b]

    def forward(self, x: Any) -> Any:
        """Use the alias, not the attribute."""
        self.x = x
        return self.gain * (x @ self.params[0] + self.params[1])

    def backward(self, dout: Any) -> Any:
        """Store the gradients as attributes."""
        self.dW = self.gain * self.x.T @ dout
        self.grad_b = self.gain * dout.sum(axis=0)
        self.gain_grad = np.sum(dout * (self.x @ self.W + self.b))
        return self.gain * dout @ self.W.T


class TestLayers:
    """Parameters in attributes."""

    WRT = ("x", "self.W", "self.b", "self.gain")

    def test_attributes_are_perturbed_in_place_on_a_copy(self) -> None:
        """Aliases see the perturbation; the user's object does not."""
        layer = Layer()
        before = dict(vars(layer))
        x = RNG.normal(size=(4, 3))
        call = Call(layer.forward, layer.backward, (x,), wrt=self.WRT)
        with bind(call, seed=0) as problem:
            assert names(problem) == list(self.WRT)
            h, claims = 1e-6, problem.claim.rows(0, problem.point.size)[:, 0]
            for k in (0, 12, 18, 20):
                problem.point[k] += h
                up = problem.evaluate([problem.point])[0, 0]
                problem.point[k] -= 2 * h
                down = problem.evaluate([problem.point])[0, 0]
                problem.point[k] += h
                assert (up - down) / (2 * h) == pytest.approx(claims[k], rel=1e-6)
                problem.point[k] = np.round(problem.point[k], 15) if k > 11 else x.ravel()[k]
        assert vars(layer) == before

    def test_missing_attribute_is_an_error(self) -> None:
        """A typo gets a suggestion."""
        layer = Layer()
        assert refused(layer.forward, layer.backward, np.ones((1, 3)), wrt="self.paramz") == (
            "wrt='self.paramz': the Layer that forward is bound to has no such attribute. Did you "
            "mean 'self.params'?"
        )

    def test_attribute_without_a_gradient_is_an_error(self) -> None:
        """The message says where it was looked for."""
        layer = Layer()
        assert refused(
            layer.forward, lambda dout: dout @ layer.W.T, np.ones((1, 3)), wrt=["x", "self.b"]
        ) == (
            "no gradient for self.b: backward neither returned one nor left one in self.db, "
            "self.grad_b, self.b_grad or self.grads['b']."
        )

    def test_gradient_of_an_attribute_under_another_key_is_an_error(self) -> None:
        """The message says which keys there are."""
        layer = Layer()
        assert refused(
            layer.forward,
            lambda dout: {"x": dout @ layer.W.T, "shift": dout.sum(0)},
            np.ones((1, 3)),
            wrt=["x", "self.b"],
        ) == (
            "lambda gives no gradient for self.b; it returned a dict with the keys x, shift. "
            "Check what it does return with wrt='x'."
        )


class TestTheUsersWorld:
    """Everything of the user's is as before."""

    def test_arguments_are_never_handed_out(self) -> None:
        """Forward and backward are given copies, of containers too."""
        params = {"W": np.ones(2), "state": {"n": np.zeros(1)}}
        inner = params["state"]

        def forward(params: Any) -> Any:
            params["state"]["n"] += 1
            params["new"] = 1
            return square(params["W"])

        posed(forward, lambda params: {"W": 2 * params["W"]}, params, wrt="W")
        assert list(params) == ["W", "state"]
        assert params["state"] is inner
        assert params["state"]["n"].tolist() == [0.0]  # type: ignore[index]  # a dict of dicts

    def test_changed_unchecked_argument_is_restored_and_noted(self) -> None:
        """Running means are the same in every evaluation."""

        def forward(x: Any, running: Any) -> Any:
            running["mean"] = running["mean"] + 1
            return square(x) * float(running["mean"][0])

        with bind(
            Call(forward, lambda x: 2 * x, (np.ones(2), {"mean": np.zeros(1)}), wrt="x"), seed=0
        ) as problem:
            assert problem.base == problem.repeat == problem.evaluate([problem.point])[0]
            assert problem.notes[0].text == (
                "changed by forward, restored each time: running['mean']"
            )

    def test_changed_checked_argument_is_an_error(self) -> None:
        """The derivative of a value that forward overwrites means nothing."""

        def forward(x: Any) -> Any:
            x *= 2
            return np.sum(x)

        assert refused(forward, lambda x: x, np.array([[1.0, 2.0]])) == (
            ["TestTheUsersWorld.test_changed_checked_argument_is_an_error", "forward"][1]
            + " changes its argument x in place: x[0, 0] was 1.0 and became 2.0. Work on a copy, "
            "for example x = x.copy(), so that the derivative is that of the value passed in."
        )

    def test_backward_that_changes_a_parameter_is_an_error(self) -> None:
        """Nor may backward change them."""

        def backward(x: Any) -> Any:
            x *= 2
            return x

        assert refused(square, backward, np.array([1.0])).startswith(
            "backward changes its argument x in place: x[0] was 1.0 and became 2.0."
        )

    @pytest.mark.parametrize("draw", [np.random.rand, random.random])  # global on purpose
    def test_global_randomness_is_replayed_and_put_back(self, draw: Any) -> None:
        """Every evaluation draws the same numbers, and afterwards the generator is restored."""
        numpy_before, python_before = np.random.get_state(), random.getstate()  # noqa: NPY002  # as above
        with bind(
            Call(lambda x: square(x) * draw(), lambda x: x, (np.ones(2),)), seed=0
        ) as problem:
            assert problem.base == problem.repeat == problem.evaluate([problem.point])[0]
            assert not problem.randomness_moved()
        assert random.getstate() == python_before
        assert str(np.random.get_state()) == str(numpy_before)  # noqa: NPY002  # as above

    def test_generators_are_found_and_put_back(self) -> None:
        """Generators are found in arguments, defaults, closures and attributes."""
        generators = [np.random.default_rng(k) for k in range(4)]
        argument, default, closure, attribute = generators

        class Noisy:
            rng = None

            def forward(self, x: Any, rng: Any, other: Any = default) -> Any:
                factor = rng.random() + other.random() + closure.random() + self.rng.random()  # type: ignore[attr-defined]  # set below
                return square(x) * factor

        noisy = Noisy()
        noisy.rng = attribute  # type: ignore[assignment]  # as users do
        before = [g.bit_generator.state for g in generators]
        problem = posed(noisy.forward, lambda x: x, np.ones(2), argument, wrt="x")
        assert problem.base == problem.repeat
        assert [g.bit_generator.state for g in generators] == before

    def test_randomness_that_cannot_be_replayed_is_named(self) -> None:
        """It is not reported as a wrong gradient."""
        values = iter(range(1, 100))
        assert refused(lambda x: square(x) * next(values), lambda x: x, np.ones(2)) == (
            "lambda is not repeatable: at the same point it gave 2 and then 4, so no derivative "
            "of it can be measured. Its randomness was looked for in the global state of numpy, "
            "Python and torch, arguments, defaults, closures, the bound object and the globals "
            "that forward and backward name. If it draws from another generator, say "
            "replay=generator; if it keeps state between calls, reset that in forward."
        )

    def test_replay_takes_generators_only(self) -> None:
        """An object whose state cannot be restored is refused."""
        with (
            pytest.raises(GradcheckUsageError) as error,
            bind(Call(square, square_gradient, (np.ones(2),)), seed=0, replay=[3]),
        ):
            pass
        assert error.value.args[0] == (
            "replay=3 cannot be put back: replay takes numpy.random.Generator, BitGenerator and "
            "RandomState objects, random.Random and torch.Generator objects."
        )

    def test_errors_at_perturbed_points_are_nan(self) -> None:
        """Any exception of forward means that it is undefined there."""
        for error in (ZeroDivisionError, ValueError, np.linalg.LinAlgError, KeyError, TypeError):

            def forward(x: Any, error: Any = error) -> Any:
                if x[0] != 1:
                    raise error("outside")
                return square(x)

            with bind(Call(forward, square_gradient, (np.ones(1),)), seed=0) as problem:
                assert np.isnan(problem.evaluate([np.array([2.0])])[0, 0])

    def test_errors_at_points_that_are_tried_say_where(self) -> None:
        """The exception of forward propagates, with a note on the perturbed entry."""

        def forward(x: Any) -> Any:
            if x[0, 1] != 2:
                raise KeyError("gone")
            return square(x)

        with bind(Call(forward, square_gradient, (np.array([[1.0, 2.0]]),)), seed=0) as problem:
            problem.point[1] += 0.25
            with pytest.raises(KeyError) as error:
                problem.attempt([problem.point])
            problem.point[1] -= 0.25
        assert error.value.__notes__ == ["while gradcheck perturbed x[0, 1] by 0.25"]

    def test_errors_at_the_point_propagate_as_they_are(self) -> None:
        """At the base point even a ValueError propagates."""
        with (
            pytest.raises(ValueError, match="mine"),
            bind(
                Call(
                    lambda x: (_ for _ in ()).throw(ValueError("mine")),
                    square_gradient,
                    (np.ones(1),),
                ),
                seed=0,
            ),
        ):
            pass

    def test_warnings_are_silenced_at_perturbed_points_only(self) -> None:
        """The user's own settings hold at the base point, and after the check."""

        def forward(x: Any) -> Any:
            if x[0] != 1:
                warnings.warn("far out", UserWarning, stacklevel=1)
            return np.sum(np.log(x))

        filters = list(warnings.filters)
        with bind(Call(forward, lambda x: 1 / x, (np.ones(1),)), seed=0) as problem:
            assert problem.evaluate([np.array([-1.0])])[0].size == 1
        assert list(warnings.filters) == filters
        with pytest.warns(UserWarning, match="far out"):
            forward(np.array([2.0]))

    def test_output_that_is_a_view_is_copied(self) -> None:
        """A forward that returns its argument would otherwise measure nothing."""
        with bind(Call(lambda x: x, lambda x: np.eye(2), (np.ones(2),)), seed=0) as problem:
            problem.point[0] = 3.0
            moved = problem.evaluate([problem.point])[0]
            problem.point[0] = 1.0
        assert moved.tolist() == [3.0, 1.0]

    def test_opaque_arguments_are_listed(self) -> None:
        """What is neither data nor a generator is passed as it is, and reported."""
        marker = object()
        problem = posed(
            lambda x, o: square(x) * (o is marker), lambda x: 2 * x, np.ones(1), marker
        )
        assert problem.not_checked == ("o (object)",)

    def test_object_of_forward_is_as_it_was(self) -> None:
        """A cache that forward leaves in its object is gone afterwards."""
        layer = Layer()
        before = dict(vars(layer))
        posed(layer.forward, lambda dout: 2 * dout @ layer.W.T, np.ones((1, 3)))
        assert vars(layer) == before


class TestUsageErrors:
    """Usage errors, each with its whole message."""

    @pytest.mark.parametrize(
        ("forward", "message"),
        [
            (
                lambda x: None,
                "lambda returned None; a derivative needs a number or a floating array. Return "
                "the value whose derivative backward computes.",
            ),
            (
                lambda x: "loss",
                "lambda returned str; a derivative needs a number or a floating array. Return the "
                "value whose derivative backward computes.",
            ),
            (
                lambda x: int(x.sum()),
                "lambda returned int64, which cannot change by a small step; a derivative needs "
                "floating point. Return float(value).",
            ),
            (
                lambda x: (square(x), "cache"),
                "lambda returned str as output[1]; a derivative needs a number or a floating "
                "array. Return the value whose derivative backward computes. The tuple of 2 that "
                "forward returned is taken as that many outputs; if it is (output, cache), say "
                "has_cache=True.",
            ),
            (
                lambda x: {"sign": x > 0, "n": 3},
                "lambda returned bool as output['sign'], which cannot change by a small step; a "
                "derivative needs floating point. Return value.astype(float).",
            ),
            (
                lambda x: (square(x), np.array([[1.0, np.nan]])),
                "lambda is not finite at this point: output[1][0, 1] is nan. A derivative can "
                "only be checked where forward is defined: choose another point.",
            ),
            (lambda x: (), "lambda returned an empty container: nothing to check."),
            (
                lambda x: np.array([1.0, np.inf]),
                "lambda is not finite at this point: output[1] is inf. A derivative can only be "
                "checked where forward is defined: choose another point.",
            ),
            (
                lambda x: np.zeros(0),
                "lambda returned an empty array: nothing to check. If a suite has empty cases on "
                "purpose, say empty='accept'.",
            ),
        ],
    )
    def test_output_of_forward(self, forward: Any, message: str) -> None:
        """The message says what forward must return, and what it returned."""
        assert refused(forward, square_gradient, np.ones(2)) == message

    def test_forward_without_the_cache_that_backward_wants(self) -> None:
        """Forward must return a cache that backward asks for."""
        assert refused(square, lambda cache: cache, np.ones(2)) == (
            "square returned float64, but backward asks for the cache: forward must return "
            "(output, cache)."
        )

    def test_forward_without_gradients(self) -> None:
        """Without a backward function forward must return both."""
        assert refused(square, True, np.ones(2)) == (
            "square returned float64. Without a backward function it must return "
            "(value, gradients); else pass backward=."
        )

    @pytest.mark.parametrize(
        ("gradient", "message"),
        [
            (
                lambda x: 2 * x.T,
                "lambda returned a gradient of x of shape (3, 2); x has shape (2, 3). Its "
                "transpose is right.",
            ),
            (
                lambda x: np.ones((5, 2, 3)),
                "lambda returned a gradient of x of shape (5, 2, 3); x has shape (2, 3). Its sum "
                "over axis 0 would have that shape, but is not right either.",
            ),
            (
                lambda x: None,
                "lambda returned None, so there is no gradient for x: is its return statement "
                "missing?",
            ),
            (
                lambda x: "up",
                "lambda returned str as the gradient of x: a gradient is a number or a numeric "
                "array.",
            ),
            (
                lambda x: np.where(x > 4, np.nan, x),
                "lambda returned a gradient of x that is not finite: x[1, 2] is nan (1 of 6 "
                "entries).",
            ),
        ],
    )
    def test_gradient(self, gradient: Any, message: str) -> None:
        """A gradient that cannot be compared is refused."""
        assert refused(square, gradient, np.arange(6.0).reshape(2, 3)) == message

    def test_jacobian_that_wants_a_cotangent(self) -> None:
        """Backward must name the upstream gradient to be given one."""
        assert refused(lambda x: np.outer(x, x), lambda x: x, np.ones(2)) == (
            "lambda returned a gradient of x of shape (2,); forward's output has shape (2, 2), so "
            "its Jacobian has shape (2, 2, 2). For the product with an upstream gradient, give "
            "backward a parameter cotangent, dout or grad_output."
        )

    def test_integer_parameter(self) -> None:
        """Integers have no derivative; the message says what to write."""
        assert refused(square, square_gradient, np.arange(3), wrt="x") == (
            "wrt='x': x of square is an int64 array of shape (3,); there is no derivative by "
            "whole numbers. Pass x.astype(float) or leave it out of wrt, if it is data as labels "
            "are."
        )

    def test_nothing_to_check(self) -> None:
        """The message lists all arguments with their types."""
        assert refused(lambda x, mode: square(x), square_gradient, np.arange(3), "fast") == (
            "nothing to check: no argument of lambda is a floating number or array. It was given "
            "x (int64 array of shape (3,)), mode (str). Pass x as floats, x.astype(float)."
        )
        assert refused(square, square_gradient, 3) == (
            "nothing to check: no argument of square is a floating number or array. It was given "
            "x (int). Pass x as 3.0, or say wrt='x'."
        )
        assert refused(square, square_gradient, [[1, 2]]) == (
            "nothing to check: no argument of square is a floating number or array. It was given "
            "x (list). Pass x as floats, np.array(x, dtype=float)."
        )
        assert refused(square, square_gradient, "text") == (
            "nothing to check: no argument of square is a floating number or array. It was given "
            "x (str). Pass the parameter as a floating number or array."
        )
        assert refused(lambda: 1.0, square_gradient) == (
            "nothing to check: lambda has no argument to differentiate by. Let it take its "
            "parameters as arguments; those of a marked test come from fixtures and parametrize."
        )

    def test_unknown_wrt(self) -> None:
        """A name that does not exist gets a suggestion."""
        assert refused(lambda params: params["W12"], lambda: 1, {"W12": 1.0}, wrt="W1") == (
            "wrt='W1': lambda has no argument, and no parameter in one, of that name. Did you "
            "mean 'W12'? It was given params (dict)."
        )

    def test_wrt_in_other_letters(self) -> None:
        """Names are case-sensitive, suggestions are not."""
        message = refused(lambda params: params["W1"], lambda: 1, {"W1": 1.0}, wrt="w1")
        assert message == (
            "wrt='w1': lambda has no argument, and no parameter in one, of that name. Did you "
            "mean 'W1'? It was given params (dict)."
        )

    def test_attribute_without_self(self) -> None:
        """The name of an attribute begins with self."""
        layer = Layer()
        assert refused(layer.forward, layer.backward, np.ones((1, 3)), wrt="W") == (
            "wrt='W': Layer.forward has no argument, and no parameter in one, of that name. The "
            "Layer it belongs to has: write wrt='self.W'."
        )

    def test_inputs_in_a_tuple(self) -> None:
        """Other checkers take all inputs in a tuple; the message says to unpack it."""
        assert refused(lambda x, w: x * w, lambda x, w: (w, x), (1.0, 2.0)) == (
            "a tuple of 2 was passed as the one argument of forward, lambda(x, w): pass its items "
            "one by one, as in gradcheck(forward, backward, *inputs)."
        )

    def test_forward_and_backward_in_the_wrong_order(self) -> None:
        """A number in place of a Jacobian may be the value of forward."""
        assert refused(square_gradient, square, np.ones(2)) == (
            "square returned a gradient of x of shape (); forward's output has shape (2,), so its "
            "Jacobian has shape (2, 2). Have forward and backward changed places?"
        )

    def test_jacobian_in_the_wrong_order(self) -> None:
        """The message for a Jacobian has a hint, too."""
        A = RNG.normal(size=(3, 2))
        assert refused(lambda x: A @ x, lambda x: A.T, np.ones(2)) == (
            "lambda returned a gradient of x of shape (2, 3); forward's output has shape (3,), so "
            "its Jacobian has shape (3, 2). Its transpose is right."
        )

    def test_ambiguous_wrt(self) -> None:
        """A short name for two leaves must be written in full."""
        assert (
            refused(lambda a, b: a["W"] * b["W"], lambda: 1, {"W": 1.0}, {"W": 1.0}, wrt="W")
            == "wrt='W' could be any of a['W'], b['W']: write one of them in full."
        )

    def test_functions_that_are_none(self) -> None:
        """Swapped arguments are recognized."""
        assert refused(np.ones(2), square, np.ones(2)) == (  # type: ignore[arg-type]  # the mistake under test
            "forward is a float64 array of shape (2,), not a function: the call is "
            "gradcheck(forward, backward, *arguments)."
        )
        assert refused(square, None, np.ones(2)) == (
            "backward is None, not a function: the call is gradcheck(forward, backward, "
            "*arguments), with backward=True where forward returns (value, gradients)."
        )

    def test_output_whose_size_changes(self) -> None:
        """It is refused by `attempt`; for `evaluate` it is an edge of the domain."""
        with bind(Call(lambda x: x[x > 0], lambda x: np.eye(2), (np.ones(2),)), seed=0) as problem:
            problem.point[0] = -1.0
            assert np.isnan(problem.evaluate([problem.point])).tolist() == [[True, True]]
            with pytest.raises(GradcheckUsageError) as error:
                problem.attempt([problem.point])
            problem.point[0] = 1.0
        assert error.value.args[0] == (
            "lambda returned 1 number, not 2, while gradcheck perturbed x[0] by -2: the kind and "
            "the size of its output must not depend on the parameters."
        )


def _flat(value: Any) -> list[Any]:
    from pytest_gradcheck.binding.values.pytree import leaves

    return [leaf.value for leaf in leaves("p", value)]


def _map(value: Any, function: Callable[[Any], Any]) -> Any:
    from pytest_gradcheck.binding.values.pytree import contents
    from pytest_gradcheck.binding.values.rebuilding import replaced

    inside = contents(value)
    if inside is None:
        return function(value)
    return replaced(value, [_map(item, function) for item in inside])


def test_partial_functions_are_bound_by_their_remaining_arguments() -> None:
    """A partial application is a function of the remaining arguments."""
    forward = functools.partial(lambda scale, x: scale * square(x), 3.0)
    problem = posed(forward, lambda x: 6 * x, np.ones(2))
    assert names(problem) == ["x"]
