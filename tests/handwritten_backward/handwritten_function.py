"""Handwritten functions: forward and backward in a file, as people write them.

A file of `functions` is code of a user: it imports nothing of this suite. Its constant ``EDITED``
names the functions that are its backward, and ``check(check_gradient, dtype=..., **options)``
checks it as a user would. This module loads such files, as they are and after an edit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_gradcheck import check_gradient
from pytest_gradcheck.report.report import Report
from tests.checkout import load_script

__all__ = ["DIRECTORY", "HandwrittenFunction", "check"]

#: Where the files are.
DIRECTORY = Path(__file__).parent / "functions"


@dataclass(frozen=True)
class HandwrittenFunction:
    """A file with a forward and a backward.

    Attributes
    ----------
    name : str
        Name of the file, without suffix.
    """

    name: str

    @property
    def path(self) -> Path:
        """Where the file is."""
        return DIRECTORY / f"{self.name}.py"

    @property
    def source(self) -> str:
        """The text of the file."""
        return self.path.read_text()

    @property
    def edited(self) -> Sequence[str]:
        """Qualified names of the functions that are its backward."""
        names: Sequence[str] = load_script(self.path).EDITED
        return names


def check(path: Path, **options: Any) -> Report:
    """Check the function in a file, and return the report of a failing check too."""
    report: Report = load_script(path).check(check_gradient, **options)
    return report
