"""The examples in docstrings of the package, the benchmarks and the corpus."""

import doctest
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = ("pytest_gradcheck", "tests/benchmarks", "tests/corpus")
MODULES = [
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for folder in FOLDERS
    for path in sorted((ROOT / folder).rglob("*.py"))
    if ">>> " in path.read_text()
]


def test_there_are_examples_to_run() -> None:
    """The list below is not empty by mistake."""
    assert len(MODULES) > 20


@pytest.mark.parametrize("name", MODULES)
def test_examples_print_what_the_docstrings_say(name: str) -> None:
    """As in a session of their own."""
    result = doctest.testmod(import_module(name))
    assert result.attempted > 0
    assert result.failed == 0
