"""Checks without the search for wrong lines, for benchmarks of what else a failing check says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

from pytest_gradcheck.fault_localization import locate_wrong_lines
from tests.corpus.corpus_runner import without_warnings

__all__ = ["without_wrong_lines"]


@contextmanager
def without_wrong_lines() -> Iterator[None]:
    """Leave out warnings, and the search for wrong lines, which takes longer than all else."""
    search = mock.patch.object(locate_wrong_lines, "locate_wrong_lines", return_value=())
    with without_warnings(), search:
        yield
