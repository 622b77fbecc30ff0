"""A baseline in words, in Markdown and in SARIF."""

import json

from pytest_gradcheck.renderings.baseline_lines import baseline_state_lines
from pytest_gradcheck.renderings.markdown import render_markdown
from pytest_gradcheck.renderings.sarif import render_sarif
from pytest_gradcheck.run_record.baseline import baseline_state
from pytest_gradcheck.run_record.record import Record
from tests.renderings.records import HOSTILE, a_check
from tests.run_record.builders import a_record, a_run, a_test


def under_baseline(name: str = "x") -> Record:
    """Return the record of a run in which one test is known, one is mended and one did not run."""
    tests = [a_test(f"t.py::{test}", a_check(name), outcome="failed") for test in "abc"]
    run = a_run()
    run["baseline"] = list(baseline_state(a_record(*tests)).new)
    (key,) = (d["fingerprint"] for d in run["baseline"] if d["tests"] == ["t.py::a"])
    return a_record(
        a_test("t.py::a", a_check(name), outcome="xfailed", known=[key]),
        a_test("t.py::b", a_check(name, factor=2.0)),
        run=run,
    )


def test_known_unseen_and_mended_derivatives_are_counted() -> None:
    """The mended ones have names."""
    accepted, unseen, mended, name, command = baseline_state_lines(under_baseline())
    assert accepted == "gradcheck: 1 known wrong derivative accepted by the baseline"
    assert unseen == "gradcheck: 1 known wrong derivative not checked again"
    assert mended == "gradcheck: 1 known wrong derivative mended:"
    assert name.startswith("    test_a.py: ")
    assert name.endswith(", p['x']")
    assert "python -m pytest_gradcheck baseline" in command
    assert list(baseline_state_lines(a_record())) == []


def test_lines_are_inert_in_markdown() -> None:
    """Whatever a parameter is called."""
    for name in HOSTILE:
        text = render_markdown(under_baseline(name))
        assert "- gradcheck&#58; 1 known wrong derivative mended&#58;" in text
        assert name not in text


def test_accepted_derivatives_are_suppressed_results() -> None:
    """Code scanning then does not show them as open."""
    results = json.loads(render_sarif(under_baseline()))["runs"][0]["results"]
    assert [result["suppressions"][0]["kind"] for result in results] == ["external"]
