"""Objectives of boosting libraries, end to end: gradient and diagonal of the Hessian."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pytest_gradcheck import GradcheckError, GradcheckUsageError, check_objective
from tests.pytest_integration.suites import run_suite

RNG = np.random.default_rng(0)
SCORES, LABELS = RNG.normal(size=6), RNG.integers(0, 2, size=6)
CLASS_SCORES, CLASSES = RNG.normal(size=(6, 3)), RNG.integers(0, 3, size=6)


def logistic_loss(predictions: Any, labels: Any) -> Any:
    """Return the loss of each row."""
    return np.logaddexp(0, predictions) - labels * predictions


def logistic(predictions: Any, labels: Any, factor: float = 1.0) -> Any:
    """Return both derivatives."""
    p = 1 / (1 + np.exp(-predictions))
    return p - labels, factor * p * (1 - p)


def softmax_loss(predictions: Any, labels: Any) -> Any:
    """Return the loss of each row."""
    return np.log(np.exp(predictions).sum(axis=1)) - predictions[np.arange(len(labels)), labels]


def softmax(predictions: Any, labels: Any) -> Any:
    """Return the gradient and the diagonal of the Hessian."""
    p = np.exp(predictions) / np.exp(predictions).sum(axis=1, keepdims=True)
    return p - np.eye(3)[labels], p * (1 - p)


def test_two_classes() -> None:
    """Labels may be floats: they are not checked."""
    for labels in (LABELS, LABELS.astype(float)):
        reports = check_objective(logistic_loss, logistic, SCORES, labels)
        assert [report.kind for report in reports] == ["gradient", "elementwise"]


def test_the_loss_may_be_that_of_all_rows() -> None:
    """It is summed anyway."""
    assert check_objective(lambda *args: logistic_loss(*args).sum(), logistic, SCORES, LABELS)


def test_predictions_after_the_labels() -> None:
    """As the estimators of scikit-learn pass them."""

    def swapped(function: Any) -> Any:
        return lambda labels, predictions: function(predictions, labels)

    reports = check_objective(
        swapped(logistic_loss), swapped(logistic), LABELS, SCORES, predictions=1
    )
    assert len(reports) == 2


def test_a_wrong_hessian() -> None:
    """The message names the objective, and where it is defined."""
    with pytest.raises(GradcheckError) as error:
        check_objective(logistic_loss, lambda p, y: logistic(p, y, 2.0), SCORES, LABELS)
    message = " ".join(str(error.value).split())
    assert "consistent with 2 x the true gradient" in message
    assert "by the Hessian of lambda (tests/test_objective.py" in message


def test_a_wrong_gradient() -> None:
    """It is found first."""
    with pytest.raises(GradcheckError, match="gradient of logistic_loss by the gradient of"):
        check_objective(logistic_loss, lambda p, y: (p + y, np.ones(6)), SCORES, LABELS)


def test_several_classes() -> None:
    """The Hessian of a row has other entries, which an objective does not return."""
    reports = check_objective(softmax_loss, softmax, CLASS_SCORES, CLASSES)
    assert [report.verdict for report in reports] == ["correct"] * 4


def test_a_wrong_hessian_of_one_class() -> None:
    """The class is named."""

    def wrong(predictions: Any, labels: Any) -> Any:
        gradient, hessian = softmax(predictions, labels)
        return gradient, hessian * [1, 1, 2]

    with pytest.raises(GradcheckError) as error:
        check_objective(softmax_loss, wrong, CLASS_SCORES, CLASSES)
    assert "by the Hessian of wrong, class 2" in " ".join(str(error.value).split())


@pytest.mark.parametrize("returned", [None, (SCORES,), (SCORES, SCORES[:3]), (SCORES, 1.0)])
def test_what_is_no_objective(returned: Any) -> None:
    """The message says what it must return."""
    with pytest.raises(GradcheckUsageError, match="must return a gradient and a diagonal of"):
        check_objective(logistic_loss, lambda *_: returned, SCORES, LABELS)


def test_options_are_those_of_a_check() -> None:
    """They hold for each of the checks."""
    reports = check_objective(logistic_loss, logistic, SCORES, LABELS, seed=7, points=2)
    assert [report.seed for report in reports] == [7, 7]


def test_flat_derivatives_of_several_classes() -> None:
    """As older versions of XGBoost took them: the message has what makes them of the shape."""

    def flat(predictions: Any, labels: Any) -> Any:
        return tuple(part.reshape(-1, 1) for part in softmax(predictions, labels))

    with pytest.raises(GradcheckUsageError) as error:
        check_objective(softmax_loss, flat, CLASS_SCORES, CLASSES)
    advice = "lambda *args: [part.reshape((6, 3)) for part in flat(*args)]"
    assert "shape (18, 1) and shape (18, 1). They have as many entries" in error.value.args[0]
    assert error.value.args[0].endswith(f"pass {advice}.")
    shaped = eval(advice, {"flat": flat})  # noqa: S307  # our own message
    assert check_objective(softmax_loss, shaped, CLASS_SCORES, CLASSES)


def test_a_failure_shows_no_line_of_the_package(pytester: pytest.Pytester) -> None:
    """The traceback ends at the call."""
    pytester.makepyfile(
        """
        import numpy as np
        from pytest_gradcheck import check_objective

        def softmax(z):
            return np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)

        def loss(z, y):
            return -np.log(softmax(z)[np.arange(len(y)), y])

        def wrong(z, y):
            return softmax(z) - np.eye(3)[y], softmax(z)

        def no_pair(z, y):
            return softmax(z)

        def test_wrong():
            check_objective(loss, wrong, np.ones((4, 3)), np.array([0, 1, 2, 0]))

        def test_no_pair():
            check_objective(loss, no_pair, np.ones((4, 3)), np.array([0, 1, 2, 0]))
        """
    )
    result = run_suite(pytester)
    result.assert_outcomes(failed=2)
    result.stdout.no_fnmatch_line("*objective.py*")
