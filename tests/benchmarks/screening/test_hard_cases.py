"""Hard cases: the models have right gradients, and the mistake is in the entry that is named."""

import numpy as np
import pytest

from pytest_gradcheck import check_gradient
from tests.benchmarks.coupled_chain import BLOCK, coupled_chain
from tests.benchmarks.handwritten_networks import Network
from tests.benchmarks.screening.coordinate_masks import Masks, count_set, differences
from tests.benchmarks.screening.hard_cases import HARD_CASES, INVISIBLE, RANKS
from tests.benchmarks.screening.hard_models import tensors, with_dead_unit

MODELS = {
    "coupled_chain": coupled_chain(50),
    "tensors": tensors(((4,), (), (2, 3), (2, 2, 2))),
    "with a dead unit": with_dead_unit((4, 6, 5, 3)),
}


@pytest.mark.parametrize("model", MODELS)
def test_gradients_are_right(model: str) -> None:
    """A check of every entry finds no error."""
    network = MODELS[model]
    report = check_gradient(
        network.forward, network.backward, network.parameters, mode="full", seed=0
    )
    assert report.verdict == "correct"


def test_chain_does_not_depend_on_its_blocks() -> None:
    """Loss and gradient are those of the chain in one block."""
    network = coupled_chain(2 * BLOCK + 3)
    x = network.parameters["x"]
    residual = x[1:] - np.tanh(x[:-1])
    slope = 2 * residual / (1 + residual**2) / x.size
    gradient = np.append(0, slope) - np.append(slope * (1 - np.tanh(x[:-1]) ** 2), 0)
    assert network.forward(network.parameters) == pytest.approx(
        np.log1p(residual**2).sum() / x.size
    )
    assert network.gradient()["x"] == pytest.approx(gradient)


def made(case: str, seed: int) -> tuple[Network, Masks, Masks]:
    """Return the model of a case, the entries touched by its mistake, and the wrong entries."""
    network = HARD_CASES[case].model(seed=seed)
    right, claim = network.gradient(), network.gradient()
    touched = HARD_CASES[case].mistake(claim, np.random.default_rng(seed))
    return network, touched, differences(right, claim)


@pytest.mark.parametrize("case", HARD_CASES)
def test_mistake_is_in_one_entry(case: str) -> None:
    """It is wrong, unless a zero is multiplied."""
    _, touched, wrong = made(case, 0)
    assert (count_set(touched), count_set(wrong)) == (1, 0 if case == INVISIBLE else 1)


@pytest.mark.parametrize("seed", range(5))
def test_dead_unit_has_no_gradient(seed: int) -> None:
    """So any nonzero claim about it is wrong."""
    network, touched, _ = made("a dead unit, not zero", seed)
    gradients = network.gradient()
    assert all((gradients[name][touched[name]] == 0).all() for name in gradients)


@pytest.mark.parametrize(
    ("case", "name", "index"),
    [
        ("smallest bias", "b3", None),
        ("last entry of the last array", "head", (159, 9)),
        ("a scalar among matrices", "p1", ()),
    ],
)
def test_mistake_is_where_the_name_says(
    case: str, name: str, index: tuple[int, ...] | None
) -> None:
    """It is in that array and, where the name says which, in that entry."""
    _, touched, _ = made(case, 0)
    assert touched[name].any()
    assert index is None or touched[name][index]


def test_last_entries_are_of_all_arrays() -> None:
    """The last entry of each array is drawn."""
    drawn = set()
    for seed in range(30):
        _, touched, _ = made("the last entry of one of these", seed)
        drawn |= {name for name, mask in touched.items() if mask.ravel()[-1]}
    assert len(drawn) == len(RANKS)
