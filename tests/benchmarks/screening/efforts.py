"""What it takes a tool to check a gradient, and whether it catches one that is wrong.

It must not choose tools or print.
"""

from __future__ import annotations

import time
import tracemalloc
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tests.benchmarks.counted import Counted
from tests.benchmarks.rivals import ours
from tests.benchmarks.rivals.rival import Rival
from tests.benchmarks.screening.flat import Flat, flat_perceptron
from tests.benchmarks.screening.mistakes import MISTAKES, NOTHING

__all__ = ["LIMIT", "Effort", "Skipped", "efforts", "expected_seconds"]

#: A tool that would take longer for one gradient is not asked, in seconds.
LIMIT = 60.0

#: How many wrong gradients are tried, of tools that take no longer than a second for one.
DRAWN = 5
QUICK = 1.0

#: How often forward is called to see what it takes.
FORWARDS = 10

ONE_ENTRY = MISTAKES["one entry 1% off"]


@dataclass(frozen=True)
class Effort:
    """What a tool did at one size.

    Attributes
    ----------
    rival, size : str, int
        Which tool, how many parameters.
    accepts : bool
        Whether it accepts the correct gradient.
    evaluations, seconds : int, float
        What that took.
    memory : float
        What was allocated at the peak, in vectors of the parameters' size.
    caught, drawn : int, int
        How many gradients with one entry 1% off it rejects, of how many.
    names : str
        Whether it says which entry that is.
    """

    rival: str
    size: int
    accepts: bool
    evaluations: int
    seconds: float
    memory: float
    caught: int
    drawn: int
    names: str


@dataclass(frozen=True)
class Skipped:
    """A tool that was not asked at one size.

    Attributes
    ----------
    rival, size : str, int
        Which tool, how many parameters.
    seconds : float
        What it would take.
    """

    rival: str
    size: int
    seconds: float


def efforts(
    rivals: Sequence[Rival], sizes: Sequence[tuple[int, ...]]
) -> Iterator[Effort | Skipped]:
    """Yield what each tool does at each size, the sizes in order."""
    known: dict[str, tuple[Effort, float]] = {}
    _warm_up(rivals, flat_perceptron(sizes[0]))
    for layers in sizes:
        flat = flat_perceptron(layers)
        forward, size = forward_seconds(flat), int(flat.point.size)
        for rival in rivals:
            expected = 0.0
            if rival.name in known:
                expected = expected_seconds(*known[rival.name], size, forward)
            if expected > LIMIT:
                yield Skipped(rival.name, size, expected)
                continue
            found = effort(rival, flat)
            known[rival.name] = found, forward
            yield found


def _warm_up(rivals: Sequence[Rival], flat: Flat) -> None:
    """Have tools load what they load at first use, which takes torch longer than all the rest."""
    claim, _ = flat.claim(MISTAKES[NOTHING], 0)
    for rival in rivals:
        _accepts(rival, flat.forward, claim, flat.point)


def expected_seconds(known: Effort, before: float, size: int, now: float) -> float:
    """Return what a tool would take, by what it took at another size.

    Parameters
    ----------
    known : Effort
        At the other size.
    before : float
        Seconds of one forward there.
    size : int
        How many parameters there are now.
    now : float
        Seconds of one forward now.
    """
    of_every_entry = known.evaluations >= known.size
    growth = size / known.size if of_every_entry else 1.0
    return known.seconds * growth * now / before


def forward_seconds(flat: Flat) -> float:
    """Return what one evaluation takes."""
    started = time.perf_counter()
    for _ in range(FORWARDS):
        flat.forward(flat.point)
    return (time.perf_counter() - started) / FORWARDS


def effort(rival: Rival, flat: Flat) -> Effort:
    """Ask a tool about the correct gradient, then about wrong ones."""
    claim, _ = flat.claim(MISTAKES[NOTHING], 0)
    counted = Counted(flat.forward)
    started = time.perf_counter()
    accepts = _accepts(rival, counted, claim, flat.point)
    seconds = time.perf_counter() - started
    tracemalloc.start()
    _accepts(rival, flat.forward, claim, flat.point)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    drawn = range(DRAWN if seconds <= QUICK else 1)
    wrong = [flat.claim(ONE_ENTRY, seed) for seed in drawn]
    return Effort(
        rival=rival.name,
        size=flat.point.size,
        accepts=accepts,
        evaluations=counted.calls,
        seconds=seconds,
        memory=peak / flat.point.nbytes,
        caught=sum(not _accepts(rival, flat.forward, each, flat.point) for each, _ in wrong),
        drawn=len(wrong),
        names=_names(flat, wrong) if rival.name == ours.OURS.name else rival.names_entry,
    )


def _accepts(rival: Rival, forward: Callable[[Any], Any], claim: Any, point: Any) -> bool:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return rival.accepts(forward, claim, point)
        except Exception:  # noqa: BLE001  # whatever a tool raises, it does not accept
            return False


def _names(flat: Flat, wrong: Sequence[tuple[Any, Any]]) -> str:
    """Say for how many gradients our report names the entry that is wrong, and no other."""
    exact = 0
    for claim, place in wrong:
        report = ours.report(flat.forward, claim, flat.point)
        entries = [entry.index[0] for entry in report.worst if entry.verdict == "wrong"]
        exact += entries == place.tolist() and report.wrong == len(entries)
    return f"{exact} of {len(wrong)}"
