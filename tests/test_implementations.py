"""Several implementations of one function, end to end: the option ``also``."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pytest_gradcheck import GradcheckUsageError, Report, check_gradient

X = np.array([0.5, 1.0, 2.0])


def forward(x: Any) -> Any:
    """Return a number."""
    return np.sum(np.sin(x) ** 2)


def backward(x: Any) -> Any:
    """Return its gradient."""
    return np.sin(2 * x)


def loop(x: Any) -> Any:
    """Return the same, entry by entry."""
    return sum(np.sin(entry) ** 2 for entry in x)


def check(also: Any, **options: Any) -> Report:
    """Check the function beside others."""
    return check_gradient(forward, backward, X, also=also, **options)


def notes(report: Report) -> list[str]:
    """Return the notes on implementations."""
    return [note.text for note in report.notes if note.kind == "implementation"]


def test_those_that_agree() -> None:
    """A function shares backward, a pair has its own."""
    pair = (forward, lambda x: 2 * np.sin(x) * np.cos(x))
    alone, report = check({}), check({"loop": loop, "pair": pair})
    assert report.verdict == "correct"
    assert notes(report) == ["'loop', 'pair' agree in values and gradients"]
    assert report.evaluations > 2 * alone.evaluations
    assert notes(alone) == []


def test_another_value() -> None:
    """Its gradient is right, and that is not enough."""
    report = check({"loop": loop, "shifted": lambda x: forward(x) + 0.01})
    assert report.verdict == "wrong"
    assert report.failures == (
        "shifted returned 1.7747441 for output, and forward 1.7647441: they differ by 5.7e-03",
    )
    assert notes(report) == ["this is the implementation 'shifted' of forward"]
    assert str(report).startswith("shifted returned 1.7747441 for output")


def test_another_gradient() -> None:
    """Its value is the same at the point."""
    report = check({"other": lambda x: forward(x) + np.sin(x[0] - 0.5)})
    assert [entry.name for entry in report.worst if entry.verdict == "wrong"] == ["x[0]"]
    assert notes(report) == ["this is the implementation 'other' of forward"]


def test_a_wrong_backward_of_its_own() -> None:
    """The one of forward is right."""
    report = check({"pair": (forward, lambda x: 3 * np.sin(x) * np.cos(x))})
    assert (report.verdict, notes(report)) == (
        "wrong",
        ["this is the implementation 'pair' of forward"],
    )


def test_a_wrong_gradient_of_forward_comes_first() -> None:
    """Others are not checked then."""
    report = check_gradient(forward, lambda x: 3 * x, X, also={"loop": loop})
    assert (report.verdict, notes(report)) == ("wrong", [])


def test_outputs_of_another_shape() -> None:
    """The shapes are named."""
    report = check_gradient(
        lambda x, c: np.sin(x) * c,
        lambda x, c, dout: (np.sum(dout.reshape(-1) * np.cos(x) * c), None),
        0.5,
        np.arange(3),
        wrt="x",
        also={"row": lambda x, c: (np.sin(x) * c)[None]},
    )
    assert report.failures == ("row returned outputs of the shapes [(1, 3)], and forward [(3,)]",)


def test_less_precise_implementations() -> None:
    """They may differ by their roundings."""
    assert check({"low": lambda x: forward(x.astype(np.float32))}).verdict == "correct"


def test_at_several_points() -> None:
    """A difference may be seen at one of them only."""
    also = {"branch": lambda x: forward(np.where(x > 2.01, 2.01, x))}
    assert check(also).verdict == "correct"
    assert check(also, points=5).verdict == "wrong"


def test_a_call_that_makes_no_sense() -> None:
    """The message says of which implementation."""
    with pytest.raises(GradcheckUsageError, match=r"^the implementation 'none': "):
        check({"none": lambda x: None})


@pytest.mark.parametrize("also", [[forward], {"f": 1}, {1: forward}, {"f": (forward,)}])
def test_what_is_no_implementation(also: Any) -> None:
    """It is a dict of functions or pairs."""
    with pytest.raises(GradcheckUsageError) as error:
        check(also)
    assert " ".join(str(error.value).split()).endswith(
        "also must be a dict of functions, or of pairs (forward, backward), by name."
    )
