"""How a case ended, and which faults that ending has."""

from __future__ import annotations

import inspect
import re
import threading
import time
import traceback
import unicodedata
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from pytest_gradcheck import GradcheckUsageError, check_gradient
from pytest_gradcheck.errors import PACKAGE_DIRECTORY
from tests.robustness.case import Call, Case, Fault, Suite
from tests.robustness.run_suite import suite_faults
from tests.robustness.state import content, surroundings

__all__ = ["Ending", "run_case"]

#: Outcomes of a call, before they are judged.
Outcome = Literal["passes", "fails", "undecided", "refusal", "exception"]

#: A message longer than this many characters is not read.
LONGEST = 6000

#: Seconds that a check in another thread may take; longer, and a lock was not released.
RELEASE = 5.0

#: What is said where an object changed, and the process did not.
OBJECT = "an object of the user's"

CASES = str(Path(__file__).with_name("cases"))


@dataclass(frozen=True)
class Ending:
    """The ending of a case.

    Attributes
    ----------
    case : str
        The name of the case.
    outcome : str
        What came of it, in one word.
    faults : dict of Fault to str
        What is wrong with that, each with an explanation; empty if nothing is.
    """

    case: str
    outcome: str
    faults: dict[Fault, str]

    @property
    def taints(self) -> bool:
        """Whether the process may be another one than before the case."""
        changed = self.faults.get("state changed", OBJECT) != OBJECT
        return changed or bool({"hang", "cost"} & set(self.faults))


def run_case(case: Case) -> Ending:
    """Run a case and judge how it ends."""
    made = case.build()
    if isinstance(made, Suite):
        return Ending(case.name, "suite", suite_faults(made))
    faults = dict[Fault, str]()
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("always")
        np.random.seed(15)
        before = surroundings()
        held = content(*_held(made))
        start = time.process_time()
        outcome, message, exception = _outcome(made)
        seconds = time.process_time() - start
        after = surroundings()
        changed = [name for name, value in before.items() if after[name] != value]
        if content(*_held(made)) != held:
            changed.append(OBJECT)
    if made.afterwards is not None:
        try:
            made.afterwards()
        except AssertionError as error:
            changed.append(str(error))
    if changed:
        faults["state changed"] = ", ".join(changed)
    if not _lock_is_free():
        faults["hang"] = "a check in another thread waits for a lock that was not released"
    if seconds > case.seconds:
        faults["cost"] = f"{seconds:.1f} s of processor time"
    faults.update(_verdict_faults(case, outcome, message, exception))
    if not faults and outcome == "refusal" and case.expected == "right":
        faults.update(_paste_faults(case, message))
    return Ending(case.name, outcome, faults)


def _held(call: Call) -> list[Any]:
    functions = [f for f in (call.forward, call.backward) if not isinstance(f, bool)]
    owners = [f.__self__ if inspect.ismethod(f) else f for f in functions]
    options = [value for name, value in call.options.items() if name != "executor"]
    return [*call.args, *options, *call.watched, *owners]


def _outcome(call: Call) -> tuple[Outcome, str, BaseException | None]:
    try:
        with call.around():
            report = check_gradient(call.forward, call.backward, *call.args, **call.options)
    except GradcheckUsageError as error:
        return "refusal", str(error), error
    except BaseException as error:  # noqa: BLE001 - whatever the user raises is judged
        return "exception", _words(error), error
    message = str(report)
    data = report.to_dict()
    notes = "\n".join(note["text"] for note in data["notes"])
    outcome: Outcome = "passes" if report.passed else "fails"
    if not report.passed and report.verdict != "wrong":
        outcome = "undecided"
    return outcome, f"{message}\n{notes}", None


def _words(error: BaseException) -> str:
    notes = "\n".join(getattr(error, "__notes__", ()))
    try:
        return f"{type(error).__name__}: {error}\n{notes}"
    except Exception:  # noqa: BLE001 - the user's own exception may not be printable
        return notes


def _verdict_faults(
    case: Case, outcome: Outcome, message: str, exception: BaseException | None
) -> dict[Fault, str]:
    first = message.strip()[:300].replace("\n", " ")
    if outcome == "exception":
        assert exception is not None
        fault = _fault_of_exception(case, exception, first)
    elif outcome == "refusal":
        fault = _fault_of_refusal(case, first)
    else:
        fault = _fault_of_report(case, outcome, first)
    return fault or _message_faults(case, message)


