"""What our checker says of a question.

It must not know where the question comes from.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from pytest_gradcheck import GradcheckUsageError, check_gradient
from pytest_gradcheck.report.report import Report
from tests.benchmarks.suites.derivative_claim import DerivativeClaim

__all__ = ["CheckResult", "CheckTimeoutError", "TimedFunction", "run_check"]

Outcome = Literal["correct", "in part", "inconclusive", "wrong", "refused", "crashed", "too slow"]

#: Seconds of the processor after which a check is given up.
PATIENCE = 60.0

#: Characters of a message that are kept.
SAID = 1500


class CheckTimeoutError(BaseException):
    """A check takes too long. No Exception, since checkers catch those of a function."""


@dataclass(frozen=True)
class CheckResult:
    """What became of one check.

    Attributes
    ----------
    outcome : str
        ``"correct"``; ``"in part"`` where it passes and says that not everything could be
        verified; the ways to fail: ``"inconclusive"``, ``"wrong"``, ``"refused"`` (an error of
        usage), ``"crashed"`` (any other exception), ``"too slow"``.
    said : str
        The message of a check that is not correct.
    evaluations, seconds : int, float
        Calls of forward, and seconds of the processor.
    """

    outcome: Outcome
    said: str
    evaluations: int
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether the test of a user would be green."""
        return self.outcome in {"correct", "in part"}


class TimedFunction:
    """A function that counts its calls, and gives up after too long.

    Parameters
    ----------
    function : callable
        Any.

    Attributes
    ----------
    calls : int
        So far.
    value : Any
        What it returned last.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self._started = time.process_time()
        self.calls = 0
        self.value: Any = None

    @property
    def seconds(self) -> float:
        """Seconds of the processor since it was made."""
        return time.process_time() - self._started

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Evaluate."""
        if self.seconds > PATIENCE:
            raise CheckTimeoutError
        self.calls += 1
        self.value = self._function(*arguments, **named)
        return self.value


def run_check(question: DerivativeClaim, seed: int) -> CheckResult:
    """Ask our checker, with its defaults, as users do.

    Parameters
    ----------
    question : DerivativeClaim
        The claim.
    seed : int
        Of its directions; a test of a user takes it from the test's name.

    Returns
    -------
    Answer
        Whatever happened.
    """
    options: dict[str, Any] = {"seed": seed}
    options["backward_args"] = ("x", "cotangent") if question.is_product else ("x",)
    if question.bounds is not None:
        options["bounds"] = question.bounds
    timed = TimedFunction(question.forward)

    def forward(x: Any) -> Any:
        return timed(x)

    outcome, said = _outcome(forward, question, options)
    return CheckResult(outcome, said[:SAID], timed.calls, timed.seconds)


def _outcome(
    forward: Callable[[Any], Any], question: DerivativeClaim, options: dict[str, Any]
) -> tuple[Outcome, str]:
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            report = check_gradient(forward, question.backward, question.point, **options)
    except GradcheckUsageError as error:
        return "refused", str(error)
    except CheckTimeoutError:
        return "too slow", ""
    except Exception as error:  # noqa: BLE001  # a crash is what is looked for
        return "crashed", f"{type(error).__name__}: {error}"
    return _verdict(report), "" if report.verdict == "correct" else report.failure_message()


def _verdict(report: Report) -> Outcome:
    if report.passed:
        return "correct" if report.verdict == "correct" else "in part"
    return "wrong" if report.verdict == "wrong" else "inconclusive"
