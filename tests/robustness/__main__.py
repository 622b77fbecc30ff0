"""The robustness report: what comes of bad and strange input, and of faults.

``python -m tests.robustness`` runs all cases in child processes with limits of time and memory.
It prints each fault when it is found, then a table with a row for each kind of fault and a line
for each case with a fault. The exit status is 1 if there is one. Options:

``--kind N``, ``--name TEXT``
    Cases of this kind, or whose name contains the text; repeatable.
``--jobs 2``
    Processes.
``--json FILE``
    Write all endings.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from tests.robustness.cases.all_cases import all_cases
from tests.robustness.ending import Ending
from tests.robustness.run_cases import run_cases
from tests.robustness.table import table


def main() -> int:
    """Run the cases that the command line chooses, and print their table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kind", type=int, action="append")
    parser.add_argument("--name", action="append")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--json", type=Path)
    chosen = parser.parse_args()
    cases = [
        case
        for case in all_cases()
        if (not chosen.kind or case.kind in chosen.kind)
        and (not chosen.name or any(text in case.name for text in chosen.name))
    ]
    endings = list[Ending]()
    for ending in run_cases(cases, chosen.jobs):
        endings.append(ending)
        if ending.faults:
            sys.stderr.write(f"[{len(endings)} of {len(cases)}] {ending.case}: {ending.faults}\n")
    sys.stdout.writelines(f"{line}\n" for line in table(cases, endings))
    if chosen.json:
        chosen.json.write_text(json.dumps([asdict(ending) for ending in endings], indent=1))
    return int(any(ending.faults for ending in endings))


if __name__ == "__main__":
    sys.exit(main())
