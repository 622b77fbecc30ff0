"""Running work in a process of its own, whose memory is nobody else's.

It must not know what the work is.
"""

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

PROCESS = Path("/proc/self")

#: Makes Linux forget the largest memory so far.
FORGET = "5"


def run_in_fresh_process(work: Callable[..., Result], *arguments: Any) -> Result:
    """Return what ``work(*arguments)`` returns in a fresh process."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        return pool.submit(work, *arguments).result()


def peak_resident_memory(work: Callable[[], Result]) -> tuple[Result, int]:
    """Return what work returns, and by how many bytes this process grew for it, at the peak.

    That is what the system counts as resident, whoever allocated it; on Linux only. Use it in a
    fresh process: one that was large before grows into what it has.
    """
    gc.collect()
    PROCESS.joinpath("clear_refs").write_text(FORGET, encoding="ascii")
    before = _kibibytes("VmRSS")
    result = work()
    return result, (_kibibytes("VmHWM") - before) * 1024


def _kibibytes(field: str) -> int:
    found = re.search(rf"{field}:\s+(\d+)", PROCESS.joinpath("status").read_text("ascii"))
    assert found is not None
    return int(found[1])
