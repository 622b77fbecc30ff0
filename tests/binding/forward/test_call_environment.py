"""The environment of calls: the user's own settings at every point, and nothing that is shown."""

import warnings
from functools import partial
from typing import Any

import numpy as np
import pytest

from pytest_gradcheck import check_gradient
from pytest_gradcheck.binding.forward.call_environment import (
    CallEnvironment,
    IgnoredWarnings,
    SilencedWarnings,
)
from pytest_gradcheck.binding.random_state.replay import Replay

X = np.array([0.5, -1.5, 2.0])


def test_forward_sees_how_floating_point_errors_are_treated() -> None:
    """At every point as at the first."""

    def forward(x: Any) -> Any:
        return np.sum(x**2 if np.geterr()["divide"] == "warn" else x**3)

    assert check_gradient(forward, lambda x: 2 * x, X).verdict == "correct"


def test_forward_may_record_warnings() -> None:
    """Numpy's and its own, with filters of its own or those that it finds."""

    def forward(x: Any) -> Any:
        with warnings.catch_warnings(record=True) as recorded:
            warnings.simplefilter("always")
            np.log(-np.abs(x))
        with pytest.warns(UserWarning, match="own"):
            warnings.warn("own", UserWarning, stacklevel=1)
        return np.sum(x**2 if recorded else x**3)

    assert check_gradient(forward, lambda x: 2 * x, X).verdict == "correct"


def test_forward_may_catch_floating_point_errors() -> None:
    """They are raised around the check, and forward has another way then."""

    def forward(x: Any) -> Any:
        try:
            return np.sum(np.log(-np.abs(x)))
        except FloatingPointError:
            return np.sum(x**2)

    with np.errstate(all="raise"):
        assert check_gradient(forward, lambda x: 2 * x, X).verdict == "correct"


def test_forward_may_catch_warnings() -> None:
    """They are raised around the check, as this suite does, and forward has another way then."""

    def forward(x: Any) -> Any:
        try:
            return np.sum(np.log(-np.abs(x)))
        except RuntimeWarning:
            return np.sum(x**2)

    assert check_gradient(forward, lambda x: 2 * x, X).verdict == "correct"


def test_warnings_that_are_raised_at_other_points_only_are_ignored() -> None:
    """Here the logarithm of a negative number, a step away from zero."""

    def forward(x: Any) -> Any:
        return np.sum(np.where(x > 0, np.log(np.where(x > -1, x, 1.0)), x**2))

    def backward(x: Any) -> Any:
        return np.where(x > 0, 1 / x, 2 * x)

    x = np.array([1e-3, 3.0, 2.0])
    assert check_gradient(forward, backward, x).verdict == "correct"
    with np.errstate(all="raise"):
        assert check_gradient(forward, backward, x).verdict == "correct"


def test_backward_is_called_in_the_same_surroundings() -> None:
    """At other points and for other cotangents as well."""

    def backward(x: Any, cotangent: Any) -> Any:
        return cotangent * (2 * x if np.geterr()["divide"] == "warn" else x)

    x = np.array([0.0, 1.0])
    assert check_gradient(lambda x: x * np.abs(x) / 2, lambda x, dout: dout * np.abs(x), x)
    assert check_gradient(lambda x: x**2, backward, x).verdict == "correct"


def test_settings_that_forward_changes_stay_in_the_check() -> None:
    """Such as those of numpy, which are in the context."""
    before = np.geterr()

    def forward(x: Any) -> Any:
        np.seterr(all="ignore")
        return np.sum(x**2)

    assert check_gradient(forward, lambda x: 2 * x, X)
    assert np.geterr() == before


def test_silence_ends_with_the_last_of_several_and_may_end_twice() -> None:
    """Checks in threads overlap."""
    before = warnings.filters, warnings.showwarning
    first, second = SilencedWarnings(), SilencedWarnings()
    with first:
        with second:
            first.end()
            assert warnings.showwarning is not before[1]
        second.end()
        assert (warnings.filters, warnings.showwarning) == before
    assert warnings.filters is before[0]


ORDERS = {
    "forward of another check is called within it": ("begin", "enter", "exit", "end"),
    "and returns after it": ("begin", "enter", "end", "exit"),
    "forward of another check was called before it": ("enter", "begin", "exit", "end"),
    "and returns after it, too": ("enter", "begin", "end", "exit"),
}


@pytest.mark.parametrize("kind", [SilencedWarnings, IgnoredWarnings])
@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS)
@pytest.mark.parametrize("action", ["ignore", "always", "error"])
def test_nothing_is_left_of_a_change_in_whatever_order_contexts_end(
    kind: Any, order: Any, action: Any
) -> None:
    """What forward changes for a while in another thread it puts back at a time of its own."""

    class Block(warnings.catch_warnings):
        """What forward does."""

        def __enter__(self) -> Any:
            entered = super().__enter__()
            warnings.simplefilter(action)
            return entered

    before = warnings.filters, list(warnings.filters), warnings.showwarning
    change, block, other = kind(), Block(record=True), kind()
    steps = {
        "begin": change.__enter__,
        "end": partial(change.__exit__, None, None, None),
        "enter": block.__enter__,
        "exit": partial(block.__exit__, None, None, None),
    }
    for step in order:
        steps[step]()
    other.end()  # at the end of the other check
    assert (warnings.filters, list(warnings.filters), warnings.showwarning) == before
    assert warnings.filters is before[0]


def test_warnings_are_shown_where_forward_of_another_check_silences_them_too_late() -> None:
    """It puts back what it found when that was a silence, which nobody may end after it."""
    block = warnings.catch_warnings()
    with SilencedWarnings():
        block.__enter__()
    block.__exit__(None, None, None)
    with pytest.warns(UserWarning, match="shown"):
        warnings.warn("shown", UserWarning, stacklevel=1)
    SilencedWarnings().end()


def test_warnings_of_the_user_are_shown_again_after_a_silence() -> None:
    """Python shows a warning of one place once, and this one was not shown."""

    def warn() -> None:
        warnings.warn("again", UserWarning, stacklevel=1)

    with warnings.catch_warnings():
        warnings.simplefilter("default")
        with SilencedWarnings():
            warn()
        with pytest.warns(UserWarning, match="again"):
            warn()


def test_ignored_warnings_are_not_raised() -> None:
    """Although they are errors around it."""
    with SilencedWarnings(), IgnoredWarnings():
        warnings.warn("ignored", UserWarning, stacklevel=1)
    with pytest.raises(UserWarning):
        warnings.warn("raised", UserWarning, stacklevel=1)


def test_second_attempt_does_not_refer_to_the_first() -> None:
    """An exception of the user's function has no context that the user did not see."""
    environment = CallEnvironment(Replay((), everything=False))
    calls: list[int] = []

    def evaluate() -> None:
        calls.append(1)
        if len(calls) == 1:
            raise RuntimeWarning
        raise LookupError

    with pytest.raises(LookupError) as error:
        environment.attempt(evaluate)
    assert error.value.__context__ is None
