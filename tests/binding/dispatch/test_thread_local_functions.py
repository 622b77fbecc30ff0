"""Functions for another thread: with copies of the objects that they work on."""

import functools
import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pytest_gradcheck import GradcheckUsageError, check_gradient
from pytest_gradcheck.binding.dispatch.thread_local_functions import thread_local_function


class Layer:
    """An object that keeps its input for a while, as layers do."""

    def __init__(self) -> None:
        self.x: Any = None

    def __call__(self, x: Any) -> float:
        """Read the input that it keeps after all threads have written theirs."""
        self.x = x
        BARRIER.wait()
        return float(np.sum(self.x**2))

    def method(self, x: Any) -> Any:
        """Return what keeps the input."""
        self.x = x
        return self


BARRIER = threading.Barrier(2, timeout=20)


def ways(layer: Any) -> dict[str, Any]:
    """Return functions that reach a layer."""

    def closing_over(x: Any) -> Any:
        return layer(x)

    layers = [layer]
    return {
        "object": layer,
        "method of a closure": lambda x: 1 * layer.__call__(x),
        "function of a function": lambda x: 1 * closing_over(x),
        "partial": functools.partial(lambda it, x: it(x), layer),
        "bound to a partial": functools.partial(layer.__call__),
        "list": lambda x: 1 * layers[0](x),
        "bound": layer.__call__,
    }


@pytest.mark.parametrize("way", ways(Layer()))
def test_two_threads_do_not_share_a_layer(way: str) -> None:
    """Each reads the input that it was given, however it reaches the layer."""
    function = ways(Layer())[way]

    def run(x: Any) -> Any:
        return thread_local_function(function)(x)

    with ThreadPoolExecutor(2) as executor:
        assert list(executor.map(run, [np.ones(1), np.full(1, 2.0)])) == [1.0, 4.0]


def test_layer_in_a_closure_is_checked_in_threads() -> None:
    """A right gradient is found to be right."""

    class Slow:
        def __call__(self, x: Any) -> float:
            self.x = x
            threading.Event().wait(1e-4)
            return float(np.sum(self.x**2))

    slow = Slow()
    with ThreadPoolExecutor(4) as executor:
        for forward in (slow, lambda x: slow(x) + 0):
            report = check_gradient(
                forward, lambda x: 2 * x, np.arange(1.0, 9.0), executor=executor, mode="full"
            )
            assert report.passed


def test_what_is_the_same_stays_the_same() -> None:
    """A function that closes over itself and over one object twice."""
    node = SimpleNamespace(depth=0)
    alias, shared = node, [0]

    def forward(n: int) -> Any:
        shared[0] += 1
        node.depth += 1
        return forward(n - 1) if n else (node, alias)

    first, second = thread_local_function(forward)(2)
    assert first is second
    assert (first.depth, node.depth, shared) == (3, 0, [3])


def test_what_cannot_be_copied_stays_shared() -> None:
    """An object with a lock guards itself. The object of a method is refused."""
    layer: Any = Layer()
    layer.lock = threading.Lock()
    assert thread_local_function(lambda x: layer)(1.0) is layer
    with pytest.raises(GradcheckUsageError, match="another worker calls its method"):
        thread_local_function(layer.method)


@pytest.mark.parametrize("function", [np.sin, len, functools.partial(np.sum, axis=0)])
def test_functions_without_objects_do_the_same(function: Any) -> None:
    """Of libraries, too."""
    assert np.all(thread_local_function(function)(np.ones(2)) == function(np.ones(2)))
