"""The text of a report, compared as a whole, and its markup."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_gradcheck import (
    Breach,
    Diagnosis,
    GradcheckError,
    Note,
    OptionValue,
    ParameterReport,
    SourceLocation,
    WrongLine,
)
from pytest_gradcheck.report.accessors import distinct_short_names
from pytest_gradcheck.report.message import markup_segments
from tests.report.builders import correct, entry, inconclusive_parameter, parameter, report


@given(st.text())
def test_segments_join_to_the_line(line: str) -> None:
    """No character is lost or added."""
    assert "".join(segment for segment, _ in markup_segments(line)) == line


def test_verdicts_and_headings_have_markup() -> None:
    """Markup is given to verdicts, to headings, to a wrong line and to the command alone."""
    wrong_line = WrongLine(SourceLocation("nn.py", 3, 3, "f", "dW = 1"), ("dW",), (), ("W",))
    parameters = (parameter(), correct(), inconclusive_parameter())
    text = str(report(*parameters, rerun="pytest test.py", wrong_lines=(wrong_line,)))
    marked = [
        (segment, dict(markup))
        for line in text.splitlines()
        for segment, markup in markup_segments(line)
        if markup
    ]
    assert [(segment.split()[0], markup) for segment, markup in marked] == [
        ("parameter", {"bold": True}),
        ("wrong", {"red": True, "bold": True}),
        ("nn.py:3", {"bold": True}),
        ("inconclusive", {"yellow": True}),
        ("correct", {"green": True}),
        ("worst", {"bold": True}),
        ("pytest", {"bold": True}),
    ]


def text(*parameters: ParameterReport, **changes: Any) -> str:
    """Render a report."""
    return str(report(*parameters, **changes))


def test_wrong_gradient() -> None:
    """The blocks are the first line, parameters with causes, worst entries, and settings."""
    wrong = parameter(
        "parameters['b1']",
        diagnosis=(
            Diagnosis(
                "factor",
                "consistent with 2 x the true gradient (5 entries, to 10 digits): "
                "a stray factor 2?",
                {},
            ),
        ),
        notes=(
            Note(
                "zero",
                1,
                "zero gradient in 1 of 6 entries (dead units?), where errors cannot be detected",
            ),
        ),
    )
    assert (
        text(
            wrong,
            correct(),
            rerun="pytest test_it.py::test_it",
            backward_definition=SourceLocation("nn.py", 12, 30, "backward", "def backward(): ..."),
        )
        == """\
b1[0, 1]: backward 2.5, numerical 1.25 (a stray factor 2?); 1 of 12 entries wrong

parameter         shape   wrong  difference  verdict
parameters['b1']  (2, 3)    1/6     3.3e-01  wrong
    consistent with 2 x the true gradient (5 entries, to 10 digits):
      a stray factor 2?
b                 (2, 3)    0/6     2.0e-10  correct

worst entries  value  backward  numerical  bound  off by
b1[0, 1]       0.125       2.5       1.25  3e-11   +100%

