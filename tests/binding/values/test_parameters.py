"""Parameters and the axes of their coordinates."""

import numpy as np
import pytest

from pytest_gradcheck.binding.values.parameters import Parameter


@pytest.mark.parametrize(
    ("shape", "size", "is_complex", "entries", "axes"),
    [
        ((2, 3), 6, False, None, (2, 3)),
        ((5,), 5, False, None, (5,)),
        ((), 1, False, None, (1,)),
        ((2, 3), 12, True, None, (2, 3, 2)),
        ((), 2, True, None, (2,)),
        ((3, 3), 3, False, (0, 4, 8), (3,)),
        ((2, 2), 3, True, (0, 3, 6), (3,)),
    ],
)
def test_coordinates_of_a_parameter_lie_along_axes(
    shape: tuple[int, ...],
    size: int,
    is_complex: bool,
    entries: tuple[int, ...] | None,
    axes: tuple[int, ...],
) -> None:
    """They are those of its shape, then real and imaginary part; of some entries just one."""
    parameter = Parameter("W", shape, "float64", 7, 7 + size, is_complex, entries)
    assert parameter.axes == axes
    assert np.prod(axes) == size
