"""Whether a failing check says the right cause.

``python -m tests.benchmarks.causes`` injects every bug of the catalogue into the right claims of
the handwritten functions and of the trust corpus, wherever it makes sense, edits the code of the
handwritten functions, and checks each. It prints by bug and by function how often the right cause
was said, the right one beside a wrong one, none, or a wrong one; and how often any was said of
errors that have none. The handwritten functions are those whose failures may be read: the group
that is held out for `tests.benchmarks.wrong_lines` is not used. Options:

``--set handwritten|corpus|special|edits``
    Only these; repeatable. Special bugs have functions of their own.
``--group built-with|read-since``, ``--function NAME``
    These groups of handwritten functions, or these functions of them; repeatable.
``--module NAME``, ``--seeds 1``
    Modules of families of the corpus, and cases of each family.
``--every 1``
    Inject bugs into every n-th of these functions and cases only: a sample.
``--bug NAME``
    These bugs; repeatable.
``--mode full|fast``
    Sweeps or screens.
``--jobs 1``
    Processes.
``--failures FILE``
    Write every bug whose cause was not said, with what was said.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from tests.benchmarks.causes.bug_sets import SETS, Sample
from tests.benchmarks.causes.cause_tables import failures, print_table
from tests.benchmarks.causes.gradient_bugs import BUGS, NOISE
from tests.benchmarks.causes.special_bugs import SPECIAL_BUGS
from tests.handwritten_backward.all_functions import READ_GROUPS

#: How the names of bugs begin that are the derivative with respect to another parameter.
PARAMETRIZATIONS = ("derivative by ", "by ")


def main() -> None:
    """Check all bugs and print the tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--set", choices=SETS, action="append")
    parser.add_argument("--group", choices=READ_GROUPS, action="append")
    parser.add_argument("--function", action="append")
    parser.add_argument("--module", action="append", default=[])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--bug", action="append")
    parser.add_argument("--mode", choices=["full", "fast"], default="full")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--failures", type=Path)
    given = parser.parse_args()
    groups = given.group or READ_GROUPS
    sample = Sample(groups, given.function, given.module, given.seeds, given.bug, given.every)
    results = [
        result
        for name in given.set or SETS
        for result in SETS[name](sample, {"mode": given.mode}, given.jobs)
    ]
    noise = {bug.name for bug in NOISE}
    caused = [r for r in results if r.bug not in noise and r.right]
    without = [r for r in results if r.bug in noise or not r.right]
    caused.sort(key=lambda r: _order(r.bug))
    print_table("bug", [(r.bug, r) for r in caused])
    by_another = [r for r in caused if r.bug.startswith(PARAMETRIZATIONS)]
    print_table("parametrization", [(r.bug, r) for r in by_another])
    print_table("function", sorted(((r.subject, r) for r in caused), key=lambda pair: pair[0]))
    print_table("without a pattern", [(r.bug, r) for r in without])
    if given.failures is not None:
        given.failures.write_text(failures(caused, without))


def _order(bug: str) -> int:
    names = [*(bug.name for bug in BUGS), *(bug.name for bug in SPECIAL_BUGS)]
    return names.index(bug) if bug in names else len(names)


if __name__ == "__main__":
    main()
