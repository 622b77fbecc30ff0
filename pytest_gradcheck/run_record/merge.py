"""One record of several: of the shards of a suite, or of the jobs of a matrix.

A run is merged once, however often it is given, and the order of the records does not matter.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pytest_gradcheck.run_record.record import SCHEMA_VERSION, Record, RecordedTest, Run

__all__ = ["merge_records"]


def merge_records(records: Iterable[Record]) -> Record:
    """Return one record with the runs and tests of all.

    Parameters
    ----------
    records : iterable of Record
        The records; they are not changed.

    Returns
    -------
    Record
        Runs in the order in which they started, tests in the order of their node ids. Of data
        that the suites added to whole records, the last value of a key is kept.
    """
    runs: dict[str, Run] = {}
    tests: dict[str, list[RecordedTest]] = {}
    extra: dict[str, Any] = {}
    for record in records:
        for k, run in enumerate(record["runs"]):
            if run["id"] not in runs:
                runs[run["id"]] = run
                tests[run["id"]] = [test for test in record["tests"] if test["run"] == k]
        extra |= record.get("extra", {})
    ordered = sorted(runs.values(), key=lambda run: (run["started"], run["id"]))
    merged: Record = {
        "schema_version": SCHEMA_VERSION,
        "runs": ordered,
        "tests": sorted(_renumbered(ordered, tests), key=_test_order),
    }
    if extra:
        merged["extra"] = extra
    return merged


def _renumbered(
    runs: list[Run], tests: Mapping[str, list[RecordedTest]]
) -> Iterable[RecordedTest]:
    for k, run in enumerate(runs):
        for test in tests[run["id"]]:
            yield {**test, "run": k}


def _test_order(test: RecordedTest) -> tuple[str, int, str]:
    return test["nodeid"], test["run"], test["worker"] or ""
