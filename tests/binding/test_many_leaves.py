"""Arguments of very many leaves: binding takes linear time in their number."""

import sys
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from pytest_gradcheck.binding.bind import bind
from pytest_gradcheck.binding.call.resolved_call import Call
from pytest_gradcheck.binding.constrained_parameters.constraint_options import (
    UNCONSTRAINED,
    ConstraintDeclarations,
)
from pytest_gradcheck.report.report_data import Note


def calls_of(check: Mapping[str, Any]) -> int:
    """Return the number of calls of Python and C functions in binding a check."""
    count = 0

    def see(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(see)
    try:
        bound(**check)
    finally:
        sys.setprofile(before)
    return count


def arrays(count: int) -> list[Any]:
    """Return small floating arrays."""
    return [np.arange(2.0) + k for k in range(count)]


def listed(count: int) -> dict[str, Any]:
    """Return a check of a list."""
    return {
        "forward": lambda p: float(sum(a @ a for a in p)),
        "backward": lambda p: [2 * a for a in p],
        "args": (arrays(count),),
    }


def keyed(count: int) -> dict[str, Any]:
    """Return a check of a dict."""
    return {
        "forward": lambda p: float(sum(a @ a for a in p.values())),
        "backward": lambda p: {f"d{name}": 2 * a for name, a in p.items()},
        "args": ({f"w{k}": a for k, a in enumerate(arrays(count))},),
    }


def nested(count: int) -> dict[str, Any]:
    """Return a check of layers."""
    layers = [{"W": a, "n": k} for k, a in enumerate(arrays(count))]
    return {
        "forward": lambda p: float(sum(layer["W"] @ layer["W"] for layer in p)),
        "backward": lambda p: [{"W": 2 * layer["W"], "n": None} for layer in p],
        "args": (layers,),
    }


def numbers(count: int) -> dict[str, Any]:
    """Return a check of numbers, which are made anew for each call."""
    return {
        "forward": lambda p: sum(v * v for v in p.values()),
        "backward": lambda p: {name: 2 * v for name, v in p.items()},
        "args": ({f"w{k}": 1.0 + k for k in range(count)},),
    }


def separate(count: int) -> dict[str, Any]:
    """Return a check of as many arguments."""
    return {
        "forward": lambda *p: float(sum(a @ a for a in p)),
        "backward": lambda *p: tuple(2 * a for a in p),
        "args": tuple(arrays(count)),
    }


def named(count: int) -> dict[str, Any]:
    """Return a check of leaves by their short names, each with bounds."""
    names = [f"w{k}" for k in range(count)]
    return keyed(count) | {
        "wrt": names,
        "declarations": ConstraintDeclarations(bounds=dict.fromkeys(names, (-1e6, 1e6))),
    }


def outputs(count: int) -> dict[str, Any]:
    """Return a check of a function of many outputs."""
    return {
        "forward": lambda x: {f"y{k}": k * x for k in range(count)},
        "backward": lambda x: {f"y{k}": k * np.eye(2) for k in range(count)},
        "args": (np.arange(2.0),),
    }


def beside(count: int) -> dict[str, Any]:
    """Return a check of one array beside a dict of integers that is not checked."""
    return {
        "forward": lambda x, data: float(x @ x) * data[1],
        "backward": lambda x, data: (2 * x * data[1], None),
        "args": (np.arange(2.0), {k: k for k in range(count)}),
    }


def bound(
    forward: Any,
    backward: Any,
    args: Any,
    wrt: Any = None,
    declarations: ConstraintDeclarations = UNCONSTRAINED,
) -> tuple[Note, ...]:
    """Bind a check, evaluate once, and return its notes."""
    with bind(
        Call(forward, backward, args, wrt=wrt), seed=0, declarations=declarations
    ) as problem:
        problem.evaluate([problem.point])
        next(problem.other_cotangents(), None)
        problem.unmoved()
        return problem.notes


@pytest.mark.parametrize(
    "check", [listed, keyed, nested, numbers, separate, named, outputs, beside]
)
def test_twice_the_leaves_take_twice_the_calls(check: Callable[[int], dict[str, Any]]) -> None:
    """Leaves are looked up, never searched one by one."""
    bound(**check(2))  # what is made once in a process is made
    few, more = (calls_of(check(n)) for n in (100, 200))
    assert more < 2.1 * few


def test_numbers_beside_what_is_checked_take_no_calls() -> None:
    """Simple values are copied and compared all at once."""
    bound(**beside(2))  # what is made once in a process is made
    few, more = (calls_of(beside(n)) for n in (100, 10_000))
    assert more == few


@pytest.mark.parametrize(
    ("change", "notes"),
    [
        ({}, []),
        ({1: 5}, ["data[1]"]),
        ({7: 1}, ["data"]),
        ({2: [1]}, ["data[2]"]),
    ],
)
def test_change_among_simple_numbers_is_named(change: Mapping[int, Any], notes: list[str]) -> None:
    """Comparing all at once misses none of them."""

    def forward(x: Any, data: dict[int, Any]) -> float:
        data.update(change)
        return float(x @ x)

    data = {0: 0, 1: 1, 2: 2}
    found = bound(forward, lambda x, data: (2 * x, None), (np.ones(2), data))
    told = [f"changed by forward, restored each time: {name}" for name in notes]
    assert [note.text for note in found if note.kind == "restored"] == told


def test_nan_beside_what_is_checked_is_no_change() -> None:
    """NaN is not equal to itself."""
    found = bound(
        lambda x, data: float(x @ x),
        lambda x, data: (2 * x, None),
        (np.ones(2), {"missing": float("nan"), "labels": np.ones(1)}),
        wrt="x",
    )
    assert not found
