"""Repeatability: a backward that returns something else the second time is refused."""

from typing import Any

import numpy as np
import pytest

from pytest_gradcheck import GradcheckUsageError
from pytest_gradcheck.binding.bind import bind
from pytest_gradcheck.binding.call.resolved_call import Call

X = np.array([1.0, -2.0, 0.5])


def refused(forward: Any, backward: Any, *args: Any) -> str:
    """Return the unfolded message of the usage error that a call raises."""
    with (
        pytest.raises(GradcheckUsageError) as error,
        bind(Call(forward, backward, args), seed=0),
    ):
        pass
    return str(error.value.args[0])


def test_accumulation_is_refused() -> None:
    """The message says that an array is still filled."""
    buffer = np.zeros(3)

    def backward(x: Any) -> Any:
        buffer.__iadd__(2 * x)
        return buffer

    assert refused(lambda x: np.sum(x**2), backward, X) == (
        "backward is not repeatable: called twice with the same arguments it gave x[1] as -4 "
        "and then as -8. The second call differs by the first: it adds to an array that is "
        "still filled. Let it assign (grad = ...) where it adds (grad += ...), or begin with "
        "zeros in every call."
    )


def test_accumulation_in_what_forward_returns_is_refused() -> None:
    """Gradients that forward returns are read at each call."""
    buffer = np.zeros(3)

    def forward(x: Any) -> Any:
        buffer.__iadd__(2 * x)
        return np.sum(x**2), buffer

    assert refused(forward, True, X).startswith("forward is not repeatable: called twice")


def test_state_between_calls_is_refused() -> None:
    """The message shows both claims."""
    calls: list[int] = []

    def backward(x: Any, tangent: Any) -> Any:
        calls.append(1)
        return {"y": 2 * x * tangent * len(calls) ** 2}

    message = refused(lambda x: {"y": x**2}, backward, X)
    assert message.startswith(
        "backward is not repeatable: called twice with the same arguments it gave "
        "output['y'][1] as "
    )
    assert message.endswith(
        "If it adds to an array that is still filled, let it assign; if it draws random "
        "numbers, say replay=generator; if it keeps state between calls, reset that in "
        "forward."
    )


def test_gradients_of_changing_shape_are_refused() -> None:
    """They would be compared with claims of another kind."""
    calls: list[int] = []

    def backward(x: Any) -> Any:
        calls.append(1)
        return 2 * x if len(calls) == 1 else np.diag(2 * x)

    assert refused(lambda x: x**2, backward, X) == (
        "backward is not repeatable: called twice with the same arguments it returned "
        "gradients of other shapes (elementwise, then jacobian)."
    )
