"""Checks of networks in fast mode with one mistake in the gradient, compared with the report.

Mistake and check are seeded. The module does not count or print results.
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

#: Kinds of notes that say that errors in a parameter, or in part of it, cannot be seen.
INVISIBLE_NOTES = frozenset({"zero", "vacuous", "unused"})


@dataclass(frozen=True)
class MistakeResult:
    """The result of a check of a gradient with a mistake.

    Attributes
    ----------
    network, dtype, mistake, seed : str, str, str, int
        What was checked.
    verdict : str
        The verdict of the report.
    evaluations : int
        Calls of forward.
    wrong : int
        The number of wrong entries.
    missed, others_named : int
        The number of wrong entries that the report does not name, and of entries that it names
        and that the mistake did not touch.
    missed_above_resolution : int
        The number of missed entries whose error exceeds the resolution that the report states.
    parameters_with_invisible_errors : int
        The number of parameters touched by the mistake of which the report says that errors
        cannot be seen.
    """

    network: str
    dtype: str
    mistake: str
    seed: int
    verdict: str
    evaluations: int
    wrong: int
    missed: int
    others_named: int
    missed_above_resolution: int
    parameters_with_invisible_errors: int

    @property
    def detected(self) -> bool:
        """Whether the gradient is called wrong."""
        return self.verdict == "wrong"

    @property
    def exact(self) -> bool:
        """Whether the report names all that is wrong, and nothing else."""
        return self.detected == (self.wrong > 0) and self.missed == self.others_named == 0


def check_all_mistakes(
    networks: Iterable[str], dtypes: Iterable[str], seeds: Iterable[int], jobs: int
) -> list[MistakeResult]:
    """Check every network with every mistake."""
    return run_in_processes(_check_network, list(product(networks, dtypes, seeds)), jobs)


def check_hard_cases(cases: Iterable[str], seeds: Iterable[int], jobs: int) -> list[MistakeResult]:
    """Check every hard case, and its model with a correct gradient."""
    return run_in_processes(_check_hard_case, list(product(cases, seeds)), jobs)


def _check_network(task: tuple[str, str, int]) -> list[MistakeResult]:
    name, dtype, seed = task
    network = NETWORKS[name](dtype=np.dtype(dtype).type, seed=seed)
    return _check_mistakes(network, MISTAKES, task)


def _check_hard_case(task: tuple[str, int]) -> list[MistakeResult]:
    name, seed = task
    case = HARD_CASES[name]
    mistakes = {name: case.mistake, NOTHING: MISTAKES[NOTHING]}
    return _check_mistakes(case.model(seed=seed), mistakes, (name, "float64", seed))


def _check_mistakes(
    network: Network, mistakes: Mapping[str, Mistake], task: tuple[str, str, int]
) -> list[MistakeResult]:
    name, dtype, seed = task
    gradient = network.gradient()
    results = []
    for number, (mistake, make) in enumerate(mistakes.items()):
        claim = {key: array.copy() for key, array in gradient.items()}
        touched = make(claim, np.random.default_rng([seed, number]))
        report = check_in_fast_mode(network, claim, seed)
        results.append(
            compare_with_mistake((name, dtype, mistake, seed), report, gradient, claim, touched)
        )
    return results


def check_in_fast_mode(network: Network, claim: Gradient, seed: int) -> Report:
    """Check a claimed gradient of a network in fast mode."""

    def loss(parameters: Any) -> Any:
        return network.forward(parameters)

    def backward(parameters: Any) -> Gradient:
        return claim

    return check_gradient(
        loss, backward, network.parameters, mode="fast", seed=seed, max_rows=ALL_ROWS
    )


def compare_with_mistake(
    task: Sequence[Any], report: Report, gradient: Gradient, claim: Gradient, touched: Masks
) -> MistakeResult:
    """Compare what a report names with what is wrong.

    Parameters
    ----------
    task : sequence
        Network, type, mistake and seed.
    report : Report
        The report of the check.
    gradient, claim : dict of str to ndarray
        The true gradient and the claimed one.
    touched : dict of str to ndarray of bool
        The entries that the mistake touched, which may have stayed right.
    """
    named, wrong = named_entries(report), differences(gradient, claim)
    missed = {key: mask & ~named[key] for key, mask in wrong.items()}
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
        others_named=count_outside(named, touched),
        missed_above_resolution=count_set(_above_resolution(report, gradient, claim, missed)),
        parameters_with_invisible_errors=sum(
            _has_invisible_errors(parameter)
            for parameter in report.parameters
            if touched[parameter_key(parameter.name)].any()
        ),
    )


def _has_invisible_errors(parameter: ParameterReport) -> bool:
    return any(note.kind in INVISIBLE_NOTES for note in parameter.notes)


def _above_resolution(report: Report, gradient: Gradient, claim: Gradient, masks: Masks) -> Masks:
    """Return the entries of masks whose error exceeds the resolution that the report states."""
    resolutions = {parameter_key(p.name): p.resolution for p in report.parameters}
    return {
        key: mask & (_error(gradient[key], claim[key]) > resolutions[key])
        for key, mask in masks.items()
    }


def _error(true: Array, claimed: Array) -> Array:
    return np.asarray(np.abs(claimed.astype(np.float64) - true.astype(np.float64)))
