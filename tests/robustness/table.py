"""The table of endings: a row for each kind of fault, a column for each way to end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from tests.robustness.case import FAULTS, Case
from tests.robustness.ending import Ending

__all__ = ["KINDS", "table"]

#: The kinds of fault.
KINDS: Mapping[int, str] = {
    1: "name of the upstream gradient",
    2: "backward reaches the object of forward",
    3: "returned and not read",
    4: "backward draws random numbers",
    5: "memo by identity",
    6: "forward rebinds a checked leaf",
    7: "gradients matched by name",
    8: "settings around the call",
    9: "strange values and calls",
    10: "calling conventions to accept",
    11: "containers of every protocol",
    12: "empty arrays",
    13: "state of the user's objects",
    14: "mappings of the user's own",
    15: "locks, threads and signals",
    16: "upstream gradient changed in place",
    17: "exceptions of the user's code",
    18: "types of the API's arguments",
    19: "suggestions that work",
    20: "hostile names",
}

WIDTH = 40


def table(cases: Sequence[Case], endings: Sequence[Ending]) -> Iterator[str]:
    """Yield the lines of the table, then a line for each fault."""
    by_name = {ending.case: ending for ending in endings}
    columns = ["cases", "right verdict", "clear error", *FAULTS]
    yield " ".join([" " * WIDTH, *(f"{column:>{_width(column)}}" for column in columns)])
    kinds = sorted({case.kind for case in cases})
    for kind in [*kinds, 0]:
        chosen = [by_name[case.name] for case in cases if case.kind == kind or not kind]
        counts = [len(chosen), *_well(chosen), *_faulty(chosen)]
        label = f"{kind:>2} {KINDS[kind]}" if kind else "   all"
        figures = zip(columns, counts, strict=True)
        cells = (f"{count:>{_width(column)},}" for column, count in figures)
        yield " ".join([f"{label:<{WIDTH}}", *cells])
    for case in cases:
        for fault, text in by_name[case.name].faults.items():
            yield f"! {case.kind:>2} {fault}: {case.name}: {text}"


def _width(column: str) -> int:
    return max(len(column), 5)


def _well(endings: Sequence[Ending]) -> tuple[int, int]:
    """Return how many cases ended well, in a verdict and in an error."""
    well = [ending.outcome for ending in endings if not ending.faults]
    errors = sum(outcome in {"refusal", "exception"} for outcome in well)
    return len(well) - errors, errors


def _faulty(endings: Sequence[Ending]) -> list[int]:
    return [sum(fault in ending.faults for ending in endings) for fault in FAULTS]
