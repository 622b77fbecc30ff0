"""Suggestions for misspelt names."""

import pytest

from pytest_gradcheck.report.spelling import closest


@pytest.mark.parametrize(
    ("name", "found"),
    [("rtl", "rtol"), ("Seed", "seed"), ("zzz", None), (1, None), ("", None), ("r" * 10**6, None)],
)
def test_closest_name(name: object, found: str | None) -> None:
    """Nothing is suggested for what is not a name."""
    assert closest(name, ["rtol", "seed", "rtol" * 10**6]) == found
