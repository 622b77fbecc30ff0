"""The reference page of the options."""

import re

import pytest

from pytest_gradcheck.options import OPTION_NAMES
from pytest_gradcheck.plugin import GATES, OUTPUTS
from tests.checkout import ROOT

TEXT = (ROOT / "docs/reference/options.md").read_text("utf-8")


def test_page_lists_every_option() -> None:
    """Each has its row in the table, alone or with those that belong to it."""
    rows = [line for line in TEXT.splitlines() if re.match(r"\| `\w", line)]
    listed = {name.strip(" `") for row in rows for name in row.split("|")[1].split(",")}
    assert listed == set(OPTION_NAMES)


def test_page_lists_every_output() -> None:
    """What is shown or written when a run ends has its row in another table."""
    flags = [f"--gradcheck-{name.replace('_', '-')}" for name, _, _ in (*GATES, *OUTPUTS)]
    assert [flag for flag in flags if f"| `{flag}" not in TEXT] == []


@pytest.mark.parametrize("name", OPTION_NAMES)
def test_every_option_has_an_example(name: str) -> None:
    """Some example gives it in a call, a mark or a hook."""
    examples = (ROOT / "docs/examples").rglob("*.py")
    given = re.compile(rf"\b{name}=|def pytest_gradcheck_{name}")
    assert any(given.search(example.read_text("utf-8")) for example in examples)
