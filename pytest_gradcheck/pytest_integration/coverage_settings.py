"""What a run is asked about gradient coverage: packages, names of derivatives, and a least value.

Each process of pytest-xdist reads this for itself. This module does not read source code.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from pytest_gradcheck.gradient_coverage.backward_observer import BackwardObserver
from pytest_gradcheck.gradient_coverage.name_patterns import USUAL_PATTERNS, NamePatterns
from pytest_gradcheck.gradient_coverage.source_package import SourcePackage, find_package
from pytest_gradcheck.report.inert_text import escaped
from pytest_gradcheck.report.representation import shown
from pytest_gradcheck.run_record.record import Coverage

__all__ = ["CoverageSettings", "coverage_settings"]

SETTINGS = pytest.StashKey["CoverageSettings | None"]()

WHOLE = 100.0


@dataclass(frozen=True, slots=True)
class CoverageSettings:
    """What a run is asked about gradient coverage.

    Attributes
    ----------
    asked : tuple of str
        The packages as the user named them.
    packages : tuple of SourcePackage
        The same, found.
    fail_under : float or None
        The least percentage of derivatives that must be checked.
    """

    asked: tuple[str, ...]
    packages: tuple[SourcePackage, ...]
    fail_under: float | None

    def observer(self) -> BackwardObserver:
        """Return what observes the backward of one check."""
        return BackwardObserver(self.packages)

    def listing(self, root: Path) -> Coverage:
        """Return all derivatives of the packages, for the record.

        Parameters
        ----------
        root : Path
            The directory that the paths of files are relative to.
        """
        return {
            "packages": [escaped(name) for name in self.asked],
            "fail_under": self.fail_under,
            "derivatives": [
                {
                    "name": escaped(definition.name),
                    "file": escaped(_relative(file, root)),
                    "line": definition.line,
                }
                for package in self.packages
                for file, definition in package.definitions()
            ],
        }


def coverage_settings(config: pytest.Config) -> CoverageSettings | None:
    """Return what the run is asked about gradient coverage, None if it is not.

    Raises
    ------
    pytest.UsageError
        If there is no such package, or the least value is no percentage.
    """
    if SETTINGS not in config.stash:
        config.stash[SETTINGS] = _read(config)
    return config.stash[SETTINGS]


def _read(config: pytest.Config) -> CoverageSettings | None:
    asked, least = _names(config, "cov"), _setting(config, "cov_fail_under")
    if not asked:
        if config.getoption("gradcheck_cov_fail_under") is not None:
            raise pytest.UsageError(
                f"--gradcheck-cov-fail-under={least} needs --gradcheck-cov=PACKAGE, the package "
                "whose derivatives are counted"
            )
        return None
    names = NamePatterns((*USUAL_PATTERNS, *_names(config, "cov_names")))
    root = config.rootpath
    directories = dict.fromkeys((config.invocation_params.dir, root, root / "src"))
    packages = [find_package(name, tuple(directories), names) for name in asked]
    for name, package in zip(asked, packages, strict=True):
        if package is None:
            raise pytest.UsageError(
                f"--gradcheck-cov={name}: there is no package, module or directory of this name"
            )
    return CoverageSettings(asked, tuple(filter(None, packages)), _percentage(least))


def _setting(config: pytest.Config, name: str) -> str | None:
    """Return an option of the command line, else of the ini file."""
    given: str | None = config.getoption(f"gradcheck_{name}")
    ini: str | None = config.getini(f"gradcheck_{name}")
    return ini if given is None else given


def _names(config: pytest.Config, name: str) -> tuple[str, ...]:
    """Return the names in an option, which are separated by commas or space."""
    return tuple(filter(None, re.split(r"[,\s]+", _setting(config, name) or "")))


def _percentage(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value <= WHOLE:
        raise pytest.UsageError(
            f"--gradcheck-cov-fail-under must be a number from 0 to 100, not {shown(text)}"
        )
    return value


def _relative(file: Path, root: Path) -> str:
    top = root.resolve()
    return (file.relative_to(top) if file.is_relative_to(top) else file).as_posix()
