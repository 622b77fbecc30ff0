"""The comparison as a page of the docs.

It must not ask a tool or count; it puts tables into words.
"""

from __future__ import annotations

import platform
import textwrap
from collections.abc import Iterator, Sequence
from importlib.metadata import version

from tests.benchmarks.rivals.comparison_tables import (
    count_table,
    false_alarm_table,
    settings_table,
)
from tests.benchmarks.rivals.rival import Rival
from tests.benchmarks.rivals.tool_answers import ToolAnswer
from tests.corpus.error_classes import coarse, correct, fine, visible

__all__ = ["comparison_page"]

WIDTH = 99

PAGE = """\
# Beside other tools

The same claims about the same functions, put to every tool in one run. The functions are those in
`tests/corpus/families` that no constant of ours was tuned on. Each is claimed correctly, and
wrongly in up to 18 ways (`tests/corpus/mutants.py`: a sign, a factor, one entry 0.1% off, a sum
forgotten, a stale point, a NaN ...).

{sample}

{counts}

*False alarms* are correct gradients that a tool did not accept: of families whose values are good
to the last digits, then of all, with those that compute in float32, round, or stop iterating
early. At kinks every valid subgradient is a correct claim. *Passed* are wrong gradients that it
accepted, by the relative error of their worst entry; errors that are too small to show in
forward's own float64 values are left out. Ours passes a gradient of which it could verify only
some entries, and says so; with `strict` it does not. *Exceptions* are claims about which it
raised something that is no verdict of its own, because forward did or because of a NaN; they
count as not accepted. *Evaluations* are the median calls of forward for a correct gradient.

False alarms by the kind of function:

{kinds}

What they say, and how they were asked:

{traits}

Every forward is a numpy function, handed to torch, JAX and autograd as a custom function with its
backward pass, and its point in float64. The tolerances are the defaults, since those are what
people have; torch and JAX chose theirs to test derivatives of their own well-behaved functions,
and an error of 0.1% in one entry is within torch's `rtol` by design. scipy's function only returns
a norm, and numdifftools and jacobi only derivatives: there the comparison is the one that users
write. Where tools draw random directions, the seed is fixed.

To run it again, with the dependency group `rivals` installed:

```bash
python -m tests.benchmarks.rivals
```

{versions}
"""


def comparison_page(
    rivals: Sequence[Rival], attempts: Sequence[ToolAnswer], *, families: int, seeds: int
) -> str:
    """Return the page.

    Parameters
    ----------
    rivals : sequence of Rival
        The tools that were asked.
    attempts : sequence of ToolAnswer
        What they said.
    families, seeds : int
        How many families were drawn from, and how often each.
    """
    return PAGE.format(
        sample=_sample(attempts, families, seeds),
        counts="\n".join(count_table(rivals, attempts)),
        kinds="\n".join(false_alarm_table(rivals, attempts)),
        traits="\n".join(settings_table(rivals)),
        versions=textwrap.fill(f"{', '.join(_versions(rivals))}.", WIDTH),
    )


def _sample(attempts: Sequence[ToolAnswer], families: int, seeds: int) -> str:
    own = [attempt for attempt in attempts if attempt.rival == attempts[0].rival]
    text = (
        f"These are {families} families at {seeds} random points each: {len(correct(own)):,} "
        f"correct claims, {len(visible(coarse(own))):,} that are wrong by 0.1% or more of one "
        f"entry, and {len(visible(fine(own))):,} by about 1e-4."
    )
    return textwrap.fill(text, WIDTH)


def _versions(rivals: Sequence[Rival]) -> Iterator[str]:
    """Yield everything that has a version, with it."""
    yield f"Python {platform.python_version()}"
    for package in dict.fromkeys(["numpy", *(rival.package for rival in rivals)]):
        if package:
            yield f"{package} {version(package)}"
