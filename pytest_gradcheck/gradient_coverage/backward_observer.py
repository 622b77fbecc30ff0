"""The derivatives of a package that are entered while the claim of a check is computed.

Backward is observed in one of its calls, by `sys.setprofile`, so that a derivative counts however
it is reached: as a method, inside of a decorator or a `functools.partial`, or called by backward.
Functions that other threads call are not seen, nor functions that are no Python code. coverage.py
is not disturbed: it uses `sys.settrace` or `sys.monitoring`. A profiler is put back afterwards.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any

from pytest_gradcheck.gradient_coverage.source_package import SourcePackage

__all__ = ["BackwardObserver"]


class BackwardObserver:
    """A context, entered as often as code should be observed.

    Parameters
    ----------
    packages : sequence of SourcePackage
        The packages whose derivatives are looked for.
    """

    def __init__(self, packages: Sequence[SourcePackage]) -> None:
        self._packages = packages
        self._entered = dict[tuple[str, int], None]()
        self._before: Any = None

    def __enter__(self) -> None:
        self._before = sys.getprofile()
        _stop(self._before)
        sys.setprofile(self._see)

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)
        _start(self._before)

    def derivatives(self) -> tuple[str, ...]:
        """Return the names of the derivatives that were entered, in that order."""
        found = (
            definition.name
            for path, line in self._entered
            for package in self._packages
            for definition in package.definitions_at(path)
            if definition.first_line == line
        )
        return tuple(dict.fromkeys(found))

    def _see(self, frame: FrameType, event: str, _: Any) -> None:
        if event == "call":
            code = frame.f_code
            self._entered[code.co_filename, code.co_firstlineno] = None


def _stop(profile: Any) -> None:
    """Stop a profiler: that of the standard library is no function, and stops itself."""
    getattr(profile, "disable", _nothing)()


def _start(profile: Any) -> None:
    start: Callable[[], object] | None = getattr(profile, "enable", None)
    if start is None:
        sys.setprofile(profile)
    else:
        start()


def _nothing() -> None:
    pass
