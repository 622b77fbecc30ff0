"""Every hard place is an entry that the model can show, or cannot."""

import numpy as np
import pytest

from pytest_gradcheck import check_gradient
from tests.benchmarks.coupled_chain import BLOCK, coupled_chain
from tests.benchmarks.handwritten_networks import Network
from tests.benchmarks.screening.coordinate_masks import Masks, count_set, differences
from tests.benchmarks.screening.hard_cases import HARD_CASES, RANKS, UNSEEN
from tests.benchmarks.screening.hard_models import tensors, with_dead_unit

MODELS = {
    "coupled_chain": coupled_chain(50),
    "tensors": tensors(((4,), (), (2, 3), (2, 2, 2))),
    "with a dead unit": with_dead_unit((4, 6, 5, 3)),
}


@pytest.mark.parametrize("model", MODELS)
def test_gradients_are_right(model: str) -> None:
    """By a look at every entry."""
    network = MODELS[model]
    report = check_gradient(
        network.forward, network.backward, network.parameters, mode="full", seed=0
    )
    assert report.verdict == "correct"


def test_chain_is_the_same_in_one_block() -> None:
    """Its ends meet."""
    network = coupled_chain(2 * BLOCK + 3)
    x = network.parameters["x"]
    off = x[1:] - np.tanh(x[:-1])
    slope = 2 * off / (1 + off**2) / x.size
    gradient = np.append(0, slope) - np.append(slope * (1 - np.tanh(x[:-1]) ** 2), 0)
    assert network.forward(network.parameters) == pytest.approx(np.log1p(off**2).sum() / x.size)
    assert network.gradient()["x"] == pytest.approx(gradient)


def made(place: str, seed: int) -> tuple[Network, Masks, Masks]:
    """Return a model, where somebody meddled with its gradient, and what is wrong."""
    network = HARD_CASES[place].model(seed=seed)
    right, claim = network.gradient(), network.gradient()
    where = HARD_CASES[place].mistake(claim, np.random.default_rng(seed))
    return network, where, differences(right, claim)


@pytest.mark.parametrize("place", HARD_CASES)
def test_place_is_one_entry(place: str) -> None:
    """It is wrong, unless it is zero whatever it is multiplied by."""
    _, where, wrong = made(place, 0)
    assert (count_set(where), count_set(wrong)) == (1, 0 if place == UNSEEN else 1)


@pytest.mark.parametrize("seed", range(5))
def test_dead_unit_has_no_gradient(seed: int) -> None:
    """So any that is claimed is wrong."""
    network, where, _ = made("a dead unit, not zero", seed)
    assert all((gradient[where[name]] == 0).all() for name, gradient in network.gradient().items())


@pytest.mark.parametrize(
    ("place", "name", "index"),
    [
        ("smallest bias", "b3", None),
        ("last entry of the last array", "head", (159, 9)),
        ("a scalar among matrices", "p1", ()),
    ],
)
def test_place_is_where_it_says(place: str, name: str, index: tuple[int, ...] | None) -> None:
    """In the array it is named after."""
    _, where, _ = made(place, 0)
    assert where[name].any()
    assert index is None or where[name][index]


def test_last_entries_are_of_any_array() -> None:
    """Each in its turn."""
    found = set()
    for seed in range(30):
        _, where, _ = made("the last entry of one of these", seed)
        found |= {name for name, mask in where.items() if mask.ravel()[-1]}
    assert len(found) == len(RANKS)
