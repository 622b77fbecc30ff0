"""The description of a run: when and where it is, its versions, and the options of the suite."""

from __future__ import annotations

import importlib.metadata
import platform
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pytest_gradcheck.report.inert_text import escaped
from pytest_gradcheck.run_record.record import Run

__all__ = ["describe_run"]

#: Packages whose versions may explain a result.
PACKAGES = ("pytest-gradcheck", "pytest", "numpy", "scipy", "torch", "jax", "pytest-xdist")


def describe_run(config: pytest.Config, option_names: Sequence[str]) -> Run:
    """Return the description of a run that starts now.

    Parameters
    ----------
    config : pytest.Config
        The configuration of the run.
    option_names : sequence of str
        The options that can be set for a suite.
    """
    return {
        "id": uuid.uuid4().hex,
        "started": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "seconds": 0.0,
        "rootdir": escaped(str(config.rootpath)),
        "repository_path": escaped(_repository_path(config.rootpath)),
        "exit_status": int(pytest.ExitCode.OK),
        "interrupted": None,
        "collection_errors": [],
        "workers": [],
        "versions": _versions(),
        "settings": _settings(config, option_names),
    }


def _repository_path(rootdir: Path) -> str:
    for directory in (rootdir, *rootdir.parents):
        if (directory / ".git").exists():
            path = rootdir.relative_to(directory).as_posix()
            return "" if path == "." else path
    return ""


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version(), "platform": platform.platform()}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _settings(config: pytest.Config, option_names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return the options of the suite as they were written."""
    settings = {}
    for origin, read in (("ini", config.getini), ("command line", config.getoption)):
        for name in option_names:
            value = read(f"gradcheck_{name}")
            if value is not None:
                text = value if value is True else escaped(value)
                settings[name] = {"value": text, "origin": origin}
    return settings
