"""What it takes a tool to check a gradient, and whether it catches those that are wrong.

It must not choose tools or print.
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
    "LIMIT",
    "PATIENCE",
    "WRONG",
    "SkippedTool",
    "ToolMeasurement",
    "expected_cost",
    "forward_seconds",
    "measure_tools",
]

#: A tool that would take longer for one gradient is not asked, in seconds; one that does take
#: longer has not answered.
LIMIT = 30.0

#: When so long is over a tool is not asked about another gradient, in seconds; it is asked about
#: a correct one and a wrong one in any case.
PATIENCE = 60.0

#: What is made wrong at every point, each in a gradient of its own.
WRONG = (
    "one entry 1% off",
    "one entry 0.1% off",
    "one entry's sign",
    "an opposite pair",
    "everything x 2",
)

#: A function of one vector.
Forward = Callable[[Any], Any]

#: What takes no longer is timed several times, in seconds.
QUICK = 1.0
REPEATS = 5


@dataclass(frozen=True)
class ToolMeasurement:
    """What a tool did at one size.

    Attributes
    ----------
    rival, size : str, int
        Which tool, how many parameters.
    forward : float
        Seconds of one evaluation.
    evaluations, seconds : int, float
        What the first correct gradient took.
    memory : float
        By how much the process grew for that, at the peak, in vectors of the parameters' size.
    correct, alarms : int, int
        How many correct gradients there were, and how many of them it does not accept.
    wrong, caught : int, int
        How many wrong ones, and how many of them it does not accept.
    late : int
        To how many of the wrong ones it has no answer in time.
    names : str
        Whether it says what is wrong.
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
    caught: int
    late: int
    names: str


@dataclass(frozen=True)
class SkippedTool:
    """A tool that was not asked at one size.

    Attributes
    ----------
    rival, size : str, int
        Which tool, how many parameters.
    evaluations, seconds : int, float
        What it would take.
    """

    rival: str
    size: int
    evaluations: int
    seconds: float


def measure_tools(
    rivals: Sequence[Rival], subjects: Sequence[NetworkFactory], seeds: int
) -> Iterator[ToolMeasurement | SkippedTool]:
    """Yield what each tool does with each subject; the first tool is asked whatever it takes.

    Parameters
    ----------
    rivals : sequence of Rival
        The tools.
    subjects : sequence of NetworkFactory
        The smaller ones first, by which it is known what the larger take.
    seeds : int
        Points at each size, at most.
    """
    known: dict[str, ToolMeasurement] = {}
    for subject in subjects:
        forward, size = run_in_fresh_process(_sized, subject)
        for rival in rivals:
            if rival.name in known and rival is not rivals[0]:
                evaluations, seconds = expected_cost(known[rival.name], size, forward)
                if seconds > LIMIT:
                    yield SkippedTool(rival.name, size, evaluations, seconds)
                    continue
            known[rival.name] = run_in_fresh_process(_effort, rival, subjects[0], subject, seeds)
            yield known[rival.name]


def _sized(subject: NetworkFactory) -> tuple[float, int]:
    made = flatten(subject(seed=0))
    return forward_seconds(made), made.point.size


def expected_cost(known: ToolMeasurement, size: int, forward: float) -> tuple[int, float]:
    """Return the evaluations and seconds a tool would take, by what it took at another size.

    What it does beside an evaluation takes as long as it did there, at least.

    Parameters
    ----------
    known : ToolMeasurement
        At the other size.
    size : int
        How many parameters there are now.
    forward : float
        Seconds of one evaluation now.
    """
    of_every_entry = known.evaluations >= known.size
    evaluations = round(known.evaluations * (size / known.size if of_every_entry else 1))
    beside = max(known.seconds / known.evaluations - known.forward, 0)
    return evaluations, evaluations * (forward + beside)


def forward_seconds(made: FlatNetwork) -> float:
    """Return what one evaluation takes."""
    return least_seconds(lambda: made.forward(made.point))


def _effort(
    rival: Rival, smallest: NetworkFactory, subject: NetworkFactory, seeds: int
) -> ToolMeasurement:
    """Ask a tool about correct gradients and wrong ones, in a fresh process."""
    # What is loaded at first use takes torch longer than all the rest.
    _asked(rival, flatten(smallest(seed=0)), NOTHING, 0)
    made = flatten(subject(seed=0))
    forward, counted = forward_seconds(made), CallCounter(made.forward)
    claim, _ = made.claim(MISTAKES[NOTHING], 0)
    seconds, peak = peak_resident_memory(lambda: _seconds(rival, counted, claim, made.point))
    if seconds < QUICK:
        seconds = _seconds(rival, made.forward, claim, made.point, REPEATS)
    correct, wrong = list[Answer](), list[Answer]()
    started = time.perf_counter()
    for seed, mistake in product(range(seeds), (NOTHING, *WRONG)):
        if wrong and time.perf_counter() - started > PATIENCE:
            break
        if mistake == NOTHING:
            made = flatten(subject(seed=seed))
        answers = correct if mistake == NOTHING else wrong
        answers.append(_asked(rival, made, mistake, seed))
    named = sum(answer.is_exact for answer in wrong)
    return ToolMeasurement(
        rival=rival.name,
        size=made.point.size,
        forward=forward,
        evaluations=counted.calls,
        seconds=seconds,
        memory=peak / made.point.nbytes,
        correct=len(correct),
        alarms=sum(not answer.accepts for answer in correct),
        wrong=len(wrong),
        caught=sum(not (answer.accepts or answer.is_late) for answer in wrong),
        late=sum(answer.is_late for answer in wrong),
        names=f"{named} of {len(wrong)}" if rival.name == OURS.name else rival.names_entry,
    )


def _seconds(rival: Rival, forward: Forward, claim: Any, point: Any, repeats: int = 1) -> float:
    return least_seconds(lambda: _accepts(rival, forward, claim, point), repeats)


@dataclass(frozen=True)
class Answer:
    """Whether a tool accepts a gradient.

    Attributes
    ----------
    accepts : bool
        It does.
    is_late : bool
        It had no answer in time.
    is_exact : bool
        It is ours, and names all that is wrong and no more.
    """

    accepts: bool
    is_late: bool = False
    is_exact: bool = False


class Timed:
    """A function that raises when it is called too late: tools do not stop by themselves.

    Parameters
    ----------
    function : callable
        Of one vector.

    Attributes
    ----------
    is_late : bool
        Whether it has been.
    """

    def __init__(self, function: Forward) -> None:
        self._function = function
        self._end = time.perf_counter() + LIMIT
        self.is_late = False

    def __call__(self, x: Any) -> Any:
        """Evaluate, if there is time."""
        if time.perf_counter() > self._end:
            self.is_late = True
            raise TimeoutError
        return self._function(x)


def _asked(rival: Rival, made: FlatNetwork, mistake: str, seed: int) -> Answer:
    claim, wrong = made.claim(MISTAKES[mistake], seed)
    if rival.name != OURS.name:
        forward = Timed(made.forward)
        accepts = _accepts(rival, forward, claim, made.point)
        return Answer(accepts, forward.is_late)
    found = report(made.forward, claim, made.point, max_rows=ALL_ROWS)
    (parameter,) = found.parameters
    return Answer(found.passed, is_exact=np.array_equal(named_entries_of(parameter), wrong))


def _accepts(rival: Rival, forward: Forward, claim: Any, point: Any) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return rival.accepts(forward, claim, point)
        except Exception:  # noqa: BLE001  # whatever a tool raises, it does not accept
            return False