gradient of forward by backward (nn.py:12)
mode full; rtol=1e-06; seed 7
118 evaluations; 1 backward call; 0.012 s
run again: pytest test_it.py::test_it"""
    )


def test_brief_message_of_a_failure() -> None:
    """It ends with the parameters and their causes."""
    error = GradcheckError(report(parameter(), correct(), rerun="pytest test_it.py::test_it"))
    whole = str(error)
    error.shorten()
    assert whole.startswith(str(error))
    assert str(error).splitlines() == [
        "W[0, 1]: backward 2.5, numerical 1.25; 1 of 12 entries wrong",
        "",
        "parameter  shape   wrong  difference  verdict",
        "W          (2, 3)    1/6     3.3e-01  wrong",
        "b          (2, 3)    0/6     2.0e-10  correct",
    ]


def test_first_line_leaves_the_name_of_a_number_out_before_the_count() -> None:
    """The table has it."""
    cause = "consistent with 40 x the true gradient: a stray factor 40 = X.shape[0] * X.shape[1]?"
    lines = text(parameter(diagnosis=(Diagnosis("factor", cause, {}),))).splitlines()
    assert lines[0] == (
        "W[0, 1]: backward 2.5, numerical 1.25 (a stray factor 40?); 1 of 6 entries wrong"
    )
    short = cause.replace("X.shape[0] * X.shape[1]", "m")
    assert "(a stray factor 40 = m?); 1 of" in text(
        parameter(diagnosis=(Diagnosis("factor", short, {}),))
    )


def test_first_line_says_what_is_missing_without_the_name_of_a_number() -> None:
    """Only the name is left out."""
    cause = "consistent with 1/40 x the true gradient: a factor 40 = X.shape[0] * X.size missing?"
    lines = text(parameter(diagnosis=(Diagnosis("factor", cause, {}),))).splitlines()
    assert "(a factor 40 missing?); 1 of 6 entries wrong" in lines[0]


def test_wrong_line_tells_which_side_is_wrong() -> None:
    """Where it explains all parameters, that is not said again; else it comes last."""
    side = Diagnosis("no-potential", "no function has this gradient", {})
    place = WrongLine(SourceLocation("nn.py", 3, 3, "f", "dW = 1"), ("dW",), (), ("W", "b"))
    both, found = (parameter(), parameter("b")), {"diagnosis": (side,), "wrong_lines": (place,)}
    lines = text(*both, **found).splitlines()
    assert lines[0].endswith("2 of 12 entries wrong; goes wrong at nn.py:3")
    assert lines[2:5] == ["goes wrong at nn.py:3: dW = 1", "    W, b follow from it", ""]
    assert text(*both, parameter("c"), **found).splitlines()[4] == "no function has this gradient"


def test_violated_law_of_a_check_whose_entries_agree() -> None:
    """The violated law is the first line, and is not repeated."""
    breach = Breach("zero", "b", "backward(0) is not 0: a term of b[0] does not depend on it")
    changes: dict[str, Any] = {"kind": "vjp", "breaches": (breach,), "failures": (breach.text,)}
    assert (
        text(correct(), **changes)
        == """\
backward(0) is not 0: a term of b[0] does not depend on it

parameter  shape   wrong  difference  verdict
b          (2, 3)    0/6     2.0e-10  correct

vector-Jacobian product of forward by backward
mode full; rtol=1e-06; seed 7
118 evaluations; 1 backward call; 0.012 s"""
    )


def test_violated_law_with_wrong_entries() -> None:
    """The first line names the worst entry; the law follows in full."""
    breach = Breach(
        "linear", "W", "backward is not linear in the cotangent: W[0, 1] is 3.14159, not 2.71828"
    )
    failures = ("W: 1 of 6 entries wrong", breach.text)
    lines = text(parameter(), kind="vjp", breaches=(breach,), failures=failures).splitlines()
    assert lines[:5] == [
        "W[0, 1]: backward 2.5, numerical 1.25; 1 of 6 entries wrong",
        "",
        "backward is not linear in the cotangent: W[0, 1] is 3.14159, not 2.71828",
        "",
        "parameter  shape   wrong  difference  verdict",
    ]


def test_passing_report() -> None:
    """A passing report has one headline and the parameters, but no entries."""
    assert (
        text(correct("theta", shape=(), checked=1, size=1))
        == """\
gradient of forward correct: 1 entry, relative difference 2.0e-10

parameter  shape   wrong  difference  verdict
theta      scalar    0/1     2.0e-10  correct

gradient of forward by backward
mode full; rtol=1e-06; seed 7
118 evaluations; 1 backward call; 0.012 s"""
    )


def test_nothing_verified() -> None:
    """The first line gives the reason."""
    assert (
        text(
            inconclusive_parameter(
                worst=(entry("c", verdict="inconclusive", bound=float("inf")),)
            ),
            failures=("c: nothing could be verified, all inconclusive: forward jumps",),
            verdict="inconclusive",
        )
        == """\
c: nothing could be verified, all inconclusive: forward jumps

parameter  shape   wrong  difference  verdict
c          (2, 3)    0/6     3.3e-01  inconclusive
    all inconclusive: forward jumps at this point

worst entries  value  backward  numerical    bound  off by
c[0, 1]        0.125       2.5       1.25  unknown   +100%
... and 5 more (max_rows=5; -vv shows all)

