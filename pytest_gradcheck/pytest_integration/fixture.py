"""The value of the ``gradcheck`` fixture: an assertion that belongs to the running test.

This module does not make checks: it passes the call to `check`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Unpack

from pytest_gradcheck.errors import hide_own_errors
from pytest_gradcheck.session_state import SessionState

if TYPE_CHECKING:
    from pytest_gradcheck.options import GivenOptions
    from pytest_gradcheck.report.report import Report

__all__ = ["Gradcheck"]


class Gradcheck:
    """The value of the ``gradcheck`` fixture, the same object for the whole session.

    It finds the running test when it is called. Therefore it works in fixtures of every
    scope, under hypothesis, in threads and in coroutines.

    Parameters
    ----------
    session : SessionState
        The state of the session, with the running test.
    """

    def __init__(self, session: SessionState) -> None:
        self._session = session

    def __repr__(self) -> str:
        return "gradcheck"

    def __call__(
        self,
        forward: Callable[..., Any],
        backward: Callable[..., Any] | str | bool,
        *args: Any,
        wrt: str | int | Sequence[str | int] | None = None,
        kwargs: Mapping[str, Any] | None = None,
        backward_args: Sequence[str] | None = None,
        has_cache: bool | None = None,
        **options: Unpack[GivenOptions],
    ) -> Report:
        """Assert that `backward` is the derivative of `forward`; see `pytest_gradcheck.gradcheck`.

        Returns
        -------
        Report
            The report of the check, which passed.

        Raises
        ------
        GradcheckError
            If a gradient is wrong, or if nothing about a parameter could be
            verified.
        GradcheckUsageError
            If the check cannot be made as it was written.
        """
        __tracebackhide__ = hide_own_errors
        from pytest_gradcheck.binding.call.resolved_call import Call
        from pytest_gradcheck.check.run_check import assert_check

        call = Call(forward, backward, args, kwargs, wrt, backward_args, has_cache)
        return assert_check(call, options, self._session.running())
