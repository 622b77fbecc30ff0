"""`check_gradient` in the test suites of other packages.

``python -m tests.benchmarks.suites`` runs the tests of scikit-learn, scipy and statsmodels that
check derivatives, and PyTorch's list of operators. It checks by `check_gradient` every claim that
their own checkers check, and prints the results. The packages are in the dependency group
``suites``. It takes about an hour on one core; one suite, or fewer claims, take less:
``python -m tests.benchmarks.suites sklearn --most 1``.

``--keep FOLDER`` keeps the results of each suite and reads them the next time. ``--page`` writes
the page of the docs.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from tests.benchmarks.suites.suite_runner import SUITES, run_suite
from tests.benchmarks.suites.suites_page import suite_section, suites_page

PAGE = Path(__file__).parents[3] / "docs" / "explanation" / "suites.md"

#: Claims of one test, or samples of one operator, that are checked at most.
MOST = 2


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(description="check_gradient in other packages' suites.")
    parser.add_argument("suite", nargs="*", default=SUITES, help=", ".join(SUITES))
    parser.add_argument("--most", type=int, default=MOST, help="claims of one test")
    parser.add_argument("--keep", type=Path, help="a folder for the results")
    parser.add_argument("--page", action="store_true", help="write the page of the docs")
    chosen = parser.parse_args()
    if unknown := set(chosen.suite) - set(SUITES):
        parser.error(f"no suite is called {', '.join(sorted(unknown))}")
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        for suite in chosen.suite:
            kept = (chosen.keep or Path(folder)).absolute()
            kept.mkdir(parents=True, exist_ok=True)
            results[suite] = run_suite(suite, chosen.most, kept)
            print(suite_section(suite, results[suite]), flush=True)
    if chosen.page:
        PAGE.write_text(suites_page(results, chosen.most))


if __name__ == "__main__":
    main()
