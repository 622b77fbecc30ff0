"""Checks of parameters or outputs without an entry."""

from collections import deque
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pytest_gradcheck import GradcheckError, GradcheckUsageError, gradcheck
from tests.pytest_integration.suites import run_suite


def times(x: Any, W: Any) -> Any:
    """Return the product of a batch and a matrix."""
    return x @ W


def times_vjp(x: Any, W: Any, dout: Any) -> Any:
    """Return its right gradients."""
    return dout @ W.T, x.T @ dout


def test_empty_parameter_beside_others_is_noted() -> None:
    """The others are checked; a shape that is wrong is found all the same."""

    def forward(x: Any, W: Any) -> float:
        return float(x @ x + W.sum())

    x, W = np.array([1.0, 2.0]), np.empty((0, 3))
    report = gradcheck(forward, lambda x, W: (2 * x, np.ones_like(W)), x, W)
    assert [note.text for note in report["W"].notes] == [
        "it is empty, so that there is nothing to check"
    ]
    assert not report["x"].notes
    with pytest.raises(GradcheckError, match="2 of 2 entries wrong"):
        gradcheck(forward, lambda x, W: (3 * x, np.ones_like(W)), x, W)
    with pytest.raises(GradcheckUsageError, match="a gradient of W of shape"):
        gradcheck(forward, lambda x, W: (2 * x, W.T), x, W)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ([np.empty(0)], "x of shape (0,) of function is empty"),
        (
            [np.empty(0), np.empty((2, 0))],
            "x of shape (0,), y of shape (2, 0) of function are empty",
        ),
    ],
)
def test_check_of_nothing_is_refused(parameters: list[Any], message: str) -> None:
    """Whatever backward returned, it would pass; forward is not even called."""

    def function(x: Any, y: Any = None) -> Any:
        raise AssertionError

    with pytest.raises(GradcheckUsageError) as error:
        gradcheck(function, lambda x, y=None: x, *parameters)
    assert error.value.args[0] == (
        f"nothing to check: {message}. If a suite has empty cases on purpose, say empty='accept'."
    )


#: Containers without a number, and how their parameters are named.
EMPTY_CONTAINERS = [
    ([], "p of forward is"),
    ({}, "p of forward is"),
    ((), "p of forward is"),
    (deque(), "p of forward is"),
    (SimpleNamespace(), "p of forward is"),
    (np.array([], dtype=object), "p of forward is"),
    ({"W": []}, "p['W'] of forward is"),
    ([[], {}], "p[0], p[1] of forward are"),
]


@pytest.mark.parametrize(("empty", "named"), EMPTY_CONTAINERS)
@pytest.mark.parametrize("wrt", [None, "p"])
def test_empty_container_is_an_empty_parameter(empty: Any, named: str, wrt: Any) -> None:
    """It is refused by itself, and accepted on purpose; its gradient is as empty."""
    given = list[Any]()

    def forward(p: Any) -> float:
        given.append(p)
        return 1.0

    with pytest.raises(GradcheckUsageError) as error:
        gradcheck(forward, lambda p: p, empty, wrt=wrt)
    assert error.value.args[0] == (
        f"nothing to check: {named} empty. If a suite has empty cases on purpose, say "
        "empty='accept'."
    )
    report = gradcheck(forward, lambda p: p, empty, wrt=wrt, empty="accept")
    assert report.checked == 0
    assert report.notes[-1].text.startswith("nothing was checked: p")
    assert all(type(p) is type(empty) and len(repr(p)) == len(repr(empty)) for p in given)
    with pytest.raises(GradcheckUsageError):
        gradcheck(forward, lambda p: {"W": np.ones(2)}, empty, wrt=wrt, empty="accept")
    with pytest.raises(GradcheckUsageError, match="None"):
        gradcheck(forward, lambda p: None, empty, wrt=wrt, empty="accept")


@pytest.mark.parametrize("empty", [empty for empty, _ in EMPTY_CONTAINERS])
def test_empty_container_beside_others(empty: Any) -> None:
    """A gradient for it may be returned or left out; named in wrt it is noted."""

    def forward(x: Any, p: Any) -> Any:
        return np.sum(x**2)

    x = np.array([1.0, 2.0])
    assert gradcheck(forward, lambda x, p: (2 * x, p), x, empty).checked == 2
    assert gradcheck(forward, lambda x, p: 2 * x, x, empty).checked == 2
    report = gradcheck(forward, lambda x, p: (2 * x, p), x, empty, wrt=["x", "p"])
    assert report.checked == 2
    assert [note.text for note in report.parameters[1].notes] == [
        "it is empty, so that there is nothing to check"
    ]
    with pytest.raises(GradcheckError):
        gradcheck(forward, lambda x, p: (3 * x, p), x, empty)


