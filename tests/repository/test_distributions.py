"""The check of wheel and sdist finds what is missing, foreign or too large."""

from __future__ import annotations

import tarfile
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.checkout import ROOT, load_script

distributions = load_script(ROOT / ".ci/distributions.py")

TRACKED = {".git_archival.txt", "README.md", "pytest_gradcheck/check.py", *distributions.DATA}
IN_WHEEL = dict.fromkeys(TRACKED - {".git_archival.txt", "README.md"}, b"")


def faults_of_wheel(folder: Path, files: Mapping[str, bytes]) -> list[str]:
    """Return the faults of a wheel with these files."""
    path = folder / "a.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return list(distributions.faults_of_wheel(path, TRACKED))


def faults_of_sdist(folder: Path, names: Iterable[str]) -> list[str]:
    """Return the faults of an sdist with these files."""
    path = folder / "a.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for name in names:
            archive.addfile(tarfile.TarInfo(f"a-1.0/{name}"))
    return list(distributions.faults_of_sdist(path, TRACKED))


def test_wheel_with_the_package_and_its_data(tmp_path: Path) -> None:
    """It has no fault."""
    assert faults_of_wheel(tmp_path, IN_WHEEL | {"a-1.0.dist-info/METADATA": b""}) == []


def test_wheel_lacks_a_file(tmp_path: Path) -> None:
    """A module or data."""
    files = dict.fromkeys(IN_WHEEL.keys() - {"pytest_gradcheck/check.py"}, b"")
    assert faults_of_wheel(tmp_path, files) == ["a.whl lacks pytest_gradcheck/check.py"]


def test_wheel_has_a_foreign_file(tmp_path: Path) -> None:
    """Tests, for example, would be importable."""
    files = IN_WHEEL | {"tests/test_check.py": b""}
    assert faults_of_wheel(tmp_path, files) == ["a.whl should not have tests/test_check.py"]


def test_wheel_is_too_large(tmp_path: Path) -> None:
    """The message has both sizes."""
    files = IN_WHEEL | {"pytest_gradcheck/check.py": bytes(distributions.LARGEST_WHEEL)}
    (fault,) = faults_of_wheel(tmp_path, files)
    assert fault.endswith(f"bytes; at most {distributions.LARGEST_WHEEL:,} are allowed")


def test_sdist(tmp_path: Path) -> None:
    """It has all files of the repository but the one for archives."""
    complete = TRACKED - {".git_archival.txt"}
    assert faults_of_sdist(tmp_path, complete | {"PKG-INFO"}) == []
    assert faults_of_sdist(tmp_path, complete - {"README.md"}) == ["a.tar.gz lacks README.md"]
