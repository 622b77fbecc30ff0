"""The harness judges endings right, and a sample of the cases ends well."""

import os
from typing import Any

import numpy as np
import pytest

from tests.robustness.case import Call, Case, Fault, Suite
from tests.robustness.cases.all_cases import all_cases
from tests.robustness.ending import run_case, suggested_options
from tests.robustness.run_cases import run_cases
from tests.robustness.state import content
from tests.robustness.table import KINDS, table

X = np.array([0.5, -1.5])

#: One case of each kind of ending, by name.
SAMPLE = (
    "layer, dout: right",
    "layer that forgets x, cotangent: half more",
    "cache, dout: half more",
    "self.W, by_bound_method: right",
    "the same dict: half more",
    "checked ChainMap: right",
    "set as argument: right",
    "float32 array: right",
    "forward returns None",
    "backward returns too long",
    "ValueError in_backward",
    "KeyboardInterrupt at_the_point",
    "unknown option atol",
    "only W",
    "quotes as_key: wrong",
)


def square(x: Any) -> Any:
    """Return the sum of squares."""
    return np.sum(x**2)


def call(backward: Any, **options: Any) -> Call:
    """Return a check of the sum of squares."""
    return Call(square, backward, (X.copy(),), options)


def faults(call: Call | Suite, expected: Any, **about: Any) -> set[Fault]:
    """Return the faults of a case."""
    return set(run_case(Case(1, "case", lambda: call, expected, **about)).faults)


def test_cases_have_names_of_their_own() -> None:
    """There are at least 400 cases, of every kind, and each name is used once."""
    cases = all_cases()
    assert len({case.name for case in cases}) == len(cases) >= 400
    assert {case.kind for case in cases} == set(KINDS)


def test_sample_ends_well() -> None:
    """A sample of the cases has no faults; a child process runs it."""
    chosen = [case for case in all_cases() if case.name in SAMPLE]
    assert len(chosen) == len(SAMPLE)
    endings = list(run_cases(chosen, jobs=1))
    assert {ending.case: ending.faults for ending in endings if ending.faults} == {}
    assert sum(line.startswith("!") for line in table(chosen, endings)) == 0


@pytest.mark.parametrize(("factor", "expected"), [(2, "right"), (3, "wrong")])
def test_verdict_that_is_true_is_no_fault(factor: float, expected: str) -> None:
    """A right claim passes and a wrong one fails."""
    assert faults(call(lambda x: factor * x), expected) == set()


@pytest.mark.parametrize(("factor", "expected"), [(3, "right"), (2, "wrong"), (2, "refusal")])
def test_verdict_that_is_not_true_is_a_fault(factor: float, expected: str) -> None:
    """Expectations that the endings of these calls do not fulfil."""
    assert faults(call(lambda x: factor * x), expected) == {"wrong verdict"}


def test_refusal_is_a_fault_where_the_code_ought_to_be_accepted() -> None:
    """Where it need not be, it is as good as a verdict."""
    refused = call(lambda x: None)
    assert faults(refused, "right") == {"not accepted"}
    assert faults(refused, "right", refusable=True) == set()
    assert faults(refused, "refusal") == set()


def test_message_must_say_what_it_should() -> None:
    """A refusal that does not is misleading."""
    assert faults(call(lambda x: None), "refusal", says=("elephant",)) == {"misleading"}


def test_exception_of_the_case_is_told_from_an_internal_one() -> None:
    """Only the one that was expected is no fault."""

    def raising(x: Any) -> Any:
        raise LookupError("of the user")

    assert faults(call(raising), "exception", exception=LookupError) == set()
    assert faults(call(raising), "right") == {"internal traceback"}


def test_changed_state_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of what is watched, as of the process."""
    monkeypatch.setenv("STEPS", "")
    seen = list[Any]()

    def records(x: Any) -> Any:
        seen.append(x.copy())
        return 2 * x

    def exports(x: Any) -> Any:
        os.environ["STEPS"] += "1"
        return 2 * x

    watched = Call(square, records, (X.copy(),), watched=(seen,))
    assert faults(watched, "right") == {"state changed"}
    assert faults(call(exports), "right") == {"state changed"}


def test_content_sees_values_and_identities() -> None:
    """An equal array in the place of another is a change, and so is an entry."""
    held = {"W": X.copy()}
    before = content(held)
    assert content(held) == before
    held["W"][0] += 1
    assert content(held) != before
    held["W"] = X.copy()
    assert content(held) != before


def test_suggestions_are_read_from_messages() -> None:
    """Each option with a literal value is one."""
    message = "Say backward_args=('cotangent',\n'x') or wrt=[\"W\"], or has_cache=True; or wrt=."
    assert suggested_options(message) == [
        {"backward_args": ("cotangent", "x")},
        {"wrt": ["W"]},
        {"has_cache": True},
    ]


def test_suggestion_that_does_not_work_is_a_fault() -> None:
    """A right claim must pass in one of the calls that a refusal suggests."""

    def backward(x: Any, more: Any) -> Any:
        return 2 * x

    def misread(x: Any, dnext: Any) -> Any:
        return np.cos(x) * dnext

    assert faults(call(backward), "right", refusable=True) == {"misleading"}
    read = Call(np.sin, misread, (X.copy(),))
    assert faults(read, "right", refusable=True) == set()


def test_suite_is_judged_by_its_outcomes_and_output() -> None:
    """Other numbers of passed tests are a fault, and so is what it must not show."""
    text = "def test_it(gradcheck):\n    gradcheck(lambda x: x**2, lambda x: 2 * x, 1.5)\n"
    assert faults(Suite(text, {"passed": 1}), "right") == set()
    assert faults(Suite(text, {"failed": 1}), "right") == {"wrong verdict"}
    assert faults(Suite(text, {"passed": 1}, hides=("passed",)), "right") == {"misleading"}