gradient of forward by backward
mode full; rtol=1e-06; seed 7
118 evaluations; 1 backward call; 0.012 s"""
    )


def test_many_reasons_are_counted() -> None:
    """Five reasons of a failure without a wrong entry are listed."""
    failures = tuple(f"c{k}: nothing could be verified" for k in range(7))
    lines = text(inconclusive_parameter(), failures=failures).splitlines()
    assert lines[:7] == [*failures[:5], "... and 2 more reasons", ""]


def test_settings_say_where_they_were_set() -> None:
    """The closing has options that were set, notes, and arguments that were not checked."""
    closing = text(
        correct(),
        kind="vjp",
        options={
            "rtol": OptionValue(1e-4, "mark"),
            "step": OptionValue(1e-7, "call"),
            "strict": OptionValue(value=True, origin="ini"),
            "max_rows": OptionValue(20, "verbosity"),
        },
        notes=(Note("cotangent", 0, "a random signed cotangent was drawn from seed 7"),),
        not_checked=("model (Model)",),
        evaluations=12345,
    ).split("\n\n")[-1]
    assert (
        closing
        == """\
vector-Jacobian product of forward by backward
mode full; rtol=0.0001 (mark); step=1e-07 (call); strict=True (ini);
  seed 7
12,345 evaluations; 1 backward call; 0.012 s
a random signed cotangent was drawn from seed 7
passed through unchecked: model (Model)"""
    )


def test_entries_that_are_not_shown_are_counted() -> None:
    """Of a thousand wrong entries five are shown."""
    worst = tuple(entry(index=(k,)) for k in range(5))
    lines = text(parameter(worst=worst, wrong=1000, checked=1200, shape=(1200,))).splitlines()
    assert lines[0] == "W[0]: backward 2.5, numerical 1.25; 1,000 of 1,200 entries wrong"
    assert "... and 995 more (max_rows=5; -vv shows all)" in lines


def test_correct_parameters_are_counted_beyond_a_dozen() -> None:
    """Wrong parameters are all listed, before the correct ones."""
    many = [parameter("bad"), *(correct(f"W{k}") for k in range(120))]
    lines = text(*many).splitlines()
    assert [line.split()[0] for line in lines[3:5]] == ["bad", "W0"]
    assert "... and 108 more correct (largest difference 2.0e-10)" in lines
    assert len(lines) < 30


def test_rows_of_many_wrong_parameters_are_limited() -> None:
    """The option `max_rows` limits the rows of the message, which has the worst of all."""
    many = [parameter(f"W{k}", worst=(entry(f"W{k}", deviation=k),)) for k in range(50)]
    lines = text(*many).splitlines()
    assert "... and 45 more (max_rows=5; -vv shows all)" in lines
    assert [line.split()[0] for line in lines if "+" in line] == [
        f"W{k}[0," for k in (49, 48, 47, 46, 45)
    ]
    assert "... and 38 more wrong (largest difference 3.3e-01)" in lines


def test_reason_of_wrong_entries_is_given_once() -> None:
    """Entries that are wrong for the same reason share a line."""
    reason = "a kink, the slopes left and right are -1 and 1"
    worst = tuple(entry(index=(k,), reason=reason) for k in range(3))
    assert f"    W[0] and 2 more: {reason}" in text(parameter(worst=worst, wrong=3)).splitlines()


@pytest.mark.parametrize("value", [1e-300, 1e300, -0.0, float("nan"), float("inf"), 5e-324])
def test_extreme_values_are_printed(value: float) -> None:
    """The first line shows numbers of every magnitude, and those that are not finite."""
    line = text(parameter(worst=(entry(backward=value, value=value),))).splitlines()[0]
    assert str(value) in line or f"{value:.4g}" in line


names = st.text(
    st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=120
)
indices = st.lists(st.integers(0, 10**6), max_size=5).map(tuple)


@given(names, indices, st.tuples(st.floats(), st.floats(), st.floats(), st.floats(0)))
def test_message_always_fits_the_line_width(
    name: str, index: tuple[int, ...], numbers: tuple[float, float, float, float]
) -> None:
    """No line exceeds 92 columns, and rows parse back, for all names and numbers."""
    value, backward, numerical, bound = numbers
    worst = entry(name, index, backward=backward, numerical=numerical, bound=bound, value=value)
    lines = text(parameter(name, worst=(worst,), shape=(10**6,) * len(index))).splitlines()
    assert all(len(line) <= 92 for line in lines)
    short = distinct_short_names([name]).get(name, name)
    assert lines[0].startswith(replace(worst, parameter=short).name[:5])
    row = lines[lines.index("") + 1 :]
    heading = next(k for k, line in enumerate(row) if line.startswith("worst entries"))
    cells = row[heading + 1].split()
    for cell, expected in zip(cells[-5:-2], (value, backward, numerical), strict=True):
        assert float(cell) == pytest.approx(expected, rel=1e-3, abs=0, nan_ok=True)


def test_distracting_notes_are_left_out_of_failures() -> None:
    """Zeros of a correct parameter, and errors that the point hides, are no cause of a failure."""
    zero = Note("zero", 1, "zero gradient in 1 of 6 entries, where errors cannot be detected")
    point = Note(
        "point",
        6,
        "all 6 entries are 0 here: terms that they multiply are not tested",
    )
    failing = text(parameter(notes=(zero, point)), correct(notes=(zero, point)))
    assert failing.count(zero.text) == 1
    assert point.text not in failing
    passing = text(correct(notes=(zero, point)))
    assert zero.text in passing
    assert point.text in passing


def test_a_wrong_line_is_said_once() -> None:
    """A line from which several parameters follow is before the table, with their names."""
    location = SourceLocation("nn.py", 31, 31, "backward", "dZ2 = dA2 * (Z1 > 0)")
    wrong_line = WrongLine(location, ("dZ2",), (("dA2", 30),), ("p['W']", "p['b']"))
    several = text(parameter("p['W']"), parameter("p['b']"), wrong_lines=(wrong_line,))
    assert (
        several.split("\n\n")[1]
        == """\
