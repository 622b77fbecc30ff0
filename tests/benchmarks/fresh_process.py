"""Work in a fresh process, and the peak of its resident memory."""

from __future__ import annotations

import gc
import multiprocessing
import re
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

__all__ = ["peak_resident_memory", "run_in_fresh_process"]

Result = TypeVar("Result")

#: The folder in which Linux describes the running process.
PROCESS = Path("/proc/self")

#: Written to ``clear_refs``, it resets the peak of the resident memory.
RESET_PEAK = "5"


def run_in_fresh_process(work: Callable[..., Result], *arguments: Any) -> Result:
    """Return the result of ``work(*arguments)`` in a fresh process."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(work, *arguments).result()


def peak_resident_memory(work: Callable[[], Result]) -> tuple[Result, int]:
    """Return the result of work, and the growth of this process at its peak, in bytes.

    The growth is that of resident memory as Linux counts it, whoever allocated it. Call the
    function in a fresh process: one that was large before uses the memory that it already has.
    """
    gc.collect()
    PROCESS.joinpath("clear_refs").write_text(RESET_PEAK, encoding="ascii")
    before = _kibibytes("VmRSS")
    result = work()
    return result, (_kibibytes("VmHWM") - before) * 1024


def _kibibytes(field: str) -> int:
    found = re.search(rf"{field}:\s+(\d+)", PROCESS.joinpath("status").read_text("ascii"))
    assert found is not None
    return int(found[1])
