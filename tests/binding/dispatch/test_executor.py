"""Executors of every kind: the same report, and a clean end when something goes wrong."""

import _thread
import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from typing import Any

import loky
import numpy as np
import pytest

from pytest_gradcheck import check_gradient, constraints
from pytest_gradcheck.errors import GradcheckUsageError
from pytest_gradcheck.report.report import Report

X = np.array([0.5, 1.5, 2.5])


def processes() -> ProcessPoolExecutor:
    """Return an executor of two spawned processes."""
    return ProcessPoolExecutor(2, mp_context=get_context("spawn"))


@pytest.fixture(scope="module", params=["threads", "processes", "loky"])
def executor(request: pytest.FixtureRequest) -> Iterator[Executor]:
    """Yield an executor of each kind with two workers."""
    kinds: dict[str, Any] = {
        "threads": partial(ThreadPoolExecutor, 2),
        "processes": processes,
        "loky": partial(loky.ProcessPoolExecutor, 2),
    }
    with kinds[request.param]() as executor:
        yield executor


def comparable(report: Report) -> str:
    """Return a report bit for bit, without what an executor may change."""
    return repr(replace(report, seconds=0.0, options={}))


class Layer:
    """A layer that keeps its input, and reads it again in backward."""

    def __init__(self) -> None:
        self.W = np.array([[1.0, 2.0, 3.0], [0.5, -1.0, 2.0]])
        self.x: Any = None

    def forward(self, x: Any) -> Any:
        """Return two outputs."""
        self.x = x
        time.sleep(1e-4)  # another thread would write its own meanwhile
        return np.tanh(self.W @ self.x)

    def backward(self, cotangent: Any) -> Any:
        """Return the VJP of `forward` with respect to its argument."""
        return self.W.T @ (cotangent * (1 - np.tanh(self.W @ self.x) ** 2))

    def weights_backward(self, cotangent: Any) -> Any:
        """Return the VJP of `forward` with respect to the weights."""
        return np.outer(cotangent * (1 - np.tanh(self.W @ self.x) ** 2), self.x)


def fills(x: Any, buffer: Any) -> Any:
    """Return a number from a buffer that it adds to."""
    buffer += x
    return np.sum(buffer**2)


def calls() -> dict[str, tuple[Any, Any, tuple[Any, ...], dict[str, Any]]]:
    """Return checks of every kind, some of which fail."""
    scale = 2.0  # what a lambda closes over goes along
    sines = (lambda x: scale * np.sin(x).sum(), lambda x: scale * np.cos(x), (X,))
    layer = Layer()
    return {
        "closure": (*sines, {}),
        "wrong": (sines[0], lambda x: scale * np.cos(x) * [1.0, 1.0, 1.01], (X,), {}),
        "fast": (*sines, {"mode": "fast"}),
        "fast wrong": (sines[0], np.cos, (X,), {"mode": "fast"}),
        "vjp": (layer.forward, layer.backward, (X,), {}),
        "attribute": (layer.forward, layer.weights_backward, (X,), {"wrt": "self.W"}),
        "elementwise": (np.exp, np.exp, (X,), {}),
        "jvp": (lambda x: np.sin(2 * x), lambda x, tangent: 2 * np.cos(2 * x) * tangent, (X,), {}),
        "float32": (lambda x: (x**2).sum(), lambda x: 2 * x, (X.astype(np.float32),), {}),
        "edge": (lambda x: np.sqrt(x - 0.5).sum(), lambda x: 0 * x, (X,), {}),
        "changed": (fills, lambda x, buffer: {"x": 2 * buffer}, (X, np.ones(3)), {"wrt": "x"}),
        "constrained": (*sines[:2], (X / X.sum(),), {"tangent": constraints.simplex}),
        "batched": (lambda x: np.sin(x).sum(-1), np.cos, (X,), {"batched": True}),
    }


@pytest.mark.parametrize("name", calls())
def test_report_is_that_of_the_serial_check(name: str, executor: Executor) -> None:
    """Bit for bit, in every mode and for every kind of derivative."""
    forward, backward, args, options = calls()[name]
    serial = check_gradient(forward, backward, *args, **options)
    there = check_gradient(forward, backward, *args, **options, executor=executor)
    assert comparable(there) == comparable(serial)


