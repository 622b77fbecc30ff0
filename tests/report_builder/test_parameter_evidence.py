"""The evidence about one parameter."""

from pytest_gradcheck.report_builder.parameter_evidence import split_by_parameter


def test_items_are_split_by_parameter() -> None:
    """A parameter without coordinates has no items, though it starts where the next one does."""
    places = {(k, m): 10 * k + m for k in range(5) for m in range(2)}
    parts = split_by_parameter(places, [0, 2, 2, 5])
    assert [len(part) for part in parts] == [4, 0, 6]
    assert parts[2][0, 1] == 21
