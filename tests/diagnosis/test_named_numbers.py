"""Names for a number."""

import pytest

from pytest_gradcheck.diagnosis.named_numbers import NamedNumber, Numbers

GIVEN = [
    NamedNumber("reg", 0.01),
    NamedNumber("len(X)", 32, is_size=True),
    NamedNumber("X.shape[1]", 7, is_size=True),
    NamedNumber("keep", 0.8),
]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (2.0, "2"),
        (32.0, "32 = len(X)"),
        (1 / 32, "1/32 = 1 / len(X)"),
        (-1 / 7, "-1/7 = -1 / X.shape[1]"),
        (7 / 6, "7/6 = X.shape[1] / (X.shape[1] - 1)"),
        (7**-0.5, "0.377964 = 1 / sqrt(X.shape[1])"),
        (0.01 / 32, "1/3200 = reg / len(X)"),
        (1 / (1 - 0.01), "1.0101 = 1 / (1 - reg)"),
        (0.6931471805599453, "0.693147 = ln 2"),
        (57.29577951308232, "57.2958 = 180 / pi"),
        (1.0734123, "1.07341"),
    ],
)
def test_number_is_named(value: float, text: str) -> None:
    """A fraction has the name of a size, if there is one; small integers have none."""
    assert str(Numbers(GIVEN).recognize(value, 1e-11)) == text


def test_number_of_the_call_is_written_as_there() -> None:
    """A fraction is that of a size."""
    numbers = Numbers([NamedNumber("reg", 0.1), NamedNumber("len(X)", 3, is_size=True)])
    assert str(numbers.recognize(-0.1, 1e-11)) == "-0.1 = -reg"
    assert str(numbers.recognize(1 / 3, 1e-11)) == "1/3 = 1 / len(X)"
    assert str(numbers.recognize_weight(0.05, 1e-11)) == "0.05 = reg / 2"


def test_round_number_has_no_far_fetched_name() -> None:
    """Some product or quotient of the sizes of a call is 1/100 by chance."""
    sizes = [NamedNumber(f"size{n}", n, is_size=True) for n in (5, 7, 20, 30)]
    assert str(Numbers(sizes).recognize(0.01, 1e-11)) == "1/100"
    assert str(Numbers(sizes).recognize(1 / 210, 1e-11)) == "1/210 = 1 / (size30 * size7)"


def test_small_integers_have_no_name() -> None:
    """A two is more often that of a square than the length of anything."""
    assert str(Numbers([NamedNumber("len(b)", 2, is_size=True)]).recognize(2.0, 1e-11)) == "2"


def test_inaccurate_number_may_have_any_name() -> None:
    """The digits of a name are more than are known."""
    number = Numbers(GIVEN).recognize(0.6931, 1e-4)
    assert number.cost > 1


def test_call_without_numbers_has_fractions_and_constants() -> None:
    """They need no call."""
    assert str(Numbers([]).recognize(3.141592653589793, 1e-12)) == "3.14159 = pi"


@pytest.mark.parametrize("value", [5e-324, 1e-310, 1e306, 1.7e308])
def test_numbers_may_have_any_magnitude(value: float) -> None:
    """Expressions of them that overflow are no number's name."""
    numbers = Numbers([NamedNumber("size", 5, is_size=True), NamedNumber("scale", value)])
    assert numbers.recognize(0.2, 1e-12).name == "1 / size"


def test_number_that_any_name_fits_has_none() -> None:
    """Every fifth number has an integer within four times a relative uncertainty of 8e-6."""
    assert str(Numbers(GIVEN).recognize(1918.003, 8e-6)) == "1918"
    assert Numbers(GIVEN).recognize(1918.003, 8e-6).cost == float("inf")
    assert Numbers(GIVEN).recognize(1918.0000001, 1e-9).cost < float("inf")
