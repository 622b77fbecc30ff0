"""The options of a suite: from command line, ini file and verbosity to layers.

It must not read marks or know what an option does.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shlex
import sys
from collections.abc import Iterator, Sequence

import pytest

from pytest_gradcheck.current_test import RunningTest
from pytest_gradcheck.errors import GradcheckUsageError
from pytest_gradcheck.options import Layer, parse
from pytest_gradcheck.pytest_integration.marker import mark_layers
from pytest_gradcheck.pytest_integration.terminal import progress_line

__all__ = ["prepare_test", "validate_settings"]

#: Options that win over a call when they are given on the command line.
WINNING = ("seed", "max_rows")

#: Rows for each verbosity from 1 on.
ROWS = (20, sys.maxsize)


def validate_settings(config: pytest.Config, names: Sequence[str]) -> None:
    """Raise a `pytest.UsageError` for an option that is not understood."""
    try:
        list(_settings(config, names))
    except GradcheckUsageError as error:
        raise pytest.UsageError(str(error)) from None


def prepare_test(item: pytest.Item, names: Sequence[str]) -> RunningTest:
    """Gather what a check in `item` needs to know of the suite and the test.

    Parameters
    ----------
    item : pytest.Item
        The test.
    names : sequence of str
        Options that a suite may set.

    Returns
    -------
    RunningTest
        Without any report yet.
    """
    config = item.config
    settings = list(_settings(config, names))
    line = [layer for layer in settings if layer.origin == "command line"]
    winning = {k: v for layer in line for k, v in layer.values.items() if k in WINNING}
    executor = item.ihook.pytest_gradcheck_executor(item=item)
    layers = [
        Layer("hook pytest_gradcheck_executor", {"executor": executor} if executor else {}),
        Layer("node id", {"seed": seed_from_node_id(item.nodeid)}),
        *settings,
        *_verbosity(config),
        *mark_layers(item),
    ]
    hook = item.ihook.pytest_gradcheck_finish_check
    return RunningTest(
        layers=layers,
        overrides=[Layer("command line", winning)] if winning else [],
        rerun=_rerun(config, item, winning.get("seed")),
        finished=lambda report: hook(item=item, report=report),
        show=progress_line(config),
    )


def seed_from_node_id(nodeid: str) -> int:
    """Make a seed from a node id: the same on every machine, in every order, in every worker.

    Examples
    --------
    >>> seed_from_node_id("test_layers.py::test_affine")
    2751233064
    """
    return int.from_bytes(hashlib.sha256(nodeid.encode()).digest()[:4], "big")


def _settings(config: pytest.Config, names: Sequence[str]) -> Iterator[Layer]:
    for origin, read in (("ini", config.getini), ("command line", config.getoption)):
        values = {}
        for name in names:
            value = read(f"gradcheck_{name}")
            if value is not None:
                values[name] = value if value is True else parse(name, value, origin)
        if values:
            yield Layer(origin, values)


def _verbosity(config: pytest.Config) -> Iterator[Layer]:
    level = config.get_verbosity("gradcheck")
    if level > 0:
        yield Layer("verbosity", {"max_rows": ROWS[min(level, len(ROWS)) - 1]})


def _rerun(config: pytest.Config, item: pytest.Item, seed: object) -> str:
    path, *names = item.nodeid.split("::", 1)
    with contextlib.suppress(ValueError):  # another drive on Windows
        path = os.path.relpath(config.rootpath / path, config.invocation_params.dir)
    command = f"pytest {shlex.quote('::'.join([path, *names]))}"
    return command if seed is None else f"{command} --gradcheck-seed={seed}"
