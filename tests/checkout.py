"""The checkout, and the code and the data in it that are in no package."""

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

from ruamel.yaml import YAML

__all__ = ["ROOT", "load_script", "load_yaml"]

ROOT = Path(__file__).parents[1]


def load_script(path: Path) -> ModuleType:
    """Return a new module of the code in a file."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def load_yaml(path: Path) -> Any:
    """Return what a file of YAML 1.2 holds; in it ``on`` is text."""
    return YAML(typ="safe", pure=True).load(path.read_text("utf-8"))
