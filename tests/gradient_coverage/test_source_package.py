"""The source files of a package."""

import sys
from pathlib import Path

import pytest

from pytest_gradcheck.gradient_coverage.name_patterns import USUAL_PATTERNS, NamePatterns
from pytest_gradcheck.gradient_coverage.source_package import SourcePackage, find_package

NAMES = NamePatterns(USUAL_PATTERNS)
SOURCE = "raise AssertionError('imported')\ndef relu_grad(x): return x\n"


@pytest.fixture
def top(tmp_path: Path) -> Path:
    """Return a directory with the package `nn_covered` and the module `loose_covered`."""
    package = tmp_path / "nn_covered"
    for name in ("__init__.py", "layers/__init__.py", "layers/conv.py", "tests/helpers.py",
                 "test_all.py", "all_test.py", "conftest.py"):  # fmt: skip
        (package / name).parent.mkdir(exist_ok=True, parents=True)
        (package / name).write_text(SOURCE)
    (package / "broken.py").write_text("def grad(:")
    (package / "latin.py").write_bytes(b"# coding: latin-1\ndef grad(x): return '\xe9'\n")
    (tmp_path / "loose_covered.py").write_text(SOURCE)
    return tmp_path


def names(package: SourcePackage | None) -> list[str]:
    """Return the names of the derivatives of a package."""
    assert package is not None
    return [definition.name for _, definition in package.definitions()]


def test_package_is_read_without_being_imported(
    top: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also a package inside of another; tests in it are not its derivatives."""
    monkeypatch.syspath_prepend(top)
    assert names(find_package("nn_covered", (), NAMES)) == [
        "nn_covered:relu_grad",
        "nn_covered.latin:grad",
        "nn_covered.layers:relu_grad",
        "nn_covered.layers.conv:relu_grad",
    ]
    inner = find_package("nn_covered.layers.conv", (), NAMES)
    assert names(inner) == ["nn_covered.layers.conv:relu_grad"]
    assert names(find_package("loose_covered", (), NAMES)) == ["loose_covered:relu_grad"]
    assert not {"nn_covered", "loose_covered"} & sys.modules.keys()


def test_package_is_found_by_its_directory(top: Path) -> None:
    """A name is looked up in directories, and a path has the name of the package there."""
    assert names(find_package("loose_covered", (top,), NAMES)) == ["loose_covered:relu_grad"]
    assert "nn_covered.latin:grad" in names(find_package("nn_covered", (top,), NAMES))
    for path in ("nn_covered/layers/conv.py", str(top / "nn_covered/layers/conv.py")):
        assert names(find_package(path, (top,), NAMES)) == ["nn_covered.layers.conv:relu_grad"]
    assert names(find_package("nn_covered/layers", (top,), NAMES))[0].startswith("nn_covered.l")
    assert "loose_covered:relu_grad" in names(find_package(".", (top,), NAMES))


@pytest.mark.parametrize("name", ["no_such_package", "nn_covered.missing", "", "..", "a b", "sys"])
def test_package_that_is_not_there(name: str, tmp_path: Path) -> None:
    """A name without source files gives no package."""
    assert find_package(name, (tmp_path / "none",), NAMES) is None
