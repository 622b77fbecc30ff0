"""The page of the docs about the test suites of other packages.

It puts tables into a page. It does not run suites or count results.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.benchmarks.docs_page import filled, version_line
from tests.benchmarks.suites.suite_result import SuiteResult
from tests.benchmarks.suites.suite_tables import count_table, exception_table

__all__ = ["suite_section", "suites_page"]

#: For each suite the name of its distribution, and the subject of its claims.
TITLES = {
    "sklearn": ("scikit-learn", "Losses, kernels of Gaussian processes, embeddings"),
    "scipy": ("scipy", "Tests of derivative checkers, and dual variables of linear programs"),
    "statsmodels": ("statsmodels", "Scores and observed information of statistical models"),
    "torch": ("torch", "The operators of `torch.testing._internal`, as functions of numpy arrays"),
}

PAGE = """\
# In the test suites of other packages

The gradient checkers in the test suites of four packages are replaced: every claim that they
check, `check_gradient` checks as well. Functions, points and claims are those of the packages;
none was chosen for this comparison.

`check_grad` and `check_derivative` take a function and its derivative. `approx_fprime` and similar
functions only return a numerical derivative. There, the claim is what a test compares it with, by
`numpy.testing` or by a subtraction. A numerical derivative that is compared with another numerical
derivative, or first combined with one, makes no claim. The first {most} claims of each test are
checked.

PyTorch's list of operators comes with sample inputs. Forward is an operator and backward its
vector-Jacobian product, both as functions of numpy arrays. The suite's own checker is
`torch.autograd.gradcheck` with its defaults, limited to 6 GB of memory. Of each operator {most}
samples are checked, evenly spread over those that have inputs and outputs.

Each claim is checked by `check_gradient` with its defaults: as it is, then with one entry 1% too
large, then with one entry 0.1% too large. The entry is drawn at random from those that are nonzero
and at least a tenth of the median of the nonzero entries, and whose error changes forward's value
by more than a thousand roundings.

{parts}

## What the columns mean

*Theirs* is the suite's own check, *ours* is `check_gradient`.

*Ours passes* counts the claims that it calls correct, and those that pass although it could verify
only some entries (*in part*). *Right, called wrong* counts right claims that it calls wrong.
*Right, failing* counts right claims that pass the suite's own check and fail ours for any reason.
*Crashed* counts claims for which ours raised an unexpected exception, with or without a wrong
entry. *Passed, 1.0% off* and *passed, 0.1% off* count the claims with a wrong entry that ours
passes. *Too slow* is a check that takes more than 60 s of processor time.

Whether a claim that fails is right is decided by a third method: by the complex step where forward
accepts complex numbers, and otherwise by central differences at 44 steps with Richardson
extrapolation. A claim is right if it agrees with that derivative to 1e-6, the default `rtol`; or
to ten times the scatter of the differences; or to ten times the change of the claim itself when
the point changes by a rounding. Some suites claim derivatives that were computed numerically, with
fewer digits than that; these claims are *not right*. Where rounding inside forward hides the
difference, the answer is *unknown*.

Evaluations of forward and milliseconds of processor time are medians over all claims as they are;
a check of a claim with a wrong entry takes more. Where a claim has more entries than
`max_evaluations` allows to measure, ours checks in fast mode, and its report says how large an
error of one entry must be to be found. A smaller error is called correct.

To run it again, with the dependency group `suites` installed:

```bash
python -m tests.benchmarks.suites --page
```

{versions}
"""

EXCEPTIONS = (
    "Claims that fail ours, and are right or pass theirs; and claims with a wrong entry that ours "
    "calls neither wrong nor inconclusive:"
)


def suites_page(suites: Mapping[str, Sequence[SuiteResult]], most: int) -> str:
    """Return the page.

    Parameters
    ----------
    suites : mapping of str to sequence of SuiteResult
        The results of each suite.
    most : int
        The number of claims of a test that were checked, at most.
    """
    return PAGE.format(
        most=most,
        parts="\n\n".join(suite_section(suite, results) for suite, results in suites.items()),
        versions=version_line(["numpy", *(TITLES[suite][0] for suite in suites)]),
    )


def suite_section(suite: str, results: Sequence[SuiteResult]) -> str:
    """Return the section of one suite."""
    title, subject = TITLES[suite]
    tests = len({result.test for result in results})
    return "\n\n".join(
        [
            f"## {title}",
            filled(f"{subject}: {len(results):,} claims in {tests:,} tests."),
            "\n".join(count_table(results)),
            filled(EXCEPTIONS),
            "\n".join(exception_table(results)),
        ]
    )