@pytest.mark.filterwarnings("ignore")
def test_dask_cluster_gives_the_same_report() -> None:
    """On two local processes with two threads each."""
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=2, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        for forward, backward, args, options in calls().values():
            serial = check_gradient(forward, backward, *args, **options)
            there = check_gradient(
                forward, backward, *args, **options, executor=client.get_executor()
            )
            assert comparable(there) == comparable(serial)


def test_users_arrays_and_objects_are_as_they_were(executor: Executor) -> None:
    """Workers have arguments of their own."""
    layer, x = Layer(), X.copy()
    check_gradient(layer.forward, layer.backward, x, executor=executor)
    assert x.tolist() == X.tolist()
    assert layer.x is None


def test_exception_of_forward_comes_back_as_it_is(executor: Executor) -> None:
    """The message names the nearest points; the executor still works."""

    def refuses(x: Any) -> Any:
        if x[1] != X[1]:
            raise KeyError("not there")
        return np.sum(x**2)

    with pytest.raises(KeyError, match="not there") as error:
        check_gradient(refuses, lambda x: 2 * x, X, executor=executor)
    assert error.value.__notes__ == ["while gradcheck perturbed x[1] by 1.5e-12"]
    assert check_gradient(np.sin, np.cos, X, executor=executor).verdict == "correct"


class AliasedLayer:
    """A layer that uses its parameter by another name."""

    def __init__(self, order: Any) -> None:
        self.W = (1.0 + np.arange(4).reshape(1, 2, 2)).transpose(order).copy(order="K")
        self.parameters = [self.W]

    def forward(self) -> float:
        """Return the sum of squares."""
        return float(np.sum(self.parameters[0] ** 2))

    def backward(self) -> Any:
        """Return its gradient."""
        return 2 * self.W


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2)])
def test_workers_have_an_array_of_two_names_once(executor: Executor, order: Any) -> None:
    """Arrays in a copy of an object share their memory as those in the object do."""
    layer = AliasedLayer(order)
    assert check_gradient(layer.forward, layer.backward, wrt="self.W", executor=executor).passed
    assert layer.parameters[0] is layer.W


class UnportableError(Exception):
    """An error that cannot be pickled."""

    def __init__(self, one: int, two: int) -> None:
        super().__init__(one + two)


def test_exception_that_cannot_travel_is_told(executor: Executor) -> None:
    """A thread raises it unchanged, a process as a `RuntimeError` that quotes it."""

    def raises(x: Any) -> Any:
        if x[1] != X[1]:
            raise UnportableError(1, 2)
        return np.sum(x**2)

    with pytest.raises((UnportableError, RuntimeError), match="3"):
        check_gradient(raises, lambda x: 2 * x, X, executor=executor)


#: The thread of a broken pool of processes counts them while they end, and may fail itself.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("start", [processes, partial(loky.ProcessPoolExecutor, 2)])
def test_worker_that_dies_is_no_verdict(start: Any) -> None:
    """The message names forward, and says what to do."""

    def dies(x: Any) -> Any:
        if x[1] != X[1]:
            os._exit(1)
        return np.sum(x**2)

    with start() as executor, pytest.raises(GradcheckUsageError) as error:
        check_gradient(dies, lambda x: 2 * x, X, executor=executor)
    message = str(error.value.args[0])
    assert "given as executor failed while it evaluated dies, so nothing was judged" in message
    assert message.endswith(
        "Does forward end its process, or need more memory than there is? Without executor= the "
        "check runs in this process."
    )


