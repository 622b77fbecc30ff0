"""The results of one claim of a suite: as it is made, and with one entry made wrong.

Results are kept as JSON lines. The module does not count them.
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

#: The relative errors with which one entry is made wrong.
ERRORS = (0.01, 0.001)


@dataclass(frozen=True)
class SuiteResult:
    """The results of one claim.

    Attributes
    ----------
    suite, test, checker : str
        The suite and the test that make the claim, and the suite's own checker.
    number : int
        The number of the claim in its test, from 0.
    entries : int
        The number of derivatives claimed.
    accepted : bool
        Whether the suite's own check passes.
    evaluations, seconds : int, float
        Calls of forward and seconds of processor time of the suite's own checker.
    ours : CheckResult
        The result of `check_gradient` for the claim as it is.
    is_right : bool or None
        Whether the claim is right, by an independent method. It is determined only where
        `check_gradient` does not pass; None elsewhere, and where the method cannot decide.
    falsified : tuple of CheckResult or None
        The result of `check_gradient` with one entry wrong, for each of `ERRORS`; None where no
        error would be visible in forward's values.
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
    suite: str, test: str, number: int, call: CheckerCall, *, accepted: bool
) -> SuiteResult:
    """Check a claim of a suite as it is, and with one entry wrong by each of `ERRORS`.

    Parameters
    ----------
    suite, test : str
        Where the claim is made.
    number : int
        The number of the claim in its test. Test and number are the seed.
    call : CheckerCall
        The claim, and the costs of the suite's own checker.
    accepted : bool
        Whether the suite's own check passes.

    Returns
    -------
    SuiteResult
        The results, whatever a check raises.
    """
    seed = zlib.crc32(f"{test}:{number}".encode())
    claim = call.claim
    ours = run_check(claim, seed)
    rng = np.random.default_rng(seed)
    wrong_claims = (with_wrong_entry(claim, error, rng) for error in ERRORS)
    with np.errstate(all="ignore"):
        return SuiteResult(
            suite=suite,
            test=test,
            checker=call.checker,
            number=number,
            entries=sum(np.size(one) for one in as_list(claim.claimed())),
            accepted=accepted,
            evaluations=call.evaluations,
            seconds=call.seconds,
            ours=ours,
            is_right=None if ours.passed else is_right(claim),
            falsified=tuple(
                None if wrong is None else run_check(wrong, seed) for wrong in wrong_claims
            ),
        )


def append_results(results: Iterable[SuiteResult], path: Path) -> None:
    """Append results to a file, one JSON object on each line."""
    with path.open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(dataclasses.asdict(result)) + "\n" for result in results)


def read_results(path: Path) -> Iterator[SuiteResult]:
    """Yield the results of a file; none if it does not exist."""
    if path.exists():
        for line in path.read_text("utf-8").splitlines():
            fields: dict[str, Any] = json.loads(line)
            fields["ours"] = CheckResult(**fields["ours"])
            fields["falsified"] = tuple(
                wrong and CheckResult(**wrong) for wrong in fields["falsified"]
            )
            yield SuiteResult(**fields)
