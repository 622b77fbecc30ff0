"""The page of the docs that compares tools.

It puts tables into a page. It does not run tools or count answers.
"""

from __future__ import annotations

from collections.abc import Sequence

from tests.benchmarks.docs_page import filled, version_line
from tests.benchmarks.rivals.comparison_tables import (
    count_table,
    false_alarm_table,
    settings_table,
)
from tests.benchmarks.rivals.rival import Rival
from tests.benchmarks.rivals.tool_answers import ToolAnswer
from tests.corpus.error_classes import coarse, correct, fine, visible

__all__ = ["comparison_page"]

PAGE = """\
# Comparison with other tools

Every tool checks the same claims about the same functions, in one run. The functions are those in
`tests/corpus/families` on which no constant of this package was tuned. Of each, the correct
gradient is claimed, and wrong ones of up to 18 kinds (`tests/corpus/mutants.py`: a wrong sign, a
factor, one entry 0.1% off, a missing sum, the gradient at another point, a NaN, ...).

{sample}

{counts}

*False alarms* are correct gradients that a tool does not accept. The first column leaves out the
families that compute in float32, round their values, or stop an iteration early; the second column
includes them. At a kink, every valid subgradient is a correct claim. *Passed* are wrong gradients
that a tool accepts, by the relative error of their worst entry. Errors that are too small to be
visible in forward's float64 values are left out. pytest-gradcheck passes a gradient of which it
could verify only some entries, and says so; with `strict` it fails. *Exceptions* are claims for
which a tool raised anything but a verdict of its own, because forward raised or because of a NaN;
they count as not accepted. *Evaluations* are the median calls of forward for a correct gradient.

False alarms by the kind of function:

{kinds}

What each tool reports, and the settings with which it was called:

{traits}

Every forward is a numpy function, and its point is in float64. torch, JAX and autograd get it as a
custom function with its backward pass. The tolerances are each tool's defaults, because those are
what users have. torch and JAX chose theirs for tests of their own well-behaved functions, and an
error of 0.1% in one entry is within torch's `rtol` by design. scipy's function returns only a
norm, and numdifftools and jacobi return only derivatives; there, the comparison is the one that
users write. Where a tool draws random directions, the seed is fixed.

To run it again, with the dependency group `rivals` installed:

```bash
python -m tests.benchmarks.rivals
```

{versions}
"""

SAMPLE = (
    "The sample is {families} families at {seeds} random points each, with {correct} correct "
    "claims, {coarse} claims with an error of 0.1% or more of one entry, and {fine} claims with "
    "an error of about 1e-4."
)


def comparison_page(
    rivals: Sequence[Rival], answers: Sequence[ToolAnswer], *, families: int, seeds: int
) -> str:
    """Return the page.

    Parameters
    ----------
    rivals : sequence of Rival
        The tools.
    answers : sequence of ToolAnswer
        Their answers.
    families, seeds : int
        The number of families, and of random points of each.
    """
    of_one_tool = [answer for answer in answers if answer.rival == answers[0].rival]
    sample = SAMPLE.format(
        families=families,
        seeds=seeds,
        correct=f"{len(correct(of_one_tool)):,}",
        coarse=f"{len(visible(coarse(of_one_tool))):,}",
        fine=f"{len(visible(fine(of_one_tool))):,}",
    )
    packages = [rival.package for rival in rivals if rival.package]
    return PAGE.format(
        sample=filled(sample),
        counts="\n".join(count_table(rivals, answers)),
        kinds="\n".join(false_alarm_table(rivals, answers)),
        traits="\n".join(settings_table(rivals)),
        versions=version_line(["numpy", *packages]),
    )