goes wrong at nn.py:31: dZ2 = dA2 * (Z1 > 0)
    what it reads is right: dA2 (line 30)
    W, b follow from it"""
    )
    assert several.count("nn.py:31: ") == 1


def test_a_wrong_line_of_one_parameter_is_beneath_it() -> None:
    """A statement of several lines is shown on one."""
    source = "dW = (\n    X.T @ dZ\n)"
    location = SourceLocation("nn.py", 31, 33, "backward", source)
    wrong_line = WrongLine(location, ("dW",), (("dZ", 30),), ("W",))
    lines = text(parameter("W"), parameter("b"), wrong_lines=(wrong_line,)).splitlines()
    assert lines[0] == (
        "W[0, 1]: backward 2.5, numerical 1.25; 2 of 12 entries wrong; goes wrong at nn.py:31-33"
    )
    assert lines[4:6] == [
        "    goes wrong at nn.py:31-33: dW = ( X.T @ dZ )",
        "        what it reads is right: dZ (line 30)",
    ]


def place(line: int, source: str) -> SourceLocation:
    """Return a line of backward."""
    return SourceLocation("nn.py", line, line, "backward", source)


def test_statements_that_may_be_wrong_instead_have_lines_of_their_own() -> None:
    """The first line has the places of all of them."""
    other = (place(40, "dW = X.T @ dZ"),)
    wrong_line = WrongLine(place(31, "dZ = dA * 2"), ("dZ",), (), ("W",), other)
    lines = text(parameter(worst=(entry(index=()),)), wrong_lines=(wrong_line,)).splitlines()
    assert lines[0] == (
        "W: backward 2.5, numerical 1.25; 1 of 6 entries wrong; goes wrong at nn.py:31 or 40"
    )
    assert lines[4:6] == [
        "    goes wrong at nn.py:31: dZ = dA * 2",
        "            or at nn.py:40: dW = X.T @ dZ",
    ]


def test_statements_from_which_several_gradients_follow() -> None:
    """They are before the table, with what is right of them, and the change that helps."""
    wrong_line = WrongLine(
        place(31, "dZ = dz"),
        ("dZ",),
        (("dz", 30),),
        ("W", "b"),
        (place(40, "dz = -dA"),),
        "`-dz` instead of `dz`",
    )
    several = text(parameter("W"), parameter("b"), wrong_lines=(wrong_line,))
    assert (
        several.split("\n\n")[1]
        == """\
