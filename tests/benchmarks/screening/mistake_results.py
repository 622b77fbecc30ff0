"""Checking networks in fast mode with every mistake, and comparing what is named with it.

It must not count or print; it returns what became of each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any

import numpy as np

from pytest_gradcheck import check_gradient
from pytest_gradcheck.report.report import Report
from pytest_gradcheck.report.report_data import ParameterReport
from tests.benchmarks.handwritten_networks import Network, perceptron, residual
from tests.benchmarks.screening.coordinate_masks import (
    Array,
    Masks,
    count_outside,
    count_set,
    differences,
)
from tests.benchmarks.screening.gradient_mistakes import MISTAKES, NOTHING, Gradient, Mistake
from tests.benchmarks.screening.hard_cases import HARD_CASES
from tests.benchmarks.screening.named_entries import ALL_ROWS, named_entries, parameter_key
from tests.corpus.corpus_runner import run_in_processes

__all__ = [
    "NETWORKS",
    "MistakeResult",
    "check_all_mistakes",
    "check_hard_cases",
    "check_in_fast_mode",
    "compare_with_mistake",
]

NETWORKS: dict[str, Callable[..., Network]] = {
    "perceptron, relu": partial(perceptron, activation="relu"),
    "perceptron, tanh": partial(perceptron, activation="tanh"),
    "residual, relu": partial(residual, activation="relu"),
    "residual, tanh": partial(residual, activation="tanh"),
}

#: Notes of a parameter that say that an error in it, or in some of it, is unseen.
UNSEEN_NOTES = frozenset({"zero", "vacuous", "unused"})


@dataclass(frozen=True)
class MistakeResult:
    """What a check said of a gradient with a mistake.

    Attributes
    ----------
    network, dtype, mistake, seed : str, str, str, int
        What was checked.
    verdict : str
        Of the report.
    evaluations : int
        Calls of forward.
    wrong : int
        How many coordinates are wrong.
    missed, innocent : int
        How many of these are not named, and how many are that nobody meddled with.
    unsaid : int
        How many that are not named are off by more than the report says it would have seen.
    unseen : int
        How many of the parameters meddled with it says errors are unseen in.
    """

    network: str
    dtype: str
    mistake: str
    seed: int
    verdict: str
    evaluations: int
    wrong: int
    missed: int
    innocent: int
    unsaid: int
    unseen: int

    @property
    def detected(self) -> bool:
        """Whether the gradient is called wrong."""
        return self.verdict == "wrong"

    @property
    def exact(self) -> bool:
        """Whether what is wrong is named, and nothing else."""
        return self.detected == (self.wrong > 0) and self.missed == self.innocent == 0


def check_all_mistakes(
    networks: Iterable[str], dtypes: Iterable[str], seeds: Iterable[int], jobs: int
) -> list[MistakeResult]:
    """Try every mistake in every network."""
    return run_in_processes(_try_network, list(product(networks, dtypes, seeds)), jobs)


def check_hard_cases(
    places: Iterable[str], seeds: Iterable[int], jobs: int
) -> list[MistakeResult]:
    """Try every hard place, and its model with nothing wrong."""
    return run_in_processes(_try_place, list(product(places, seeds)), jobs)


def _try_network(task: tuple[str, str, int]) -> list[MistakeResult]:
    name, dtype, seed = task
    network = NETWORKS[name](dtype=np.dtype(dtype).type, seed=seed)
    return _try_mistakes(network, MISTAKES, task)


def _try_place(task: tuple[str, int]) -> list[MistakeResult]:
    name, seed = task
    place = HARD_CASES[name]
    mistakes = {name: place.mistake, NOTHING: MISTAKES[NOTHING]}
    return _try_mistakes(place.model(seed=seed), mistakes, (name, "float64", seed))


def _try_mistakes(
    network: Network, mistakes: Mapping[str, Mistake], task: tuple[str, str, int]
) -> list[MistakeResult]:
    name, dtype, seed = task
    gradient = network.gradient()
    trials = []
    for number, (mistake, change) in enumerate(mistakes.items()):
        claim = {key: array.copy() for key, array in gradient.items()}
        place = change(claim, np.random.default_rng([seed, number]))
        report = check_in_fast_mode(network, claim, seed)
        trials.append(
            compare_with_mistake((name, dtype, mistake, seed), report, gradient, claim, place)
        )
    return trials


def check_in_fast_mode(network: Network, claim: Gradient, seed: int) -> Report:
    """Check a claim about the gradient of a network in fast mode."""

    def loss(parameters: Any) -> Any:
        return network.forward(parameters)

    def backward(parameters: Any) -> Gradient:
        return claim

    return check_gradient(
        loss, backward, network.parameters, mode="fast", seed=seed, max_rows=ALL_ROWS
    )


def compare_with_mistake(
    task: Sequence[Any], report: Report, gradient: Gradient, claim: Gradient, place: Masks
) -> MistakeResult:
    """Compare what a report names with what is wrong, and with the place meddled with."""
    found, wrong = named_entries(report), differences(gradient, claim)
    missed = {key: mask & ~found[key] for key, mask in wrong.items()}
    name, dtype, mistake, seed = task
    return MistakeResult(
        network=name,
        dtype=dtype,
        mistake=mistake,
        seed=seed,
        verdict=report.verdict,
        evaluations=report.evaluations,
        wrong=count_set(wrong),
        missed=count_set(missed),
        innocent=count_outside(found, place),
        unsaid=count_set(_above(report, gradient, claim, missed)),
        unseen=sum(
            _unseen(part) for part in report.parameters if place[parameter_key(part.name)].any()
        ),
    )


def _unseen(parameter: ParameterReport) -> bool:
    return any(note.kind in UNSEEN_NOTES for note in parameter.notes)


def _above(report: Report, gradient: Gradient, claim: Gradient, masks: Masks) -> Masks:
    """Return the coordinates whose error is above what the report says would be seen."""
    seen = {parameter_key(parameter.name): parameter.resolution for parameter in report.parameters}
    return {
        key: mask & (_error(gradient[key], claim[key]) > seen[key]) for key, mask in masks.items()
    }


def _error(true: Array, claimed: Array) -> Array:
    return np.asarray(np.abs(claimed.astype(np.float64) - true.astype(np.float64)))