def _fault_of_exception(case: Case, exception: BaseException, first: str) -> dict[Fault, str]:
    if case.exception is not None and isinstance(exception, case.exception):
        return {}
    place = _innermost(exception)
    if place.startswith(CASES):
        return {"misleading": f"an exception that its author did not cause: {first}"}
    return {"internal traceback": f"{first} at {place}"}


def _fault_of_refusal(case: Case, first: str) -> dict[Fault, str]:
    if case.expected == "exception" and not case.refusable:
        return {"misleading": f"refused instead of raised: {first}"}
    if case.expected == "refusal" or case.refusable:
        return {}
    return {"not accepted": first}


def _fault_of_report(case: Case, outcome: Outcome, first: str) -> dict[Fault, str]:
    if outcome in {"right": ("passes",), "wrong": ("fails", "undecided")}.get(case.expected, ()):
        return {}
    if case.expected == "right" and outcome == "undecided":
        return {"not accepted": f"undecided: {first}"}
    if case.expected == "refusal" and outcome != "passes":
        return {"misleading": f"not refused, but judged: {first}"}
    return {"wrong verdict": f"{outcome}: {first}"}


def _innermost(exception: BaseException) -> str:
    """Return the place of the innermost frame of the package or of the case."""
    frames = traceback.extract_tb(exception.__traceback__)
    known = (PACKAGE_DIRECTORY, CASES)
    ours = [f for f in frames if f.filename.startswith(known)]
    return f"{ours[-1].filename}:{ours[-1].lineno}" if ours else "?"


def _message_faults(case: Case, message: str) -> dict[Fault, str]:
    flat = " ".join(message.split())
    wanted = [f"does not say {p!r}" for p in case.says if not re.search(p, flat, re.IGNORECASE)]
    unwanted = [f"says {p!r}" for p in case.hides if re.search(p, flat, re.IGNORECASE)]
    strange = {c for c in message if c != "\n" and unicodedata.category(c) in {"Cc", "Cs", "Cf"}}
    if strange:
        unwanted.append(f"shows control characters {sorted(map(ascii, strange))}")
    if len(message) > LONGEST:
        unwanted.append(f"is {len(message):,} characters long")
    if wanted or unwanted:
        said = ", ".join(wanted + unwanted)
        return {"misleading": f"{said}: {flat[:300]!a}"}
    return {}


def _paste_faults(case: Case, message: str) -> dict[Fault, str]:
    """Return a fault if a right claim passes in no call that a refusal suggests."""
    endings = dict[str, str]()
    for options in suggested_options(message):
        call = case.build()
        assert isinstance(call, Call)
        tried = Call(call.forward, call.backward, call.args, call.options | options)
        with warnings.catch_warnings(record=True):
            endings[str(options)] = _outcome(tried)[0]
    if not endings or "passes" in endings.values():
        return {}
    return {"misleading": f"what it suggests does not work: {endings}"}


def suggested_options(message: str) -> list[dict[str, Any]]:
    """Return the options of calls that a message suggests."""
    flat = " ".join(message.split())
    literal = (
        r"(\((?:'[^']*'(?:, )?|None(?:, )?)*,?\)|\[(?:[\"'][^\]]*)\]|'[^']*'|\"[^\"]*\"|True)"
    )
    found = list[dict[str, Any]]()
    for name, text in re.findall(rf"\b(backward_args|wrt|has_cache) ?= ?{literal}", flat):
        try:
            options = {name: eval(text, {})}  # noqa: S307 - only literals match
        except SyntaxError:
            continue
        if options not in found:
            found.append(options)
    return found


def _lock_is_free() -> bool:
    """Return whether a check that replays numpy's global state runs in another thread."""

    def check() -> None:
        check_gradient(lambda x: x * np.random.rand(), lambda x: None, 1.0)

    def quiet() -> None:
        try:
            check()
        except GradcheckUsageError:
            return

    state = np.random.get_state()
    thread = threading.Thread(target=quiet, daemon=True)
    thread.start()
    thread.join(RELEASE)
    np.random.set_state(state)
    return not thread.is_alive()
