"""The local variables of functions at the end of their first call, as a check makes it."""

from __future__ import annotations

import sys
from collections.abc import Collection
from pathlib import Path
from types import FrameType
from typing import Any

from tests.handwritten_backward.handwritten_function import check

__all__ = ["observed_values"]


def observed_values(path: Path, functions: Collection[str]) -> dict[str, dict[str, Any]]:
    """Return the values of each function by the expression that reads them.

    Parameters
    ----------
    path : Path
        A file with a forward and a backward.
    functions : collection of str
        Qualified names of functions in it.

    Returns
    -------
    dict of str to dict
        For each function the values of its local variables, and of the attributes of ``self``
        (``"self.mean"``).
    """
    observed: dict[str, dict[str, Any]] = {}

    def at_return(frame: FrameType, event: str, argument: object) -> None:
        code = frame.f_code
        if event != "return" or code.co_filename != str(path):
            return
        name = code.co_qualname
        if name in functions and name not in observed:
            local = dict(frame.f_locals)
            attributes = vars(local["self"]) if "self" in local else {}
            observed[name] = local | {f"self.{key}": value for key, value in attributes.items()}

    before = sys.getprofile()
    sys.setprofile(at_return)
    try:
        check(path)
    finally:
        sys.setprofile(before)
    return observed
