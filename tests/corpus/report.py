"""The report on the corpus: one table of false alarms, missed errors, violated bounds and costs.

``python -m tests.corpus.report`` checks 20 cases of every family that no constant was tuned on,
each with its correct gradient and all mutants. It prints how many correct gradients were called
wrong, how many wrong ones passed, how many error bounds were violated and how many evaluations
the checks took, each with its total and the families that contribute most. Below the table it
lists each claim that failed, was missed or had a violated bound. Options:

``--half untuned|tuned|all``
    The half of the corpus.
``--family NAME``, ``--module NAME``
    These families, or all families of these modules of ``tests/corpus/families``; repeatable.
``--seeds 20``, ``--jobs 2``, ``--mode full|fast``
    Cases of each family, processes, and the mode of the check.
``--correct``
    The correct claims only.
``--reseed N``
    Check only the correct claim about each case, under N seeds of the check, and list the cases
    whose outcome depends on the seed.
``--json FILE``
    Write all counts and results.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from tests.corpus.claim_check import ClaimResult, check_claim, check_claim_in_fast_mode
from tests.corpus.corpus_counts import (
    COUNTED_OUTCOMES,
    FAILING,
    MISSED,
    VERDICT_CHANGED,
    correct_smooth,
    count,
    evaluations_beyond_pairs,
)
from tests.corpus.corpus_runner import HALVES, check_families, choose_families
from tests.corpus.seed_dependence import check_under_many_seeds, seed_dependence_table

__all__ = ["as_data", "main", "table"]

#: The function that checks a claim in each mode.
MODES = {"full": check_claim, "fast": check_claim_in_fast_mode}

#: Families that are named beside a count.
NAMED = 4


def table(results: Sequence[ClaimResult]) -> Iterator[str]:
    """Yield the lines of the table, then a line for each claim that went wrong."""
    for heading, outcomes in COUNTED_OUTCOMES.items():
        yield heading
        for outcome in outcomes:
            counted = count(outcome, results)
            figures = f"{counted.number:>7,} of {counted.total:<9,}{outcome.share(counted):<18}"
            yield f"  {outcome.name:<50}{figures}{_named(counted.families)}".rstrip()
    costs = sorted(map(evaluations_beyond_pairs, correct_smooth(results)))
    if costs:
        yield f"  beyond 2 an entry: median {statistics.median(costs):.0f}, most {costs[-1]:,}"
    for outcome in (FAILING, MISSED, VERDICT_CHANGED):
        for result in outcome.among(results):
            if outcome.number(result):
                yield (
                    f"! {result.family}, seed {result.seed}, {result.mutant} "
                    f"(error {result.error:.1e}): {result.verdict}"
                )


def _named(families: Sequence[tuple[str, int]]) -> str:
    named = [f"{name} {number}" for name, number in families[:NAMED]]
    if len(families) > NAMED:
        named.append(f"{len(families) - NAMED} more")
    return ", ".join(named)


def as_data(results: Sequence[ClaimResult]) -> dict[str, object]:
    """Return counts and results as builtins for JSON; an infinite error becomes None."""
    return {
        "counts": [
            {"heading": heading, "name": outcome.name, **asdict(count(outcome, results))}
            for heading, outcomes in COUNTED_OUTCOMES.items()
            for outcome in outcomes
        ],
        "trials": [
            asdict(result) | {"error": result.error if math.isfinite(result.error) else None}
            for result in results
        ],
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description="Check the claims of the corpus.")
    parser.add_argument("--half", choices=HALVES, default="untuned")
    parser.add_argument("--mode", choices=MODES, default="full")
    parser.add_argument("--family", action="append", default=[], help="this family; repeatable")
    parser.add_argument("--module", action="append", default=[], help="its families; repeatable")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--correct", action="store_true", help="correct claims only")
    parser.add_argument("--reseed", type=int, metavar="N", help="correct claims, N seeds")
    parser.add_argument("--json", type=Path, metavar="FILE")
    chosen = parser.parse_args(arguments)
    try:
        families = choose_families(chosen.half, chosen.family, chosen.module)
    except ValueError as error:
        parser.error(str(error))
    if chosen.reseed is not None:
        cases = check_under_many_seeds(
            families, range(chosen.seeds), chosen.reseed, chosen.jobs, MODES[chosen.mode]
        )
        sys.stdout.writelines(f"{line}\n" for line in seed_dependence_table(cases, chosen.reseed))
        return
    results = check_families(
        families,
        range(chosen.seeds),
        chosen.jobs,
        MODES[chosen.mode],
        1 if chosen.correct else None,
    )
    out = sys.stdout
    out.write(f"{len(families)} families, {chosen.seeds} seeds, {len(results):,} claims\n")
    out.writelines(f"{line}\n" for line in table(results))
    if chosen.json is not None:
        chosen.json.write_text(json.dumps(as_data(results), allow_nan=False, indent=1))


if __name__ == "__main__":
    main()
