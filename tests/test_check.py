"""The check, end to end, as the function runs it."""

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
    """Return its gradient."""
    return 3 * x**2


def f_of_first(x: Any, b: Any) -> Any:
    """Return the sum of cubes of the first argument."""
    return f(x)


def stationary(x: Any) -> Any:
    """Return a function whose gradient is zero at X."""
    return np.sum((x - X) ** 2)


def test_correct_gradient_passes() -> None:
    """Everything is correct, at two evaluations an entry and the noise estimate."""
    report = gradcheck(f, gradient, X)
    assert report.verdict == "correct"
    assert (report.checked, report.wrong) == (3, 0)
    assert report.evaluations <= 2 * 3 + 30
    assert report.backward_calls == 2
    assert report.relative_difference < 1e-8


def test_backward_that_keeps_the_laws_is_asked_about_three_other_cotangents() -> None:
    """Cotangents close by are for those only that seem to break one."""
    report = gradcheck(lambda x: x**2, lambda x, dout: 2 * x * dout, X)
    assert report.backward_calls == 5


def test_forward_that_backward_changes_for_good_is_not_repeatable() -> None:
    """No derivative of it can be measured, and none is said to be wrong."""
    weight = [1.0]

    def backward(x: Any, dout: Any) -> Any:
        weight[0] -= 0.1
        return dout

    with pytest.raises(GradcheckUsageError, match="lambda is not repeatable"):
        check_gradient(lambda x: weight[0] * x, backward, X)


@pytest.mark.parametrize("index", range(3))
@pytest.mark.parametrize("error", [2.0, -1.0, 0.0, 1.01, 1.001, 1 + 1e-5])
def test_single_wrong_entry_is_named(index: int, error: float) -> None:
    """Factor, sign, missing, and errors down to a hundred-thousandth."""

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
    """The report says it, and refuses to be true."""
    report = check_gradient(f, lambda x: x, X)
    assert report.verdict == "wrong"
    with pytest.raises(GradcheckError):
        assert report


def test_formula_two_over_all_and_for_each_parameter() -> None:
    """Relative differences are those of the classic recipe."""
    report = check_gradient(
        lambda a, b: np.sum(a) + np.sum(b), lambda a, b: (2 + 0 * a, 0 * b + 1), np.ones(4), 3.0
    )
    assert report["a"].relative_difference == pytest.approx(1 / 3)
    assert report["b"].relative_difference == pytest.approx(0, abs=1e-9)
    claim, true = np.array([2.0] * 4 + [1.0]), np.ones(5)
    expected = np.linalg.norm(claim - true) / (np.linalg.norm(claim) + np.linalg.norm(true))
    assert report.relative_difference == pytest.approx(expected)


def test_budget_is_an_error_that_names_the_number() -> None:
    """A sweep that was asked for is not cut silently."""
    with pytest.raises(GradcheckUsageError) as error:
        gradcheck(f, gradient, np.ones(6000), mode="full")
    assert error.value.args[0] == (
        "checking 6,000 entries takes 12,000 evaluations of f, more than max_evaluations=10000: "
        "say max_evaluations=12000, check fewer parameters with wrt=, or leave mode='full' out "
        "to screen them."
    )
    assert gradcheck(f, gradient, np.ones(6000), max_evaluations=12000).mode == "full"


def test_what_is_beyond_the_budget_of_a_sweep_is_screened() -> None:
    """By count, so that it is the same everywhere."""
    report = gradcheck(f, gradient, np.ones(6000))
    assert (report.mode, report.verdict, report.checked) == ("fast", "correct", 6000)
    assert report.evaluations < 20
    assert gradcheck(f, gradient, np.ones(5000)).mode == "full"


def test_fixed_step_and_a_screen_do_not_go_together() -> None:
    """The step is one of single entries."""
    with pytest.raises(GradcheckUsageError) as error:
        gradcheck(f, gradient, np.ones(6000), step=1e-6)
    assert error.value.args[0] == (
        "step=1e-06 measures every entry at that step, and 6,000 entries are screened along "
        "directions instead: leave step out, or say mode='full', max_evaluations=12000."
    )


def test_randomness_that_moves_late_is_replayed_after_all() -> None:
    """A generator that the first evaluations leave alone is noticed at the end."""
    rng = np.random.default_rng(0)

    def forward(x: Any) -> Any:
        return f(x) * (1.0 if x[0] == 1.0 else 1 + 1e-9 * rng.random())

    before = rng.bit_generator.state
    check_gradient(forward, gradient, X)
    assert rng.bit_generator.state == before


