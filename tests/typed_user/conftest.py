"""The hooks, as another project implements them with types."""

from collections.abc import Iterator
from concurrent.futures import Executor

import pytest

from pytest_gradcheck import CheckedCall, ClaimedGradient, Hypothesis, Report


def pytest_gradcheck_executor(item: pytest.Item) -> Executor | None:
    """Evaluate forward in this thread."""
    return None


def pytest_gradcheck_finish_check(item: pytest.Item, report: Report) -> None:
    """Tell JUnit which mode a check of the test had."""
    item.user_properties.append(("gradient_mode", report.mode))


def pytest_gradcheck_diagnose(
    item: pytest.Item, gradient: ClaimedGradient, call: CheckedCall
) -> Iterator[Hypothesis]:
    """Take backward for half of the gradient."""
    yield Hypothesis("half", "consistent with half of {agreement}", offset=2 * gradient.claim)
