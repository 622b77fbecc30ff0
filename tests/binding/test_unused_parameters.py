"""Unused parameters, found among evaluations."""

from typing import Any

import numpy as np
import pytest

from pytest_gradcheck.binding.backward.claims import DenseClaim
from pytest_gradcheck.binding.call.resolved_call import CallCounts
from pytest_gradcheck.binding.gradient_problem import Problem
from pytest_gradcheck.binding.unused_parameters import watch_unused
from pytest_gradcheck.binding.values.parameters import Parameter


def problem(claim: list[float], **changes: Any) -> Problem:
    """Pose a problem with two parameters of two entries; forward uses the first of each."""

    def evaluate(points: Any) -> Any:
        return np.array([[p[0] ** 2 + p[2]] for p in points])

    point = np.array([0.0, 1.0, 2.0, 3.0])
    data: dict[str, Any] = {
        "kind": "gradient",
        "forward": "forward",
        "backward": "backward",
        "parameters": (Parameter("a", (2,), "f", 0, 2), Parameter("b", (2,), "f", 2, 4)),
        "point": point,
        "here": point.copy(),
        "evaluate": evaluate,
        "attempt": evaluate,
        "base": evaluate([point])[0],
        "repeat": evaluate([point])[0],
        "claim": DenseClaim(np.array(claim)[:, None]),
        "outputs": (),
        "tangent": None,
        "counts": CallCounts(),
    }
    return Problem(**(data | changes))


ZEROS = [0.0, 0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("moved", "unmoved"),
    [({}, {"a", "b"}), ({1: 0.5}, {"a", "b"}), ({0: 0.5}, {"b"}), ({2: 0.5, 3: 0.5}, {"a"}),
     ({0: 0.5, 2: 0.5}, {"a", "b"})],
)  # fmt: skip
def test_outputs_that_change_under_one_parameter_alone(
    moved: dict[int, float], unmoved: set[str]
) -> None:
    """Only then is the parameter known to be used."""
    seen = watch_unused(problem(ZEROS))
    point = seen.point.copy()
    for index, step in moved.items():
        point[index] += step
    assert seen.evaluate([point]) == problem(ZEROS).evaluate([point])
    assert seen.unmoved() == unmoved


def test_problem_without_a_claim_of_zeros_is_left_as_it_is() -> None:
    """Its evaluations cost the same as before; a JVP is not watched either."""
    posed = problem([0.0, 1.0, 1.0, 0.0])
    assert watch_unused(posed) is posed
    posed = problem(ZEROS, tangent=np.ones(4))
    assert watch_unused(posed) is posed
    assert posed.unmoved() == frozenset()
