"""A function that counts its calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["CallCounter"]


class CallCounter:
    """A function that counts its calls.

    Parameters
    ----------
    function : callable
        A function of one array.

    Attributes
    ----------
    calls : int
        The number of calls so far.
    """

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self._function = function
        self.calls = 0

    def __call__(self, x: Any) -> Any:
        """Evaluate the function."""
        self.calls += 1
        return self._function(x)
