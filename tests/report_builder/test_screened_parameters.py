"""The places that a screen names where claims are wrong."""

from typing import Any

import numpy as np
import pytest

from pytest_gradcheck import check_gradient
from pytest_gradcheck.report_builder import screened_parameters as module


@pytest.mark.parametrize("seed", [0, 10])
def test_parameter_that_is_wrong_as_a_whole_has_no_wrong_row(seed: int) -> None:
    """The search may find a row first, and then that all is wrong."""
    rng = np.random.default_rng(seed)
    X, W, noise = rng.normal(size=(6, 3)), rng.normal(size=(3, 4)), rng.normal(size=(3, 4))

    def forward(W: Any, X: Any) -> Any:
        return np.sum(np.tanh(X @ W) ** 2)

    def backward(W: Any, X: Any) -> Any:
        h = np.tanh(X @ W)
        return noise * (X.T @ (2 * h * (1 - h * h)))

    report = check_gradient(forward, backward, W, X, wrt="W", mode="fast", seed=seed)
    (place,) = report["W"].diagnosis
    assert place.text.startswith("wrong in all of W, 12 entries")


def test_cause_that_few_rough_measurements_leave_open_is_measured() -> None:
    """Of a gradient with one large entry, a screen measures that one, and by one pair."""
    x = np.array([0.75, -0.05, 0.9, -0.25, -1.5])

    def forward(x: Any) -> Any:
        return np.sum(x**8) + np.sum(x**2)

    def backward(x: Any) -> Any:
        return 2 * (8 * x**7 + 2 * x)

    report = check_gradient(forward, backward, x, mode="fast")
    (cause,) = report["x"].diagnosis
    assert cause.text.startswith("consistent with 2 x the true gradient (4 entries, to ")


def test_entries_are_measured_again_only_where_nothing_explains_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Six evaluations for each of two entries that are wrong by numbers without a pattern."""
    x, slopes = np.random.default_rng(3).normal(size=(2, 30))
    scattered = np.ones(30)
    scattered[[4, 17]] = -1.7, 2.3

    def evaluations(factor: Any) -> int:
        return check_gradient(
            lambda x: slopes @ np.sin(x), lambda x: factor * slopes * np.cos(x), x, mode="fast"
        ).evaluations

    found = evaluations(2.0), evaluations(scattered)
    monkeypatch.setattr(module, "_measured_closely", lambda part: None)
    assert found == (evaluations(2.0), evaluations(scattered) + 12)
