"""A baseline: the derivatives that are known to be wrong, by their fingerprints.

A run under a baseline accepts these and fails for others only. The file is written
from the record of a run, or by a run with ``--gradcheck-update-baseline``; no other run changes
it. Each line names one derivative, for review.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_gradcheck.run_record.findings import Finding, findings, known_findings
from pytest_gradcheck.run_record.json_file import RecordError, listed_lines, read_json
from pytest_gradcheck.run_record.record import KnownDerivative, Record

__all__ = [
    "BASELINE_VERSION",
    "BaselineState",
    "baseline_lines",
    "baseline_state",
    "read_baseline",
]

#: The version of the format.
BASELINE_VERSION = 1

#: The outcomes of tests that made all of their checks.
COMPLETE = ("passed", "xfailed")

#: The keys of a derivative in the file.
KEYS = KnownDerivative.__annotations__.keys()


@dataclass(frozen=True, slots=True)
class BaselineState:
    """What became of the derivatives of a baseline in a record.

    Attributes
    ----------
    known : tuple of KnownDerivative
        Those that are still wrong.
    mended : tuple of KnownDerivative
        Those whose tests all completed their checks and found nothing.
    unseen : tuple of KnownDerivative
        The others: some of their tests did not run, or no longer exist.
    new : tuple of KnownDerivative
        Wrong derivatives that the baseline does not have.
    """

    known: tuple[KnownDerivative, ...]
    mended: tuple[KnownDerivative, ...]
    unseen: tuple[KnownDerivative, ...]
    new: tuple[KnownDerivative, ...]

    @property
    def accepted(self) -> tuple[KnownDerivative, ...]:
        """What stays in the baseline: all but what is mended."""
        return *self.known, *self.unseen


def baseline_state(record: Record) -> BaselineState:
    """Return what became of the derivatives of the baselines in a record.

    Parameters
    ----------
    record : Record
        The record of one or more runs, under a baseline or not.
    """
    listed = {
        derivative["fingerprint"]: derivative
        for run in record["runs"]
        for derivative in run.get("baseline", ())
    }
    found = _derivatives(known_findings(record))
    new = _derivatives(f for f in findings(record) if f.check is not None)
    checked = {
        test["nodeid"]
        for test in record["tests"]
        if test["checks"] and test["outcome"] in COMPLETE
    }
    gone = [d for key, d in listed.items() if key not in found and key not in new]
    mended = [d for d in gone if checked.issuperset(d["tests"])]
    return BaselineState(
        known=tuple(found.values()),
        mended=tuple(mended),
        unseen=tuple(d for d in gone if d not in mended),
        new=tuple(d for key, d in new.items() if key not in found),
    )


def _derivatives(found: Iterable[Finding]) -> dict[str, KnownDerivative]:
    return {finding.fingerprint: _derivative(finding) for finding in found}


def _derivative(finding: Finding) -> KnownDerivative:
    backward = "" if finding.check is None else finding.check["backward"]
    return {
        "fingerprint": finding.fingerprint,
        "rule": finding.rule,
        "backward": backward,
        "parameter": finding.parameter,
        "file": finding.file,
        "tests": sorted(finding.nodeids),
    }


def baseline_lines(derivatives: Iterable[KnownDerivative]) -> Iterator[str]:
    """Yield the text of a baseline, a line for each derivative, in the order of their names."""
    ordered = sorted(derivatives, key=_order)
    yield f'{{\n"baseline_version": {BASELINE_VERSION},\n'
    yield from listed_lines("derivatives", ordered)
    yield "\n}\n"


def _order(derivative: KnownDerivative) -> tuple[str, ...]:
    file, parameter = derivative["file"] or "", derivative["parameter"] or ""
    return file, derivative["backward"], parameter, derivative["fingerprint"]


def read_baseline(path: Path) -> list[KnownDerivative]:
    """Read a baseline.

    Raises
    ------
    RecordError
        If the file is not a baseline, or of another version.
    OSError
        If it cannot be read.
    """
    content = read_json(path)
    if content.get("baseline_version") != BASELINE_VERSION:
        raise RecordError(
            f"{path} is no baseline of version {BASELINE_VERSION}: write one with "
            f"`python -m pytest_gradcheck baseline record.json -o {path}`"
        )
    derivatives = content.get("derivatives")
    if not isinstance(derivatives, list) or not all(map(_is_derivative, derivatives)):
        raise RecordError(f"{path} is no baseline: it has no list of derivatives")
    return derivatives


def _is_derivative(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == KEYS
