"""Whether a piece of code is the user's own, or that of Python or of an installed package."""

from __future__ import annotations

import sys

from pytest_gradcheck.errors import PACKAGE_DIRECTORY

__all__ = ["is_installed"]


def is_installed(path: str | None) -> bool:
    """Return whether a file belongs to Python or an installed package, not to the user.

    Modules that Python starts with are frozen, and have no file.
    """
    return (
        path is None
        or "site-packages" in path
        or path.startswith((sys.base_prefix, PACKAGE_DIRECTORY, "<frozen "))
    )
