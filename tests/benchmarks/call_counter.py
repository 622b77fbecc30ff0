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
        calls = 0

        # Not in an attribute: a check puts these back.
        def counted(x: Any) -> Any:
            nonlocal calls
            calls += 1
            return function(x)

        def read() -> int:
            return calls

        self._counted, self._read = counted, read

    def __call__(self, x: Any) -> Any:
        """Evaluate the function."""
        return self._counted(x)

    @property
    def calls(self) -> int:
        """The number of calls so far."""
        return self._read()
