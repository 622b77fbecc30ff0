"""The source files of a package, which is found without being imported.

Tests in the package are no part of it: directories ``tests``, files ``test_*.py``, ``*_test.py``
and ``conftest.py``.
"""

from __future__ import annotations

import tokenize
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from pytest_gradcheck.gradient_coverage.definitions import Definition, definitions_in
from pytest_gradcheck.gradient_coverage.name_patterns import NamePatterns

__all__ = ["SourcePackage", "find_package"]

TEST_DIRECTORIES = ("tests", "test")
TEST_FILES = ("test_*.py", "*_test.py", "conftest.py")


@dataclass(frozen=True, eq=False)
class SourcePackage:
    """A package, a module or a directory whose derivatives ought to be checked.

    Attributes
    ----------
    module : str
        Its full name; empty for a directory that is no package.
    path : Path
        Its directory or file, without symbolic links.
    names : NamePatterns
        The names of derivatives.
    """

    module: str
    path: Path
    names: NamePatterns

    def definitions(self) -> Iterator[tuple[Path, Definition]]:
        """Yield the definitions of derivatives with their files, in the order of the files."""
        for file in self._files():
            for definition in self.definitions_of(file):
                yield file, definition

    @cache  # noqa: B019  # there are as many packages as a run names
    def definitions_of(self, file: Path) -> list[Definition]:
        """Return the definitions of derivatives in a file of the package."""
        try:
            with tokenize.open(file) as opened:
                return definitions_in(opened.read(), self._module_of(file), self.names)
        except (OSError, SyntaxError, ValueError):  # no Python that this one reads
            return []

    @cache  # noqa: B019
    def definitions_at(self, path: str) -> list[Definition]:
        """Return the definitions in a file as code names it; none if it is not of the package."""
        file = Path(path).resolve()
        return self.definitions_of(file) if self.holds(file) else []

    def holds(self, file: Path) -> bool:
        """Return whether a file, without symbolic links, is one of the package."""
        if not file.is_relative_to(self.path):
            return False
        inside = file.relative_to(self.path).parts[:-1]
        is_test = any(map(file.match, TEST_FILES)) or not set(inside).isdisjoint(TEST_DIRECTORIES)
        return file == self.path or not is_test

    def _files(self) -> Iterator[Path]:
        if self.path.is_file():
            yield self.path
            return
        yield from filter(self.holds, sorted(self.path.rglob("*.py")))

    def _module_of(self, file: Path) -> str:
        inside = () if file == self.path else file.relative_to(self.path).with_suffix("").parts
        parts = [part for part in (self.module, *inside) if part]
        return ".".join(parts[:-1] if parts[-1] == "__init__" and parts[:-1] else parts)


def find_package(
    name: str, directories: Sequence[Path], names: NamePatterns
) -> SourcePackage | None:
    """Return a package by its name or its path; None where there is none.

    Parameters
    ----------
    name : str
        The name of a package or a module, or the path of a directory or a file.
    directories : sequence of Path
        Where to look for a path, and for a package that cannot be imported from elsewhere.
    names : NamePatterns
        The names of derivatives.
    """
    for place in _places(name, directories):
        for path in (place, place.with_name(f"{place.name}.py")):
            if _is_source(path):
                return SourcePackage(name, path.resolve(), names)
    for path in (directory / name for directory in directories):
        if name and _is_source(path):
            return SourcePackage(_module_at(path.resolve()), path.resolve(), names)
    return None


def _places(name: str, directories: Sequence[Path]) -> Iterator[Path]:
    """Yield where a package of this name may be."""
    top, *inside = name.split(".")
    if all(part.isidentifier() for part in (top, *inside)):
        for place in (*_import_locations(top), *(directory / top for directory in directories)):
            yield place.joinpath(*inside)


def _import_locations(top: str) -> Iterator[Path]:
    """Yield where a module would be imported from; nothing is."""
    try:
        spec = find_spec(top)
    except (ImportError, ValueError):  # no name of a module, or one without a place
        return
    if spec is None:
        return
    if spec.submodule_search_locations is not None:
        yield from map(Path, spec.submodule_search_locations)
    elif spec.has_location and spec.origin is not None:
        yield Path(spec.origin)


def _is_source(path: Path) -> bool:
    return path.is_dir() or (path.suffix == ".py" and path.is_file())


def _module_at(path: Path) -> str:
    """Return the full name of a package or module by the packages around it."""
    parts = [path.stem] if path.is_file() or (path / "__init__.py").is_file() else []
    while parts and (path.parent / "__init__.py").is_file():
        path = path.parent
        parts.insert(0, path.name)
    return ".".join(parts)
