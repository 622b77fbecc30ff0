"""One record of several."""

import itertools

from pytest_gradcheck.run_record.merge import merge_records
from tests.run_record.builders import a_record, a_run, a_test, check


def test_runs_and_tests_are_joined_in_any_order() -> None:
    """Runs come in the order in which they started, tests in that of their node ids."""
    records = [
        a_record(a_test("b"), run=a_run("1", "2026-01-01")),
        a_record(a_test("a"), a_test("b"), run=a_run("2", "2026-01-02")),
        a_record(a_test("c"), run=a_run("3", "2026-01-03")),
    ]
    merged = merge_records(records)
    assert [run["id"] for run in merged["runs"]] == ["1", "2", "3"]
    found = [(test["nodeid"], test["run"]) for test in merged["tests"]]
    assert found == [("a", 1), ("b", 0), ("b", 1), ("c", 2)]
    assert all(merge_records(order) == merged for order in itertools.permutations(records))


def test_merging_is_associative_and_takes_a_run_once() -> None:
    """A record that was merged before may be merged again."""
    first = a_record(a_test("a", check()), run=a_run("1"))
    second = a_record(a_test("b"), run=a_run("2"))
    third = a_record(a_test("c"), run=a_run("3"))
    merged = merge_records([first, second, third])
    assert merge_records([merge_records([first, second]), third]) == merged
    assert merge_records([merged, first, merged]) == merged


def test_nothing_is_changed() -> None:
    """The records that are merged stay as they were."""
    first, second = a_record(a_test("a"), run=a_run("1")), a_record(a_test("b"), run=a_run("0"))
    merge_records([first, second])
    assert first == a_record(a_test("a"), run=a_run("1"))


def test_data_of_the_suite_are_kept() -> None:
    """The last value of a key counts."""
    first, second = a_record(run=a_run("1")), a_record(run=a_run("2"))
    first["extra"] = {"commit": "a", "branch": "main"}
    second["extra"] = {"commit": "b"}
    assert merge_records([first, second])["extra"] == {"commit": "b", "branch": "main"}
    assert "extra" not in merge_records([a_record()])
