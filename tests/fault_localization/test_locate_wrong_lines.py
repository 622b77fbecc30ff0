"""The wrong line, from end to end."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pytest_gradcheck import check_gradient
from pytest_gradcheck.fault_localization import locate_wrong_lines
from pytest_gradcheck.fault_localization.blame import Suspicion
from pytest_gradcheck.fault_localization.search import Search
from pytest_gradcheck.report.report import Report
from tests.fault_localization.functions import (
    Layer,
    W,
    X,
    centred,
    line_of,
    ridge,
    rnn,
    rnn_backward,
    two_layers,
    wrong_centred,
    wrong_ridge,
    wrong_two_layers,
)


def named(report: Report) -> list[tuple[int, int]]:
    """Return the first and last lines that a report names."""
    return [(w.location.first_line, w.location.last_line) for w in report.wrong_lines]


@pytest.mark.parametrize("mode", ["full", "fast"])
def test_line_where_a_gradient_goes_wrong_is_named_alone(mode: str) -> None:
    """It is the first statement whose result is wrong though what it reads is right."""
    report = check_gradient(two_layers, wrong_two_layers, X, W, wrt="p", mode=mode)
    line = line_of(wrong_two_layers, "dz1 =")
    assert named(report) == [(line, line)]
    (wrong,) = report.wrong_lines
    assert wrong.location.source == "dz1 = da1 * (1 - a1)"
    assert wrong.location.function == "wrong_two_layers"
    assert wrong.location.file == "tests/fault_localization/functions.py"
    assert wrong.parameters == ("p['W1']",)
    assert ("da1", line - 1) in wrong.verified


def test_line_is_named_in_float32() -> None:
    """Parameters of float32 change nothing."""
    low = {name: value.astype(np.float32) for name, value in W.items()}
    report = check_gradient(two_layers, wrong_two_layers, X.astype(np.float32), low, wrt="p")
    line = line_of(wrong_two_layers, "dz1 =")
    assert named(report) == [(line, line)]


def test_one_origin_of_several_wrong_gradients_is_said_once() -> None:
    """Methods keep values in attributes, and backward takes an upstream gradient."""
    layer = Layer()
    report = check_gradient(layer.forward, layer.backward, X, wrt=("x", "self.W", "self.b"))
    line = line_of(Layer, "dz = dout")
    assert named(report) == [(line, line)]
    assert report.wrong_lines[0].parameters == ("x", "self.W", "self.b")


def test_line_in_a_loop_over_time_is_named() -> None:
    """Each execution of a statement has values of its own."""
    rng = np.random.default_rng(3)
    args = rng.normal(size=(6, 3)), rng.normal(size=(3, 4)), rng.normal(size=(4, 4))
    report = check_gradient(rnn, rnn_backward, *args, wrt=("Wx", "Wh"))
    line = line_of(rnn_backward, "dnext = dz")
    assert all(first <= line <= last for first, last in named(report))


def test_expression_that_is_returned_is_the_line() -> None:
    """A backward without intermediate values goes wrong where it returns."""

    def f(w: Any) -> Any:
        return np.sum((X @ w) ** 2)

    def gradient(w: Any) -> Any:
        return X.T @ (X @ w)

    line = line_of(gradient, "return")
    report = check_gradient(f, gradient, np.ones(3))
    assert named(report) == [(line, line)]


def test_function_that_returns_value_and_gradient_is_one_frame() -> None:
    """Values of forward and of backward are told apart by what the value was computed from."""

    def loss(w: Any) -> Any:
        r = X @ w
        value = np.sum(np.sin(r))
        dr = np.sin(r)
        dw = X.T @ dr
        return value, dw

    line = line_of(loss, "dr =")
    assert named(check_gradient(loss, True, np.ones(3), wrt="w")) in (
        [(line, line)],
        [(line, line + 1)],
    )


def test_nothing_is_said_of_a_check_that_passes() -> None:
    """Nor is the room even loaded, see `tests/test_startup.py`."""
    report = check_gradient(lambda x: np.sum(x**2), lambda x: 2 * x, X)
    assert report.wrong_lines == ()
    assert report.backward_definition is None


def test_report_says_where_backward_is_defined() -> None:
    """The location is that of the function, inside decorators and methods."""
    report = check_gradient(two_layers, wrong_two_layers, X, W, wrt="p")
    definition = report.backward_definition
    assert definition is not None
    assert definition.function == "wrong_two_layers"
    assert definition.first_line == line_of(wrong_two_layers, "def ")


def test_evaluations_are_counted_and_bounded() -> None:
    """At most 200 more than the check needs."""
    calls = 0

    def counted(x: Any, p: Any) -> Any:
        nonlocal calls
        calls += 1
        return two_layers(x, p)

    report = check_gradient(counted, wrong_two_layers, X, W, wrt="p")
    assert report.evaluations == calls
    without = check_gradient(two_layers, right_two_layers, X, W, wrt="p")
    assert report.evaluations <= without.evaluations + 200 + 40 * 15


def right_two_layers(cache: Any) -> Any:
    """Return the gradients of `two_layers`."""
    x, a1, z2, W2 = cache
    dz2 = 2 * z2
    return {"W1": x.T @ (dz2 @ W2.T * (1 - a1**2)), "W2": a1.T @ dz2}


def test_arrays_of_the_user_are_as_before() -> None:
    """What is perturbed in place is put back, and what is traced is not traced any more."""
    layer, x = Layer(), X.copy()
    before = {"W": layer.W.copy(), "b": layer.b.copy()}
    tracer = sys.gettrace()
    check_gradient(layer.forward, layer.backward, x, wrt=("x", "self.W", "self.b"))
    assert np.array_equal(x, X)
    assert np.array_equal(layer.W, before["W"])
    assert np.array_equal(layer.b, before["b"])
    assert sys.gettrace() is tracer


def test_nothing_is_said_where_a_debugger_traces() -> None:
    """A debugger keeps its trace function, and sees nothing of ours."""

    def trace(*_: object) -> None:
        return None

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        report = check_gradient(two_layers, wrong_two_layers, X, W, wrt="p")
        assert sys.gettrace() is trace
    finally:
        sys.settrace(before)
    assert report.wrong_lines == ()


def test_functions_without_source_are_left_alone() -> None:
    """There is no line to name."""
    namespace: dict[str, Callable[..., Any]] = {}
    source = "def f(x): return (x**2).sum()\ndef g(x): return 3 * x"
    exec(source, namespace)  # noqa: S102  # as a notebook or a template does
    report = check_gradient(namespace["f"], namespace["g"], np.ones(3))
    assert report.verdict == "wrong"
    assert report.wrong_lines == ()


def test_functions_that_raise_for_every_attribute_are_left_alone() -> None:
    """A proxy that is not connected is no function with a source."""

    class Proxy:
        def __call__(self, x: Any) -> Any:
            return 3 * x

        def __getattr__(self, name: str) -> Any:
            raise RuntimeError(f"not connected, no {name}")

    report = check_gradient(lambda x: np.sum(x**2), Proxy(), np.array([1.0, 2.0]))
    assert report.verdict == "wrong"


def test_failure_is_reported_though_the_search_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    """A note says so instead of a line."""

    def broken(*_: Any, **__: Any) -> Any:
        raise LookupError("no such step")

    monkeypatch.setattr(locate_wrong_lines, "locate_wrong_lines", broken)
    report = check_gradient(lambda x: np.sum(x**2), lambda x: 3 * x, np.array([1.0, 2.0]))
    assert report.verdict == "wrong"
    assert [note.text for note in report.notes if note.kind == "unlocated"] == [
        "the wrong line was not found: LookupError: no such step; please report this"
    ]


def test_mask_of_large_numbers_does_not_hide_the_line() -> None:
    """Entries that stand for infinity do not make the steps of all others too large."""
    mask = np.triu(np.ones((4, 4), dtype=bool), k=1)

    def forward(x: Any) -> Any:
        scores = x @ x.T
        masked = np.where(mask, -1e9, scores)
        e = np.exp(masked)
        return np.sum(e**2), (x, e)

    def backward(cache: Any) -> Any:
        x, e = cache
        de = 2 * e
        dmasked = 3 * de * e
        dscores = np.where(mask, 0, dmasked)
        return (dscores + dscores.T) @ x

    (wrong,) = check_gradient(forward, backward, X, has_cache=True).wrong_lines
    assert wrong.location.first_line == line_of(backward, "dmasked = 3")


def test_inconclusive_measurement_is_no_evidence() -> None:
    """A derivative that does not exist differs from every gradient."""
    mask = np.triu(np.ones((4, 4), dtype=bool), k=1)

    def forward(x: Any) -> Any:
        scores = x @ x.T
        e = np.where(mask, 0.0, np.exp(scores))
        return np.sum(np.sqrt(e)), (x, e)

    def backward(cache: Any) -> Any:
        x, e = cache
        de = 0.5 / np.sqrt(np.where(mask, 1.0, e))
        dscores = 3 * np.where(mask, 0, de * e)
        return (dscores + dscores.T) @ x

    line = line_of(backward, "de = ")
    lines = check_gradient(forward, backward, X, has_cache=True).wrong_lines
    assert all(wrong.location.last_line > line for wrong in lines)


def test_another_name_of_a_wrong_gradient_is_not_blamed() -> None:
    """``dx = Dx`` is right, whatever `Dx` is."""
    report = check_gradient(centred, wrong_centred, X, np.array([0.7, -1.2, 0.4]))
    assert report.verdict == "wrong"
    line = line_of(wrong_centred, "Dx = Dmean")
    assert named(report) in ([], [(line, line)])


def test_statement_that_lacks_a_term_is_named() -> None:
    """What it computes contributes rightly, and nothing was computed for it before."""
    w, y = np.array([0.5, -0.3, 1.1]), np.arange(float(len(X)))
    report = check_gradient(ridge, wrong_ridge, w, X, y, 0.1, wrt="w")
    line = line_of(wrong_ridge, "return")
    assert named(report) == [(line, line)]


def test_what_is_computed_for_a_function_is_not_its_fault() -> None:
    """A helper that adds to gradients is given a wrong one."""
    gradients: dict[str, Any] = {}

    def accumulate(name: str, gradient: Any) -> None:
        if name not in gradients:
            gradients[name] = np.zeros_like(gradient)
        gradients[name] += gradient

    def forward(w: Any, b: Any) -> Any:
        z = X @ w + b
        s = 1 / (1 + np.exp(-z))
        return np.mean(s), s

    def backward(cache: Any) -> Any:
        s = cache
        gradients.clear()
        accumulate("s", np.ones_like(s) / s.size)
        accumulate("z", gradients["s"] * s * (1 + s))
        accumulate("w", X.T @ gradients["z"])
        accumulate("b", gradients["z"].sum())
        return gradients["w"], gradients["b"]

    report = check_gradient(forward, backward, X[0], 0.3, has_cache=True)
    assert report.verdict == "wrong"
    line = line_of(backward, 'accumulate("z"')
    assert named(report) in ([], [(line, line)])


def test_backward_that_stores_gradients_and_returns_nothing() -> None:
    """As the networks of many courses do."""

    class Network:
        def __init__(self) -> None:
            self.W1, self.W2 = W["W1"].copy(), W["W2"].copy()

        def forward(self, x: Any) -> Any:
            z1 = x @ self.W1
            self.a1 = np.tanh(z1)
            return np.sum((self.a1 @ self.W2) ** 2)

        def backward(self, x: Any) -> None:
            dz2 = 2 * self.a1 @ self.W2
            self.dW2 = self.a1.T @ dz2
            dz1 = (dz2 @ self.W2.T) * (1 - self.a1)
            self.dW1 = x.T @ dz1

    network = Network()
    report = check_gradient(network.forward, network.backward, X, wrt=("self.W1", "self.W2"))
    line = line_of(Network.backward, "dz1 =")
    assert named(report) == [(line, line)]


def half(z: Any) -> Any:
    """Return the derivative of a function but for a factor."""
    return 0.5 * (np.cos(z) ** 2 - np.sin(z) ** 2)


def product(w: Any) -> Any:
    """Return a loss whose derivative no value of forward has a part of."""
    y = np.sin(w) * np.cos(w)
    return np.sum(y)


def product_backward(w: Any) -> Any:
    """Return its derivative in two functions, too large by a factor 2."""
    factor = half(w)
    dw = 4 * factor
    return (dw,)


def test_statements_far_apart_are_said_as_alternatives() -> None:
    """Either may be wrong, and the lines between them are not."""
    (wrong,) = check_gradient(product, product_backward, X).wrong_lines
    places = [(place.file, place.first_line, place.last_line) for place in wrong.places]
    lines = line_of(half, "return"), line_of(product_backward, "dw =")
    file = "tests/fault_localization/test_locate_wrong_lines.py"
    assert places == [(file, line, line) for line in lines]
    assert wrong.repair == ""


@pytest.mark.parametrize(("count", "places"), [(1, 1), (2, 2), (3, 3), (4, 0)])
def test_at_most_three_lines_are_named(
    monkeypatch: pytest.MonkeyPatch, count: int, places: int
) -> None:
    """More tell little."""

    def backward(cache: Any) -> Any:
        x, a1, z2, W2 = cache
        dz2 = 2 * z2
        _ = len(x)
        _ = len(x)
        dW2 = a1.T @ dz2
        _ = len(x)
        da1 = dz2 @ W2.T
        _ = len(x)
        dz1 = da1 * (1 - a1)
        return {"W1": x.T @ dz1, "W2": dW2}

    def several(search: Search) -> Suspicion:
        made = [v.statement for v in search.roles.gradients if v.statement is not None]
        known = {statement.first_line: statement for statement in made}
        texts = ("dz2 = 2", "dW2 =", "da1 =", "dz1 =")[:count]
        named = tuple(known[line_of(backward, text)] for text in texts)
        return Suspicion(("p['W1']",), named, (), sure=True)

    monkeypatch.setattr(Search, "repaired", several)
    monkeypatch.setattr(Search, "changed", lambda *_: {})
    report = check_gradient(two_layers, backward, X, W, wrt="p")
    assert sum(len(line.places) for line in report.wrong_lines) == places


def test_change_with_which_gradients_are_right_is_said() -> None:
    """It is code as one writes it. A factor of the whole statement is said by the cause."""

    def forward(x: Any, w: Any) -> Any:
        z = x @ w
        e = np.exp(-z)
        return np.sum(e)

    def backward(x: Any, w: Any) -> Any:
        e = np.exp(-(x @ w))
        dz = -(e**2)
        return np.outer(dz, w), x.T @ dz

    (wrong,) = check_gradient(forward, backward, X, np.array([0.3, -0.2, 0.5])).wrong_lines
    assert wrong.location.first_line == line_of(backward, "dz = ")
    assert wrong.repair == "`1` instead of `2`"


def test_term_that_is_missing_in_a_sum_is_between_its_lines() -> None:
    """The statement that reads the sum is right, so it is not named alone."""

    def forward(x: Any) -> Any:
        h = np.tanh(x)
        a = np.sin(h)
        b = h**3
        c = np.exp(h)
        return np.sum(a**2) + np.sum(b**2) + np.sum(c**2)

    def backward(x: Any) -> Any:
        h = np.tanh(x)
        db = 2 * h**3
        dc = 2 * np.exp(h)
        dh = dc * np.exp(h)
        dh += db * 3 * h**2  # and that through a is missing
        dx = dh * (1 - h**2)
        return (dx,)

    (wrong,) = check_gradient(forward, backward, X).wrong_lines
    lines = wrong.location.first_line, wrong.location.last_line
    assert lines == (line_of(backward, "dh = "), line_of(backward, "dx = "))


class Tensor:
    """An array of a small engine, whose operations leave a closure for backward."""

    def __init__(self, data: Any, children: tuple[Tensor, ...] = ()) -> None:
        self.data = np.asarray(data)
        self.grad = np.zeros_like(self.data)
        self._children = children
        self._backward: Callable[[], None] = lambda: None

    def __matmul__(self, other: Tensor) -> Tensor:
        out = Tensor(self.data @ other.data, (self, other))

        def _backward() -> None:
            self.grad = self.grad + out.grad @ other.data.T
            other.grad = other.grad + self.data.T @ out.grad

        out._backward = _backward
        return out

    def tanh(self) -> Tensor:
        """Return the hyperbolic tangent; its gradient has a factor too many."""
        t = np.tanh(self.data)
        out = Tensor(t, (self,))

        def _backward() -> None:
            self.grad = self.grad + 2 * (1 - t**2) * out.grad

        out._backward = _backward
        return out

    def sum(self) -> Tensor:
        """Return the sum of all entries."""
        out = Tensor(self.data.sum(), (self,))

        def _backward() -> None:
            self.grad = self.grad + out.grad * np.ones_like(self.data)

        out._backward = _backward
        return out

    def backward(self) -> None:
        """Set the gradients of all that this was computed from."""
        order, seen = list[Tensor](), set[int]()

        def visit(node: Tensor) -> None:
            if id(node) not in seen:
                seen.add(id(node))
                for child in node._children:
                    visit(child)
                order.append(node)

        visit(self)
        self.grad = np.ones_like(self.data)
        for node in reversed(order):
            node._backward()


def test_line_in_a_closure_of_an_engine_is_named() -> None:
    """It is defined anew each time that forward runs."""

    def loss(x: Tensor, w: Tensor) -> Tensor:
        return (x @ w).tanh().sum()

    report = check_gradient(loss, ".grad", Tensor(X), Tensor(W["W1"]), wrt=("x", "w"))
    assert report.verdict == "wrong"
    line = line_of(Tensor, "2 * (1 - t**2)")
    assert named(report) == [(line, line)]
    assert report.wrong_lines[0].alternatives == ()
