"""Which coordinates get a ladder."""

import numpy as np

from pytest_gradcheck.numerics.doubts import SAMPLED, UNCLEAR, WORST, Doubts


def test_the_worst_come_first_and_a_sample_of_the_rest_after() -> None:
    """However many doubts there are, sixty are chosen, the worst of them for certain."""
    doubts = Doubts(np.random.default_rng(0))
    excess = np.random.default_rng(1).permutation(1000).astype(float) + 1
    for start in range(0, 1000, 100):
        part = np.arange(start, start + 100)
        doubts.add(part, excess[part], part / 10)
    chosen = doubts.chosen()
    indices = [index for index, _ in chosen]
    assert indices[:WORST] == np.argsort(-excess)[:WORST].tolist()
    assert len(set(indices)) == WORST + SAMPLED
    assert min(excess[indices]) < 500
    assert [scale for _, scale in chosen] == [index / 10 for index in indices]


def test_few_doubts_are_all_chosen() -> None:
    """Coordinates without any doubt are not."""
    doubts = Doubts(np.random.default_rng(0))
    doubts.add(np.array([3, 5, 7]), np.array([0.0, 2.0, np.inf]), np.ones(3))
    assert doubts.chosen() == [(7, 1.0), (5, 1.0)]


def test_sample_does_not_depend_on_the_order_of_excess() -> None:
    """Every doubt that is not among the worst has the same chance."""
    hits = np.zeros(200)
    for seed in range(300):
        doubts = Doubts(np.random.default_rng(seed))
        for part in np.split(np.arange(200), 4):
            doubts.add(part, np.asarray(200.0 - part, dtype=np.float64), np.ones(50))
        hits[[index for index, _ in doubts.chosen()]] += 1
    assert (hits[:WORST] == 300).all()
    assert (hits[WORST:] > 10).all()
    assert (hits[WORST:] < 80).all()


def test_merely_unclear_coordinates_are_sampled() -> None:
    """A ladder for each would cost more than it could tell."""
    doubts = Doubts(np.random.default_rng(0))
    doubts.add(np.arange(100), np.where(np.arange(100) < 3, 5.0, UNCLEAR), np.ones(100))
    chosen = [index for index, _ in doubts.chosen()]
    assert chosen[:3] == [0, 1, 2]
    assert len(chosen) == 3 + SAMPLED