def test_executor_that_was_shut_down_is_refused() -> None:
    """The message quotes it."""
    executor = ThreadPoolExecutor(1)
    executor.shutdown()
    with pytest.raises(GradcheckUsageError) as error:
        check_gradient(np.sin, np.cos, X, executor=executor)
    assert error.value.args[0] == (
        "the ThreadPoolExecutor given as executor failed while it evaluated sin, so nothing was "
        "judged: RuntimeError: cannot schedule new futures after shutdown. Without executor= the "
        "check runs in this process."
    )


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Handle SIGINT as in a foreground process; a shell makes background jobs ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_interrupt_cancels_threads() -> None:
    """No thread calls forward after the check; the executor still works."""
    running = []

    def interrupts(x: Any) -> Any:
        running.append(1)
        if x[1] > X[1]:
            _thread.interrupt_main()
            time.sleep(0.1)
        running.pop()
        return np.sum(x**2)

    with ThreadPoolExecutor(2) as executor:
        with pytest.raises(KeyboardInterrupt):
            check_gradient(interrupts, lambda x: 2 * x, X, executor=executor)
        assert not running
        assert check_gradient(np.sin, np.cos, X, executor=executor).verdict == "correct"


@pytest.mark.usefixtures("interruptible")
@pytest.mark.skipif(os.name == "nt", reason="signals to other processes")
def test_interrupt_leaves_processes_in_order() -> None:
    """Tasks that have not started are cancelled; the executor still works."""
    home = os.getpid()

    def interrupts(x: Any) -> Any:
        if x[1] > X[1]:
            os.kill(home, signal.SIGINT)
            time.sleep(0.1)
        return np.sum(x**2)

    with loky.ProcessPoolExecutor(2) as executor:
        with pytest.raises(KeyboardInterrupt):
            check_gradient(interrupts, lambda x: 2 * x, X, executor=executor)
        assert check_gradient(np.sin, np.cos, X, executor=executor).verdict == "correct"


def test_random_forward_stays_in_this_process(executor: Executor) -> None:
    """Generators are put back before each call, which only this process can do; a note says so."""
    rng = np.random.default_rng(0)

    def dropout(x: Any) -> Any:
        return np.sum(x * (rng.random(3) < 2))

    report = check_gradient(dropout, lambda x: np.ones(3), X, executor=executor)
    assert report.verdict == "correct"
    assert "executor is not used: rng (closure) is put back before each call" in [
        note.text for note in report.notes
    ]


def sensitive(x: Any) -> Any:
    """Return another function where floating-point errors are ignored."""
    return np.sum(x**2 if np.geterr()["divide"] == "raise" else x**3)


def test_workers_treat_floating_point_errors_as_this_thread_does(executor: Executor) -> None:
    """Threads and processes start with numpy's defaults."""
    with np.errstate(divide="raise"):
        report = check_gradient(sensitive, lambda x: 2 * x, X, executor=executor)
    assert report.verdict == "correct"


PLACE = {"pid": os.getpid()}


def depends_on_its_process(x: Any) -> Any:
    """Return another function in other processes."""
    return np.sum(x**2 if PLACE["pid"] == os.getpid() else x**3)


def test_workers_that_return_other_outputs_are_refused() -> None:
    """A right gradient would be called wrong."""
    with processes() as executor, pytest.raises(GradcheckUsageError) as error:
        check_gradient(depends_on_its_process, lambda x: 2 * x, X, executor=executor)
    assert str(error.value.args[0]).startswith(
        "depends_on_its_process returned 19.125 in a worker of executor, but 8.75 here, at the "
        "same point: it depends on something that workers do not have, for example"
    )


def test_check_in_the_only_worker_of_its_executor_does_not_wait_for_itself() -> None:
    """Also where the worker is one of another executor, which the first one waits for."""
    note = "executor is not used: the check runs in one of its workers"

    def check(executor: Executor) -> Report:
        return check_gradient(lambda x: np.sin(x).sum(), np.cos, X, executor=executor)

    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as other:
        report = one.submit(check, one).result(60)
        assert report.notes[-1].text == note

        def forward(x: Any) -> Any:
            found.append(check(one).notes[-1].text)
            return np.sin(x).sum()

        found: list[str] = []
        check_gradient(forward, np.cos, X, executor=one)
        assert found[-1] == note

        def outer(x: Any) -> Any:
            check_gradient(forward, np.cos, X, executor=other)
            return np.sin(x).sum()

        check_gradient(outer, np.cos, X[:1], executor=one)
        assert found[-1] == note
