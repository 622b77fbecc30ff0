"""What goes to other processes."""

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
from pytest_gradcheck.binding.forward.outputs import Reading
from pytest_gradcheck.errors import GradcheckUsageError

POINTS = np.array([[1.0, 2.0], [3.0, 4.0]])


def square(x: Any) -> Any:
    """Return the sum of squares."""
    return np.sum(x**2)


def recipe_of(forward: Any) -> PortableForward:
    """Return the recipe of a function of two numbers."""
    call = Call(forward, backward=True, args=(np.ones(2),))
    return PortableForward(call, lift=False, remade=(), reading=Reading(size=1), batched=False)


def test_recipe_is_asked_for_once() -> None:
    """After that its token is enough; another's is not."""
    assert evaluate_serialized("first", None, POINTS) is None
    recipe = serialize(recipe_of(square))
    for sent in (recipe, None):
        returned = evaluate_serialized("first", sent, POINTS)
        assert isinstance(returned, Evaluated)
        assert returned.outputs.tolist() == [[5.0], [25.0]]
    assert evaluate_serialized("second", None, POINTS) is None


def test_module_of_forward_goes_along() -> None:
    """A worker need not be able to import a test."""
    assert b"square" in serialize(recipe_of(square))
    assert b"sum of squares" in serialize(recipe_of(square)), "its code, not just its name"


def test_what_cannot_be_sent_is_refused() -> None:
    """With what cannot, and what to do."""
    lock = threading.Lock()

    def locked(x: Any) -> Any:
        with lock:
            return np.sum(x)

    with pytest.raises(GradcheckUsageError) as error:
        serialize(recipe_of(locked))
    assert error.value.args[0] == (
        "locked cannot be sent to the processes of executor: cannot pickle '_thread.lock' object. "
        "Leave that out of what it takes and closes over, or use threads."
    )


def test_closure_needs_cloudpickle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it a function of a module still goes; of another the message says what to do."""
    monkeypatch.setitem(sys.modules, "cloudpickle", None)
    assert b"square" in serialize(recipe_of(square))
    with pytest.raises(GradcheckUsageError) as error:
        serialize(recipe_of(lambda x: 2 * np.sum(x)))
    assert str(error.value.args[0]).endswith(
        "Install cloudpickle, which can send closures, or use threads."
    )


def test_worker_that_cannot_load_forward_says_so() -> None:
    """It is an error of the check, not of forward."""
    returned = evaluate_serialized("third", pickle.dumps(len)[:-5], POINTS)
    assert isinstance(returned, Raised)
    assert isinstance(returned.error, GradcheckUsageError)
    assert "a worker of executor could not load forward" in str(returned.error.args[0])


def test_edges_come_back_with_the_outputs() -> None:
    """The nearest of these points, each once."""

    def fails(x: Any) -> Any:
        if x[0] > 1:
            raise KeyError("nothing")
        return np.sum(x)

    recipe, points = serialize(recipe_of(fails)), np.array([[3.0, 1.0], [1.0, 2.0], [2.0, 1.0]])
    for sent, tried, step in ((recipe, points, 1.0), (None, points[:2], 2.0)):
        returned = evaluate_serialized("fifth", sent, tried)
        assert isinstance(returned, Evaluated)
        assert np.isnan(returned.outputs[:, 0]).tolist() == [True, False, True][: len(tried)]
        (edge,) = returned.edges
        assert (edge.kind, edge.start, edge.stop, edge.step) == ("error", 0, 1, step)
        line = fails.__code__.co_firstlineno + 2
        assert edge.what == f"raises KeyError: 'nothing' (line {line} of fails)"


def test_note_of_an_error_shows_the_users_lines_alone() -> None:
    """Where over there a test was ended, which is no edge of forward's domain."""

    def fails(x: Any) -> Any:
        raise SkipTest("nothing")

    returned = evaluate_serialized("fourth", serialize(recipe_of(fails)), POINTS)
    assert isinstance(returned, Raised)
    note = returned.error.__notes__[-1]
    assert note.startswith("in a worker of executor:\n")
    assert note.count("File") == 1
    assert "in fails" in note
