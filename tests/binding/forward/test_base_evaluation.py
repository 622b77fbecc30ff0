"""Forward at the user's own point, in the best precision that it follows."""

from __future__ import annotations

from typing import Any

import numpy as np

from pytest_gradcheck import check_gradient


def test_an_attempt_in_float64_draws_no_random_numbers() -> None:
    """Where forward returns float32 whatever it is given, both calls have the same mask."""
    rng = np.random.default_rng(0)
    masks = []

    def forward(x: Any) -> Any:
        masks.append(rng.random(8) < 0.5)
        return np.sum(x * masks[-1]).astype(np.float32)

    x = np.linspace(1, 2, 8, dtype=np.float32)
    report = check_gradient(forward, lambda x: masks[-1].astype(np.float32), x)
    assert report.verdict == "correct"
    assert all((mask == masks[0]).all() for mask in masks)
