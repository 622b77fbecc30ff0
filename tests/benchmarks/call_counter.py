"""A function that counts its calls."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["CallCounter"]


class CallCounter:
    """A function, counting its calls.

    Parameters
    ----------
    function : callable
        Of one array.

    Attributes
    ----------
    calls : int
        So far.
    """

    def __init__(self, function: Callable[[Any], Any]) -> None:
        self._function = function
        self.calls = 0

    def __call__(self, x: Any) -> Any:
        """Evaluate."""
        self.calls += 1
        return self._function(x)
