"""Replay: states of generators restored before each evaluation."""

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pytest_gradcheck.binding.random_state.generators import (
    Generator,
    as_generator,
    global_generators,
)
from pytest_gradcheck.binding.random_state.replay import Replay


def counting(reads: list[Any]) -> Generator:
    """Return a generator whose state never changes; each read is recorded."""

    def read() -> int:
        reads.append(0)
        return 0

    return Generator("counting", read, lambda state: None)


def test_states_are_read_three_times() -> None:
    """At the start, after the first evaluation and at the end, since reading is slow."""
    reads: list[Any] = []
    with Replay([counting(reads)], everything=False) as replay:
        replay.observe()
        replay.confirm()
        replay.rewind()
    assert not replay.moved()
    assert len(reads) == 3


@pytest.mark.parametrize(
    "source",
    [
        random.Random(0),  # noqa: S311  # it keeps no secret
        np.random.RandomState(0),
        np.random.default_rng(0),
        np.random.Generator(np.random.Philox(0)),
    ],
)
def test_what_moved_is_known_after_the_end(source: Any) -> None:
    """By then the generator is back in its first state."""
    generator = as_generator("source", source)
    assert generator is not None
    draw = source.gauss if isinstance(source, random.Random) else source.normal
    with Replay([generator], everything=False) as replay:
        replay.observe()
        replay.confirm()
        assert not replay.moved()
        first = draw(0.0, 1.0)
        assert replay.moved()
    assert replay.moved()
    assert draw(0.0, 1.0) == first


def test_what_is_replayed_has_not_moved() -> None:
    """Only another generator makes the check start again."""
    rng = np.random.default_rng(0)
    generator = as_generator("rng", rng)
    assert generator is not None
    with Replay([generator], everything=True) as replay:
        rng.random()
    assert not replay.moved()


def assert_seen_to_move(generator: Generator, draw: Callable[[], float]) -> None:
    """Assert that a draw moves a generator, and that its state can be put back."""
    state = generator.read()
    assert generator.is_at(state)
    first = draw()
    assert not generator.is_at(state)
    generator.write(state)
    assert generator.is_at(state)
    assert draw() == first


@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize("draw", [np.random.random, np.random.standard_normal])
def test_numpys_global_generator_is_seen_to_move(draw: Any, kept: bool) -> None:
    """Also where a draw takes the normal number that is cached outside the bit generator."""
    generator = global_generators()[0]
    np.random.seed(0)  # noqa: NPY002  # what is tested
    if kept:
        np.random.standard_normal()  # noqa: NPY002  # leaves another
    assert_seen_to_move(generator, draw)


@pytest.mark.parametrize("draw", [random.random, lambda: random.gauss(0.0, 1.0)])
def test_pythons_global_generator_is_seen_to_move(draw: Any) -> None:
    """Also where a draw takes the normal number that is cached outside its memory."""
    generator = global_generators()[1]
    before = random.getstate()
    random.gauss(0.0, 1.0)  # leaves another
    assert_seen_to_move(generator, draw)
    random.setstate(before)
