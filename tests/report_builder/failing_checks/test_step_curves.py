"""Differences over many steps, for the worst entries of a failing check of a recorded test."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pytest_gradcheck import Report, StepCurve
from pytest_gradcheck.binding.call.resolved_call import Call
from pytest_gradcheck.check.run_check import run_check
from pytest_gradcheck.report_builder.failing_checks import step_curves
from pytest_gradcheck.running_test import RunningTest

X = np.array([0.5, 1.0, 1.5])


def recorded(
    forward: Callable[..., Any],
    backward: Callable[..., Any],
    *args: Any,
    is_recorded: bool = True,
    **options: Any,
) -> Report:
    """Return the report of a check in a test whose run writes a record."""
    test = RunningTest([], [], "pytest", lambda report: None, is_recorded=is_recorded)
    return run_check(Call(forward, backward, args, None, None, None, None), options, test)


def closest(curve: StepCurve) -> float:
    """Return the smallest distance of a central difference from the numerical derivative."""
    return min(abs(value - curve.entry.numerical) for value in curve.central)


def test_a_curve_shows_how_the_derivative_came_about() -> None:
    """It passes the chosen step, at which it is within the bound but for truncation."""
    report = recorded(lambda x: np.sum(np.sin(x)), lambda x: 2 * np.cos(x), X)
    (curve,) = report.step_curves
    assert curve.entry == report.worst[0]
    lengths = {len(curve.steps), len(curve.central), len(curve.right), len(curve.left)}
    assert lengths == {20}
    assert curve.steps == tuple(sorted(curve.steps, reverse=True))
    assert curve.steps[0] > curve.entry.step > curve.steps[-1]
    assert closest(curve) < 1e-9
    assert all(
        (right + left) / 2 == pytest.approx(central, rel=1e-6)
        for right, left, central in zip(curve.right, curve.left, curve.central, strict=True)
    )


@pytest.mark.parametrize(
    ("factor", "is_recorded"), [(1.0, True), (2.0, False)], ids=["passing", "no record"]
)
def test_no_curve_is_measured_without_need(factor: float, is_recorded: bool) -> None:
    """A check that passes costs nothing more, nor does one that is not recorded."""
    report = recorded(
        lambda x: np.sum(np.sin(x)), lambda x: factor * np.cos(x), X, is_recorded=is_recorded
    )
    assert report.step_curves == ()


@pytest.mark.parametrize(
    ("forward", "backward", "args"),
    [
        (np.outer, lambda a, b: 2.0 * np.einsum("ij,k->ikj", np.eye(3), b), (X, X)),
        (np.sin, lambda x: 2 * np.cos(x), (X + 1j * X,)),
        (lambda x: np.sum(np.sin(x)), lambda x, tangent: np.sum(2 * np.cos(x) * tangent), (X,)),
        (np.sin, lambda x, dy: 2 * np.cos(x) * dy, (X,)),
    ],
    ids=["jacobian", "complex elementwise", "jvp", "vjp"],
)
def test_each_kind_of_derivative_has_its_curve(
    forward: Callable[..., Any], backward: Callable[..., Any], args: tuple[Any, ...]
) -> None:
    """The difference is that of the entry's own output and part."""
    options = {} if len(args) == 1 else {"wrt": "a"}
    test = RunningTest([], [], "pytest", lambda report: None, is_recorded=True)
    call = Call(forward, backward, args, None, options.get("wrt"), None, None)
    report = run_check(call, {}, test)
    assert report.verdict == "wrong"
    for curve in report.step_curves:
        assert closest(curve) < 1e-8
        assert abs(curve.entry.backward - curve.entry.numerical) > 1e-3


def test_entries_of_a_screen_have_curves() -> None:
    """One of each wrong parameter, as long as that costs no more than the check."""
    W, b = np.full((50, 40), 0.5), np.full(2000, 0.5)
    report = recorded(
        lambda W, b: np.sum(np.sin(W)) + np.sum(b * b),
        lambda W, b: (np.where(W.cumsum().reshape(W.shape) > 999, 0, np.cos(W)), 2 * b),
        *(W, b),
        mode="fast",
    )
    assert [curve.entry.parameter for curve in report.step_curves] == ["W"]
    assert closest(report.step_curves[0]) < 1e-6


def test_an_edge_of_the_domain_leaves_gaps() -> None:
    """Where forward is undefined there is no difference."""
    report = recorded(lambda x: np.sum(np.sqrt(x)), lambda x: x, np.array([1e-3, 1.0]))
    curve = next(c for c in report.step_curves if c.entry.index == (0,))
    assert all(np.isfinite(curve.central[4:]))
    assert report.evaluations >= 2 * len(curve.steps)


def test_a_check_fails_though_a_curve_cannot_be_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """A note says why there is none."""

    def broken(*_: object) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(step_curves, "measure_step_curves", broken)
    report = recorded(lambda x: np.sum(np.sin(x)), lambda x: 2 * np.cos(x), X)
    assert report.verdict == "wrong"
    assert report.step_curves == ()
    assert [note.text for note in report.notes if note.kind == "undrawn"] == [
        "step-size curves were not measured: ZeroDivisionError: oops; please report this"
    ]
