"""States of Mersenne Twisters, in memory and as everybody reads them."""

import random
from typing import Any

import numpy as np
import pytest

from pytest_gradcheck.binding.random_state import mersenne_twister_state
from pytest_gradcheck.binding.random_state.mersenne_twister_state import numpys_global, pythons


@pytest.fixture(params=[True, False], ids=["in memory", "as everybody"])
def is_found(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Tell whether states are found in memory; where they are not, nothing else changes."""
    if not request.param:
        monkeypatch.setattr(mersenne_twister_state, "_pythons_are_found", lambda: False)
        monkeypatch.setattr(mersenne_twister_state, "_place_of_kept", lambda: None)
    return bool(request.param)


@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize("draw", ["random", "gauss"])
def test_pythons_go_back_to_where_they_were(is_found: bool, draw: str, kept: bool) -> None:
    """A normal number that is kept for the next draw is put back, too."""
    source = random.Random(0)  # noqa: S311  # it keeps no secret
    if kept:
        source.gauss(0.0, 1.0)
    read, restore = pythons(source)
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
    """So it does where the next draw takes the kept number, and nothing else moves."""
    np.random.seed(0)  # noqa: NPY002  # what is tested
    if kept:
        np.random.standard_normal()  # noqa: NPY002  # leaves another
    read, restore = numpys_global()
    state, before = read(), np.random.get_state()  # noqa: NPY002
    assert isinstance(state[0], bytes) is is_found
    first = draw()
    assert is_found is not True or read() != state
    restore(state)
    after = np.random.get_state()  # noqa: NPY002
    assert all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))
    assert draw() == first


def test_another_kind_of_generator_is_read_as_by_everybody() -> None:
    """Subclasses may keep more than a twister; numpy's may have another one inside."""

    class Counting(random.Random):
        """One of somebody's."""

    source = Counting(0)
    assert pythons(source) == (source.getstate, source.setstate)
    usual = np.random.get_bit_generator()  # type: ignore[attr-defined]  # no stub of it
    np.random.set_bit_generator(np.random.PCG64(0))  # type: ignore[attr-defined]  # no stub of it
    try:
        read, _ = numpys_global()
        assert read.__name__ == "get_state"
    finally:
        np.random.set_bit_generator(usual)  # type: ignore[attr-defined]  # no stub of it
