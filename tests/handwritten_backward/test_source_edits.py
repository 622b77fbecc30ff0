"""Edits of the source of a backward."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from textwrap import dedent
from typing import Any

import numpy as np
import pytest

from tests.handwritten_backward.source_edits import Edit, edits_of

NOTHING: Mapping[str, Any] = {}


def edits(body: str, values: Mapping[str, Any] = NOTHING) -> list[Edit]:
    """Return the edits of a function with that body."""
    source = "def backward(x, dout):\n" + "".join(
        f"    {line}\n" for line in dedent(body).strip().splitlines()
    )
    return edits_of(source, ["backward"], {"backward": values})


def texts(kind: str, body: str, values: Mapping[str, Any] = NOTHING) -> set[str]:
    """Return the statements after the edits of one kind."""
    return {edit.after for edit in edits(body, values) if edit.kind == kind}


SQUARE = np.eye(3)
VECTOR = np.ones(3)


@pytest.mark.parametrize(
    ("kind", "statement", "expected"),
    [
        ("factor 2", "dx = dout", "dx = 2 * dout"),
        ("factor 2", "dx = dout + x", "dx = 2 * (dout + x)"),
        ("sign", "dx = dout", "dx = -dout"),
        ("sign", "dx = dout - x", "dx = (dout + x)"),
        ("sign", "dx -= dout", "dx += dout"),
        ("term dropped", "dx = dout - x", "dx = dout"),
        ("term dropped", "dx = dout - x", "dx = -x"),
        ("sum forgotten", "db = np.sum(dout, axis=0)", "db = dout[0]"),
        ("sum forgotten", "db = dout.sum(axis=1, keepdims=True)", "db = dout[..., :1]"),
        ("mean for sum", "db = np.sum(dout, axis=0)", "db = np.mean(dout, axis=0)"),
        ("mean for sum", "db = dout.mean(-1)", "db = dout.sum(-1)"),
        ("transposed", "dx = dout.dot(x.T)", "dx = dout.dot(x)"),
        ("transposed", "dx = dout @ x", "dx = (x @ dout)"),
        ("derivative or mask missing", "dx = dout * mask", "dx = dout"),
        ("derivative or mask missing", "dx = np.multiply(dout, mask)", "dx = dout"),
        ("number dropped", "dx = dout / N", "dx = dout"),
        ("number dropped", "dx = 1.0 / N * dout", "dx = dout"),
        ("power", "dx = x**2", "dx = x"),
        ("power", "dx = dout * x", "dx = dout * x ** 2"),
        ("power", "dx = np.sqrt(x)", "dx = x"),
        ("off by one", "dx = h[t]", "dx = h[t - 1]"),
        ("off by one", "dx = x[1:]", "dx = x[1 + 1:]"),
        ("off by one", "dx[t] = dout", "dx[t + 1] = dout"),
        ("mask inverted", "dx[x <= 0] = 0", "dx[x > 0] = 0"),
        ("mask inverted", "dx = dout * (x > 0)", "dx = dout * (x < 0)"),
        ("not accumulated", "dx += dout", "dx = dout"),
        ("statement left out", "dx[x <= 0] = 0", "pass"),
        ("wrong variable", "dx = a", "dx = b"),
        ("wrong order", "a, b = cache", "b, a = cache"),
    ],
)
def test_kind_of_edit(kind: str, statement: str, expected: str) -> None:
    """Each kind of edit makes the mistake that it is named after."""
    values = {"N": 3, "t": 1, "x": SQUARE, "dout": SQUARE, "a": VECTOR, "b": VECTOR}
    assert expected in texts(kind, statement, values)


def test_every_edit_is_valid_and_different() -> None:
    """Edited sources are Python, and no two of them are the same."""
    found = edits("a, b = cache\ndx = (dout * (x > 0)).sum(axis=0)\ndx += a - b\nreturn dx")
    assert all(ast.parse(edit.source) for edit in found)
    assert len({edit.source for edit in found}) == len(found)


def test_lines_are_those_of_the_edited_statement() -> None:
    """The lines of an edit hold the statement, where it has lost lines as well."""
    body = "y = x\ndx = (\n    dout\n    + y\n)\nreturn dx"
    found = [edit for edit in edits(body) if edit.kind == "term dropped"]
    assert {(edit.first_line, edit.last_line) for edit in found} == {(3, 5)}
    for edit in edits(body):
        assert ast.parse(f"def backward():\n    {edit.after}").body


def test_a_statement_that_is_left_out_belongs_to_the_one_before() -> None:
    """Where a statement is left out, the one that bound its variable is incomplete."""
    body = "dx = dout\ny = x\ndx[x <= 0] = 0\nreturn dx"
    (edit,) = [edit for edit in edits(body) if edit.kind == "statement left out"]
    assert (edit.first_line, edit.last_line) == (2, 4)


def test_arrays_and_other_values_are_not_exchanged() -> None:
    """An array beside a tuple of arrays of different shapes in a cache stays in its place."""
    values = {"a": SQUARE, "others": (SQUARE, VECTOR)}
    assert texts("wrong order", "a, others = cache", values) == set()


def test_only_what_follows_the_comment_is_backward() -> None:
    """In a function that computes the value as well, only what comes after is edited."""
    body = "loss = x.sum()\n# Backward pass\ndx = dout\nreturn loss, dx"
    found = edits(body)
    assert {edit.before for edit in found} == {"dx = dout", "return loss, dx"}
    assert not any("loss" in edit.after.replace("return loss,", "") for edit in found)
