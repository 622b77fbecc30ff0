"""Measurements of tools on flat networks: costs, false alarms and errors found.

A tool is skipped where it would take too long, judging by its costs at a smaller size. The module
does not choose tools or print results.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from tests.benchmarks.call_counter import CallCounter
from tests.benchmarks.fresh_process import peak_resident_memory, run_in_fresh_process
from tests.benchmarks.rivals.ours import OURS, report
from tests.benchmarks.rivals.rival import Rival
from tests.benchmarks.screening.flat_network import FlatNetwork, NetworkFactory, flatten
from tests.benchmarks.screening.gradient_mistakes import MISTAKES, NOTHING
from tests.benchmarks.screening.named_entries import ALL_ROWS, named_entries_of
from tests.benchmarks.timing import least_seconds

__all__ = [
    "CLAIM_LIMIT",
    "SIZE_LIMIT",
    "WRONG",
    "SkippedTool",
    "ToolMeasurement",
    "expected_cost",
    "forward_seconds",
    "measure_tools",
]

#: Seconds for one claim. A tool that would take longer is skipped, and one that does take longer
#: has no answer. The page of the docs states this limit.
CLAIM_LIMIT = 30.0

#: Seconds for all claims of one size. When they are over, a tool gets no further claim; it gets a
#: correct one and a wrong one in any case. The page of the docs states this limit.
SIZE_LIMIT = 60.0

#: The mistakes at every point, each in a gradient of its own.
WRONG = (
    "one entry 1% off",
    "one entry 0.1% off",
    "one entry's sign",
    "an opposite pair",
    "everything x 2",
)

#: A function of one vector.
Forward = Callable[[Any], Any]

#: A check that takes fewer seconds is timed several times.
SHORT = 1.0
REPEATS = 5


@dataclass(frozen=True)
class ToolMeasurement:
    """Costs and answers of a tool at one size.

    Attributes
    ----------
    rival, size : str, int
        The name of the tool, and the number of parameters.
    forward : float
        Seconds of one evaluation.
    evaluations, seconds : int, float
        The costs of the first correct gradient.
    memory : float
        The growth of the process for it, at the peak, in vectors of all parameters.
    correct, alarms : int
        The number of correct gradients, and of those that the tool does not accept.
    wrong, found : int
        The number of wrong gradients, and of those that the tool does not accept.
    timed_out : int
        The number of wrong gradients on which the tool had no answer in time.
    names : str
        Whether the tool names what is wrong.
    """

    rival: str
    size: int
    forward: float
    evaluations: int
    seconds: float
    memory: float
    correct: int
    alarms: int
    wrong: int
    found: int
    timed_out: int
    names: str


@dataclass(frozen=True)
class SkippedTool:
    """A tool that was not run at one size.

    Attributes
    ----------
    rival, size : str, int
        The name of the tool, and the number of parameters.
    evaluations, seconds : int, float
        The expected costs of one gradient.
    """

    rival: str
    size: int
    evaluations: int
    seconds: float


def measure_tools(
    rivals: Sequence[Rival], networks: Sequence[NetworkFactory], seeds: int
) -> Iterator[ToolMeasurement | SkippedTool]:
    """Yield the measurement of each tool on each network.

    Parameters
    ----------
    rivals : sequence of Rival
        The tools. The first one is never skipped.
    networks : sequence of NetworkFactory
        The networks, the smallest first. The costs of a tool at one size predict those at the
        next.
    seeds : int
        The number of points at each size, at most.
    """
    measured: dict[str, ToolMeasurement] = {}
    for network in networks:
        forward, size = run_in_fresh_process(_forward_seconds_and_size, network)
        for rival in rivals:
            if rival.name in measured and rival is not rivals[0]:
                evaluations, seconds = expected_cost(measured[rival.name], size, forward)
                if seconds > CLAIM_LIMIT:
                    yield SkippedTool(rival.name, size, evaluations, seconds)
                    continue
            measured[rival.name] = run_in_fresh_process(
                _measure, rival, networks[0], network, seeds
            )
            yield measured[rival.name]


def _forward_seconds_and_size(network: NetworkFactory) -> tuple[float, int]:
    flat = flatten(network(seed=0))
    return forward_seconds(flat), flat.point.size


def expected_cost(measured: ToolMeasurement, size: int, forward: float) -> tuple[int, float]:
    """Return the expected evaluations and seconds of a tool at another size.

    The number of evaluations grows with the size where the tool moves every entry. The time
    beside each evaluation is taken to stay the same; it is a lower bound.

    Parameters
    ----------
    measured : ToolMeasurement
        The tool at a smaller size.
    size : int
        The number of parameters.
    forward : float
        Seconds of one evaluation at that size.
    """
    moves_every_entry = measured.evaluations >= measured.size
    growth = size / measured.size if moves_every_entry else 1
    evaluations = round(measured.evaluations * growth)
    overhead = max(measured.seconds / measured.evaluations - measured.forward, 0)
    return evaluations, evaluations * (forward + overhead)


def forward_seconds(flat: FlatNetwork) -> float:
    """Return the seconds of one evaluation."""
    return least_seconds(lambda: flat.forward(flat.point))


def _measure(
    rival: Rival, smallest: NetworkFactory, network: NetworkFactory, seeds: int
) -> ToolMeasurement:
    """Measure a tool on one network; in a fresh process."""
    # What a tool imports at its first use must not count.
    _answer(rival, flatten(smallest(seed=0)), NOTHING, 0)
    flat = flatten(network(seed=0))
    forward, counted = forward_seconds(flat), CallCounter(flat.forward)
    claim, _ = flat.claim(MISTAKES[NOTHING], 0)
    seconds, peak = peak_resident_memory(lambda: _seconds(rival, counted, claim, flat.point))
    if seconds < SHORT:
        seconds = _seconds(rival, flat.forward, claim, flat.point, REPEATS)
    correct, wrong = list[Answer](), list[Answer]()
    started = time.perf_counter()
    for seed, mistake in product(range(seeds), (NOTHING, *WRONG)):
        if wrong and time.perf_counter() - started > SIZE_LIMIT:
            break
        if mistake == NOTHING:
            flat = flatten(network(seed=seed))
        answers = correct if mistake == NOTHING else wrong
        answers.append(_answer(rival, flat, mistake, seed))
    exact = sum(answer.is_exact for answer in wrong)
    return ToolMeasurement(
        rival=rival.name,
        size=flat.point.size,
        forward=forward,
        evaluations=counted.calls,
        seconds=seconds,
        memory=peak / flat.point.nbytes,
        correct=len(correct),
        alarms=sum(not answer.accepts for answer in correct),
        wrong=len(wrong),
        found=sum(not (answer.accepts or answer.timed_out) for answer in wrong),
        timed_out=sum(answer.timed_out for answer in wrong),
        names=f"{exact} of {len(wrong)}" if rival.name == OURS.name else rival.names_entry,
    )


def _seconds(rival: Rival, forward: Forward, claim: Any, point: Any, repeats: int = 1) -> float:
    return least_seconds(lambda: _accepts(rival, forward, claim, point), repeats)


@dataclass(frozen=True)
class Answer:
    """The answer of a tool about one gradient.

    Attributes
    ----------
    accepts : bool
        Whether the tool accepts the gradient.
    timed_out : bool
        Whether it had no answer in time.
    is_exact : bool
        Whether the tool is ours, and its report names all wrong entries and no others.
    """

    accepts: bool
    timed_out: bool = False
    is_exact: bool = False


class TimeLimited:
    """A function that raises when the time limit is over, because tools do not stop themselves.

    Parameters
    ----------
    function : callable
        A function of one vector.

    Attributes
    ----------
    timed_out : bool
        Whether it has raised.

    Raises
    ------
    TimeoutError
        When it is called more than `CLAIM_LIMIT` seconds after its creation.
    """

    def __init__(self, function: Forward) -> None:
        self._function = function
        self._end = time.perf_counter() + CLAIM_LIMIT
        self.timed_out = False

    def __call__(self, x: Any) -> Any:
        """Evaluate the function."""
        if time.perf_counter() > self._end:
            self.timed_out = True
            raise TimeoutError
        return self._function(x)


def _answer(rival: Rival, flat: FlatNetwork, mistake: str, seed: int) -> Answer:
    claim, wrong = flat.claim(MISTAKES[mistake], seed)
    if rival.name != OURS.name:
        forward = TimeLimited(flat.forward)
        accepts = _accepts(rival, forward, claim, flat.point)
        return Answer(accepts, forward.timed_out)
    checked = report(flat.forward, claim, flat.point, max_rows=ALL_ROWS)
    (parameter,) = checked.parameters
    return Answer(checked.passed, is_exact=np.array_equal(named_entries_of(parameter), wrong))


def _accepts(rival: Rival, forward: Forward, claim: Any, point: Any) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return rival.accepts(forward, claim, point)
        except Exception:  # noqa: BLE001  # any exception is a rejection
            return False
