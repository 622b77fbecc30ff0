"""The hooks offered to conftest files and other plugins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from pytest_gradcheck.report.report import Report


@pytest.hookspec(firstresult=True)
def pytest_gradcheck_executor(item: pytest.Item) -> Executor | None:
    """Return the executor of forward evaluations in the test `item`; None for no executor.

    It is called at the first check of a test. The option ``executor=`` of a call or a mark
    overrides it. The suite must shut the executor down itself.
    """


def pytest_gradcheck_finish_check(item: pytest.Item, report: Report) -> None:
    """Receive the `report` of a completed gradient check of the test `item`.

    It is called for checks that pass and for checks that fail.
    """
