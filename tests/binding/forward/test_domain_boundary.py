"""The boundary of the domain of forward."""

import json

import numpy as np
import pytest

from pytest_gradcheck.binding.forward.domain_boundary import Edge, Edges, edge_of


def caught(function: object, *args: object) -> Exception:
    """Return what a function raises."""
    try:
        function(*args)  # type: ignore[operator]  # whatever is called
    except Exception as error:  # noqa: BLE001  # that is asked for
        return error
    raise AssertionError


def test_line_is_the_innermost_of_the_users_code() -> None:
    """It is not that of a library that the user calls."""

    def reads(text: str) -> object:
        return json.loads(text)

    kind, what = edge_of(caught(reads, "{"))
    assert kind == "domain"
    assert what.startswith("raises JSONDecodeError: Expecting property name")
    assert what.endswith(f"(line {reads.__code__.co_firstlineno + 1} of reads)")


def test_text_of_an_error_is_one_line_that_is_not_long() -> None:
    """Whatever the exception holds."""
    assert edge_of(RuntimeError("first\nsecond")) == ("error", "raises RuntimeError: first")
    assert edge_of(KeyError()) == ("error", "raises KeyError")
    long = edge_of(RuntimeError("x" * 500))[1]
    assert len(long) == len("raises ") + 100
    assert long.endswith("...")

    class OddError(Exception):
        def __str__(self) -> str:
            raise TypeError

    assert edge_of(OddError())[1].startswith("raises OddError: <exception str")


@pytest.mark.parametrize("error", [ZeroDivisionError(), ValueError(), np.linalg.LinAlgError()])
def test_domain_errors(error: Exception) -> None:
    """They mean that the function is undefined there."""
    assert edge_of(error)[0] == "domain"


def test_nearest_edge_is_kept() -> None:
    """Of two equally near edges it is the right one, in any order of adding them."""
    right, left, far = (Edge("error", "raises", 1, 2, step) for step in (0.1, -0.1, 0.2))
    for order in ([right, left, far], [far, left, right]):
        edges = Edges()
        edges.add(order)
        assert edges.nearest(1, 2) is right
        assert edges.drain() == (right,)
        assert edges.nearest(1, 2) is None


def test_edge_of_many_coordinates_is_not_that_of_one() -> None:
    """It is an edge of every range that contains all perturbed coordinates."""
    edges = Edges()
    joint, single = Edge("error", "raises", 0, 3, 0.1), Edge("error", "raises", 4, 5, 0.2)
    edges.add([joint, single])
    assert edges.nearest(0, 1) is None
    assert edges.nearest(0, 3) is joint
    assert edges.nearest(3, 6) is single
    assert edges.nearest(0, 6) is joint
