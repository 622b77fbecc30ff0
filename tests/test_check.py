"""Checks from end to end, made with the function."""

import json
import math
import threading
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from pytest_gradcheck import (
    GradcheckError,
    GradcheckUsageError,
    GradcheckVacuousWarning,
    check_gradient,
    gradcheck,
)

X = np.array([1.0, -2.0, 0.5])


def f(x: Any) -> Any:
    """Return the sum of cubes."""
    return np.sum(x**3)


def gradient(x: Any) -> Any:
    """Return the gradient of the sum of cubes."""
    return 3 * x**2


def f_of_first(x: Any, b: Any) -> Any:
    """Return the sum of cubes of the first argument."""
    return f(x)


def stationary(x: Any) -> Any:
    """Return a function whose gradient is zero at X."""
    return np.sum((x - X) ** 2)


def test_correct_gradient_passes() -> None:
    """All entries are correct, at two evaluations per entry plus the noise estimate."""
    report = gradcheck(f, gradient, X)
    assert report.verdict == "correct"
    assert (report.checked, report.wrong) == (3, 0)
    assert report.evaluations <= 2 * 3 + 30
    assert report.backward_calls == 2
    assert report.relative_difference < 1e-8


def test_backward_that_obeys_the_laws_is_called_for_three_other_cotangents() -> None:
    """Nearby cotangents are used only if a law seems to be violated."""
    report = gradcheck(lambda x: x**2, lambda x, dout: 2 * x * dout, X)
    assert report.backward_calls == 5


def test_forward_that_backward_changes_permanently_is_not_repeatable() -> None:
    """No derivative can be measured, and none is reported as wrong."""
    weight = [1.0]

    def backward(x: Any, dout: Any) -> Any:
        weight[0] -= 0.1
        return dout

    with pytest.raises(GradcheckUsageError, match="lambda is not repeatable"):
        check_gradient(lambda x: weight[0] * x, backward, X)


@pytest.mark.parametrize("index", range(3))
@pytest.mark.parametrize("error", [2.0, -1.0, 0.0, 1.01, 1.001, 1 + 1e-5])
def test_single_wrong_entry_is_named(index: int, error: float) -> None:
    """The error is a factor, a sign, a missing entry, or as small as 1e-5."""

    def wrong(x: Any) -> Any:
        claim = gradient(x)
        claim[index] *= error
        return claim

    with pytest.raises(GradcheckError) as failure:
        gradcheck(f, wrong, X)
    report = failure.value.report
    assert report.wrong == 1
    assert report.worst[0].name == f"x[{index}]"
    assert report.worst[0].numerical == pytest.approx(gradient(X)[index], rel=1e-9)
    assert report.worst[0].bound < 1e-6


def test_check_gradient_never_raises_for_a_wrong_gradient() -> None:
    """The report has the verdict, and its truth value raises."""
    report = check_gradient(f, lambda x: x, X)
    assert report.verdict == "wrong"
    with pytest.raises(GradcheckError):
        assert report


def test_relative_difference_of_all_and_of_each_parameter() -> None:
    """The relative differences are those of the course formula."""
    report = check_gradient(
        lambda a, b: np.sum(a) + np.sum(b), lambda a, b: (2 + 0 * a, 0 * b + 1), np.ones(4), 3.0
    )
    assert report["a"].relative_difference == pytest.approx(1 / 3)
    assert report["b"].relative_difference == pytest.approx(0, abs=1e-9)
    claim, true = np.array([2.0] * 4 + [1.0]), np.ones(5)
    expected = np.linalg.norm(claim - true) / (np.linalg.norm(claim) + np.linalg.norm(true))
    assert report.relative_difference == pytest.approx(expected)


def test_full_check_beyond_the_budget_is_an_error_with_the_number() -> None:
    """A full check that was requested is not replaced silently."""
    with pytest.raises(GradcheckUsageError) as error:
        gradcheck(f, gradient, np.ones(6000), mode="full")
    assert error.value.args[0] == (
        "checking 6,000 entries takes 12,000 evaluations of f, more than max_evaluations=10000: "
        "say max_evaluations=12000, check fewer parameters with wrt=, or leave mode='full' out "
        "to screen them."
    )
    assert gradcheck(f, gradient, np.ones(6000), max_evaluations=12000).mode == "full"


def test_point_beyond_the_budget_of_a_full_check_is_screened() -> None:
    """The number of evaluations decides, so that the mode is the same on every machine."""
    report = gradcheck(f, gradient, np.ones(6000))
    assert (report.mode, report.verdict, report.checked) == ("fast", "correct", 6000)
    assert report.evaluations < 20
    assert gradcheck(f, gradient, np.ones(5000)).mode == "full"


