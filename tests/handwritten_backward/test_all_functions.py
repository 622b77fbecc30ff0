"""Handwritten functions are right as they are, and there are edits of many kinds of each."""

from __future__ import annotations

import numpy as np
import pytest

from tests.handwritten_backward.all_functions import GROUPS, functions_of
from tests.handwritten_backward.handwritten_function import (
    DIRECTORY,
    HandwrittenFunction,
    check,
)
from tests.handwritten_backward.observed_values import observed_values
from tests.handwritten_backward.source_edits import edits_of

FUNCTIONS = functions_of(GROUPS)


def test_every_file_is_in_one_group() -> None:
    """No file is left out, and none is in two groups."""
    assert sorted(f.name for f in FUNCTIONS) == sorted(p.stem for p in DIRECTORY.glob("*.py"))


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.name)
class TestEveryFunction:
    """What holds for every handwritten function."""

    @pytest.mark.parametrize("mode", ["full", "fast"])
    def test_is_right(self, function: HandwrittenFunction, mode: str) -> None:
        """Its backward is right in both modes, and nothing is left open."""
        report = check(function.path, mode=mode)
        assert report.passed
        assert report.verdict == "correct"

    def test_is_not_wrong_in_float32(self, function: HandwrittenFunction) -> None:
        """Its backward is not called wrong where it computes with float32."""
        assert check(function.path, dtype=np.float32).passed

    def test_is_edited_in_many_ways(self, function: HandwrittenFunction) -> None:
        """At least eight kinds of edit apply to its backward."""
        values = observed_values(function.path, function.edited)
        edits = edits_of(function.source, function.edited, values)
        assert set(values) == set(function.edited)
        assert len({edit.kind for edit in edits}) >= 8
