"""Exceptions of forward at perturbed points: reported from afar, raised from nearby."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from unittest import SkipTest

import numpy as np
import pytest

from pytest_gradcheck import check_gradient, constraints
from pytest_gradcheck.errors import GradcheckUsageError
from pytest_gradcheck.report.report import Report

X = np.array([1.0, 1.00003, 2.0])

MODES = pytest.mark.parametrize("mode", ["full", "fast"])


def close(x: Any) -> Any:
    """Return a sum of squares of numbers, two of which are close."""
    assert abs(x[0] - x[1]) < 1e-4, "too far apart"
    return np.sum(x**2)


def converged(x: Any) -> Any:
    """Return a sum of squares, near a solution."""
    if np.abs(x - X).max() > 1e-7:
        raise RuntimeError("SCF not converged")
    return np.sum(x**2)


def listed(x: Any) -> Any:
    """Return a sum of squares with the help of a table."""
    table = {(1, 1, 2): 1.0}
    return table[tuple(np.round(x * 100).astype(int) // 100)] * np.sum(x**2)


def raising(error: type[Exception]) -> Callable[[Any], Any]:
    """Return a function that raises an error at any step of one entry."""

    def forward(x: Any) -> Any:
        if x[1] != X[1]:
            raise error("gone")
        return np.sum(x**2)

    return forward


@MODES
@pytest.mark.parametrize("forward", [close, converged, listed])
def test_exceptions_at_far_points_do_not_decide(forward: Any, mode: str) -> None:
    """Whatever forward raises there, a right gradient is correct and a wrong one is wrong."""
    assert check_gradient(forward, lambda x: 2 * x, X, mode=mode).verdict == "correct"
    assert check_gradient(forward, lambda x: 2.02 * x, X, mode=mode).verdict == "wrong"


@MODES
def test_index_outside_an_image_does_not_decide(mode: str) -> None:
    """Interpolation near the last row of an image steps out of it."""
    image = np.arange(25.0).reshape(5, 5)

    def interpolate(p: Any) -> Any:
        (i, j), (u, v) = p.astype(int), p % 1
        rows = (1 - u) * image[i] + u * image[i + 1]
        return (1 - v) * rows[j] + v * rows[j + 1]

    point = np.array([3.9999999, 3.5])
    for claim, verdict in ((np.array([5.0, 1.0]), "correct"), (np.array([5.0, 1.1]), "wrong")):
        assert (
            check_gradient(interpolate, lambda p, c=claim: c, point, mode=mode).verdict == verdict
        )


@MODES
def test_output_of_another_size_far_away_does_not_decide(mode: str) -> None:
    """A range gains an element only further away."""
    report = check_gradient(
        lambda a, b: np.arange(a, b) * b, lambda a, b: (np.full(5, b), np.arange(a, b)), 0.5, 5.2,
        mode=mode,
    )  # fmt: skip
    assert report.verdict == "correct"


@MODES
def test_output_of_another_size_nearby_is_refused(mode: str) -> None:
    """The size depends on the parameters at this point, on one side or on both."""
    for forward in (lambda x: x[x <= X], lambda x: x[x == X]):
        with pytest.raises(GradcheckUsageError) as error:
            check_gradient(forward, lambda x: np.eye(3), X, mode=mode, seed=0)
        assert error.value.args[0] == (
            "lambda returned 2 numbers, not 3, while gradcheck perturbed x[0] by 1e-12: the kind "
            "and the size of its output must not depend on the parameters."
        )


def pair(x: Any) -> Any:
    """Return two outputs, in a tuple."""
    return np.sum(x**2), 2 * x


@MODES
@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("no number", "a str"),
        ("1.5", "a str"),
        (None, "None"),
        (object(), "an object"),
        ([None, 1.0], "None as output[0]"),
        ({"loss": 1.0}, "a dict with the keys loss"),
    ],
)
@pytest.mark.parametrize("forward", [lambda x: np.sum(x**2), lambda x: x**2, pair])
def test_output_of_another_kind_nearby_is_refused(
    forward: Any, output: Any, said: str, mode: str
) -> None:
    """It is said what forward returned, and where: that is no boundary of its domain."""
    backward = (lambda x: (2 * x, 2 * np.eye(3))) if forward is pair else (lambda x: 2 * x)
    with pytest.raises(GradcheckUsageError) as error:
        check_gradient(
            lambda x: forward(x) if np.array_equal(x, X) else output, backward, X, mode=mode
        )
    assert re.fullmatch(
        rf"lambda returned {re.escape(said)}, while gradcheck perturbed (x\[0\] by 1e-12|several "
        r"entries of x): the kind and the size of its output must not depend on the parameters\.",
        error.value.args[0],
    )


@MODES
def test_output_of_another_kind_far_away_does_not_decide(mode: str) -> None:
    """As with an exception there."""

    def forward(x: Any) -> Any:
        return np.sum(x**2) if np.abs(x - X).max() < 1e-7 else "too far"

    assert check_gradient(forward, lambda x: 2 * x, X, mode=mode).verdict == "correct"
    assert check_gradient(forward, lambda x: 2.02 * x, X, mode=mode).verdict == "wrong"


@MODES
def test_complex_output_of_a_real_function_is_a_boundary(mode: str) -> None:
    """A root is complex on one side: its real part there is no value of the function."""

    def forward(x: Any) -> Any:
        return np.sum(np.emath.sqrt(x - X[0] + 1e-7))

    def backward(x: Any, factor: float = 1.0) -> Any:
        return factor / (2 * np.sqrt(x - X[0] + 1e-7))

    assert check_gradient(forward, backward, X, mode=mode).verdict == "correct"
    assert check_gradient(forward, lambda x: backward(x, 1.1), X, mode=mode).verdict == "wrong"
    report = check_gradient(lambda x: x if x == 1.0 else 1j, lambda x: 5.0, 1.0, mode=mode)
    assert report.verdict == "inconclusive"
    assert re.search(
        r"is moved by \S+ forward returns complex numbers", " ".join(str(report).split())
    )


@MODES
def test_complex_output_without_an_imaginary_part_is_real(mode: str) -> None:
    """Eigenvalues become a conjugate pair, which has a real sum."""
    point = np.array([[1.0, 0.5], [0.0, 1.0]])
    report = check_gradient(
        lambda A: np.sum(np.linalg.eigvals(A)), lambda A: np.eye(2), point, mode=mode
    )
    assert report.verdict == "correct"


@MODES
@pytest.mark.parametrize("error", [KeyError, AssertionError, RuntimeError])
def test_error_at_the_nearest_points_is_raised(error: type[Exception], mode: str) -> None:
    """It is the exception of the user, with its note."""
    with pytest.raises(error, match="gone") as caught:
        check_gradient(raising(error), lambda x: 2 * x, X, mode=mode)
    assert caught.value.__notes__ == ["while gradcheck perturbed x[1] by 1e-12"]


def test_error_at_the_nearest_points_of_a_large_point_is_raised() -> None:
    """Where entries are not measured one by one, all are moved at once."""
    x = np.linspace(1, 2, 3000)

    def forward(x: Any) -> Any:
        if x[7] != 1 + 7 / 2999:
            raise KeyError("gone")
        return np.sum(x**2)

    with pytest.raises(KeyError) as caught:
        check_gradient(forward, lambda x: 2 * x, x, max_evaluations=1000)
    assert caught.value.__notes__ == ["while gradcheck perturbed several entries of x"]


def test_error_at_the_nearest_points_of_a_tangent_is_raised() -> None:
    """A Jacobian-vector product is measured along one direction."""
    with pytest.raises(KeyError) as caught:
        check_gradient(raising(KeyError), lambda x, tangent: 2 * x @ tangent, X)
    assert caught.value.__notes__ == ["while gradcheck perturbed several entries of x"]


@MODES
def test_domain_errors_everywhere_are_inconclusive(mode: str) -> None:
    """The report names the exception and its line."""
    forward = raising(ValueError)
    report = check_gradient(forward, lambda x: 2 * x, X, mode=mode)
    assert report.verdict == "inconclusive"
    line = forward.__code__.co_firstlineno + 2
    assert [note.text for note in report["x"].notes] == [
        "1 of 3 inconclusive: forward is undefined around it; where it is moved by 1e-12 forward "
        f"raises ValueError: gone (line {line} of forward)"
    ]


def half(x: Any) -> Any:
    """Return a sum of squares; raise on one side of the point."""
    if x[1] < X[1]:
        raise LookupError("off the grid")
    return np.sum(x**2)


def one_sided(report: Report) -> list[str | None]:
    """Return the reasons of entries that were measured from one side."""
    return [entry.reason for entry in report["x"].worst if entry.index == (1,)]


def test_one_sided_entry_names_the_exception_on_the_other_side() -> None:
    """It does so for a correct claim and for a wrong one."""
    line = half.__code__.co_firstlineno + 3
    for factor, step in ((2.0, "-[567]e-06"), (2.02, "-1e-12")):
        (reason,) = one_sided(check_gradient(half, lambda x, f=factor: f * x, X))
        assert re.fullmatch(
            f"measured from one side; where it is moved by {step} forward raises LookupError: "
            rf"off the grid \(line {line} of half\)",
            str(reason),
        )


def test_report_is_the_same_by_an_executor_and_in_batches() -> None:
    """An exception in a worker is the same edge; one bad row does not affect the others."""

    def rows(x: Any) -> Any:
        if np.any(x[..., 1] < X[1]):
            raise LookupError("off the grid")
        return np.sum(x**2, axis=-1)

    plain = check_gradient(rows, lambda x: 2.02 * x, X)
    with ThreadPoolExecutor(2) as executor:
        there = check_gradient(rows, lambda x: 2.02 * x, X, executor=executor)
    batched = check_gradient(rows, lambda x: 2.02 * x, X, batched=True)
    assert one_sided(plain) == one_sided(there) == one_sided(batched)
    assert "off the grid" in str(one_sided(plain))
    assert plain.wrong == there.wrong == batched.wrong == 3


def test_batched_forward_that_is_undefined_far_away_is_not_refused() -> None:
    """Nearer points show as well whether it takes two points at once."""

    def rows(x: Any) -> Any:
        if np.abs(x - X).max() > 1e-4:
            raise RuntimeError("SCF not converged")
        return np.sum(x**2, axis=-1)

    assert check_gradient(rows, lambda x: 2 * x, X, batched=True).verdict == "correct"

    def never(x: Any) -> Any:
        if np.any(x != X):
            raise RuntimeError("SCF not converged")
        return np.sum(x**2, axis=-1)

    with pytest.raises(RuntimeError) as caught:
        check_gradient(never, lambda x: 2 * x, X, batched=True)
    assert caught.value.__notes__ == ["while gradcheck perturbed x[0] by 1e-12"]


def test_constrained_entry_names_the_exception_around_it() -> None:
    """One coordinate moves several entries."""
    S = np.array([[2.0, 0.5], [0.5, 1.0]])

    def forward(S: Any) -> Any:
        if S[1, 0] != 0.5:
            raise ValueError("no value")
        return np.sum(S**2)

    report = check_gradient(forward, lambda S: 2 * S, S, tangent=constraints.symmetric)
    assert report.verdict == "inconclusive"
    text = report["S"].notes[-1].text
    assert "where several entries are moved by 3e-13 forward raises ValueError: no value" in text


OUTCOMES = [
    KeyboardInterrupt,
    SystemExit,
    SkipTest,
    pytest.skip.Exception,
    pytest.fail.Exception,
    pytest.xfail.Exception,
]


@pytest.mark.parametrize("outcome", OUTCOMES)
@pytest.mark.parametrize("way", ["alone", "executor", "batched"])
def test_outcomes_always_propagate(outcome: Any, way: str) -> None:
    """They end the test, however far away they are raised."""

    def ends(x: Any) -> Any:
        if np.any(x != X):
            raise outcome
        return np.sum(x**2, axis=-1)

    with ThreadPoolExecutor(1) as executor:
        ways: dict[str, Any] = {
            "alone": {},
            "executor": {"executor": executor},
            "batched": {"batched": True},
        }
        with pytest.raises(outcome):
            check_gradient(ends, lambda x: 2 * x, X, **ways[way])


def test_usage_error_of_a_check_in_forward_is_raised() -> None:
    """It is a ValueError, but no boundary of the domain of forward."""

    def forward(x: Any) -> Any:
        if not np.array_equal(x, X):
            check_gradient(np.sin, np.cos, np.array([1, 2]))
        return np.sum(x**2)

    with pytest.raises(GradcheckUsageError, match=r"x\.astype\(float\)|nothing to check"):
        check_gradient(forward, lambda x: 2 * x, X)


@pytest.mark.parametrize("as_output", [lambda value: value, lambda value: (value, 1.0)])
def test_output_that_is_none_at_perturbed_points_is_refused(as_output: Any) -> None:
    """A branch without a return statement: it is not a number that is undefined."""

    def forward(x: Any) -> Any:
        return as_output(np.sum(x**2) if np.array_equal(x, X) else None)

    def backward(x: Any) -> Any:
        return as_output(2 * x) if as_output(1) == 1 else (2 * x, 0 * x)

    with pytest.raises(GradcheckUsageError) as error:
        check_gradient(forward, backward, X)
    message = str(error.value.args[0])
    returned = "None" if as_output(1) == 1 else "None as output[0]"
    assert message.startswith(f"forward returned {returned}, while gradcheck perturbed x[0]")
