"""Parts of data that backward takes by slices."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pytest_gradcheck import check_gradient
from pytest_gradcheck.fault_localization.execution.frame_events import CAN_REBIND
from pytest_gradcheck.fault_localization.perturbed_backward.windows import other_windows
from tests.fault_localization.functions import line_of

M = np.arange(12.0).reshape(3, 4)
V = np.array([1.3, 0.7, 0.8, 1.9, 1.2])


def test_other_windows_have_the_shape_of_one() -> None:
    """Along each axis."""
    assert [w.tolist() for w in other_windows(M[:, 1:3], M)] == [
        M[:, :2].tolist(),
        M[:, 2:].tolist(),
    ]
    assert len(other_windows(M[:2, :3], M)) == 3


@pytest.mark.parametrize("value", [2 * M[:, :2], M, M[0], M[:1, :1], M[:, :0]])
def test_what_is_no_window_has_no_other_ones(value: Any) -> None:
    """Nor has the whole array, or a window of very many."""
    assert other_windows(value, M) == []


def rosenbrock(x: Any) -> Any:
    """Return the Rosenbrock function."""
    return np.sum(100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2)


def wrong_rosenbrock(x: Any) -> Any:
    """Return its derivative as scipy has it, with a factor that is wrong."""
    xm = x[1:-1]
    xm_m1 = x[:-2]
    xm_p1 = x[2:]
    der = np.zeros_like(x)
    der[1:-1] = 300 * (xm - xm_m1**2) - 400 * (xm_p1 - xm**2) * xm - 2 * (1 - xm)
    der[0] = -400 * x[0] * (x[1] - x[0] ** 2) - 2 * (1 - x[0])
    der[-1] = 200 * (x[-1] - x[-2] ** 2)
    return der


@pytest.mark.skipif(not CAN_REBIND, reason="needs PEP 667")
@pytest.mark.parametrize("mode", ["full", "fast"])
def test_slices_are_right_where_no_others_make_the_gradient_right(mode: str) -> None:
    """The statement that reads them is named alone."""
    (line,) = check_gradient(rosenbrock, wrong_rosenbrock, V, mode=mode).wrong_lines
    assert line.location.first_line == line_of(wrong_rosenbrock, "der[1:-1]")
    assert line.location.last_line == line.location.first_line
