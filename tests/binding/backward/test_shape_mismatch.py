"""Hints for a gradient of the wrong shape."""

import pytest

from pytest_gradcheck.binding.backward.shape_mismatch import explain_shape

Shape = tuple[int, ...]


@pytest.mark.parametrize(
    ("found", "wanted", "hint"),
    [
        ((3, 4), (4, 3), "Its transpose would have it."),
        ((8, 5), (5,), "A sum over axis 0 would give it."),
        ((5, 8), (5, 1), "A sum over axis 1 with keepdims=True would give it."),
        ((8, 2, 5), (5,), "A sum over axes (0, 1) would give it."),
        ((5,), (5, 1), "reshape((5, 1)) would give it."),
        ((3, 3, 2), (18,), "reshape((18,)) would give it."),
        ((4,), (7,), ""),
        ((3,), (4, 3), "It lacks axis 0: a sum too many, or not broadcast?"),
        ((1, 3), (4, 3), "It lacks axis 0: a sum too many, or not broadcast?"),
        ((), (4, 3), "It lacks axes (0, 1): a sum too many, or not broadcast?"),
    ],
)
def test_what_would_help_is_said(found: Shape, wanted: Shape, hint: str) -> None:
    """A transpose, a sum or a reshape is proposed where it gives the right shape."""
    assert explain_shape(found, wanted) == hint


@pytest.mark.parametrize(
    ("found", "wanted", "hint"),
    [
        ((2,) * 24, (2,) * 12, f"A sum over axes {tuple(range(12))} would give it."),
        (
            (2,) * 12,
            (2,) * 24,
            f"It lacks axes {tuple(range(12))}: a sum too many, or not broadcast?",
        ),
        ((2,) * 24, (3,) * 12, ""),
        ((2,) * 24, (2,) * 11 + (3,), ""),
    ],
)
def test_many_axes_are_matched_without_trying_their_subsets(
    found: Shape, wanted: Shape, hint: str
) -> None:
    """The first of sixteen million subsets that fits is found at once, or that there is none."""
    assert explain_shape(found, wanted) == hint


def test_axes_of_length_one_are_no_sum() -> None:
    """The hint names the first axes that fit."""
    assert explain_shape((1, 2, 3, 2), (1, 3, 2)) == "A sum over axis 1 would give it."
