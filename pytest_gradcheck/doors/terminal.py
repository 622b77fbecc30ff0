"""Where progress is shown: behind what pytest has written on its line, on a terminal alone.

It must not know what is shown.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import nullcontext

import pytest

__all__ = ["progress_line"]

#: Terminal control: keep the place, go back to it, erase what is behind it.
KEEP, BACK, ERASE = "\x1b7", "\x1b8", "\x1b[K"

#: Columns that are too few to say anything.
NARROW = 40


def progress_line(config: pytest.Config) -> Callable[[str], None] | None:
    """Return what shows a line of progress, None where there is no terminal to show it on.

    Neither is there one in a worker of xdist, nor does anybody watch one on CI.
    """
    reporter = config.pluginmanager.getplugin("terminalreporter")
    is_watched = (
        not ({"CI", "BUILD_NUMBER"} & os.environ.keys()) and os.environ.get("TERM") != "dumb"
    )
    if reporter is None or not reporter.isatty or not is_watched or hasattr(config, "workerinput"):
        return None
    capture = config.pluginmanager.getplugin("capturemanager")
    writer = config.get_terminal_writer()

    def show(text: str) -> None:
        room = writer.fullwidth - writer.width_of_current_line - 2
        if room < NARROW:
            return
        with capture.global_and_fixture_disabled() if capture else nullcontext():
            writer.write_raw(f"{KEEP}{ERASE} {text[:room]}{BACK}" if text else ERASE, flush=True)

    return show
