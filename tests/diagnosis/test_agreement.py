"""How far a prediction and measurements agree, in words."""

import pytest

from pytest_gradcheck.diagnosis.agreement import Agreement, digits_of_agreement


@pytest.mark.parametrize(
    ("count", "digits", "directions", "text"),
    [
        (1, 12, 0, "1 entry, to 12 digits"),
        (1234, 1, 0, "1,234 entries, to 1 digit"),
        (2, 8, 2, "along two directions, to 8 digits"),
        (1, 8, 1, "along 1 direction, to 8 digits"),
        (5, 8, 2, "3 entries and two directions, to 8 digits"),
    ],
)
def test_agreement_in_words(count: int, digits: int, directions: int, text: str) -> None:
    """Entries and directions are counted apart."""
    assert str(Agreement(None, count, digits, directions)) == text


def test_numbers_agree_to_no_more_digits_than_floats_have() -> None:
    """However small their difference is."""
    assert digits_of_agreement(1e-300) == digits_of_agreement(0.0) == 15
