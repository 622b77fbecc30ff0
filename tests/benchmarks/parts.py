"""Parts of a page of the docs, between marks: one is made anew, the others are kept.

It must not know what is in them.
"""

from __future__ import annotations

import platform
import re
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path

__all__ = ["replace_part", "versions"]


def replace_part(page: Path, name: str, lines: Iterable[str]) -> None:
    """Write lines between ``<!-- name -->`` and ``<!-- end -->`` of a page."""
    part = re.compile(rf"(?<=<!-- {name} -->\n).*?(?=\n<!-- end -->)", re.DOTALL)
    text, count = part.subn(lambda _: "\n".join(lines), page.read_text())
    if count != 1:
        raise ValueError(f"{page} has {count} parts called {name}")
    page.write_text(text)


def versions(packages: Sequence[str]) -> str:
    """Say with which versions of Python and of packages figures were made."""
    named = [f"{package} {version(package)}" for package in packages]
    return ", ".join([f"Python {platform.python_version()}", *named]) + "."
