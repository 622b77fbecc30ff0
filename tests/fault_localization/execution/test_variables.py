"""Values in the local variables of a frame."""

from __future__ import annotations

import ast
import sys
from types import FrameType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pytest_gradcheck.fault_localization.execution.statements import Chain
from pytest_gradcheck.fault_localization.execution.variables import (
    MISSING,
    Path,
    is_array,
    is_number,
    leaves,
    resolve,
    resolve_chain,
    written_entries,
)

ARRAY = np.arange(3.0)


def subscript(source: str) -> ast.expr:
    """Return an expression in square brackets."""
    return ast.parse(source, mode="eval").body


def test_path_is_written_as_in_python() -> None:
    """Attributes and keys follow the variable."""
    assert str(Path("p").item("W1").attribute("data")) == "p['W1'].data"


def test_leaves_are_the_arrays_and_numbers_in_containers() -> None:
    """Objects are searched by their attributes; text is no value."""
    value = {"a": [ARRAY, 2.0], "b": SimpleNamespace(c=ARRAY), "d": "text"}
    found = {str(path) for path, _ in leaves(Path("v"), value)}
    assert found == {"v['a'][0]", "v['a'][1]", "v['b'].c"}


def test_path_that_leads_nowhere_is_missing() -> None:
    """Nothing is raised."""
    cache = {"W": [ARRAY]}
    frame = sys._getframe()
    assert resolve(frame, Path("cache").item("W").item(0)) is cache["W"][0]
    assert resolve(frame, Path("cache").item("V")) is MISSING
    assert resolve(frame, Path("nothing")) is MISSING


def test_chain_is_followed_by_keys_that_are_computed() -> None:
    """Keys of numbers and text are, without running any code of the user's."""
    params, i = {"W1": ARRAY}, 0
    chain = Chain("params", (subscript("f'W{i + 1}'"),))
    path, value = resolve_chain(sys._getframe(), chain)
    assert value is params["W1"]
    assert str(path) == "params['W1']"
    assert i == 0


def test_chain_ends_where_user_code_would_run() -> None:
    """A call in square brackets is not made."""
    params = {"W1": ARRAY}

    def key() -> str:
        raise AssertionError

    path, value = resolve_chain(sys._getframe(), Chain("params", (subscript("key()"),)))
    assert value is params
    assert str(path) == "params"
    assert callable(key)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(ARRAY, True), (np.ma.masked_array(ARRAY), False), (np.array(["a"]), False), ([1.0], False)],
    ids=["array", "masked", "text", "list"],
)
def test_arrays_of_numbers_are_arrays(value: Any, expected: bool) -> None:
    """Masked arrays and text are not."""
    assert is_array(value) is expected


def test_booleans_are_no_numbers() -> None:
    """Though Python counts them as such."""
    assert is_number(2)
    assert is_number(np.float32(2))
    assert not is_number(True)


def frame_with(i: int) -> FrameType:
    """Return a frame with a variable."""
    assert i
    return sys._getframe()


def entries_written(source: str) -> list[int] | None:
    """Return which entries of `array` an assignment to ``array[source]`` writes."""
    array = np.zeros((3, 4))
    subscripted = subscript(f"array[{source}]")
    assert isinstance(subscripted, ast.Subscript)
    chain = Chain("array", (subscripted.slice,))
    mask = written_entries(frame_with(i=1), chain, Path("array"), array)
    return None if mask is None else np.flatnonzero(mask).tolist()


def test_entries_that_are_written_are_known_from_numbers_and_slices() -> None:
    """Also where their values do not change."""
    assert entries_written("i, 2:") == [6, 7]
    assert entries_written("i - 2") == [8, 9, 10, 11]
    assert entries_written("::2, 0") == [0, 8]


def test_entries_that_are_written_are_not_known_from_other_expressions() -> None:
    """Code of the user is not executed; and an index may be out of bounds."""
    assert entries_written("f(i)") is None
    assert entries_written("rows") is None
    assert entries_written("i + 7") is None
