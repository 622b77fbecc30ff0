"""The hooks offered to conftest files and other plugins."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

    from pytest_gradcheck.report.model import Report


def pytest_gradcheck_finish_check(item: pytest.Item, report: Report) -> None:
    """Take note of a completed gradient check, whether it passed or not.

    Parameters
    ----------
    item : pytest.Item
        The test that made the check.
    report : Report
        What was found.

    Examples
    --------
    In a ``conftest.py``, to keep track of what checks cost:

    .. code-block:: python

        def pytest_gradcheck_finish_check(item, report):
            print(f"{item.nodeid}: {report.evaluations} evaluations")
    """
