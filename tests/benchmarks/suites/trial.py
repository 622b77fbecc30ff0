"""A claim of a suite, put to our checker: as it is, and with one entry falsified.

It must not count.
"""

from __future__ import annotations

import dataclasses
import json
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks.suites.answer import Answer, ask
from tests.benchmarks.suites.checkers import Asked
from tests.benchmarks.suites.question import falsified, listed
from tests.benchmarks.suites.truth import is_right

__all__ = ["ERRORS", "Trial", "read", "try_claim", "write"]

#: By how much one entry is made false, relatively.
ERRORS = (0.01, 0.001)


@dataclass(frozen=True)
class Trial:
    """What became of one claim.

    Attributes
    ----------
    suite, test, checker : str
        Where it is made, and who checks it there.
    number : int
        Which claim of that test, from 0.
    entries : int
        Numbers that are claimed.
    accepted : bool
        Whether the suite's own check passes.
    evaluations, seconds : int, float
        What that took.
    ours : Answer
        About the claim as it is.
    is_right : bool or None
        Whether the claim is the derivative, by a third way; looked for only where ours does not
        pass, None where that is not so or cannot be told.
    falsified : tuple of Answer or None
        One for each of `ERRORS`; None where no error can be seen in forward's values.
    """

    suite: str
    test: str
    checker: str
    number: int
    entries: int
    accepted: bool
    evaluations: int
    seconds: float
    ours: Answer
    is_right: bool | None
    falsified: tuple[Answer | None, ...]


def try_claim(suite: str, test: str, number: int, asked: Asked, *, accepted: bool) -> Trial:
    """Ask ours about a claim, and about what it is not.

    Parameters
    ----------
    suite, test, number
        Which claim; they seed everything.
    asked : Asked
        The claim, and what the suite's own check took.
    accepted : bool
        Whether that passed.

    Returns
    -------
    Trial
        Whatever happened.
    """
    seed = zlib.crc32(f"{test}:{number}".encode())
    question = asked.question
    ours = ask(question, seed)
    rng = np.random.default_rng(seed)
    false = (falsified(question, error, rng) for error in ERRORS)
    with np.errstate(all="ignore"):
        return Trial(
            suite=suite,
            test=test,
            checker=asked.checker,
            number=number,
            entries=sum(np.size(one) for one in listed(question.claim())),
            accepted=accepted,
            evaluations=asked.evaluations,
            seconds=asked.seconds,
            ours=ours,
            is_right=None if ours.passed else is_right(question),
            falsified=tuple(None if one is None else ask(one, seed) for one in false),
        )


def write(trials: Iterable[Trial], path: Path) -> None:
    """Append trials to a file, a line each."""
    with path.open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(dataclasses.asdict(trial)) + "\n" for trial in trials)


def read(path: Path) -> Iterator[Trial]:
    """Yield the trials of a file."""
    if path.exists():
        for line in path.read_text("utf-8").splitlines():
            known: dict[str, Any] = json.loads(line)
            known["ours"] = Answer(**known["ours"])
            known["falsified"] = tuple(one and Answer(**one) for one in known["falsified"])
            yield Trial(**known)