def test_fixed_step_is_incompatible_with_a_screen() -> None:
    """A fixed step is the step of single entries."""
    with pytest.raises(GradcheckUsageError) as error:
        gradcheck(f, gradient, np.ones(6000), step=1e-6)
    assert error.value.args[0] == (
        "step=1e-06 measures every entry at that step, and 6,000 entries are screened along "
        "directions instead: leave step out, or say mode='full', max_evaluations=12000."
    )


def test_generator_that_moves_late_is_replayed() -> None:
    """A generator that the first evaluations do not use is found at the end."""
    rng = np.random.default_rng(0)

    def forward(x: Any) -> Any:
        return f(x) * (1.0 if x[0] == 1.0 else 1 + 1e-9 * rng.random())

    before = rng.bit_generator.state
    check_gradient(forward, gradient, X)
    assert rng.bit_generator.state == before


def test_vacuous_gradient_warns_once() -> None:
    """The warning says that nothing was tested; with strict the check fails."""
    with pytest.warns(GradcheckVacuousWarning) as caught:
        gradcheck(stationary, lambda x: 0 * x, X)
    (warning,) = caught
    assert warning.filename == __file__
    assert str(warning.message) == (
        "the gradient of stationary is zero everywhere with respect to x: the check tested "
        "nothing there; try another point"
    )
    with pytest.raises(GradcheckError, match="zero gradient everywhere"):
        gradcheck(stationary, lambda x: 0 * x, X, strict=True)


def test_unused_parameter_is_distinguished_from_a_zero_gradient() -> None:
    """Warning, note and failure say that forward does not depend on it."""
    with pytest.warns(GradcheckVacuousWarning) as caught:
        report = gradcheck(
            lambda x, b: f(x), lambda x, b: (gradient(x), 0 * b), X, np.ones((2, 2))
        )
    assert str(caught[0].message) == (
        "the gradient of lambda is zero everywhere with respect to b: the check tested nothing "
        "there; try another point (lambda does not depend on b at this one)"
    )
    assert [note.kind for note in report["b"].notes] == ["unused", "point"]
    with pytest.raises(GradcheckError) as failure:
        gradcheck(f_of_first, lambda x, b: (gradient(x), 0 * b), X, 1.0, strict=True)
    assert failure.value.report.failures == (
        "b: forward does not depend on b at this point, so errors cannot be detected (strict)",
    )


def test_wrong_gradient_of_a_parameter_that_forward_does_not_use() -> None:
    """The note asks for a likely cause: forward uses another variable."""
    report = check_gradient(f_of_first, lambda x, b: (gradient(x), b), X, 1.0)
    assert [note.text for note in report["b"].notes] == [
        "numerically zero everywhere: does forward use b at all?"
    ]


def test_note_on_the_point_is_no_failure() -> None:
    """A zero bias is verified: it causes no warning and no failure."""
    report = gradcheck(
        lambda w, b: f(w + b), lambda w, b: (gradient(w + b),) * 2, X, np.zeros(3), strict=True
    )
    (note,) = report["b"].notes
    assert (note.kind, note.count) == ("point", 3)
    assert note.text in str(report)


def test_kinks_accept_common_subgradients() -> None:
    """At a kink the slopes, zero and their mean are correct, with a note; others fail."""
    zero = np.zeros(2)
    for slope in (-1.0, 0.0, 1.0):
        report = gradcheck(lambda x: np.sum(np.abs(x)), lambda x, s=slope: 0 * x + s, zero)
        assert [note.kind for note in report["x"].notes if note.kind == "kink"] == ["kink"]
    with pytest.raises(GradcheckError, match="a kink, the slopes left and right are -1 and 1"):
        gradcheck(lambda x: np.sum(np.abs(x)), lambda x: 0 * x + 1.1, zero)
    with pytest.raises(GradcheckError, match="at a kink"):
        gradcheck(lambda x: np.sum(np.abs(x)), lambda x: 0 * x, zero, kinks="fail")
    with pytest.raises(GradcheckError, match="there also 0 and their mean are accepted"):
        gradcheck(lambda x: np.sum(np.abs(x)), lambda x: 0 * x + 0.3, zero)


def test_jump_is_inconclusive_and_fails() -> None:
    """A check that could verify nothing does not pass."""
    with pytest.raises(GradcheckError, match="nothing could be verified") as failure:
        gradcheck(lambda x: np.sum(1.0 * (x >= 1)), lambda x: 0 * x, np.ones(2))
    assert failure.value.report.verdict == "inconclusive"


