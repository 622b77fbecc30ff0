"""One check of a derivative claim by `check_gradient`, with its outcome and costs.

Every exception becomes an outcome, and a check that takes too long is stopped. The module does
not know which suite the claim comes from.
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

#: Seconds of processor time after which a check is stopped.
TIME_LIMIT = 60.0

#: Characters of a message that are kept.
MESSAGE_LENGTH = 1500


class CheckTimeoutError(BaseException):
    """A check takes too long. Not an `Exception`, because checkers catch those of a function."""


@dataclass(frozen=True)
class CheckResult:
    """The result of one check.

    Attributes
    ----------
    outcome : str
        ``"correct"``; ``"in part"`` where the check passes and reports that it could not verify
        everything; and the failures ``"inconclusive"``, ``"wrong"``, ``"refused"`` (a
        `GradcheckUsageError`), ``"crashed"`` (any other exception) and ``"too slow"``.
    said : str
        The message of a check whose outcome is not ``"correct"``, cut to `MESSAGE_LENGTH`.
    evaluations, seconds : int, float
        Calls of forward, and seconds of processor time.
    """

    outcome: Outcome
    said: str
    evaluations: int
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether a user's test with this check passes."""
        return self.outcome in {"correct", "in part"}


class TimedFunction:
    """A function that counts its calls and raises once the time limit is exceeded.

    Parameters
    ----------
    function : callable
        Any function.

    Attributes
    ----------
    calls : int
        The number of calls so far.
    value : Any
        The value of the last call.

    Raises
    ------
    CheckTimeoutError
        When it is called more than `TIME_LIMIT` seconds after its creation.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self._started = time.process_time()
        self.calls = 0
        self.value: Any = None

    @property
    def seconds(self) -> float:
        """Seconds of processor time since the function was wrapped."""
        return time.process_time() - self._started

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Evaluate the function."""
        if self.seconds > TIME_LIMIT:
            raise CheckTimeoutError
        self.calls += 1
        self.value = self._function(*arguments, **named)
        return self.value


def run_check(claim: DerivativeClaim, seed: int) -> CheckResult:
    """Check a claim by `check_gradient` with its defaults.

    Parameters
    ----------
    claim : DerivativeClaim
        The claim.
    seed : int
        The seed of the check, which a user's test takes from its name.

    Returns
    -------
    CheckResult
        The result, whatever the check raises.
    """
    options: dict[str, Any] = {"seed": seed}
    options["backward_args"] = ("x", "cotangent") if claim.is_product else ("x",)
    if claim.bounds is not None:
        options["bounds"] = claim.bounds
    timed = TimedFunction(claim.forward)

    def forward(x: Any) -> Any:
        return timed(x)

    outcome, message = _outcome(forward, claim, options)
    return CheckResult(outcome, message[:MESSAGE_LENGTH], timed.calls, timed.seconds)


def _outcome(
    forward: Callable[[Any], Any], claim: DerivativeClaim, options: dict[str, Any]
) -> tuple[Outcome, str]:
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            report = check_gradient(forward, claim.backward, claim.point, **options)
    except GradcheckUsageError as error:
        return "refused", str(error)
    except CheckTimeoutError:
        return "too slow", ""
    except Exception as error:  # noqa: BLE001  # crashes are counted, too
        return "crashed", f"{type(error).__name__}: {error}"
    message = "" if report.verdict == "correct" else report.failure_message()
    return _outcome_of_report(report), message


def _outcome_of_report(report: Report) -> Outcome:
    if report.passed:
        return "correct" if report.verdict == "correct" else "in part"
    return "wrong" if report.verdict == "wrong" else "inconclusive"
