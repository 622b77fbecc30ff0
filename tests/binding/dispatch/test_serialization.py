"""Serialization: forward and its outputs on their way to other processes and back."""

import pickle
import sys
import threading
from typing import Any
from unittest import SkipTest

import numpy as np
import pytest

from pytest_gradcheck.binding.call.resolved_call import Call
from pytest_gradcheck.binding.dispatch.serialization import (
    Evaluated,
    PortableForward,
    Raised,
    evaluate_serialized,
    serialize,
)
from pytest_gradcheck.binding.forward.outputs import OutputReader
from pytest_gradcheck.binding.values.parameters import Block
from pytest_gradcheck.errors import GradcheckUsageError

POINTS = np.array([[1.0, 2.0], [3.0, 4.0]])


def square(x: Any) -> Any:
    """Return the sum of squares."""
    return np.sum(x**2)


def portable(forward: Any) -> PortableForward:
    """Return what it takes to make a function of two numbers elsewhere."""
    call = Call(forward, backward=True, args=(np.ones(2),))
    return PortableForward(
        call,
        displaced={},
        lift=(),
        copied_each_call=(),
        reader=OutputReader((Block("output", (), "float64", 0, 1),)),
        batched=False,
        errors=np.geterr(),
    )


def test_forward_is_asked_for_once() -> None:
    """After that its token is enough; another token is not."""
    assert evaluate_serialized("first", None, POINTS) is None
    serialized = serialize(portable(square))
    for sent in (serialized, None):
        returned = evaluate_serialized("first", sent, POINTS)
        assert isinstance(returned, Evaluated)
        assert returned.outputs.tolist() == [[5.0], [25.0]]
    assert evaluate_serialized("second", None, POINTS) is None


def test_module_of_forward_goes_along() -> None:
    """A worker need not be able to import the test module."""
    assert b"square" in serialize(portable(square))
    assert b"sum of squares" in serialize(portable(square)), "its code, not just its name"


def test_what_cannot_be_sent_is_refused() -> None:
    """The message says what cannot be pickled, and what to do."""
    lock = threading.Lock()

    def locked(x: Any) -> Any:
        with lock:
            return np.sum(x)

    with pytest.raises(GradcheckUsageError) as error:
        serialize(portable(locked))
    assert error.value.args[0] == (
        "locked cannot be sent to the processes of executor: cannot pickle '_thread.lock' object. "
        "Leave that out of what it takes and closes over, or use threads."
    )


def test_closure_needs_cloudpickle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without cloudpickle only functions of a module can be sent; the message says what to do."""
    monkeypatch.setitem(sys.modules, "cloudpickle", None)
    assert b"square" in serialize(portable(square))
    with pytest.raises(GradcheckUsageError) as error:
        serialize(portable(lambda x: 2 * np.sum(x)))
    assert str(error.value.args[0]).endswith(
        "Install cloudpickle, which can send closures, or use threads."
    )


def test_worker_that_cannot_load_forward_says_so() -> None:
    """It is a usage error of the check, not an exception of forward."""
    returned = evaluate_serialized("third", pickle.dumps(len)[:-5], POINTS)
    assert isinstance(returned, Raised)
    assert isinstance(returned.error, GradcheckUsageError)
    assert "a worker of executor could not load forward" in str(returned.error.args[0])


def test_edges_come_back_with_the_outputs() -> None:
    """The nearest of the points where forward raises, reported once."""

    def fails(x: Any) -> Any:
        if x[0] > 1:
            raise KeyError("nothing")
        return np.sum(x)

    serialized, points = serialize(portable(fails)), np.array([[3.0, 1.0], [1.0, 2.0], [2.0, 1.0]])
    for sent, tried, step in ((serialized, points, 1.0), (None, points[:2], 2.0)):
        returned = evaluate_serialized("fifth", sent, tried)
        assert isinstance(returned, Evaluated)
        assert np.isnan(returned.outputs[:, 0]).tolist() == [True, False, True][: len(tried)]
        (edge,) = returned.edges
        assert (edge.kind, edge.start, edge.stop, edge.step) == ("error", 0, 1, step)
        line = fails.__code__.co_firstlineno + 2
        assert edge.what == f"raises KeyError: 'nothing' (line {line} of fails)"


def test_note_of_an_error_shows_the_users_lines_alone() -> None:
    """A skip ends the test; it is no edge of the domain of forward."""

    def fails(x: Any) -> Any:
        raise SkipTest("nothing")

    returned = evaluate_serialized("fourth", serialize(portable(fails)), POINTS)
    assert isinstance(returned, Raised)
    note = returned.error.__notes__[-1]
    assert note.startswith("in a worker of executor:\n")
    assert note.count("File") == 1
    assert "in fails" in note
