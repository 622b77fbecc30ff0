"""Snapshots: what was changed is put back, in the very same objects."""

from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from pytest_gradcheck.binding.state import snapshot
from pytest_gradcheck.binding.state.reachable import reachable
from pytest_gradcheck.binding.state.snapshot import state_restored


class Shouting(dict[str, Any]):
    """A dict of the user's, whose methods must not be called to restore it."""

    def __setitem__(self, key: str, value: Any) -> None:
        super().__setitem__(key.upper(), value)


@dataclass(frozen=True, slots=True)
class Settings:
    """An object that refuses to be changed the usual way."""

    rate: float


def filled(array: Any) -> None:
    """Fill an array in place."""
    array[...] = 7


def reshaped(array: Any) -> None:
    """Change the shape in place."""
    array.shape = (-1, 1)


@pytest.mark.parametrize(
    ("make", "change"),
    [
        (lambda: np.arange(4.0), filled),
        (lambda: np.arange(4.0).reshape(2, 2).T, filled),
        (lambda: np.ma.array([1.0, 2.0], mask=[True, False]), lambda m: m.mask.fill(True)),
        (lambda: [1.0, [2.0]], lambda c: c[1].append(3.0)),
        (lambda: Shouting(a=1.0), lambda c: c.update(b=2.0)),
        (lambda: OrderedDict(a=1.0, b=2.0), lambda c: c.move_to_end("a")),
        (lambda: {1.0, 2.0}, lambda c: c.remove(1.0)),
        (lambda: deque([1.0, 2.0], maxlen=2), lambda c: c.append(3.0)),
        (lambda: bytearray(b"ab"), lambda c: c.extend(b"c")),
        (lambda: SimpleNamespace(bn=SimpleNamespace(n=0)), lambda c: setattr(c.bn, "n", 1)),
        (lambda: Settings(0.1), lambda c: object.__setattr__(c, "rate", 0.2)),
    ],
)
def test_changes_are_put_back(make: Callable[[], Any], change: Callable[[Any], Any]) -> None:
    """By way of the builtin types, in the same object."""
    holder = SimpleNamespace(value=make())
    before, value = repr(make()), holder.value
    with state_restored(reachable([], [("holder", holder)])):
        change(value)
        assert repr(value) != before
        holder.value = None
    assert holder.value is value
    assert repr(value) == before


def test_slots_have_a_value_again_or_none() -> None:
    """A slot that was filled has no value afterwards, and one that was deleted has its own."""

    class Lazy:
        __slots__ = ("cached", "rate")

    lazy: Any = Lazy()
    lazy.rate = 0.5
    with state_restored(reachable([], [("lazy", lazy)])):
        lazy.cached = 1.0
        del lazy.rate
    assert not hasattr(lazy, "cached")
    assert lazy.rate == 0.5


def test_sparse_matrices_are_put_back() -> None:
    """Their entries, and the shape."""
    matrix = sparse.csr_matrix(np.eye(2))
    with state_restored(reachable([], [("matrix", matrix)])):
        matrix.data *= 3
        matrix.resize(2, 3)
    assert matrix.toarray().tolist() == [[1.0, 0.0], [0.0, 1.0]]


def test_masked_entries_are_put_back() -> None:
    """Those that a copy between masked arrays would leave out."""
    masked = np.ma.array([1.0, 2.0], mask=[True, False])
    with state_restored(reachable([], [("masked", masked)])):
        masked.data[:] = 7.0
    assert masked.data.tolist() == [1.0, 2.0]


def test_data_frames_are_put_back() -> None:
    """Values, columns and index."""
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": [1.0, 2.0]})
    before = frame.copy()
    with state_restored(reachable([], [("frame", frame)])):
        frame["b"] = 3.0
        frame.loc[0, "a"] = 9.0
        frame.index = [5, 6]
    pandas.testing.assert_frame_equal(frame, before)


def test_records_of_functions_stay() -> None:
    """Containers under a name of a function keep what was added, objects in them do not."""
    calls, layer = list[Any](), SimpleNamespace(count=0)
    counted = 0

    def forward() -> None:
        nonlocal counted
        counted += 1
        calls.append(layer)
        layer.count += 1
        forward.calls.append(1)  # type: ignore[attr-defined]  # as users do

    forward.calls = []  # type: ignore[attr-defined]  # as users do
    with state_restored(reachable([forward])):
        forward()
    assert (calls, counted, layer.count) == ([layer], 1, 0)
    assert forward.calls == [1]  # type: ignore[attr-defined]  # as users do


def test_arrays_that_cannot_be_written_to_stay_so() -> None:
    """They are not copied, unless they are checked; a check makes them writeable meanwhile."""
    array = np.ones(2)
    array.flags.writeable = False
    with state_restored([], [array]):
        array.flags.writeable = True
        array[0] = 5.0
    assert array.tolist() == [1.0, 1.0]
    assert not array.flags.writeable


def test_very_large_data_is_not_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    """What exceeds the limit in all is left as it is."""
    monkeypatch.setattr(snapshot, "MOST_BYTES", 24)
    small, large = np.zeros(2), np.zeros(2)
    with state_restored(reachable([], [("small", small), ("large", large)])):
        small += 1
        large += 1
    assert (small.tolist(), large.tolist()) == ([0.0, 0.0], [1.0, 1.0])


def test_everything_is_put_back_after_an_exception() -> None:
    """An interrupt, for example."""
    values = [1.0]

    def interrupted() -> None:
        with state_restored(reachable([], [("values", values)])):
            values.clear()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert values == [1.0]
