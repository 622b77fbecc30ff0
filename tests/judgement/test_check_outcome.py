"""The outcome of a check: the reasons why it fails."""

from typing import Any

import pytest

from pytest_gradcheck.judgement.check_outcome import failure_reasons, vacuous_parameters
from pytest_gradcheck.options import Layer, Options, resolve
from pytest_gradcheck.report.report_data import Breach, Note, ParameterReport, Verdict

KINK = Note("kink", 2, "2 entries are at a kink")
INCONCLUSIVE = Note("inconclusive", 1, "1 of 3 inconclusive: forward jumps")
ALL_INCONCLUSIVE = Note("inconclusive", 3, "3 of 3 inconclusive: forward jumps")
ZERO = Note("vacuous", 3, "zero gradient everywhere")
UNUSED = Note("unused", 3, "forward does not depend on W")
FLAT = Note("unused", 0, "does forward use W?")
POINT = Note("point", 3, "all 3 entries are 0")


def parameter(verdict: Verdict, *notes: Note, wrong: int = 0) -> ParameterReport:
    """Make the report of a parameter of three entries."""
    return ParameterReport("W", (3,), "float64", 3, verdict, wrong, 3, 0.0, (), (), 0.0, notes)


def options(**given: Any) -> Options:
    """Resolve options as a call gives them."""
    return resolve([Layer("call", given)])


@pytest.mark.parametrize(
    ("report", "given", "expected"),
    [
        (parameter("correct"), {"strict": True}, ()),
        (parameter("wrong", wrong=2), {}, ("W: 2 of 3 entries wrong",)),
        (parameter("inconclusive", INCONCLUSIVE), {}, ()),
        (
            parameter("inconclusive", INCONCLUSIVE),
            {"strict": True},
            ("W: 1 of 3 inconclusive: forward jumps (strict)",),
        ),
        (
            parameter("inconclusive", ALL_INCONCLUSIVE),
            {},
            ("W: nothing could be verified, 3 of 3 inconclusive: forward jumps",),
        ),
        (parameter("correct", KINK), {}, ()),
        (parameter("correct", KINK), {"strict": True}, ("W: 2 entries are at a kink (strict)",)),
        (parameter("correct", KINK), {"strict": True, "kinks": "accept"}, ()),
        (
            parameter("correct", KINK),
            {"kinks": "fail"},
            ("W: 2 entries are at a kink (kinks='fail')",),
        ),
        (parameter("correct", ZERO), {}, ()),
        (parameter("correct", ZERO), {"strict": True}, ("W: zero gradient everywhere (strict)",)),
        (
            parameter("correct", UNUSED),
            {"strict": True},
            ("W: forward does not depend on W (strict)",),
        ),
        (parameter("wrong", FLAT, wrong=3), {"strict": True}, ("W: 3 of 3 entries wrong",)),
        (parameter("correct", POINT), {"strict": True}, ()),
    ],
)
def test_outcome(
    report: ParameterReport, given: dict[str, Any], expected: tuple[str, ...]
) -> None:
    """Wrong and unverified parameters fail the check; notes do so only with strict."""
    assert failure_reasons([report], (), options(**given)) == expected


def test_violated_law_fails_a_check_whose_entries_agree() -> None:
    """The sentence about the law follows the reasons of the parameters."""
    breach = Breach("zero", "W", "backward(0) is not 0")
    assert failure_reasons([parameter("correct")], [breach], options()) == (
        "backward(0) is not 0",
    )
    assert failure_reasons([parameter("wrong", wrong=1)], [breach], options()) == (
        "W: 1 of 3 entries wrong",
        "backward(0) is not 0",
    )


def test_vacuous_parameters_are_named() -> None:
    """Parameters whose gradient is zero everywhere are listed for the warning."""
    assert vacuous_parameters([parameter("correct"), parameter("correct", ZERO)]) == ("W",)
    assert vacuous_parameters([parameter("correct", UNUSED), parameter("correct", POINT)]) == (
        "W",
    )
    assert vacuous_parameters([parameter("wrong", FLAT)]) == ()