def test_vacuous_gradient_warns_once() -> None:
    """Nothing was tested, and the warning says so; strict fails it."""
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


def test_unused_parameter_is_told_from_a_zero_gradient() -> None:
    """Forward never reacted to it: warning, note and strict failure say that."""
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
        "b: forward does not depend on b at this point, errors unseen (strict)",
    )


def test_wrong_gradient_of_a_parameter_that_forward_does_not_use() -> None:
    """A variable that is not the argument is a likely cause; it is asked about."""
    report = check_gradient(f_of_first, lambda x, b: (gradient(x), b), X, 1.0)
    assert [note.text for note in report["b"].notes] == [
        "numerically zero everywhere: does forward use b at all?"
    ]


def test_point_is_remarked_on_in_the_report_but_no_failure() -> None:
    """A zero bias is verified like any other: it neither warns nor fails."""
    report = gradcheck(
        lambda w, b: f(w + b), lambda w, b: (gradient(w + b),) * 2, X, np.zeros(3), strict=True
    )
    (note,) = report["b"].notes
    assert (note.kind, note.count) == ("point", 3)
    assert note.text in str(report)


def test_kinks_accept_what_people_write_there() -> None:
    """At a kink the slopes, zero and their mean are right, and noted; all else is wrong."""
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
    """A check of which nothing could be verified does not pass."""
    with pytest.raises(GradcheckError, match="nothing could be verified") as failure:
        gradcheck(lambda x: np.sum(1.0 * (x >= 1)), lambda x: 0 * x, np.ones(2))
    assert failure.value.report.verdict == "inconclusive"


def test_elementwise_claim_is_wrong_off_the_diagonal() -> None:
    """A function that mixes its entries has no elementwise derivative."""
    report = check_gradient(lambda x: x * np.sum(x), lambda x: x + np.sum(x), X)
    assert report.kind == "elementwise"
    assert report.worst[0].name.startswith("output[")
    assert report.wrong == 6


def test_user_exception_while_perturbing_says_where() -> None:
    """It is the user's own, with the entry that was being perturbed."""

    def forward(x: Any) -> Any:
        if x[2] != 0.5:
            raise KeyError("gone")
        return f(x)

    with pytest.raises(KeyError) as error:
        gradcheck(forward, gradient, X, step=1e-3)
    assert "while gradcheck perturbed" in error.value.__notes__[-1]


def test_report_is_plain_data() -> None:
    """It survives JSON, for a failing Jacobian, too."""
    A = np.arange(6.0).reshape(2, 3)
    data = check_gradient(lambda x: A @ x, lambda x: 2 * A, X).to_dict()
    assert json.loads(json.dumps(data)) == data


def test_checks_in_threads_do_not_disturb_each_other() -> None:
    """Global randomness is replayed by one check at a time."""

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
def test_correct_gradient_is_never_accused(x: Any) -> None:
    """Whatever the point: zeros, subnormal entries, equal entries."""
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
def test_right_gradient_that_no_step_resolves_is_not_accused(
    forward: Callable[[Any], Any], backward: Callable[[Any], Any], x: list[float]
) -> None:
    """Steps between floats, singularities and kinks that are closer than any: at most unknown."""
    for seed in range(8):
        report = check_gradient(lambda x: np.sum(forward(x)), backward, np.array(x), seed=seed)
        assert report.verdict != "wrong"


STANDING_STILL: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "versine": (lambda x: 1 - np.cos(x), np.sin),
    "logarithm of a cosh": (lambda x: np.log(np.cosh(x)), np.tanh),
    "root": (lambda x: np.sqrt(1 + x * x) - 1, lambda x: x / np.sqrt(1 + x * x)),
}


@pytest.mark.parametrize("x", [1e-8, -1e-9, 1e-12, 1e-100])
@pytest.mark.parametrize("name", STANDING_STILL)
def test_forward_that_rounds_to_nothing_is_measured_from_further(name: str, x: float) -> None:
    """Steps of the argument's own size move nothing; wider ones show the slope, or none."""
    forward, backward = STANDING_STILL[name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GradcheckVacuousWarning)
        assert check_gradient(forward, backward, x).verdict == "correct"
        both = check_gradient(forward, backward, np.array([x, 0.7]))
        assert both.verdict != "wrong"


