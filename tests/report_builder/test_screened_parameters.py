"""The places that a screen names where claims are wrong."""

from typing import Any

import numpy as np
import pytest

from pytest_gradcheck import check_gradient


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
