"""Which test is running, so that every door opens into the same test.

It holds the one module global of the package, and must not know what a check
does: it carries the test's options to the check and the reports back.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pytest_gradcheck.options import Layer

if TYPE_CHECKING:
    from pytest_gradcheck.report.model import Report

__all__ = ["RunningTest", "Stage", "current_stage", "current_test"]


@dataclass(slots=True)
class RunningTest:
    """One run of one test: the options in force for it and the checks it made.

    Attributes
    ----------
    nodeid : str
        Pytest's name of the test.
    seed : int
        The seed made from the node id.
    layers : sequence of Layer
        Options from ini, command line and marks, weakest first.
    overrides : sequence of Layer
        Options from the command line that win over a call, too.
    rerun : str
        The command that runs this test again.
    reports : list of Report
        Every check the test completed, in order.
    """

    nodeid: str
    seed: int
    layers: Sequence[Layer]
    overrides: Sequence[Layer]
    rerun: str
    reports: list[Report] = field(default_factory=list)


@dataclass(slots=True)
class Stage:
    """Where the running test stands; one per pytest session.

    An event loop that outlives a test keeps a copy of the context of the test
    that started it. The copy holds this object, whose `test` is always today's.
    """

    test: RunningTest | None = None


current_stage: ContextVar[Stage | None] = ContextVar("pytest_gradcheck_stage", default=None)


def current_test() -> RunningTest | None:
    """Return the test that runs in this context, or None outside of one."""
    stage = current_stage.get()
    return None if stage is None else stage.test
