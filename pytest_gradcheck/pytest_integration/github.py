"""A job of GitHub Actions: whether the run is one, and its step summary.

GitHub tells by environment variables. It drops the summary of a step that is longer than 1 MiB,
with what others wrote to it.
"""

from __future__ import annotations

import os
from pathlib import Path

from pytest_gradcheck.renderings.markdown import STEP_SUMMARY_BYTES, render_markdown
from pytest_gradcheck.run_record.record import Record

__all__ = ["append_step_summary", "is_job", "step_summary_path"]


def is_job() -> bool:
    """Return whether the run is a job of GitHub Actions."""
    return os.environ.get("GITHUB_ACTIONS") == "true"


def step_summary_path() -> Path | None:
    """Return the file of the summary of this step; None if there is none."""
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    return Path(path) if path else None


def append_step_summary(record: Record, path: Path) -> None:
    """Append a record to the summary of a step, which stays below the limit of GitHub.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    size = path.stat().st_size if path.exists() else 0
    text = render_markdown(record, STEP_SUMMARY_BYTES - size - 1)
    with path.open("a", encoding="utf-8", newline="\n") as file:
        file.write(f"\n{text}" if size else text)