goes wrong at nn.py:31: dZ = dz
        or at nn.py:40: dz = -dA
    all gradients are right with `-dz` instead of `dz`
    what it reads is right: dz (line 30)
    W, b follow from it"""
    )


FACTOR = Diagnosis(
    "factor",
    "consistent with 2 x the true gradient (5 entries, to 10 digits): a factor 2?",
    {},
)
PLACE = Diagnosis("place", "wrong in p['W'][3, :], 20 entries: in 2 of 2 measured", {})
ZERO = Note("zero", 1, "zero gradient in 1 of 6 entries, where errors cannot be detected")


def remarks(*diagnosis: Diagnosis, notes: tuple[Note, ...] = (), **changes: Any) -> list[str]:
    """Return the lines beneath a parameter."""
    of_one = parameter("p['W']", diagnosis=diagnosis, notes=notes)
    lines = text(of_one, **changes).split("\n\n")[1].splitlines()
    return [line for line in lines if line.startswith("    ")]


def test_three_lines_beneath_a_parameter() -> None:
    """Causes and the wrong line come before notes, in fewer words where there are several."""
    location = SourceLocation("nn.py", 31, 31, "backward", "dW = X.T @ dZ * 2")
    wrong_line = WrongLine(location, ("dW",), (), ("p['W']",))
    assert remarks(FACTOR, PLACE, notes=(ZERO,), wrong_lines=(wrong_line,)) == [
        "    consistent with 2 x the true gradient: a factor 2?",
        "    goes wrong at nn.py:31: dW = X.T @ dZ * 2",
        "    wrong in W[3, :], 20 entries: in 2 of 2 measured",
    ]
    assert remarks(FACTOR, notes=(ZERO,)) == [
        "    consistent with 2 x the true gradient (5 entries, to 10 digits):",
        "      a factor 2?",
        "    zero gradient in 1 of 6 entries, where errors cannot be detected",
    ]


def test_repair_comes_before_a_second_cause() -> None:
    """Only three lines fit, and what it reads is not among them."""
    repair = "`-dZ` instead of `dZ`"
    wrong_line = WrongLine(place(31, "dW = X.T @ dZ"), (), (("dZ", 30),), ("p['W']",), (), repair)
    assert remarks(FACTOR, PLACE, wrong_lines=(wrong_line,)) == [
        "    consistent with 2 x the true gradient: a factor 2?",
        "    goes wrong at nn.py:31: dW = X.T @ dZ",
        "    wrong in W[3, :], 20 entries: in 2 of 2 measured",
    ]
    assert remarks(FACTOR, wrong_lines=(wrong_line,)) == [
        "    consistent with 2 x the true gradient: a factor 2?",
        "    goes wrong at nn.py:31: dW = X.T @ dZ",
        f"        all gradients are right with {repair}",
    ]


def test_a_long_note_is_cut_between_words() -> None:
    """Where nothing else is said, the first three lines of a note are."""
    note = Note("inconclusive", 6, "forward is too noisy, " * 12)
    lines = remarks(notes=(note,))
    assert len(lines) == 3
    assert lines[-1].endswith("forward is too noisy, ...")


def test_causes_of_several_parameters_are_said_once() -> None:
    """They are before the table, and in the first line where a parameter has no other."""
    common = Diagnosis("side", "no function has the gradients of p['W'] and p['b']", {})
    lines = text(parameter("p['W']"), parameter("p['b']"), diagnosis=(common,)).splitlines()
    assert lines[:3] == [
        "W[0, 1]: backward 2.5, numerical 1.25 (no function has the gradients of W and b)",
        "",
        "no function has the gradients of W and b",
    ]


@pytest.mark.parametrize(
    ("causes", "clause"),
    [((PLACE,), "wrong in W[3, :]"), ((PLACE, FACTOR), "a factor 2?")],
)
def test_the_first_line_has_the_likely_cause(causes: tuple[Diagnosis, ...], clause: str) -> None:
    """A question is preferred to a description."""
    line = text(parameter("p['W']", diagnosis=causes)).splitlines()[0]
    assert line == f"W[0, 1]: backward 2.5, numerical 1.25 ({clause}); 1 of 6 entries wrong"
