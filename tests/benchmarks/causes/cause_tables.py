"""The results of a run over all bugs as text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tests.benchmarks.causes.cause_results import OUTCOMES, CauseResult

__all__ = ["failures", "print_table"]


def print_table(label: str, results: Sequence[tuple[str, CauseResult]]) -> None:
    """Print the share of each outcome, by the key of each result and in all."""
    rows: dict[str, list[CauseResult]] = {}
    for key, result in results:
        rows.setdefault(key, []).append(result)
    rows["all"] = [result for _, result in results]
    width = max(map(len, [label, *rows]))
    heads = "".join(f"{outcome:>9}" for outcome in OUTCOMES)
    print(f"\n{label:<{width}}  checks{heads}")
    for name, row in rows.items():
        shares = [sum(r.outcome == o for r in row) / (len(row) or 1) for o in OUTCOMES]
        cells = "".join(f"{share:>9.1%}" for share in shares)
        print(f"{name:<{width}}  {len(row):>6}{cells}")


def failures(caused: Iterable[CauseResult], without: Iterable[CauseResult]) -> str:
    """Return the results that are not as they should be as text, the worst first.

    Parameters
    ----------
    caused, without : iterable of CauseResult
        The results of bugs with a cause, and of errors that have none.
    """
    wanted = [r for r in caused if r.outcome != "right"]
    wanted += [r for r in without if r.outcome in {"wrong", "both"}]
    wanted.sort(key=lambda r: (-OUTCOMES.index(r.outcome), r.bug, r.subject))
    return "\n".join(map(_failure, wanted))


def _failure(result: CauseResult) -> str:
    said = "".join(f"\n    said:  {kind}: {text}" for kind, text in result.said)
    right = ", ".join(sorted(result.right)) or "nothing"
    return (
        f"{result.bug} in {result.parameter} of {result.subject}: {result.outcome}"
        f"{said}\n    right: {right}\n"
    )
