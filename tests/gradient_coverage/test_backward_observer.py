"""The derivatives that are entered while backward runs."""

import cProfile
import functools
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_gradcheck.gradient_coverage.backward_observer import BackwardObserver
from pytest_gradcheck.gradient_coverage.name_patterns import USUAL_PATTERNS, NamePatterns
from pytest_gradcheck.gradient_coverage.source_package import SourcePackage


def relu_grad(x: float) -> float:
    """Return a derivative."""
    return 1.0


def divide(x: float) -> float:
    """Raise for zero."""
    return 1 / x


def logged(function: Any) -> Any:
    """Return a function around a function."""

    @functools.wraps(function)
    def inner(*args: Any) -> Any:
        return function(*args)

    return inner


class Affine:
    """A layer."""

    @staticmethod
    @logged
    def backward(x: float) -> float:
        """Return a derivative that another computes."""
        return relu_grad(x)


tanh_grad: Callable[[float], float] = lambda x: x  # noqa: E731  # a derivative as people write it


@pytest.fixture
def observer() -> BackwardObserver:
    """Return an observer of the derivatives in this file."""
    names = NamePatterns(USUAL_PATTERNS)
    return BackwardObserver([SourcePackage("here", Path(__file__).resolve(), names)])


def test_entered_derivatives_are_named_in_their_order(observer: BackwardObserver) -> None:
    """Inside of decorators, called by others, and as lambdas; each once."""
    with observer:
        Affine.backward(1.0)
        tanh_grad(1.0)
        relu_grad(1.0)
    assert observer.derivatives() == ("here:Affine.backward", "here:relu_grad", "here:tanh_grad")


def test_what_runs_outside_of_the_context_is_not_seen(observer: BackwardObserver) -> None:
    """The context may be entered several times."""
    relu_grad(1.0)
    with observer:
        pass
    relu_grad(1.0)
    assert observer.derivatives() == ()
    with observer:
        tanh_grad(1.0)
    assert observer.derivatives() == ("here:tanh_grad",)


def test_profile_function_is_put_back(observer: BackwardObserver) -> None:
    """Also after an exception of backward."""
    seen = []

    def profile(frame: Any, event: str, argument: Any) -> None:
        seen.append(event)

    def observed() -> None:
        sys.setprofile(profile)
        try:
            with observer:
                divide(0.0)
        except ZeroDivisionError:
            assert sys.getprofile() is profile
        finally:
            sys.setprofile(None)

    thread = threading.Thread(target=observed)
    thread.start()
    thread.join()
    assert seen


def test_profiler_of_the_standard_library_goes_on(observer: BackwardObserver) -> None:
    """It counts calls before and after the context."""
    profiler = cProfile.Profile()
    profiler.enable()
    try:
        tanh_grad(1.0)
        with observer:
            relu_grad(1.0)
        tanh_grad(2.0)
    finally:
        profiler.disable()
    assert observer.derivatives() == ("here:relu_grad",)
    lambdas = [entry for entry in profiler.getstats() if "<lambda>" in str(entry.code)]
    assert [entry.callcount for entry in lambdas] == [2]
