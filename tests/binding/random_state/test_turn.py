"""Turns: checks whose threads wait for each other go on, and others do not mix."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest

from pytest_gradcheck import GradcheckUsageError, gradcheck
from pytest_gradcheck.binding.random_state import turn as turn_module
from pytest_gradcheck.binding.random_state.turn import Turn

X = np.array([0.5, -1.5, 2.0])


@pytest.fixture(autouse=True)
def _patience(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait long, except where the other check waits for this one."""
    waits = "wait_for_each_other" in request.node.name or "joins" in request.node.name
    monkeypatch.setattr(turn_module, "PATIENCE", 0.05 if waits else 60.0)


def in_threads(*functions: Callable[[], object]) -> list[BaseException | None]:
    """Call functions at the same time and return what each raised."""
    raised: list[BaseException | None] = [None] * len(functions)

    def run(k: int) -> None:
        try:
            functions[k]()
        except BaseException as error:  # noqa: BLE001  # returned
            raised[k] = error

    threads = [threading.Thread(target=run, args=(k,), daemon=True) for k in range(len(functions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    return raised


@contextmanager
def taken() -> Iterator[Turn]:
    """Have a turn as long as the context lasts."""
    turn = Turn()
    turn.begin()
    try:
        yield turn
    finally:
        turn.end()


def plain(x: Any) -> Any:
    """Return a sum of squares."""
    return np.sum(x**2)


def random_sum(x: Any) -> Any:
    """Return a sum with weights from the global state."""
    return np.sum(np.random.random(3) * x**2)  # noqa: NPY002  # what is tested


def random_gradient(x: Any) -> Any:
    """Return the gradient of `random_sum`."""
    return 2 * x * np.random.random(3)  # noqa: NPY002  # what is tested


def test_the_end_may_be_announced_before_the_beginning_and_again() -> None:
    """So that it can stand in a block that a signal may reach at any moment."""
    turn = Turn()
    turn.end()
    turn.begin()
    turn.end()
    turn.end()
    assert not turn.is_mixed


def test_checks_inside_each_other_share_a_turn() -> None:
    """A check in the forward of another, in the same thread, does not wait."""
    with taken(), taken() as inner:
        assert not inner.is_of_another


def test_a_turn_begins_when_that_of_another_thread_has_ended() -> None:
    """As long as the other makes progress."""
    order: list[str] = []

    def first() -> None:
        with taken() as turn:
            ready.set()
            for _ in range(20):
                turn.next_evaluation()
                threading.Event().wait(0.001)
            order.append("first")

    def second() -> None:
        ready.wait()
        with taken():
            order.append("second")

    ready = threading.Event()
    assert in_threads(first, second) == [None, None]
    assert order == ["first", "second"]


@pytest.mark.parametrize("forward", [plain, random_sum])
def test_a_check_in_a_thread_that_forward_joins_ends(forward: Any) -> None:
    """The inner check restores what it changes, so that it lies within one evaluation."""
    gradient = {plain: lambda x: 2 * x, random_sum: random_gradient}[forward]

    def outer(x: Any) -> Any:
        assert in_threads(lambda: gradcheck(forward, gradient, X)) == [None]
        return forward(x)

    gradcheck(outer, gradient, X[:1] if forward is plain else X)


def test_checks_whose_forwards_wait_for_each_other_end() -> None:
    """Neither can wait for the end of the other."""
    barrier = threading.Barrier(2)

    def forward(x: Any) -> Any:
        barrier.wait(60)
        return plain(x)

    def check() -> None:
        gradcheck(forward, lambda x: 2 * x, X)

    assert in_threads(check, check) == [None, None]


def test_random_numbers_of_checks_that_wait_for_each_other_are_refused() -> None:
    """Each may draw from the global state between two draws of the other."""
    barrier = threading.Barrier(2)

    def forward(x: Any) -> Any:
        barrier.wait(60)
        return random_sum(x)

    def check() -> None:
        try:
            gradcheck(forward, random_gradient, X)
        finally:
            barrier.abort()

    before = np.random.get_state()  # noqa: NPY002  # what is tested
    raised = in_threads(check, check)
    np.random.set_state(before)  # noqa: NPY002  # what is tested
    assert any(isinstance(error, GradcheckUsageError) for error in raised), raised


def test_checks_with_global_random_numbers_do_not_overlap() -> None:
    """Their draws do not mix, and the state is restored."""
    before = np.random.get_state()[1].copy()  # type: ignore[index]  # noqa: NPY002
    check = lambda: gradcheck(random_sum, random_gradient, X)  # noqa: E731
    assert in_threads(*[check] * 6) == [None] * 6
    np.testing.assert_array_equal(before, np.random.get_state()[1])  # type: ignore[index]  # noqa: NPY002
