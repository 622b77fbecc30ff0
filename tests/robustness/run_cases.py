"""Run cases in child processes, with a limit of time for each."""

from __future__ import annotations

import contextlib
import json
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import IO

from tests.robustness.case import Case
from tests.robustness.ending import Ending

__all__ = ["run_cases"]

#: Seconds after which a case that has not ended hangs.
LIMIT = 60.0


def run_cases(cases: Sequence[Case], jobs: int = 2) -> Iterator[Ending]:
    """Yield the ending of every case, in no order."""
    waiting: queue.SimpleQueue[Case] = queue.SimpleQueue()
    for case in cases:
        waiting.put(case)
    ended: queue.SimpleQueue[Ending] = queue.SimpleQueue()
    with ThreadPoolExecutor(jobs) as pool:
        workers = [pool.submit(_work, waiting, ended) for _ in range(jobs)]
        for _ in cases:
            yield ended.get()
        for worker in workers:
            worker.result()


def _work(waiting: queue.SimpleQueue[Case], ended: queue.SimpleQueue[Ending]) -> None:
    child = _Child()
    while True:
        try:
            case = waiting.get_nowait()
        except queue.Empty:
            break
        ending = child.run(case)
        ended.put(ending)
        if child.is_dead or ending.taints:  # the next case begins in a process of its own
            child.end()
            child = _Child()
    child.end()


class _Child:
    """A child process, started when it is first needed."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[str] | None = None
        self.answers: queue.SimpleQueue[str] = queue.SimpleQueue()

    @property
    def is_dead(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def run(self, case: Case) -> Ending:
        if self.process is None:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.robustness.child"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
            assert self.process.stdout is not None
            threading.Thread(target=self._read, args=(self.process.stdout,), daemon=True).start()
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps(case.name) + "\n")
            self.process.stdin.flush()
            answer = self.answers.get(timeout=LIMIT)
        except queue.Empty:
            self.process.kill()
            return Ending(case.name, "hang", {"hang": f"no ending after {LIMIT:.0f} s"})
        except BrokenPipeError:
            answer = ""
        if not answer:
            self.process.wait()
            text = f"the process ended with code {self.process.returncode}"
            return Ending(case.name, "crash", {"internal traceback": text})
        return Ending(**json.loads(answer))

    def _read(self, lines: IO[str]) -> None:
        with lines:
            for line in lines:
                self.answers.put(line)
        self.answers.put("")

    def end(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            assert self.process.stdin is not None
            with contextlib.suppress(BrokenPipeError):
                self.process.stdin.close()