def test_whole_numbers_beside_an_empty_container_may_be_meant() -> None:
    """The message says how to check them."""
    with pytest.raises(GradcheckUsageError, match=r"is empty. To check n, pass 3.0. If a suite"):
        gradcheck(lambda p, n: 1.0 * n, lambda p, n: p, {}, 3)


@pytest.mark.parametrize("output", [1.0, np.ones(3), (np.ones((2, 2)), 1.0)])
def test_derivatives_of_any_output_by_an_empty_container(output: Any) -> None:
    """They are as empty, for each output."""
    backward = (lambda p: (p, p)) if isinstance(output, tuple) else (lambda p: p)
    assert gradcheck(lambda p: output, backward, {}, empty="accept").checked == 0
    assert gradcheck(lambda p: output, lambda p, dout: p, {}, empty="accept").checked == 0


def test_tangent_of_an_empty_container() -> None:
    """It has the same type."""
    report = gradcheck(
        lambda p: np.ones(2), lambda p, tangent: np.zeros(2) + len(tangent), {}, empty="accept"
    )
    assert report.checked == 0


def test_empty_output_is_refused() -> None:
    """The gradient of nothing is zero with respect to any parameter."""
    with pytest.raises(GradcheckUsageError, match="times returned an empty array"):
        gradcheck(times, times_vjp, np.empty((0, 4)), np.ones((4, 2)))


@pytest.mark.parametrize("mode", ["auto", "full", "fast"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.complex128])
def test_accepted_check_of_nothing_passes_with_a_note(mode: str, dtype: Any) -> None:
    """A suite may be parametrized over sizes, zero among them."""
    x, W = np.empty((0, 4), dtype), np.ones((4, 2), dtype)
    report = gradcheck(times, times_vjp, x, W, mode=mode, empty="accept", strict=True)
    assert report.passed
    assert report.checked == 0
    (note,) = [note for note in report.notes if note.kind == "empty"]
    assert note.text == "nothing was checked: the output is empty"


@pytest.mark.parametrize(
    ("forward", "backward"),
    [
        (lambda x: float(x.sum()), np.ones_like),
        (np.tanh, lambda x: 1 - np.tanh(x) ** 2),
        (lambda x: 2 * x, lambda x: np.zeros((0, 3, 0, 3))),
        (lambda x: 2 * x, lambda x, tangent: 2 * tangent),
        (lambda x: 2 * x, lambda x, cotangent: 2 * cotangent),
        (lambda x: (2 * x, x.sum()), lambda x, dout: 2 * dout[0] + dout[1]),
    ],
    ids=["gradient", "elementwise", "jacobian", "jvp", "vjp", "several outputs"],
)
def test_nothing_of_any_kind_is_accepted(forward: Any, backward: Any) -> None:
    """Gradients, elementwise derivatives, Jacobians and products of them may be empty."""
    report = gradcheck(forward, backward, np.empty((0, 3)), empty="accept")
    assert report.checked == 0
    assert report.notes[-1].text.startswith("nothing was checked: ")


def test_accepted_empty_case_calls_both_and_compares_shapes() -> None:
    """That much can be wrong with nothing."""
    with pytest.raises(GradcheckUsageError, match="a gradient of W of shape"):
        gradcheck(
            times,
            lambda x, W, dout: (dout @ W.T, (x.T @ dout).T),
            np.empty((0, 4)),
            np.ones((4, 2)),
            empty="accept",
        )
    with pytest.raises(ValueError, match="zero-size array"):
        gradcheck(lambda x: x.max(), np.ones_like, np.empty(0), empty="accept")


def test_gradient_of_an_empty_output_must_be_zero() -> None:
    """A term that does not depend on the upstream gradient is wrong without any entry."""
    with pytest.raises(GradcheckError, match="8 of 8 entries wrong"):
        gradcheck(
            times,
            lambda x, W, dout: (dout @ W.T, 1 + x.T @ dout),
            np.empty((0, 4)),
            np.ones((4, 2)),
            empty="accept",
        )


def test_accepting_nothing_changes_no_other_check() -> None:
    """The option is for the empty cases of a suite, the other ones are checked."""
    x, W = np.ones((3, 4)), np.ones((4, 2))
    assert gradcheck(times, times_vjp, x, W, empty="accept").checked == 20
    with pytest.raises(GradcheckError):
        gradcheck(times, lambda x, W, dout: (dout @ W.T, -x.T @ dout), x, W, empty="accept")


def test_mark_accepts_the_empty_cases_of_a_suite(pytester: pytest.Pytester) -> None:
    """A parametrized test has the option in its mark."""
    pytester.makepyfile(
        """
        import numpy as np
        import pytest

        @pytest.mark.parametrize("n", [0, 1, 3])
        @pytest.mark.gradcheck_options(empty="accept")
        def test_sum(gradcheck, n):
            gradcheck(lambda x: np.sum(x**2), lambda x: 2 * x, np.arange(1.0, n + 1))
        """
    )
    run_suite(pytester).assert_outcomes(passed=3)
