"""Several implementations of one function: they must agree in their values and their gradients.

A function may exist as plain code, compiled, vectorized and by another library. Each is checked
like forward, against the same backward or its own, and its outputs are compared with those of
forward. It does not know how a check is made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pytest_gradcheck.binding.call.resolved_call import Call
from pytest_gradcheck.binding.values.parameters import Block
from pytest_gradcheck.errors import GradcheckUsageError
from pytest_gradcheck.report.formatting import format_difference, format_pair
from pytest_gradcheck.report.report import Report
from pytest_gradcheck.report.report_data import Breach, Note

__all__ = ["CheckedCall", "check_implementations"]

#: Outputs may differ by so many roundings of their type, relative to the largest one.
ROUNDINGS = 64.0


@dataclass(frozen=True, slots=True, eq=False)
class CheckedCall:
    """A check that was made of a call.

    Attributes
    ----------
    report : Report
        Its report.
    outputs : tuple of Block
        What forward returned at the point of the check ...
    values : ndarray of float64
        ... and the coordinates of all of it.
    """

    report: Report
    outputs: tuple[Block, ...]
    values: NDArray[np.float64]


def check_implementations(
    check: Callable[[Call], CheckedCall], call: Call, also: Mapping[str, Any], rtol: float
) -> Report:
    """Make the check of a call, and those of further implementations of forward.

    Parameters
    ----------
    check : callable
        Makes the check of a call.
    call : Call
        The call of forward.
    also : mapping of str to callable or (forward, backward)
        The others, by the names that the report has for them. A function alone shares the
        backward of the call.
    rtol : float
        The relative difference of outputs that is always allowed.

    Returns
    -------
    Report
        That of the first implementation that fails, else that of forward; with the evaluations
        and the time of all.
    """
    first = check(call)
    reports = [first.report]
    for name, implementation in also.items():
        if reports[-1].failures:
            break
        other = _check_other(check, call, name, implementation)
        breaches = tuple(_differences(name, first, other, rtol))
        reports.append(_with_breaches(other.report, breaches, name, first.report.forward))
    if not also:
        return first.report
    if reports[-1].failures:
        return reports[-1].with_cost_of(reports)
    note = Note("implementation", 0, f"{', '.join(map(repr, also))} agree in values and gradients")
    shown = first.report.with_cost_of(reports)
    return replace(shown, notes=(*shown.notes, note))


def _check_other(
    check: Callable[[Call], CheckedCall], call: Call, name: str, implementation: Any
) -> CheckedCall:
    """Make the check of an implementation, and say which one it is where that makes no sense."""
    pair = implementation if isinstance(implementation, tuple) else (implementation, None)
    forward, own = pair
    backward = call.backward if own is None else own
    try:
        return check(replace(call, forward=forward, backward=backward))
    except GradcheckUsageError as error:
        raise GradcheckUsageError(f"the implementation {name!r}: {error.args[0]}") from None


def _with_breaches(report: Report, breaches: Sequence[Breach], name: str, of: str) -> Report:
    note = Note("implementation", 0, f"this is the implementation {name!r} of {of}")
    if not breaches:
        return replace(report, notes=(*report.notes, note))
    return replace(
        report,
        verdict="wrong",
        breaches=(*breaches, *report.breaches),
        failures=(*(breach.text for breach in breaches), *report.failures),
        notes=(*report.notes, note),
    )


def _differences(
    name: str, first: CheckedCall, other: CheckedCall, rtol: float
) -> Iterator[Breach]:
    """Yield how the outputs of an implementation differ from those of forward."""
    parameter = other.report.parameters[0].name
    shapes, others = ([block.shape for block in each.outputs] for each in (first, other))
    if shapes != others:
        text = f"{name} returned outputs of the shapes {others}, and forward {shapes}"
        yield Breach("implementation", parameter, text)
        return
    blocks = (*first.outputs, *other.outputs)
    epsilon = max((float(np.finfo(block.dtype).eps) for block in blocks), default=0.0)
    scale = float(np.abs(first.values).max(initial=0.0))
    difference = np.abs(first.values - other.values)
    if (difference <= max(rtol, ROUNDINGS * epsilon) * scale).all():
        return
    worst = int(np.argmax(difference))
    block = next(b for b in first.outputs if b.start <= worst < b.stop)
    mine, theirs = format_pair(float(other.values[worst]), float(first.values[worst]))
    share = format_difference(float(difference[worst] / scale) if scale else np.inf)
    text = f"{name} returned {mine} for {block.entry(worst - block.start)}, and forward {theirs}"
    yield Breach("implementation", parameter, f"{text}: they differ by {share}")
