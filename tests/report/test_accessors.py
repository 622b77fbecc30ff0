"""Short names of what accessors name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_gradcheck.report.accessors import (
    distinct_short_names,
    replace_accessors,
    short_name,
)


@pytest.mark.parametrize(
    ("accessor", "name"),
    [
        ("W", "W"),
        ("self.W", "W"),
        ("p['W']", "W"),
        ("layers[0].W", "W"),
        ("layers[0]", "layers[0]"),
        ("p['conv1.weight']", "conv1.weight"),
        ('p["it\'s"]', "it's"),
    ],
)
def test_a_short_name_is_the_last_name(accessor: str, name: str) -> None:
    """An attribute or a key that is text has a name; a position has none."""
    assert short_name(accessor) == name


def test_short_names_are_those_of_one_accessor_alone() -> None:
    """A name that two accessors end in, or that is an argument itself, is no short name."""
    accessors = ["p['W']", "q['W']", "p['b']", "b", "p['c']", "layers[1]", "p['a b']", "p['1']"]
    assert distinct_short_names(accessors) == {"p['c']": "c"}


@given(st.dictionaries(st.text(min_size=1), st.none()))
def test_short_names_are_distinct(keys: dict[str, None]) -> None:
    """No two parameters have one short name, whatever the keys."""
    names = distinct_short_names(f"p[{key!r}]" for key in keys)
    assert len(set(names.values())) == len(names)


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("p['W'][3, 0] and p['W']", "W[3, 0] and W"),
        ("p['W'][3]", "W[3]"),
        ("up['W'] and q.p['W']", "up['W'] and q.p['W']"),
        ("output['p'] / self.layers[0].b[2]: 4", "output['p'] / b[2]: 4"),
        ("self.layers[0].bias", "self.layers[0].bias"),
    ],
)
def test_accessors_in_text_are_shortened(text: str, short: str) -> None:
    """Whole accessors are replaced, also where an index follows."""
    assert replace_accessors(text, {"p['W']": "W", "self.layers[0].b": "b"}) == short
