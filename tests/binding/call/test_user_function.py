"""Calls of the user's functions: their exceptions keep their own frames only."""

import dataclasses
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from pytest_gradcheck.binding.call.user_function import add_note, as_user_raised, call_user


def users() -> None:
    """Raise an exception, as a function of the user's."""
    raise KeyError("gone")


def stops() -> None:
    """Raise what a generator must not."""
    next(iter(()))


def names(error: BaseException) -> list[str]:
    """Return the names of the functions in a traceback."""
    return [frame.name for frame in traceback.extract_tb(error.__traceback__)]


def raised(call: Callable[[], Any]) -> BaseException:
    """Return what a call raises."""
    with pytest.raises(BaseException) as caught:  # noqa: PT011  # whatever it is
        call()
    return caught.value


def in_generator(function: Callable[[], None]) -> Iterator[Any]:
    """Yield what a function of the user's returns."""
    yield call_user(function, ())


def test_frames_up_to_the_call_are_left_out() -> None:
    """The first frame is that of the user's function."""
    error = raised(lambda: call_user(users, ()))
    assert names(error)[-2:] == ["call_user", "users"]
    assert as_user_raised(error) is error
    assert names(error) == ["users"]


def test_function_without_a_frame() -> None:
    """Of a builtin nothing is left."""
    error = as_user_raised(raised(lambda: call_user(len, (1,))))
    assert names(error) == []


def test_exception_of_our_own_keeps_its_frames() -> None:
    """A bug in this package is shown as it is."""
    error = raised(users)
    before = names(error)
    assert names(as_user_raised(error)) == before


def test_stop_iteration_comes_through_a_generator() -> None:
    """It is itself again, with the user's frames."""
    error = raised(lambda: next(in_generator(stops)))
    assert type(error) is RuntimeError
    found = as_user_raised(error)
    assert type(found) is StopIteration
    assert names(found) == ["stops"]


def test_stop_iteration_in_a_generator_of_the_user() -> None:
    """The RuntimeError is what the user's function raised."""
    error = raised(lambda: call_user(lambda: next(_own()), ()))
    assert type(as_user_raised(error)) is RuntimeError


def _own() -> Iterator[None]:
    stops()
    yield


def test_note_is_added_once() -> None:
    """An exception that is kept and raised again does not collect notes."""
    error = KeyError()
    for _ in range(2):
        add_note(error, "called as f(x)")
    assert error.__notes__ == ["called as f(x)"]


def test_exception_that_takes_no_notes() -> None:
    """It comes through without one."""

    @dataclasses.dataclass(frozen=True)
    class Frozen(Exception):  # noqa: N818  # the name is the point
        code: int

    error = Frozen(1)
    add_note(error, "called as f(x)")
    assert not hasattr(error, "__notes__")