def test_elementwise_claim_is_wrong_off_the_diagonal() -> None:
    """A function that mixes its entries has no elementwise derivative."""
    report = check_gradient(lambda x: x * np.sum(x), lambda x: x + np.sum(x), X)
    assert report.kind == "elementwise"
    assert report.worst[0].name.startswith("output[")
    assert report.wrong == 6


def test_exception_of_forward_names_the_perturbed_entry() -> None:
    """It is the exception of the user, with a note on the perturbed entry."""

    def forward(x: Any) -> Any:
        if x[2] != 0.5:
            raise KeyError("gone")
        return f(x)

    with pytest.raises(KeyError) as error:
        gradcheck(forward, gradient, X, step=1e-3)
    assert "while gradcheck perturbed" in error.value.__notes__[-1]


def test_report_is_plain_data() -> None:
    """It can be written as JSON, also for a failing Jacobian."""
    A = np.arange(6.0).reshape(2, 3)
    data = check_gradient(lambda x: A @ x, lambda x: 2 * A, X).to_dict()
    assert json.loads(json.dumps(data)) == data


def test_checks_in_threads_do_not_disturb_each_other() -> None:
    """One check at a time replays global random state."""

    def forward(x: Any) -> Any:
        mask = np.random.rand(*x.shape) < 0.5  # noqa: NPY002  # global on purpose
        return np.sum(x * mask), mask

    failures: list[BaseException] = []

    def work() -> None:
        try:
            gradcheck(forward, lambda cache: 1.0 * cache, np.arange(1.0, 20.0))
        except BaseException as error:  # noqa: BLE001  # handed to the main thread
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


points = arrays(np.float64, 4, elements=st.floats(-10, 10))


@given(points)
def test_correct_gradient_is_never_wrong(x: Any) -> None:
    """The point may have zeros, subnormal entries and equal entries."""
    report = check_gradient(lambda x: np.sum(np.sin(x)) + 3.0, np.cos, x)
    assert report.verdict != "wrong"


@pytest.mark.parametrize(
    ("forward", "backward", "x"),
    [
        pytest.param(np.sin, np.cos, [1e16], id="periods between two floats"),
        pytest.param(np.sin, np.cos, [1e100, 0.7], id="beside an ordinary one"),
        pytest.param(
            lambda x: x * np.log(np.abs(x)),
            lambda x: np.log(np.abs(x)) + 1,
            [1e-30, 0.7, -1.3],
            id="singularity between two steps",
        ),
        pytest.param(
            lambda x: np.maximum(x, 0), lambda x: 1.0 * (x > 0), [1e-300], id="kink next to it"
        ),
    ],
)
def test_correct_gradient_that_no_step_resolves_is_not_wrong(
    forward: Callable[[Any], Any], backward: Callable[[Any], Any], x: list[float]
) -> None:
    """Where floats, singularities or kinks are closer than any step, it is at most unknown."""
    for seed in range(8):
        report = check_gradient(lambda x: np.sum(forward(x)), backward, np.array(x), seed=seed)
        assert report.verdict != "wrong"


ROUNDED_AWAY: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "versine": (lambda x: 1 - np.cos(x), np.sin),
    "logarithm of a cosh": (lambda x: np.log(np.cosh(x)), np.tanh),
    "root": (lambda x: np.sqrt(1 + x * x) - 1, lambda x: x / np.sqrt(1 + x * x)),
}


@pytest.mark.parametrize("x", [1e-8, -1e-9, 1e-12, 1e-100])
@pytest.mark.parametrize("name", ROUNDED_AWAY)
def test_forward_that_rounds_small_steps_away_is_measured_with_wide_ones(
    name: str, x: float
) -> None:
    """Steps of the size of the argument change no output; wider ones show the slope."""
    forward, backward = ROUNDED_AWAY[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GradcheckVacuousWarning)
        assert check_gradient(forward, backward, x).verdict == "correct"
        both = check_gradient(forward, backward, np.array([x, 0.7]))
        assert both.verdict != "wrong"


def test_error_that_only_wide_steps_show_is_detected() -> None:
    """A wrong claim is wrong where steps of the size of the argument change no output."""
    report = check_gradient(lambda x: 1 - math.cos(x), lambda x: 2 * math.sin(x), 1e-9)
    assert report["x"].worst[0].numerical == pytest.approx(1e-9, rel=1e-4)


