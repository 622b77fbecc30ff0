"""Checks of edited functions: every edit in a file of its own, of which lines can be said."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from pytest_gradcheck.report.report import Report
from tests.corpus.corpus_runner import without_warnings
from tests.handwritten_backward.handwritten_function import HandwrittenFunction, check
from tests.handwritten_backward.observed_values import observed_values
from tests.handwritten_backward.source_edits import Edit, edits_of

__all__ = ["WrongEdit", "wrong_edits"]


@dataclass(frozen=True)
class WrongEdit:
    """An edit whose check fails because a gradient is wrong.

    Attributes
    ----------
    function : str
        Name of the handwritten function.
    edit : Edit
        The edit.
    path : Path
        The file that holds the edited function.
    report : Report
        The report of its check.
    """

    function: str
    edit: Edit
    path: Path
    report: Report


def wrong_edits(
    function: HandwrittenFunction, directory: Path, every: int = 1, **options: Any
) -> Iterator[WrongEdit]:
    """Yield the edits of a function that make a gradient wrong.

    Edits that leave all gradients right are no mistakes, and after others the function does not
    run, or returns what is no gradient.

    Parameters
    ----------
    function : HandwrittenFunction
        The function.
    directory : Path
        Where to write the files.
    every : int
        Every so many edits are made.
    **options
        Of the check.
    """
    values = observed_values(function.path, function.edited)
    edits = enumerate(edits_of(function.source, function.edited, values))
    for number, edit in islice(edits, 0, None, every):
        kind = re.sub(r"\W", "_", edit.kind)
        path = directory / f"{function.name}_{number:03}_{kind}.py"
        path.write_text(edit.source)
        try:
            with without_warnings():
                report = check(path, **options)
        except Exception:  # noqa: BLE001, S112  # a function that does not run has no gradient
            continue
        if report.verdict == "wrong":
            yield WrongEdit(function.name, edit, path, report)
