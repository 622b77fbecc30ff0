"""Handwritten functions: forward and backward in a file, as people write them.

A file of `functions` is code of a user: it imports nothing of this suite. Its constant ``EDITED``
names the functions that are its backward, and ``check(check_gradient, dtype=..., **options)``
checks it as a user would. This module loads such files, as they are and after an edit.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from pytest_gradcheck import check_gradient
from pytest_gradcheck.report.report import Report

__all__ = ["HandwrittenFunction", "check", "load"]

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
        names: Sequence[str] = load(self.path).EDITED
        return names


def load(path: Path) -> ModuleType:
    """Return a new module of the code in a file."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def check(path: Path, **options: Any) -> Report:
    """Check the function in a file, and return the report of a failing check too."""
    report: Report = load(path).check(check_gradient, **options)
    return report
