"""Our tool on the corpus, in one table.

``python -m tests.corpus.report`` tries 20 seeds of every family that no
constant was tuned on, correct and wrong in each way, and prints how many
correct gradients were accused, how many wrong ones passed, how honest the
bounds were and what it cost, each with its count and the families it happened
in. Below stand the claims that must not be there, one a line. Options:

``--half untuned|tuned|all``, ``--family NAME`` and ``--module NAME`` (repeatable; the module
of ``tests/corpus/families`` they are in), ``--seeds 20``,
``--jobs 2``, ``--mode full|fast``, ``--correct`` (no wrong claims), ``--reseed N`` (instead of
all that: check the right claim about each case under N seeds, and print the cases whose outcome
depends on them), ``--json FILE`` (every count and every trial).
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

#: Ways to check a claim.
MODES = {"full": check_claim, "fast": check_claim_in_fast_mode}

#: How many families are named beside a count.
NAMED = 4


def table(trials: Sequence[ClaimResult]) -> Iterator[str]:
    """Yield the lines of the table."""
    for heading, lines in COUNTED_OUTCOMES.items():
        yield heading
        for line in lines:
            counted = count(line, trials)
            figures = f"{counted.number:>7,} of {counted.total:<9,}{line.share(counted):<18}"
            yield f"  {line.name:<50}{figures}{_named(counted.families)}".rstrip()
    costs = sorted(map(evaluations_beyond_pairs, correct_smooth(trials)))
    if costs:
        yield f"  beyond 2 an entry: median {statistics.median(costs):.0f}, most {costs[-1]:,}"
    for line in (FAILING, MISSED, VERDICT_CHANGED):
        for trial in line.among(trials):
            if line.number(trial):
                yield (
                    f"! {trial.family}, seed {trial.seed}, {trial.mutant} "
                    f"(error {trial.error:.1e}): {trial.verdict}"
                )


def _named(families: Sequence[tuple[str, int]]) -> str:
    named = [f"{name} {number}" for name, number in families[:NAMED]]
    if len(families) > NAMED:
        named.append(f"{len(families) - NAMED} more")
    return ", ".join(named)


def as_data(trials: Sequence[ClaimResult]) -> dict[str, object]:
    """Return counts and trials in builtins, an infinite error as None."""
    return {
        "counts": [
            {"heading": heading, "name": line.name, **asdict(count(line, trials))}
            for heading, lines in COUNTED_OUTCOMES.items()
            for line in lines
        ],
        "trials": [
            asdict(trial) | {"error": trial.error if math.isfinite(trial.error) else None}
            for trial in trials
        ],
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description="Try our tool on the corpus.")
    parser.add_argument("--half", choices=HALVES, default="untuned")
    parser.add_argument("--mode", choices=MODES, default="full")
    parser.add_argument("--family", action="append", default=[], help="this one; repeatable")
    parser.add_argument("--module", action="append", default=[], help="all of it; repeatable")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--correct", action="store_true", help="correct claims only")
    parser.add_argument("--reseed", type=int, metavar="N", help="the right claims only, N times")
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
    trials = check_families(
        families,
        range(chosen.seeds),
        chosen.jobs,
        MODES[chosen.mode],
        1 if chosen.correct else None,
    )
    out = sys.stdout
    out.write(f"{len(families)} families, {chosen.seeds} seeds, {len(trials):,} claims\n")
    out.writelines(f"{line}\n" for line in table(trials))
    if chosen.json is not None:
        chosen.json.write_text(json.dumps(as_data(trials), allow_nan=False, indent=1))


if __name__ == "__main__":
    main()
