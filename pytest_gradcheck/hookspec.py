"""The hooks offered to conftest files and other plugins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from pytest_gradcheck.report.report import Report


@pytest.hookspec(firstresult=True)
def pytest_gradcheck_executor(item: pytest.Item) -> Executor | None:
    """Return what evaluates forward functions in the test `item`, None for nothing.

    It is asked when a test makes its first check, and wins over nothing that a call or a
    mark says with ``executor=``. The executor stays the suite's: it is not shut down here.
    """


def pytest_gradcheck_finish_check(item: pytest.Item, report: Report) -> None:
    """Take note of a completed gradient check of the test `item`, whether it passed or not.

    What was found is in the `report`.
    """
