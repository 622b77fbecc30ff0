"""Second derivatives that would be read as gradients of the labels of an objective."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pytest_gradcheck import GradcheckUsageError, check_gradient, check_objective, gradcheck

PREDICTIONS = np.random.default_rng(0).normal(size=8)
LABELS = np.array([0.0, 1.0, 1.0, 0.0, 1.0, 0.0, 0.0, 1.0])


def row_losses(preds: Any, labels: Any) -> Any:
    """Return the loss of each row."""
    return np.logaddexp(0, preds) - labels * preds


def total_loss(preds: Any, labels: Any) -> Any:
    """Return a number."""
    return np.sum(row_losses(preds, labels))


def objective(preds: Any, labels: Any) -> Any:
    """Return gradient and diagonal of the Hessian by the predictions."""
    p = 1 / (1 + np.exp(-preds))
    return p - labels, p * (1 - p)


@pytest.mark.parametrize("loss", [row_losses, total_loss])
def test_a_right_objective_is_not_called_wrong(loss: Any) -> None:
    """The calls in the message check both derivatives."""
    with pytest.raises(GradcheckUsageError) as error:
        check_gradient(loss, objective, PREDICTIONS, LABELS)
    message = " ".join(str(error.value).split())
    assert message.startswith(
        "objective returned a first and a second derivative with respect to preds, and the second "
        "would be checked as the gradient of labels. An objective of a boosting library is "
        f"checked by check_objective({loss.__name__}, objective, preds, labels), any other first "
        f"and second derivative by a call each: gradcheck({loss.__name__}, lambda preds, labels: "
    )
    calls = message.partition(" each: ")[2].removesuffix(".").split(" and ")
    calls += [message.partition(" checked by ")[2].partition(", any other")[0]]
    names = {"gradcheck": gradcheck, "objective": objective, loss.__name__: loss}
    names["check_objective"] = check_objective
    values = {"preds": PREDICTIONS, "labels": LABELS}
    for call in calls:
        assert eval(call, names | values)  # noqa: S307  # our own message


def test_a_wrong_gradient_of_the_labels_is_one() -> None:
    """Where it is no derivative of the first."""
    report = check_gradient(
        total_loss, lambda preds, labels: (objective(preds, labels)[0], preds), PREDICTIONS, LABELS
    )
    assert [p.verdict for p in report.parameters] == ["correct", "wrong"]


def test_a_wrong_second_derivative_is_no_reason_to_refuse() -> None:
    """It may be meant as a gradient."""

    def wrong(preds: Any, labels: Any) -> Any:
        gradient, hessian = objective(preds, labels)
        return gradient, 1.01 * hessian

    assert check_gradient(total_loss, wrong, PREDICTIONS, LABELS).verdict == "wrong"
