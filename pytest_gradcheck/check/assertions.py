"""The public functions `gradcheck` and `check_gradient`.

They differ from `scipy.optimize.check_grad`, which returns a norm to be compared with a
tolerance, and from `torch.autograd.gradcheck`, which takes ``eps``, ``atol`` and ``rtol``: a
check chooses its steps, bounds the error of every difference, and returns a report. This module
does not import pytest; it finds the running test in `session_state`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Unpack

from pytest_gradcheck.binding.call.resolved_call import Call
from pytest_gradcheck.check.run_check import assert_check, run_check
from pytest_gradcheck.errors import hide_own_errors
from pytest_gradcheck.options import GivenOptions
from pytest_gradcheck.report.report import Report
from pytest_gradcheck.session_state import current_test

__all__ = ["check_gradient", "gradcheck"]


def gradcheck(
    forward: Callable[..., Any],
    backward: Callable[..., Any] | str | bool,
    *args: Any,
    wrt: str | int | Sequence[str | int] | None = None,
    kwargs: Mapping[str, Any] | None = None,
    backward_args: Sequence[str] | None = None,
    has_cache: bool | None = None,
    **options: Unpack[GivenOptions],
) -> Report:
    """Assert that `backward` is the derivative of `forward` at the given arguments.

    Parameters
    ----------
    forward : callable
        The function to differentiate. It returns a number, a floating array, or
        ``(output, cache)``.
    backward : callable, str or True
        The hand-written derivative under test. Its parameters are filled by name, from the
        arguments of forward and from ``cache``, ``output``, ``cotangent`` (also ``dy``,
        ``grad_output`` and other usual names of an upstream gradient) and ``tangent``. They
        decide which derivative is checked. True means that forward returns
        ``(value, gradients)``. ``"torch"``, ``"jax"`` or ``"autograd"`` stand for the
        derivative of forward by that package, with the rules that the user wrote for it,
        and ``".grad"`` for what ``backward()`` of the output leaves in objects of an engine.
    *args : Any
        Positional arguments of forward.
    wrt : str, int or sequence of them, optional
        The parameters to check: names or positions of arguments, leaves (``"W1"``) or
        attributes of the object of forward (``"self.W"``). By default every floating
        argument.
    kwargs : mapping, optional
        Keyword arguments of forward.
    backward_args : sequence of str, optional
        The names to pass to backward by position, instead of by name.
    has_cache : bool, optional
        Whether forward returns ``(output, cache)``; by default it does if and only if
        backward has a parameter ``cache``.
    **options
        See `Options`: ``mode``, ``rtol``, ``step``, ``max_evaluations``,
        ``seed``, ``strict``, ``kinks``, ``empty``, ``convention``, ``max_rows``,
        ``replay``, ``tangent``, ``project``, ``bounds``, ``executor``, ``batched``,
        ``points``, ``also``, ``reference``.

    Returns
    -------
    Report
        The report of the check, which passed.

    Raises
    ------
    GradcheckError
        If a gradient is wrong, or if nothing about a parameter could be verified.
    GradcheckUsageError
        If the check cannot be made as it was written.

    Examples
    --------
    >>> import numpy as np
    >>> from pytest_gradcheck import gradcheck
    >>> bool(gradcheck(np.sin, np.cos, np.array([0.5, 2.0])))
    True
    """
    __tracebackhide__ = hide_own_errors
    call = Call(forward, backward, args, kwargs, wrt, backward_args, has_cache)
    return assert_check(call, options, current_test())


def check_gradient(
    forward: Callable[..., Any],
    backward: Callable[..., Any] | str | bool,
    *args: Any,
    wrt: str | int | Sequence[str | int] | None = None,
    kwargs: Mapping[str, Any] | None = None,
    backward_args: Sequence[str] | None = None,
    has_cache: bool | None = None,
    **options: Unpack[GivenOptions],
) -> Report:
    """Check a gradient like `gradcheck`, and return the report of a failing check too.

    Parameters
    ----------
    forward, backward, *args, wrt, kwargs, backward_args, has_cache, **options
        As for `gradcheck`.

    Returns
    -------
    Report
        The report. Its truth value raises the failure of a check that failed, so that it is
        never wrongly true.

    Raises
    ------
    GradcheckUsageError
        If the check cannot be made as it was written.

    Examples
    --------
    >>> from pytest_gradcheck import check_gradient
    >>> report = check_gradient(lambda x: x**2, lambda x: 3 * x, 1.5)
    >>> report.verdict, report["x"].worst[0].backward
    ('wrong', 4.5)
    """
    __tracebackhide__ = hide_own_errors
    call = Call(forward, backward, args, kwargs, wrt, backward_args, has_cache)
    return run_check(call, options, current_test())
