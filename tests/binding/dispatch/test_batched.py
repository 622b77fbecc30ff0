"""Batched evaluation: many points in one call of forward."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_gradcheck import check_gradient
from pytest_gradcheck.binding.dispatch import batched
from pytest_gradcheck.binding.dispatch.batched import batches, points_within
from pytest_gradcheck.errors import GradcheckUsageError


@given(st.integers(0, 20), st.integers(1, 7))
def test_batches_hold_every_point_in_order(count: int, length: int) -> None:
    """No batch is longer than asked for, and only the last is shorter."""
    points = np.arange(2.0 * count).reshape(count, 2)
    found = list(batches(points, length))
    assert [row.tolist() for batch in found for row in batch] == points.tolist()
    assert all(len(batch) == length for batch in found[:-1])


def test_batches_are_copies() -> None:
    """A point that is changed in place afterwards is not changed in its batch."""
    point = np.zeros(1)

    def moving() -> object:
        for k in range(3):
            point[0] = k
            yield point

    (batch,) = batches(moving(), 5)  # type: ignore[arg-type]  # a generator of arrays
    assert batch.tolist() == [[0.0], [1.0], [2.0]]


def test_at_least_one_point_fits() -> None:
    """Even if it is larger than the limit; a point of no numbers counts as one number."""
    assert points_within(10, 800) == 10
    assert points_within(10**9, 800) == 1
    assert points_within(0, 800) == 100


X = np.linspace(0.2, 1.4, 7)


def recorded(function: Any, shapes: list[tuple[int, ...]]) -> Any:
    """Return a function that records the shapes of its first argument."""

    def recording(x: Any, *rest: Any) -> Any:
        shapes.append(np.shape(x))
        return function(x, *rest)

    return recording


def figures(report: Any) -> list[Any]:
    """Return what a batched check must share with an ordinary one."""
    return [
        (p.name, p.verdict, p.wrong, sorted(e.index for e in p.worst) * p.wrong)
        for p in report.parameters
    ] + [report.verdict, report.kind, report.evaluations]


def test_perturbed_points_go_into_few_calls() -> None:
    """The report counts points, and is the same."""
    shapes = list[tuple[int, ...]]()
    forward = recorded(lambda x: np.sin(x).sum(-1), shapes)
    plain = check_gradient(lambda x: np.sin(x).sum(-1), np.cos, X)
    report = check_gradient(forward, np.cos, X, batched=True)
    assert report.verdict == plain.verdict == "correct"
    assert report.evaluations == plain.evaluations + 5  # forward is tried out first
    assert (14, 7) in shapes
    assert len(shapes) < plain.evaluations / 2


class Pair(NamedTuple):
    """Two outputs."""

    total: Any
    parts: Any


CASES: dict[str, tuple[Any, Any, tuple[Any, ...], dict[str, Any]]] = {
    "wrong": (lambda x: np.sin(x).sum(-1), lambda x: np.cos(x) * (X < 1), (X,), {}),
    "fast": (lambda x: np.sin(x).sum(-1), np.cos, (X,), {"mode": "fast"}),
    "jacobian": (lambda x: x[..., :2] * 3, lambda x: 3 * np.eye(2, 7), (X,), {}),
    "vjp": (lambda x: np.sin(2 * x), lambda dout, x: 2 * dout * np.cos(2 * x), (X,), {}),
    "number": (lambda x: 3.0 * x, lambda x: 3.0, (1.5,), {}),
    "list": (lambda x: np.sum(np.asarray(x) ** 2, axis=-1), lambda x: np.multiply(2, x),
             ([1.0, 2.0],), {}),
    "tree": (lambda p: (p["W"] @ p["x"][..., None])[..., 0].sum(-1),
             lambda p: {"W": np.tile(p["x"], (2, 1)), "x": p["W"].sum(0)},
             ({"W": np.ones((2, 3)), "x": np.arange(3.0)},), {}),
    "data": (lambda x, y: np.sum(x * y, axis=-1), lambda x, y: y, (X, X**2), {"wrt": "x"}),
    "float32": (lambda x: (x**2).sum(-1), lambda x: 2 * x, (X.astype(np.float32),), {}),
    "only float32": (lambda x: np.float32(x).sum(-1), np.ones_like, (X.astype(np.float32),), {}),
    "complex": (lambda z: (z * z.conj()).real.sum(-1), lambda z: 2 * z, (X + 1j,), {}),
    "edge": (lambda x: np.sqrt(x - 0.2).sum(-1), lambda x: 0.5 / np.sqrt(x - 0.19), (X,), {}),
    "cache": (lambda x: (x.sum(-1), x), lambda cache: np.ones(7), (X,), {}),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
@pytest.mark.filterwarnings("ignore")
def test_any_call_may_be_batched(name: str) -> None:
    """Verdicts are the same, whatever is checked and wherever it lies in the arguments."""
    forward, backward, args, options = CASES[name]
    plain = check_gradient(forward, backward, *args, **options)
    report = check_gradient(forward, backward, *args, **options, batched=True)
    assert figures(report)[:-1] == figures(plain)[:-1]


def test_several_outputs_get_the_axis_each() -> None:
    """Outputs may be in any container."""

    def forward(x: Any) -> Pair:
        return Pair(x.sum(-1), {"squares": x**2, "last": x[..., -1]})

    def backward(x: Any) -> Any:
        last = np.zeros(7)
        last[-1] = 1
        return Pair(np.ones(7), {"squares": np.diag(2 * x), "last": last})

    assert check_gradient(forward, backward, X, batched=True).verdict == "correct"


def test_points_outside_the_domain_are_found_one_by_one() -> None:
    """A function that raises for a batch is called for each point of it."""

    def forward(x: Any) -> Any:
        if np.any(x < 0.2):
            raise ValueError("outside")
        return np.sum(x**2, axis=-1)

    plain = check_gradient(forward, lambda x: 2 * x, X)
    assert (
        figures(check_gradient(forward, lambda x: 2 * x, X, batched=True))[:2]
        == (figures(plain)[:2])
    )


def refused(forward: Any, *args: Any) -> str:
    """Return the unfolded message of a batched check that is refused."""
    with pytest.raises(GradcheckUsageError) as error:
        check_gradient(forward, lambda x: x, *args, batched=True)
    return str(error.value.args[0])


def test_outputs_without_the_axis_are_refused() -> None:
    """The message shows both shapes."""
    assert refused(np.sum, X) == (
        "batched=True, but sum returned output of shape () at two points at once, where (2,) is "
        "meant: checked parameters get a leading axis, and so must outputs. Sum over the trailing "
        "axes only, or leave batched out."
    )


def test_rows_that_depend_on_each_other_are_refused() -> None:
    """A mean over the batch would make every derivative wrong."""

    def normalised(x: Any) -> Any:
        return (x / np.sqrt(np.mean(x**2))).sum(-1)

    assert refused(normalised, X) == (
        "batched=True, but normalised at two points at once does not return what it does at each "
        "by itself: rows of the leading axis must not depend on each other. Sum and normalize "
        "over the trailing axes only, or leave batched out."
    )


def test_attributes_cannot_be_batched() -> None:
    """An object has only one array for each attribute."""

    class Layer:
        def __init__(self) -> None:
            self.w = X

        def forward(self, x: Any) -> Any:
            return np.sum(self.w * x, axis=-1)

    with pytest.raises(GradcheckUsageError) as error:
        check_gradient(Layer().forward, lambda x: x, X, wrt="self.w", batched=True)
    assert error.value.args[0] == (
        "batched=True, but self.w cannot get a leading axis: an object has only one of each. Let "
        "Layer.forward take it as an argument, or leave batched out."
    )


def test_exceptions_of_forward_say_how_it_was_called() -> None:
    """Exceptions are raised unchanged, with a note."""

    def forward(x: Any) -> Any:
        if x.ndim > 1:
            raise TypeError("one at a time")
        return np.sum(x)

    with pytest.raises(TypeError, match="one at a time") as error:
        check_gradient(forward, lambda x: x, X, batched=True)
    assert error.value.__notes__ == [
        "while gradcheck called it at 2 points at once (batched=True)"
    ]


def test_memory_of_a_call_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call gets fewer points where they are large."""
    monkeypatch.setattr(batched, "BYTES", 3 * X.nbytes)
    shapes = list[tuple[int, ...]]()
    forward = recorded(lambda x: np.sin(x).sum(-1), shapes)
    check_gradient(forward, np.cos, X, batched=True)
    assert max(shape[0] for shape in shapes if len(shape) > 1) == 3
