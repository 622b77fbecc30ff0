"""A report from its dict, which may come from a file."""

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from pytest_gradcheck import Report, SourceLocation, WrongLine, check_gradient
from pytest_gradcheck.report.from_builtins import report_from_dict
from pytest_gradcheck.report.message import render_text
from pytest_gradcheck.run_record.json_file import json_text


def wrong_sum() -> Report:
    """Return a report with causes."""
    return check_gradient(lambda x: (x**2).sum(), lambda x: 4 * x, np.array([1.0, 2.0]))


def screened() -> Report:
    """Return a report of a screen."""
    x = np.arange(300.0)
    return check_gradient(lambda x: (x**2).sum(), lambda x: 2 * x, x, mode="fast")


def jacobian() -> Report:
    """Return a report with indices of outputs."""
    return check_gradient(lambda x: np.outer(x, x), lambda x: np.ones((2, 2, 2)), np.ones(2))


def complex_entries() -> Report:
    """Return a report with parts of complex numbers."""
    return check_gradient(lambda z: abs(z) ** 2, lambda z: 3 * z, 1.0 + 2.0j)


def located() -> Report:
    """Return a report with lines of code."""
    source = "dW = np.sum(\n    X * delta\n)"
    location = SourceLocation("nn.py", 4, 6, "backward", source)
    wrong_line = WrongLine(location, ("dW",), (("delta", 3),), ("x",))
    return replace(wrong_sum(), wrong_lines=(wrong_line,), backward_definition=location)


@pytest.mark.parametrize("make", [located, wrong_sum, screened, jacobian, complex_entries])
def test_message_and_data_are_the_same(make: Callable[[], Report]) -> None:
    """Also after JSON, in which NaN is a name."""
    report = make()
    text = json_text(report.to_dict())
    again = report_from_dict(json.loads(text))
    assert render_text(again) == render_text(report)
    assert json_text(again.to_dict()) == text
