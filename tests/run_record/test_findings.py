"""What is wrong according to a record, each derivative once."""

import pytest

from pytest_gradcheck.run_record.findings import Finding, findings, repository_file
from pytest_gradcheck.run_record.record import Check
from tests.run_record.builders import a_record, a_run, a_test, failing


def found(*checks: Check, nodeid: str = "test_a.py::test_it") -> list[Finding]:
    """Return the findings of tests that failed with one check each."""
    tests = [a_test(f"{nodeid}[{k}]", c, outcome="failed") for k, c in enumerate(checks)]
    return findings(a_record(*tests))


def test_a_derivative_is_found_once() -> None:
    """All tests that found it are named, and the worst one is shown."""
    (finding,) = found(failing(), failing(deviation=7.0), failing())
    assert finding.test["nodeid"] == "test_a.py::test_it[1]"
    assert finding.nodeids == tuple(f"test_a.py::test_it[{k}]" for k in (1, 0, 2))
    assert (finding.rule, finding.parameter) == ("wrong-gradient", "W")
    assert (finding.file, finding.first_line, finding.last_line) == ("nn.py", 10, 15)


def test_the_fingerprint_survives_other_lines_and_other_tests() -> None:
    """It depends on the names of the file, the function and the parameter."""
    (first,), (second,) = found(failing()), found(failing(line=99), nodeid="test_b.py::test_other")
    assert first.fingerprint == second.fingerprint
    (other,) = found(failing("b"))
    assert other.fingerprint != first.fingerprint


def test_functions_in_a_file_of_tests_are_told_apart_by_the_test() -> None:
    """Two tests may each have a function of the same name."""
    definition = failing()["backward_definition"] | {"file": "test_a.py"}
    check = failing() | {"backward_definition": definition}
    (first,), (second,) = found(check), found(check, nodeid="test_a.py::test_other")
    assert first.fingerprint != second.fingerprint
    (again,) = found(check, check)
    assert again.fingerprint == first.fingerprint


def test_the_line_where_a_gradient_goes_wrong_comes_first() -> None:
    """It is that of the parameter in question."""
    location = {"file": "/suite/src/nn.py", "first_line": 12, "last_line": 12}
    lines = [{"location": location, "parameters": ["W"]}]
    (finding,) = found(failing() | {"wrong_lines": lines})
    assert (finding.file, finding.first_line) == ("src/nn.py", 12)
    (finding,) = found(failing("b") | {"wrong_lines": lines})
    assert (finding.file, finding.first_line) == ("nn.py", 10)


def test_a_violated_law_and_an_unverified_gradient_have_rules_of_their_own() -> None:
    """A name that another one begins with is told apart."""
    check = failing() | {
        "failures": ["backward(0) is not 0", "W: a: nothing could be verified"],
        "breaches": [{"kind": "zero", "parameter": "W", "text": "backward(0) is not 0"}],
        "parameters": [
            {"name": "W", "verdict": "correct"},
            {"name": "W: a", "verdict": "inconclusive"},
        ],
    }
    assert [(finding.rule, finding.parameter) for finding in found(check)] == [
        ("violated-law", "W"),
        ("unverified-gradient", "W: a"),
    ]


def test_wrong_checks_on_purpose_are_no_findings() -> None:
    """Their test passed, or was expected to fail."""
    tests = [a_test(outcome, failing(), outcome=outcome) for outcome in ("passed", "xfailed")]
    assert findings(a_record(*tests)) == []


def test_a_test_that_checks_nothing_is_a_finding() -> None:
    """It is at its own line."""
    (finding,) = findings(a_record(a_test("test_a.py::test_it", line=7)))
    assert (finding.rule, finding.file, finding.first_line) == ("no-check", "test_a.py", 7)


@pytest.mark.parametrize(
    ("rootdir", "prefix", "file", "expected"),
    [
        ("/repo", "", "nn.py", "nn.py"),
        ("/repo/python", "python", "tests/test_a.py", "python/tests/test_a.py"),
        ("/repo/python", "python", "../nn.py", "nn.py"),
        ("/repo/python", "python", "/repo/src/nn.py", "src/nn.py"),
        ("/repo", "", "/usr/lib/nn.py", "/usr/lib/nn.py"),
        ("C:\\repo\\python", "python", "tests\\test_a.py", "python/tests/test_a.py"),
        ("C:\\repo\\python", "python", "C:\\repo\\nn.py", "nn.py"),
    ],
)
def test_paths_are_relative_to_the_repository(
    rootdir: str, prefix: str, file: str, expected: str
) -> None:
    """Files outside of the repository keep their absolute path."""
    run = a_run()
    run["rootdir"], run["repository_path"] = rootdir, prefix
    assert repository_file(run, file) == expected


def test_what_is_wrong_has_the_likely_cause() -> None:
    """It is that of the parameter, before one of the whole check."""
    factor = {"kind": "factor", "text": "consistent with 2 x the true: a 2?", "evidence": {}}
    side = {"kind": "no-potential", "text": "no function has this gradient", "evidence": {}}
    parameter = {"name": "W", "verdict": "wrong", "checked": 3, "diagnosis": [factor]}
    check = failing(diagnosis=[side]) | {"parameters": [parameter]}
    assert [finding.what for finding in found(check)] == ["wrong gradient (a 2?)"]
    check = failing(diagnosis=[side]) | {"parameters": [parameter | {"diagnosis": []}]}
    (finding,) = found(check)
    assert finding.what == "wrong gradient (no function has this gradient)"