def test_error_that_only_wider_steps_show_is_found() -> None:
    """Where steps of the argument's own size move nothing a wrong claim stays wrong."""
    report = check_gradient(lambda x: 1 - math.cos(x), lambda x: 2 * math.sin(x), 1e-9)
    assert report["x"].worst[0].numerical == pytest.approx(1e-9, rel=1e-4)


@pytest.mark.parametrize("x", [-1e-14, -1e-9, -5.0])
def test_rectifier_that_is_off_stands_still_for_good(x: float) -> None:
    """Wider steps cross its kink, which excuses no claim."""
    assert check_gradient(lambda x: max(x, 0.0), lambda x: 1.0, x).verdict == "wrong"
    entries = check_gradient(lambda x: np.maximum(x, 0), np.ones_like, np.array([x, 1.0]))
    assert entries["x"].wrong == 1


def test_claim_that_underflow_leaves_of_nothing_is_zero() -> None:
    """The softplus of -700 is zero, its derivative 1e-304."""
    with pytest.warns(GradcheckVacuousWarning):
        report = check_gradient(
            lambda x: math.log(1 + math.exp(x)), lambda x: 1 / (1 + math.exp(-x)), -700.0
        )
    assert report.verdict == "correct"


@given(points, st.integers(0, 3), st.sampled_from([2.0, 0.5, -1.0, 1.001]))
def test_wrong_gradient_never_passes(x: Any, index: int, factor: float) -> None:
    """Whatever the point, one entry off by a factor is found, and only that one."""

    def wrong(x: Any) -> Any:
        claim = np.exp(x / 4)
        claim[index] *= factor
        return claim

    report = check_gradient(lambda x: 4 * np.sum(np.exp(x / 4)), wrong, x)
    assert [entry.index for entry in report.worst if entry.verdict == "wrong"] == [(index,)]


def test_elementwise_claims_of_long_doubles_are_screened() -> None:
    """They are held in double precision, like all claims."""
    x = np.linspace(0.1, 2, 30, dtype=np.longdouble)
    assert check_gradient(np.sin, np.cos, x, mode="fast").verdict == "correct"
    assert check_gradient(np.sin, lambda x: 1.1 * np.cos(x), x, mode="fast").verdict == "wrong"


def test_tuple_of_lists_of_numbers_holds_two_parameters() -> None:
    """As a list of other parameters does; forward gets a tuple of lists."""

    def forward(p: Any) -> Any:
        assert isinstance(p, tuple)
        assert [type(part) for part in p] == [list, list]
        return p[0][0] * p[1][0] + p[0][1]

    report = check_gradient(
        forward, lambda p: ([p[1][0], 1.0], [p[0][0], 0]), ([1.0, 2.0], [3.0, 4.0])
    )
    assert report.verdict == "correct"
    assert [p.name for p in report.parameters] == ["p[0]", "p[1]"]


def test_gradient_beside_a_huge_offset_is_verified_and_an_error_in_it_is_not() -> None:
    """Of ``1e12 + f`` pairs show two digits; averaged over many values it shows enough."""
    x = np.array([0.3, -0.8, 1.1])

    def forward(x: Any) -> Any:
        return 1e12 + 5 * np.sum(np.sin(x))

    for seed in range(10):
        report = check_gradient(forward, lambda x: 5 * np.cos(x), x, seed=seed)
        assert report.passed
        wrong = check_gradient(forward, lambda x: 5 * np.cos(x) * [1, 1, 1.05], x, seed=seed)
        assert not wrong.passed


def test_half_precision_shows_what_a_larger_tolerance_allows() -> None:
    """An error of 0.1% could hide, and the check fails; one of 2% could not."""
    x = np.array([0.5, 0.25, -1.0])

    def forward(x: Any) -> Any:
        return np.sum(np.sin(x.astype(np.float16)))

    report = check_gradient(forward, np.cos, x)
    assert report.verdict == "inconclusive"
    assert not report.passed
    assert check_gradient(forward, np.cos, x, rtol=2e-2).verdict == "correct"
    wrong = check_gradient(forward, lambda x: np.cos(x) * [1, 1, 1.1], x, rtol=2e-2)
    assert not wrong.passed


def test_jvp_beside_a_huge_offset_is_verified_and_an_error_in_it_is_not() -> None:
    """Along its one direction noise is averaged as along others."""
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
