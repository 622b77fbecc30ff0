"""Whether a failing check names the line of backward that is wrong.

``python -m tests.benchmarks.wrong_lines`` edits every assignment of the backward functions in
``tests/handwritten_backward`` in turn, by every kind of edit, and checks each edit. It prints for
each function and for each kind of edit in how many of the failing checks the edited line was
named alone, within a range of at most three lines, or not at all, and in how many another line
was named; and what the search costs, beside the check itself: the most calls of forward, and the
mean of the seconds. Options:

``--group built-with|read-since|held-out``, ``--function NAME``
    These groups of functions, or these functions of them; repeatable.
``--mode full|fast``, ``--float32``
    Mode of the checks, and type of the parameters.
``--jobs 1``
    Processes.
``--failures FILE``
    Write every edit whose line was not named, with what was said. Failures of the group
    ``held-out`` are not written: a group whose failures are read is held out no longer.
``--directory DIRECTORY``
    Keep the edited files there.
``--every N``
    Make every N-th edit only.
``--page``
    Write the totals of each group into ``docs/explanation/wrong-lines.md``, for this mode.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np

from pytest_gradcheck.binding.gradient_problem import Problem
from pytest_gradcheck.fault_localization import locate_wrong_lines
from pytest_gradcheck.report.report_data import SourceLocation, WrongLine
from tests.benchmarks.docs_page import markdown_table, replace_section
from tests.corpus.corpus_runner import run_in_processes
from tests.handwritten_backward.all_functions import GROUPS, READ_GROUPS, functions_of
from tests.handwritten_backward.edited_checks import WrongEdit, wrong_edits
from tests.handwritten_backward.handwritten_function import HandwrittenFunction
from tests.handwritten_backward.source_edits import KINDS, Edit

__all__ = ["LineResult", "Outcome", "outcome_of"]

Outcome = Literal["alone", "range", "nothing", "wrong"]

#: The page of the documentation that has the totals.
PAGE = Path(__file__).parents[2] / "docs/explanation/wrong-lines.md"

OUTCOMES: tuple[Outcome, ...] = ("alone", "range", "nothing", "wrong")

#: The most lines that count as naming one of them.
LONGEST_RANGE = 3


@dataclass(frozen=True)
class LineResult:
    """What the check of an edit says about the line.

    Attributes
    ----------
    function : str
        Name of the handwritten function.
    edit : Edit
        The edit.
    outcome : {"alone", "range", "nothing", "wrong"}
        Whether the edited statement was named.
    said : str
        The lines that were named.
    evaluations, check_evaluations : int
        Calls of forward by the search, and by the check itself.
    seconds, check_seconds : float
        The time of the search, and of the check itself.
    raised : str
        The exception that the search has raised; empty if it has not.
    """

    function: str
    edit: Edit
    outcome: Outcome
    said: str
    evaluations: int
    check_evaluations: int
    seconds: float
    check_seconds: float
    raised: str


def outcome_of(edit: Edit, named: Sequence[WrongLine]) -> Outcome:
    """Return whether the places that a report names are the edited statement.

    A wrong line that does not contain the statement is wrong, whatever else is named: it sends
    its reader to code that is right.

    Parameters
    ----------
    edit : Edit
        The edit, whose statement is the only wrong one.
    named : sequence of WrongLine
        What the report names. Of one with alternatives, the lines of all count.
    """
    if not named:
        return "nothing"
    if not all(any(_meets(edit, place) for place in line.places) for line in named):
        return "wrong"
    if all(_is_within(edit, place) for line in named for place in line.places):
        return "alone"
    longest = max(sum(p.last_line - p.first_line + 1 for p in line.places) for line in named)
    return "range" if longest <= LONGEST_RANGE else "wrong"


def _meets(edit: Edit, place: SourceLocation) -> bool:
    return place.first_line <= edit.last_line and edit.first_line <= place.last_line


def _is_within(edit: Edit, place: SourceLocation) -> bool:
    return edit.first_line <= place.first_line and place.last_line <= edit.last_line


@contextmanager
def searches() -> Iterator[list[tuple[int, float]]]:
    """Count the calls of forward, and the seconds, of every search for a wrong line."""
    search, counted = locate_wrong_lines.locate_wrong_lines, list[tuple[int, float]]()

    def counting(problem: Problem, *args: Any, **options: Any) -> tuple[WrongLine, ...]:
        before, started = problem.counts.forward, time.perf_counter()
        try:
            return search(problem, *args, **options)
        finally:
            seconds = time.perf_counter() - started
            counted.append((problem.counts.forward - before, seconds))

    locate_wrong_lines.locate_wrong_lines = counting
    try:
        yield counted
    finally:
        locate_wrong_lines.locate_wrong_lines = search


def line_results(
    directory: Path, options: dict[str, Any], function: HandwrittenFunction
) -> list[LineResult]:
    """Check all edits of a function."""
    with searches() as counted:
        return [
            line_result(wrong, *(counted[-1] if counted else (0, 0.0)))
            for wrong in wrong_edits(function, directory, **options)
        ]


def line_result(wrong: WrongEdit, evaluations: int, seconds: float) -> LineResult:
    """Return what the report of an edit says about its line, given the cost of the search."""
    named = wrong.report.wrong_lines
    places = [place for line in named for place in line.places]
    said = "; ".join(f"{p.first_line}-{p.last_line}: {p.source}" for p in places)
    return LineResult(
        wrong.function,
        wrong.edit,
        outcome_of(wrong.edit, named),
        said,
        evaluations,
        wrong.report.evaluations - evaluations,
        seconds,
        wrong.report.seconds - seconds,
        next((note.text for note in wrong.report.notes if note.kind == "unlocated"), ""),
    )


def _table(results: Sequence[LineResult], label: str, key: Callable[[LineResult], str]) -> None:
    names = list(dict.fromkeys(map(key, results)))
    width = max(map(len, [label, *names]))
    print(
        f"\n{label:<{width}}  checks   alone  within 3  nothing   wrong"
        "  evaluations   (check)  seconds   (check)"
    )
    for name in names:
        _row(f"{name:<{width}}", [r for r in results if key(r) == name])
    _row(f"{'all':<{width}}", results)


def _shares(results: Sequence[LineResult]) -> list[str]:
    """Return how often the statement was named alone, within a range, not at all, or wrongly."""
    counts = {o: sum(r.outcome == o for r in results) for o in OUTCOMES}
    within = counts["alone"] + counts["range"]
    shares = [counts["alone"], within, counts["nothing"], counts["wrong"]]
    return [f"{share / (len(results) or 1):.1%}" for share in shares]


def _row(label: str, results: Sequence[LineResult]) -> None:
    cells, total = _shares(results), len(results) or 1
    search = max((r.evaluations for r in results), default=0)
    check = max((r.check_evaluations for r in results), default=0)
    seconds = sum(r.seconds for r in results) / total
    check_seconds = sum(r.check_seconds for r in results) / total
    print(
        f"{label}  {len(results):>6}  {cells[0]:>6}  {cells[1]:>8}  {cells[2]:>7}  {cells[3]:>6}"
        f"  {search:>11,}  {check:>8,}  {seconds:>7.3f}  {check_seconds:>8.3f}"
    )


def _section(results: Sequence[LineResult]) -> Iterator[str]:
    """Yield the lines of the section of the page for one mode."""
    rows = []
    for group, names in GROUPS.items():
        own = [result for result in results if result.function in names]
        rows.append([group.replace("-", " "), f"{len(own):,}", *_shares(own)])
    headings = ["functions", "failing checks", "named alone", "within three lines"]
    yield ""
    yield from markdown_table([*headings, "nothing said", "another line"], rows)
    yield ""


def _failure(result: LineResult) -> str:
    edit = result.edit
    said = result.said or "nothing"
    return (
        f"{result.function}, line {edit.first_line}, {edit.kind}: {result.outcome}\n"
        f"    before: {edit.before}\n    after:  {edit.after}\n    said:   {said}\n"
    )


def _failures(results: Iterable[LineResult]) -> str:
    failing = [r for r in results if r.outcome != "alone"]
    failing.sort(key=lambda result: OUTCOMES[::-1].index(result.outcome))
    return "\n".join(map(_failure, failing))


def main() -> None:
    """Check all edits and print the tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--group", choices=GROUPS, action="append")
    parser.add_argument("--function", action="append")
    parser.add_argument("--mode", choices=["full", "fast"], default="full")
    parser.add_argument("--float32", action="store_true")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--failures", type=Path)
    parser.add_argument("--directory", type=Path)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--page", action="store_true")
    given = parser.parse_args()
    if given.page and (given.group or given.function):
        parser.error("--page writes the totals of all groups: leave out --group and --function")
    functions = functions_of(given.group or GROUPS)
    if given.function:
        functions = [f for f in functions if f.name in given.function]
    options: dict[str, Any] = {"mode": given.mode, "every": given.every}
    options["dtype"] = np.float32 if given.float32 else np.float64
    with tempfile.TemporaryDirectory() as temporary:
        directory = given.directory or Path(temporary)
        directory.mkdir(parents=True, exist_ok=True)
        work = partial(line_results, directory, options)
        results = run_in_processes(work, functions, given.jobs)
    _table(results, "function", lambda result: result.function)
    _table(sorted(results, key=lambda r: KINDS.index(r.edit.kind)), "edit", lambda r: r.edit.kind)
    for result in (one for one in results if one.raised):
        print(f"\n{result.function}, line {result.edit.first_line}: {result.raised}")
    if given.failures is not None:
        readable = {function.name for function in functions_of(READ_GROUPS)}
        given.failures.write_text(_failures(r for r in results if r.function in readable))
    if given.page:
        replace_section(PAGE, f"{given.mode} mode", _section(results))


if __name__ == "__main__":
    main()