@pytest.mark.parametrize("x", [-1e-14, -1e-9, -5.0])
def test_inactive_rectifier_is_unchanged_at_every_step(x: float) -> None:
    """Wider steps cross the kink, which excuses no claim."""
    assert check_gradient(lambda x: max(x, 0.0), lambda x: 1.0, x).verdict == "wrong"
    entries = check_gradient(lambda x: np.maximum(x, 0), lambda x: 1 + 0 * x, np.array([x, 1.0]))
    assert entries["x"].wrong == 1


def test_claim_next_to_underflow_is_zero() -> None:
    """The softplus of -700 is zero, and its derivative is 1e-304."""
    with pytest.warns(GradcheckVacuousWarning):
        report = check_gradient(
            lambda x: math.log(1 + math.exp(x)), lambda x: 1 / (1 + math.exp(-x)), -700.0
        )
    assert report.verdict == "correct"


@given(points, st.integers(0, 3), st.sampled_from([2.0, 0.5, -1.0, 1.001]))
def test_wrong_gradient_never_passes(x: Any, index: int, factor: float) -> None:
    """At every point the one entry that is wrong by a factor is found, and no other."""

    def wrong(x: Any) -> Any:
        claim = np.exp(x / 4)
        claim[index] *= factor
        return claim

    report = check_gradient(lambda x: 4 * np.sum(np.exp(x / 4)), wrong, x)
    assert [entry.index for entry in report.worst if entry.verdict == "wrong"] == [(index,)]


def test_elementwise_claims_of_long_doubles_are_screened() -> None:
    """All claims are stored in double precision."""
    x = np.linspace(0.1, 2, 30, dtype=np.longdouble)
    assert check_gradient(np.sin, np.cos, x, mode="fast").verdict == "correct"
    assert check_gradient(np.sin, lambda x: 1.1 * np.cos(x), x, mode="fast").verdict == "wrong"


def test_tuple_of_lists_of_numbers_holds_two_parameters() -> None:
    """Lists of numbers are parameters, and forward receives a tuple of lists."""

    def forward(p: Any) -> Any:
        assert isinstance(p, tuple)
        assert [type(part) for part in p] == [list, list]
        return p[0][0] * p[1][0] + p[0][1]

    report = check_gradient(
        forward, lambda p: ([p[1][0], 1.0], [p[0][0], 0]), ([1.0, 2.0], [3.0, 4.0])
    )
    assert report.verdict == "correct"
    assert [p.name for p in report.parameters] == ["p[0]", "p[1]"]


def test_gradient_under_a_large_offset_is_verified_and_an_error_is_not() -> None:
    """Pairs show two digits of ``1e12 + f``; averages over many values show enough."""
    x = np.array([0.3, -0.8, 1.1])

    def forward(x: Any) -> Any:
        return 1e12 + 5 * np.sum(np.sin(x))

    for seed in range(10):
        report = check_gradient(forward, lambda x: 5 * np.cos(x), x, seed=seed)
        assert report.passed
        wrong = check_gradient(forward, lambda x: 5 * np.cos(x) * [1, 1, 1.05], x, seed=seed)
        assert not wrong.passed


def test_half_precision_shows_what_a_larger_tolerance_allows() -> None:
    """An error of 0.1% could be hidden, so the check fails; one of 2% could not."""
    x = np.array([0.5, 0.25, -1.0])

    def forward(x: Any) -> Any:
        return np.sum(np.sin(x.astype(np.float16)))

    report = check_gradient(forward, np.cos, x, seed=4)
    assert report.verdict == "inconclusive"
    assert not report.passed
    assert check_gradient(forward, np.cos, x, rtol=2e-2, seed=4).verdict == "correct"
    wrong = check_gradient(forward, lambda x: np.cos(x) * [1, 1, 1.1], x, rtol=2e-2, seed=4)
    assert not wrong.passed


def test_jvp_under_a_large_offset_is_verified_and_an_error_is_not() -> None:
    """Noise along the one direction is averaged as along others."""
    x = np.array([0.3, -0.8, 1.1])

    def forward(x: Any) -> Any:
        return 1e12 + 5 * np.sum(np.sin(x))

    def tangents(x: Any, tangent: Any) -> Any:
        return 5 * np.cos(x) @ tangent

    for seed in range(3):
        assert check_gradient(forward, tangents, x, seed=seed).verdict == "correct"
        wrong = check_gradient(
            forward, lambda x, tangent: 1.02 * tangents(x, tangent), x, seed=seed
        )
        assert not wrong.passed


def test_a_report_is_represented_by_its_first_line() -> None:
    """As an assertion of pytest about its attributes shows it."""
    report = check_gradient(lambda x: x**2, lambda x: 3 * x, 1.0)
    assert repr(report) == f"<Report: {str(report).splitlines()[0]}>"
