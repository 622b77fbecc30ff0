"""A baseline in words: the derivatives that are still wrong, and those that are mended."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_gradcheck.report.inert_text import without_middle
from pytest_gradcheck.run_record.baseline import baseline_state
from pytest_gradcheck.run_record.record import KnownDerivative, Record

__all__ = ["baseline_state_lines"]

#: The most derivatives that are listed by name, and the most characters of a name.
LISTED = 10
NAME_LENGTH = 200


def baseline_state_lines(record: Record) -> Iterator[str]:
    """Yield lines on what became of the derivatives of a baseline; none if there is none."""
    if not any("baseline" in run for run in record["runs"]):
        return
    state = baseline_state(record)
    yield f"gradcheck: {_counted(state.known, 'known wrong derivative')} accepted by the baseline"
    if state.unseen:
        yield f"gradcheck: {_counted(state.unseen, 'known wrong derivative')} not checked again"
    if state.mended:
        yield f"gradcheck: {_counted(state.mended, 'known wrong derivative')} mended:"
        for derivative in state.mended[:LISTED]:
            yield f"    {_name(derivative)}"
        if len(state.mended) > LISTED:
            yield f"    ... and {len(state.mended) - LISTED:,} more"
        yield "    write the baseline again: python -m pytest_gradcheck baseline RECORD -o FILE"


def _counted(derivatives: tuple[KnownDerivative, ...], noun: str) -> str:
    count = len(derivatives)
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _name(derivative: KnownDerivative) -> str:
    about = f", {derivative['parameter']}" if derivative["parameter"] else ""
    name = f"{derivative['file'] or ''}: {derivative['backward']}{about}"
    return without_middle(name, NAME_LENGTH)
