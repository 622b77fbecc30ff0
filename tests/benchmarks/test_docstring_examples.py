"""Examples in the docstrings of benchmarks and corpus."""

import doctest
from types import ModuleType

import pytest

from tests.benchmarks import docs_page, number_format
from tests.benchmarks.screening import entry_sampling, named_entries
from tests.corpus import corpus_counts


@pytest.mark.parametrize(
    "module", [docs_page, number_format, entry_sampling, named_entries, corpus_counts]
)
def test_examples_run(module: ModuleType) -> None:
    """They print what the docstrings say."""
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0
