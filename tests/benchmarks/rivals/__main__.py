"""Comparison with other tools on the claims of the corpus.

``python -m tests.benchmarks.rivals`` checks by every tool the claims of the half of the corpus on
which nothing was tuned, prints how often each tool rejects a correct gradient and accepts a wrong
one, and writes the page of the docs. The tools are in the dependency group ``rivals``. It takes
some minutes on two cores. Another sample is printed and not written:

``--half untuned|tuned|all``, ``--family NAME`` (repeatable), ``--seeds 3``.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from tests.benchmarks.rivals.all_tools import RIVALS
from tests.benchmarks.rivals.comparison_page import comparison_page
from tests.benchmarks.rivals.tool_answers import ask_all_tools
from tests.corpus.corpus_runner import HALVES, choose_families

PAGE = Path(__file__).parents[3] / "docs" / "explanation" / "comparison.md"

#: The seeds of the page. Each takes about a minute on one core.
SEEDS = 3


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description="Compare tools on the claims of the corpus.")
    parser.add_argument("--half", choices=HALVES, default="untuned")
    parser.add_argument("--family", action="append", default=[], help="this family; repeatable")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--jobs", type=int, default=2)
    chosen = parser.parse_args()
    families = choose_families(chosen.half, chosen.family)
    answers = ask_all_tools(RIVALS, families, range(chosen.seeds), chosen.jobs)
    text = comparison_page(RIVALS, answers, families=len(families), seeds=chosen.seeds)
    print(text)
    if (chosen.half, chosen.family, chosen.seeds) == ("untuned", [], SEEDS):
        PAGE.write_text(text)


if __name__ == "__main__":
    main()
