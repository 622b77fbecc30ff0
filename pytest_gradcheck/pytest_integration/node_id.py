"""Node ids as a user types them: relative to the directory in which pytest was started."""

from __future__ import annotations

import contextlib
import os

import pytest

__all__ = ["relative_node_id"]


def relative_node_id(config: pytest.Config, nodeid: str) -> str:
    """Return a node id relative to the directory in which pytest was started, as pytest shows it.

    Parameters
    ----------
    config : pytest.Config
        The configuration, which has the directory and the root of the suite.
    nodeid : str
        The id of a test, relative to the root.
    """
    path, *names = nodeid.split("::", 1)
    with contextlib.suppress(ValueError):  # another drive on Windows
        path = os.path.relpath(config.rootpath / path, config.invocation_params.dir)
    return "::".join([path, *names])
