"""States of Mersenne Twisters, from memory and through the public interface."""

import random
from typing import Any

import numpy as np
import pytest

from pytest_gradcheck.binding.random_state import mersenne_twister_state
from pytest_gradcheck.binding.random_state.mersenne_twister_state import (
    numpy_global_access,
    python_access,
)


@pytest.fixture(params=[True, False], ids=["in memory", "as everybody"])
def is_found(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Run with the layout in memory known and unknown; nothing else changes."""
    if not request.param:
        monkeypatch.setattr(mersenne_twister_state, "_is_python_layout_known", lambda: False)
        monkeypatch.setattr(mersenne_twister_state, "_offset_of_cached_normal", lambda: None)
    return bool(request.param)


@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize("draw", ["random", "gauss"])
def test_pythons_go_back_to_where_they_were(is_found: bool, draw: str, kept: bool) -> None:
    """The normal number that is cached for the next draw is restored, too."""
    source = random.Random(0)  # noqa: S311  # it keeps no secret
    if kept:
        source.gauss(0.0, 1.0)
    read, restore = python_access(source)
    state, before = read(), source.getstate()
    assert isinstance(state[0], bytes) is is_found
    drawn: Any = getattr(source, draw)
    first = drawn() if draw == "random" else drawn(0.0, 1.0)
    assert read() != state
    restore(state)
    assert read() == state
    assert source.getstate() == before
    assert first == (drawn() if draw == "random" else drawn(0.0, 1.0))


@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize("draw", [np.random.random, np.random.standard_normal])
def test_numpys_goes_back_to_where_it_was(is_found: bool, draw: Any, kept: bool) -> None:
    """It differs even where the next draw only takes the cached number."""
    np.random.seed(0)  # noqa: NPY002  # what is tested
    if kept:
        np.random.standard_normal()  # noqa: NPY002  # leaves another
    read, restore = numpy_global_access()
    state, before = read(), np.random.get_state()  # noqa: NPY002
    assert isinstance(state[0], bytes) is is_found
    first = draw()
    assert is_found is not True or read() != state
    restore(state)
    after = np.random.get_state()  # noqa: NPY002
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))
    assert draw() == first


def test_another_kind_of_generator_is_read_as_by_everybody() -> None:
    """A subclass may have more state; that of NumPy may have another bit generator inside."""

    class Counting(random.Random):
        """A generator of the user's."""

    source = Counting(0)
    assert python_access(source) == (source.getstate, source.setstate)
    usual = np.random.get_bit_generator()  # type: ignore[attr-defined]  # no stub of it
    np.random.set_bit_generator(np.random.PCG64(0))  # type: ignore[attr-defined]  # no stub of it
    try:
        read, _ = numpy_global_access()
        assert read.__name__ == "get_state"
    finally:
        np.random.set_bit_generator(usual)  # type: ignore[attr-defined]  # no stub of it
