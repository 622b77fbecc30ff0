"""Values in the local variables of a frame."""

from __future__ import annotations

import ast
import sys
from types import SimpleNamespace
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
