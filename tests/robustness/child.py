"""The child process that runs cases: names come in, one a line, and endings go out as JSON."""

from __future__ import annotations

import json
import os
import resource
import sys
from dataclasses import asdict

__all__ = ["main"]

#: Bytes of address space that the child may use.
MEMORY = 6 * 2**30

#: Bytes by which one case may raise the peak of the child.
GROWTH = 400 * 2**20


def peak() -> int:
    """Return the peak of the memory of this process, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> None:
    """Run the cases whose names are read."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    # What the cases print goes nowhere; the endings have a stream of their own.
    answers = os.fdopen(os.dup(1), "w", encoding="ascii")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)

    from tests.robustness.cases.all_cases import all_cases
    from tests.robustness.ending import run_case

    cases = {case.name: case for case in all_cases()}
    for line in sys.stdin:
        before = peak()
        ending = asdict(run_case(cases[json.loads(line)]))
        if peak() - before > GROWTH:
            ending["faults"]["cost"] = f"{(peak() - before) / 2**20:.0f} MB"
        answers.write(json.dumps(ending) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
