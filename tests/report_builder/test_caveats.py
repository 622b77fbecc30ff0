"""Notes on errors that a check of one parameter cannot detect at its point."""

from typing import Any

import numpy as np
import pytest

from pytest_gradcheck.binding.values.parameters import Parameter
from pytest_gradcheck.report_builder.caveats import point_notes, zero_notes


def parameter(*shape: int, **changes: Any) -> Parameter:
    """Make a parameter W."""
    return Parameter("W", shape, "float64", 0, int(np.prod(shape)), **changes)


def zero_note_text(gradient: Any, **changes: Any) -> str | None:
    """Return the note on a parameter for which `gradient` is claimed and measured."""
    array = np.asarray(gradient, dtype=float)
    settings: dict[str, Any] = {
        "largest": 0.0,
        "is_unused": False,
        "is_measured_zero": False,
    } | changes
    texts = [n.text for n in zero_notes(parameter(*array.shape), array.ravel() == 0, **settings)]
    return texts[0] if texts else None


SPARSE = np.ones((20, 2))
SPARSE[[0, 1, 2, 3, 5, 7, 9, 11, 13, 15, 16]] = 0


@pytest.mark.parametrize(
    ("gradient", "text"),
    [
        ([[1, 2], [3, 4]], None),
        ([0, 0], "zero gradient everywhere at this point, so errors cannot be detected"),
        (
            [1, 0, 0, 1],
            "zero gradient in entries 1, 2 (2 of 4; dead units?), where errors cannot be detected",
        ),
        (
            [[1], [0]],
            "zero gradient in entry 1 (1 of 2; dead units?), where errors cannot be detected",
        ),
        (
            [[1, 2, 3], [0, 0, 0]],
            "zero gradient in row 1 (3 of 6 entries; dead units?), where errors cannot be "
            "detected",
        ),
        (
            [[0, 2, 0], [0, 5, 0]],
            "zero gradient in columns 0, 2 (4 of 6 entries; dead units?), where errors cannot be "
            "detected",
        ),
        (
            [[1, 0, 3], [0, 0, 0]],
            "zero gradient in 4 of 6 entries, all of row 1 (dead units?), where errors cannot be "
            "detected",
        ),
        (
            [[0, 1], [1, 0]],
            "zero gradient in 2 of 4 entries (dead units?), where errors cannot be detected",
        ),
        (
            [[[0, 1], [0, 2]], [[0, 3], [0, 4]]],
            "zero gradient in index 0 of axis 2 (4 of 8 entries; dead units?), where errors "
            "cannot be detected",
        ),
        (
            SPARSE,
            "zero gradient in rows 0-3, 5, 7, 9, 11, 13 and 2 more (22 of 40 entries; dead "
            "units?), where errors cannot be detected",
        ),
    ],
)
def test_places_of_zeros_are_named(gradient: Any, text: str | None) -> None:
    """Whole rows, columns and slices are named; single entries of matrices are counted."""
    assert zero_note_text(gradient) == text


def test_coordinates_of_complex_and_constrained_parameters_are_counted() -> None:
    """Their coordinates do not form rows."""
    zeros = np.array([False, True, True, True])
    for changes in ({"is_complex": True}, {"entries": (0, 1, 2, 3)}):
        matrix = Parameter("W", (2, 2), "float64", 0, 4, **changes)
        (note,) = zero_notes(matrix, zeros, largest=1e-9, is_unused=False, is_measured_zero=False)
        assert (
            note.text
            == "zero gradient in 3 of 4 entries (dead units?), where errors cannot be detected"
        )
        assert note.count == 3


def test_bound_of_a_zero_gradient_is_given() -> None:
    """An error as large as the bound could be hidden."""
    text = "zero gradient everywhere at this point (within 3e-10), so errors cannot be detected"
    assert zero_note_text([0, 0], largest=3.4e-10) == text


def test_unused_parameter() -> None:
    """The note says more than that the gradient is zero."""
    text = "forward does not depend on W at this point, so errors cannot be detected"
    assert zero_note_text([0, 0], is_unused=True) == text


def test_wrong_claim_about_an_unused_parameter() -> None:
    """Forward may use another variable in its place."""
    text = "numerically zero everywhere: does forward use W at all?"
    assert zero_note_text([1, 1], is_measured_zero=True) == text


@pytest.mark.parametrize(
    ("point", "text"),
    [
        (
            [0, 0, 0],
            "all 3 entries are 0 here: terms that they multiply are not tested",
        ),
        (0, "the number is 0 here: terms that it multiplies are not tested"),
        (
            [0.1, 0.1],
            "all 2 entries are 0.1 here: one used in the place of another is not detected",
        ),
        ([[1, 2], [2, 5]], "symmetric here: a transpose used in its place is not detected"),
        ([[1, 2], [3, 5]], None),
        (3, None),
    ],
)
def test_points_that_hide_a_kind_of_error(point: Any, text: str | None) -> None:
    """Zeros, equal entries and symmetry are noted, with the error that they hide."""
    array = np.asarray(point, dtype=float)
    texts = [note.text for note in point_notes(parameter(*array.shape), array.ravel())]
    assert texts == ([] if text is None else [text])


def test_complex_and_constrained_points_have_no_note() -> None:
    """The coordinates of such a parameter are not its entries."""
    for changes in ({"is_complex": True}, {"entries": (0, 2)}):
        assert not list(point_notes(parameter(2, **changes), np.zeros(2)))
