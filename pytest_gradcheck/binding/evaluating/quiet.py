"""Silence at points the user did not choose.

It must not call anything.
"""

from __future__ import annotations

import threading
import warnings
from types import TracebackType

import numpy as np

__all__ = ["Quiet"]


class Quiet:
    """Silences warnings and floating point errors at points the user did not choose.

    Python's warning filters belong to the process: checks that overlap in
    threads share one silence, which ends with the last of them.
    """

    _lock = threading.Lock()
    _inside = 0
    _filters: warnings.catch_warnings[None] | None = None

    def __enter__(self) -> None:
        with Quiet._lock:
            if Quiet._inside == 0:
                Quiet._filters = warnings.catch_warnings()
                Quiet._filters.__enter__()
                warnings.simplefilter("ignore")
            Quiet._inside += 1
        self._errors = np.errstate(all="ignore")
        self._errors.__enter__()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._errors.__exit__(kind, error, traceback)
        with Quiet._lock:
            Quiet._inside -= 1
            if Quiet._inside == 0 and Quiet._filters is not None:
                Quiet._filters.__exit__(kind, error, traceback)
                Quiet._filters = None
