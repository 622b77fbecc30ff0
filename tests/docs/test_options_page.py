"""The reference page of the options."""

from pathlib import Path

from pytest_gradcheck.options import OPTION_NAMES

PAGE = Path(__file__).parents[2] / "docs/reference/options.md"


def test_page_lists_every_option() -> None:
    """Each has its row in the table, alone or with those that belong to it."""
    rows = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| `")]
    listed = {name.strip(" `") for row in rows for name in row.split("|")[1].split(",")}
    assert listed == set(OPTION_NAMES)
