"""The hooks offered to conftest files and other plugins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable
    from concurrent.futures import Executor

    from pytest_gradcheck import CheckedCall, ClaimedGradient, Hypothesis, Report
    from pytest_gradcheck.run_record.record import Record


@pytest.hookspec(firstresult=True)
def pytest_gradcheck_executor(item: pytest.Item) -> Executor | None:
    """Return the executor of forward evaluations in the test `item`; None for no executor.

    It is called at the first check of a test. The option ``executor=`` of a call or a mark
    overrides it. The suite must shut the executor down itself.
    """


def pytest_gradcheck_finish_check(item: pytest.Item, report: Report) -> None:
    """Receive the `report` of a completed check of the test `item`, passed or failed."""


def pytest_gradcheck_update_record(config: pytest.Config, record: Record) -> None:
    """Add to the `record` of a run before outputs are made from it.

    It is called once, in the process that has the reports of all tests. The record itself, its
    runs and its tests may each have a key ``extra`` for data of the suite: Python numbers, text,
    lists and dicts.
    """


def pytest_gradcheck_diagnose(
    item: pytest.Item, gradient: ClaimedGradient, call: CheckedCall
) -> Iterable[Hypothesis] | None:
    """Return hypotheses on why a `gradient` that backward returned in the test `item` is wrong.

    It is called for each wrong parameter of a check that fails; `call` is what is known about the
    call. A hypothesis is said where it explains all measurements and no simpler one does.
    """
