"""What suites of others say about ours, as a page of the docs.

It must not run or count; it puts tables into words.
"""

from __future__ import annotations

import platform
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version

from tests.benchmarks.suites.suite_result import SuiteResult
from tests.benchmarks.suites.suite_tables import count_table, exception_table

__all__ = ["suite_section", "suites_page"]

WIDTH = 99

#: Packages by the name of their distribution, and what their suite is.
TITLES = {
    "sklearn": ("scikit-learn", "Losses, kernels of Gaussian processes, embeddings"),
    "scipy": ("scipy", "Its tests of checkers, and dual variables of linear programs"),
    "statsmodels": ("statsmodels", "Scores and observed information of statistical models"),
    "torch": ("torch", "The list of operators, `torch.testing._internal`, as numpy functions"),
}

PAGE = """\
# In the suites of others

The tests that come with four packages, with their own gradient checkers replaced: whatever those
are asked, ours is asked too. Nobody here has chosen a function, a point or a claim.

`check_grad` and `check_derivative` take a function and its derivative. `approx_fprime` and the
like only return a numerical derivative; there the claim is what a test compares that with, by
`numpy.testing` or a subtraction. A numerical derivative that is compared with another one, or is
combined with others first, claims nothing. Of one test the first {most} claims are taken.

Torch's operators come with samples of their inputs. Forward is the operator and backward its
vector-Jacobian product, both as functions of numpy arrays, and the other checker is
`torch.autograd.gradcheck` with its defaults, in 6 GB of memory. Of each operator {most} samples
are taken, evenly from those that have inputs and outputs.

Each claim is put to `check_gradient` with its defaults: as it is, then with one entry 1% too
large, and 0.1%. That entry is drawn from those that are not zero, that have at least a tenth of
the median of those that are not, and whose error moves forward by more than a thousand roundings.

{parts}

*Theirs passes* where the test of the suite does. *Ours passes* where it calls a claim correct, and
where it says that only some entries could be verified. *Right, accused* are right claims that it
calls wrong; *right, failing* those that are right, pass theirs, and fail ours for any reason.

Whether a claim that fails is right is found by a third way: the complex step where forward takes
complex numbers, else central differences at 44 steps, extrapolated. Right is what agrees to 1e-6,
our default `rtol`, or to ten times what the differences scatter, or what the claim itself does
when the point moves by a rounding. Some suites claim what they have computed numerically, with
fewer digits than that: it is *not right*. What rounding inside forward obscures *cannot be told*.

Evaluations of forward, and milliseconds of the processor, are medians over the right claims and
those that are not; a claim made false takes more. Where there are more entries than evaluations
allowed, ours screens, and says how large an error of one entry must be to be seen; a smaller one
is called correct.

To run it again, with the dependency group `suites` installed:

```bash
python -m tests.benchmarks.suites --page
```

{versions}
"""


def suites_page(suites: Mapping[str, Sequence[SuiteResult]], most: int) -> str:
    """Return the page.

    Parameters
    ----------
    suites : mapping of str to sequence of SuiteResult
        What became of the claims of each suite.
    most : int
        So many claims of a test were tried at most.
    """
    return PAGE.format(
        most=most,
        parts="\n\n".join(suite_section(suite, trials) for suite, trials in suites.items()),
        versions=textwrap.fill(f"{', '.join(_versions(suites))}.", WIDTH),
    )


def suite_section(suite: str, trials: Sequence[SuiteResult]) -> str:
    """Return what is said of one suite."""
    title, subject = TITLES[suite]
    tests = len({trial.test for trial in trials})
    text = f"{subject}: {len(trials):,} claims in {tests:,} tests."
    others = "\n".join(exception_table(trials))
    return "\n\n".join(
        [
            f"## {title}",
            textwrap.fill(text, WIDTH),
            "\n".join(count_table(trials)),
            "Claims that fail ours and are right or pass theirs, and false ones that pass ours:",
            others,
        ]
    )


def _versions(suites: Mapping[str, Sequence[SuiteResult]]) -> Iterator[str]:
    yield f"Python {platform.python_version()}"
    for package in ("numpy", *(TITLES[suite][0] for suite in suites)):
        yield f"{package} {version(package)}"
