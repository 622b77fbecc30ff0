"""Parameters that share memory, with themselves or with each other."""

from typing import Any

import numpy as np
import pytest
from numpy.lib.stride_tricks import as_strided, sliding_window_view

from pytest_gradcheck import GradcheckUsageError, check_gradient
from pytest_gradcheck.binding.call.memory_overlap import (
    overlaps_itself,
    refuse_overlap,
    shared_memory,
)
from pytest_gradcheck.binding.call.wrt import Item
from pytest_gradcheck.binding.values.pytree import Leaf

ROW = np.arange(1.0, 7.0)


def item(name: str, value: Any, *, is_attribute: bool = False) -> Item:
    """Make an item of one leaf."""
    return Item(name, value, (Leaf(name, value),), is_attribute=is_attribute)


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (np.broadcast_to(ROW, (2, 6)), True),
        (np.broadcast_to(ROW[::3], (3, 2)), True),
        (np.broadcast_to(2.0, (3,)), True),
        (sliding_window_view(ROW, 3), True),
        (as_strided(ROW, (2, 2), (8, 8)), True),
        (np.broadcast_to(ROW, (1, 6)), False),
        (ROW.reshape(2, 3).T, False),
        (ROW[::-2], False),
        (np.broadcast_to(2.0, (0, 3)), False),
        (np.array(2.0), False),
    ],
)
def test_overlap_of_an_array_with_itself(array: Any, expected: bool) -> None:
    """Broadcast and windowed arrays overlap themselves; views of any order do not."""
    assert overlaps_itself(array) is expected


def test_array_that_overlaps_itself_is_refused() -> None:
    """Its entries cannot change alone; the message proposes a copy."""
    with pytest.raises(GradcheckUsageError) as error:
        check_gradient(lambda w: w @ ROW, lambda w: ROW, np.broadcast_to(ROW, (2, 6)))
    assert error.value.args[0] == (
        "w of lambda overlaps itself: some of its 12 entries lie in the same memory (strides "
        "(0, 8), as np.broadcast_to and sliding windows make them), so that not every one can "
        "change alone. Pass w.copy()."
    )


def test_data_that_overlap_themselves_are_fine() -> None:
    """An argument that is not checked may overlap itself."""
    X = np.broadcast_to(ROW, (2, 6))
    assert check_gradient(lambda w, X: np.sum(X @ w), lambda w, X: X.sum(0), ROW, X, wrt="w")


def test_attributes_that_share_memory_are_refused() -> None:
    """They are perturbed in place, so that one would change with the other."""
    items = [item(f"self.{name}", value, is_attribute=True) for name, value in
             (("b", ROW.copy()), ("W", ROW), ("V", ROW.reshape(2, 3).T))]  # fmt: skip
    with pytest.raises(GradcheckUsageError) as error:
        refuse_overlap(items, "forward")
    assert error.value.args[0] == (
        "self.W and self.V share memory, so that neither can change alone. Check one of them, for "
        "example wrt='self.W', whose gradient is then that of both together."
    )


def test_tied_arguments_are_noted() -> None:
    """Forward gets copies, each of which is perturbed alone: partial derivatives are checked."""
    W = np.array([[1.0, 2.0], [3.0, 4.0]])

    def gradients(W: Any, V: Any) -> Any:
        return np.ones((2, 2)) @ V.T, W.T @ np.ones((2, 2))

    report = check_gradient(lambda W, V: np.sum(W @ V), gradients, W, W.T)
    assert report.passed
    assert [note.text for note in report.notes] == [
        "W and V share memory; each is perturbed alone, in a copy"
    ]


def test_parts_of_one_buffer_share_nothing() -> None:
    """Columns whose address ranges overlap do not share memory."""
    both = np.ones((3, 4))
    parts = [item("W", both[:, ::2]), item("V", both[:, 1::2]), item("n", 3.0)]
    assert list(shared_memory(parts)) == []


def test_very_many_columns_of_one_matrix_share_nothing() -> None:
    """They are not compared pairwise."""
    both = np.ones((3, 2_000))
    parts = [item(f"c{k}", column) for k, column in enumerate(both.T)]
    assert list(shared_memory(parts)) == []


@pytest.mark.parametrize("seed", range(20))
def test_many_are_told_as_few_are(seed: int) -> None:
    """Each array that shares memory is paired with some that it shares with, for any strides."""
    rng = np.random.default_rng(seed)
    memory = np.zeros(400, dtype=np.uint8)
    parts = []
    for k in range(30):
        dtype = rng.choice(["u1", "f4", "f8"])
        start, step, size = rng.integers(0, 300), rng.integers(-3, 4) or 1, rng.integers(1, 5)
        array = memory[start : start + 100].view("u1")[: 96 // 8 * 8].view(dtype)[::step][:size]
        parts.append(item(f"p{k}", array))
    every = [(a, b) for k, a in enumerate(parts) for b in parts[k + 1 :]]
    tied = {
        part.name for pair in every if np.shares_memory(*(p.value for p in pair)) for part in pair
    }
    found = list(shared_memory(parts))
    by_name = {part.name: part.value for part in parts}
    assert {name for pair in found for name in pair} == tied
    assert all(np.shares_memory(by_name[a], by_name[b]) for a, b in found)


def test_of_many_tied_arrays_each_is_named_once() -> None:
    """There are a thousand notes, not half a million."""
    found = list(shared_memory([item(f"p{k}", ROW) for k in range(1_000)]))
    assert found == [("p0", f"p{k}") for k in range(1, 1_000)]
