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

from tests.benchmarks.suites.check_result import CheckResult, run_check
from tests.benchmarks.suites.checkers import CheckerCall
from tests.benchmarks.suites.derivative_claim import as_list, with_wrong_entry
from tests.benchmarks.suites.reference_derivative import is_right

__all__ = ["ERRORS", "SuiteResult", "append_results", "check_suite_claim", "read_results"]

#: By how much one entry is made false, relatively.
ERRORS = (0.01, 0.001)


@dataclass(frozen=True)
class SuiteResult:
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
    ours : CheckResult
        About the claim as it is.
    is_right : bool or None
        Whether the claim is the derivative, by a third way; looked for only where ours does not
        pass, None where that is not so or cannot be told.
    falsified : tuple of CheckResult or None
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
    ours: CheckResult
    is_right: bool | None
    falsified: tuple[CheckResult | None, ...]


def check_suite_claim(
    suite: str, test: str, number: int, asked: CheckerCall, *, accepted: bool
) -> SuiteResult:
    """Ask ours about a claim, and about what it is not.

    Parameters
    ----------
    suite, test, number
        Which claim; they seed everything.
    asked : CheckerCall
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
    ours = run_check(question, seed)
    rng = np.random.default_rng(seed)
    false = (with_wrong_entry(question, error, rng) for error in ERRORS)
    with np.errstate(all="ignore"):
        return SuiteResult(
            suite=suite,
            test=test,
            checker=asked.checker,
            number=number,
            entries=sum(np.size(one) for one in as_list(question.claim())),
            accepted=accepted,
            evaluations=asked.evaluations,
            seconds=asked.seconds,
            ours=ours,
            is_right=None if ours.passed else is_right(question),
            falsified=tuple(None if one is None else run_check(one, seed) for one in false),
        )


def append_results(trials: Iterable[SuiteResult], path: Path) -> None:
    """Append trials to a file, a line each."""
    with path.open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(dataclasses.asdict(trial)) + "\n" for trial in trials)


def read_results(path: Path) -> Iterator[SuiteResult]:
    """Yield the trials of a file."""
    if path.exists():
        for line in path.read_text("utf-8").splitlines():
            known: dict[str, Any] = json.loads(line)
            known["ours"] = CheckResult(**known["ours"])
            known["falsified"] = tuple(one and CheckResult(**one) for one in known["falsified"])
            yield SuiteResult(**known)
