"""The options of a suite, from the command line, the ini file and the verbosity.

They become layers of `options`, together with the seed of a test and its marks. This module
does not know what an option does.
"""

from __future__ import annotations

import hashlib
import shlex
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

import pytest

from pytest_gradcheck.errors import GradcheckUsageError
from pytest_gradcheck.options import Layer, parse
from pytest_gradcheck.pytest_integration.coverage_settings import coverage_settings
from pytest_gradcheck.pytest_integration.known_failures import known_failures
from pytest_gradcheck.pytest_integration.marker import mark_layers
from pytest_gradcheck.pytest_integration.node_id import relative_node_id
from pytest_gradcheck.pytest_integration.terminal import progress_line
from pytest_gradcheck.running_test import RunningTest

if TYPE_CHECKING:
    from pytest_gradcheck.diagnosis.gradient import CheckedCall, ClaimedGradient
    from pytest_gradcheck.diagnosis.hypothesis import Hypothesis

__all__ = ["prepare_test", "validate_settings"]

#: Options on the command line that override those of a call.
OVERRIDING = ("seed", "max_rows")

#: The value of ``max_rows`` for each verbosity, from 1 on.
ROWS = (20, sys.maxsize)


def validate_settings(config: pytest.Config, names: Sequence[str]) -> None:
    """Raise a `pytest.UsageError` if an option is invalid."""
    try:
        list(_settings(config, names))
    except GradcheckUsageError as error:
        raise pytest.UsageError(str(error)) from None


def prepare_test(item: pytest.Item, names: Sequence[str]) -> RunningTest:
    """Return a run of a test, with its options.

    Parameters
    ----------
    item : pytest.Item
        The test.
    names : sequence of str
        The options that can be set for a suite.

    Returns
    -------
    RunningTest
        The run, without reports.
    """
    config = item.config
    settings = list(_settings(config, names))
    command_line = [layer for layer in settings if layer.origin == "command line"]
    overriding = {
        k: v for layer in command_line for k, v in layer.values.items() if k in OVERRIDING
    }
    executor = item.ihook.pytest_gradcheck_executor(item=item)
    layers = [
        Layer("hook pytest_gradcheck_executor", {"executor": executor} if executor else {}),
        Layer("node id", {"seed": seed_from_node_id(item.nodeid)}),
        *settings,
        *_verbosity(config),
        *mark_layers(item),
    ]
    hook = item.ihook.pytest_gradcheck_finish_check
    coverage, known = coverage_settings(config), known_failures(item)
    return RunningTest(
        layers=layers,
        overrides=[Layer("command line", overriding)] if overriding else [],
        rerun=_rerun_command(config, item, overriding.get("seed")),
        finished=lambda report: hook(item=item, report=report),
        show=progress_line(config),
        suggest=partial(_suggested, item),
        observer=None if coverage is None else coverage.observer,
        accept=None if known is None else known.accept,
        root=config.rootpath,
        is_recorded=any(config.getoption(f"gradcheck_{name}") for name in ("json", "html")),
    )


def _suggested(
    item: pytest.Item, gradient: ClaimedGradient, call: CheckedCall
) -> Iterator[Hypothesis]:
    """Yield the hypotheses of the suite on why a gradient is wrong."""
    for found in item.ihook.pytest_gradcheck_diagnose(item=item, gradient=gradient, call=call):
        yield from found


def seed_from_node_id(nodeid: str) -> int:
    """Return a seed for a node id, the same on every machine, in every order and worker.

    Examples
    --------
    >>> seed_from_node_id("test_layers.py::test_affine")
    2751233064
    """
    return int.from_bytes(
        hashlib.sha256(nodeid.encode(errors="surrogatepass")).digest()[:4], "big"
    )


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


def _rerun_command(config: pytest.Config, item: pytest.Item, seed: object) -> str:
    command = f"pytest {shlex.quote(relative_node_id(config, item.nodeid))}"
    return command if seed is None else f"{command} --gradcheck-seed={seed}"
