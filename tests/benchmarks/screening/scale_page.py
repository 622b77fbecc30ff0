"""What fast mode does at scale, as a page of the docs.

Its parts are made by different commands: one is replaced, the others kept. It must not check a
gradient or count; it puts tables into words.
"""

from __future__ import annotations

import platform
import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version

from tests.benchmarks.screening.gradient_mistakes import NOTHING
from tests.benchmarks.screening.hard_cases import UNSEEN
from tests.benchmarks.screening.mistake_results import MistakeResult
from tests.benchmarks.screening.mistake_tables import mistake_table, other_outcomes_table
from tests.benchmarks.screening.tool_measurements import LIMIT, PATIENCE

__all__ = ["MISSING", "hard_part", "mistakes_part", "parts", "rewritten", "tools_part"]

WIDTH = 99

#: Where a part begins and ends.
PART = re.compile(r"<!-- (?P<name>\w+) -->\n(?P<text>.*?)\n<!-- end -->", re.DOTALL)

#: The parts, in the order of the page.
NAMES = ("mistakes", "hard", "rivals", "large")

#: What stands for a part that no command has made yet.
MISSING = "Not run yet."

PAGE = """\
# At a million parameters

What [fast mode](../how-to/large.md) costs, and what it finds.

## Every kind of mistake

Four networks with hand-written backward passes: a perceptron of 784, 1000, 200 and 10 units, with
987,210 parameters, and one with layer normalisation and residual connections, with 987,280; each
with ReLU and with tanh, on a batch of 32. For every seed their weights and batch are drawn anew,
and so are the mistake, made in the otherwise correct gradient, and the directions of the check.

Entries that are made wrong have a true gradient that is not zero, and at least a tenth of the
median of those of its parameter that are not: below that an error of 0.1% can be smaller than what
the loss shows in float64. A parameter is drawn first, so that a bias of ten is as likely as a
matrix of 784,000, then an entry in it, and the row or column around it where that is the mistake;
scattered entries are drawn from all. The opposite pair is in one parameter: half of an entry is
added to it and taken from another.

*Called wrong* are checks whose verdict that is; *named exactly* those whose report names all that
is wrong, whether by entry, row, column or parameter, and nothing else; *innocents named* those
that name anything else. Evaluations are calls of the loss. Every other outcome is listed below its
table. Each parameter's report says how large an error of one entry must be to be seen, and that
*at least* these are wrong where the search ended early; of what is not named, the list counts
what is larger than the report says.

<!-- mistakes -->
{mistakes}
<!-- end -->

To run it again:

```bash
python -m tests.benchmarks.screening mistakes
```

## Hard places

Models in which an entry is easily overlooked. It is 1% off: of itself or, where that is more, of
the median of those of its parameter that are not zero. Model, entry and directions are drawn anew
for every seed, and each model is checked with nothing wrong as well.

- *smallest bias*: an entry of the bias of 10 of a perceptron of 784, 300, 100 and 10 units;
- *a dead unit*: an entry of a weight or bias of a ReLU that is off for the whole batch. Its true
  gradient is zero. Backward says something else, as it does when it forgets the mask; or it
  multiplies the zero, which changes nothing that anyone could see at this point;
- *last entry of the last array*: a matrix, of a residual network of 90,080 parameters;
- *a scalar among matrices*: a parameter without axes beside two of 30,000 entries;
- *one of 120 arrays*: any entry of any array of a perceptron of 60 layers of 20 units;
- *one array of a million*: any entry of one vector of 1,000,000;
- *arrays of 1 to 5 axes*: any entry of a vector of 40, a matrix, or an array of 3, 4 or 5 axes,
  which has 15,120 entries; then the last entry of one of them.

<!-- hard -->
{hard}
<!-- end -->

To run it again:

```bash
python -m tests.benchmarks.screening hard
```

## Beside other tools

The same functions of one vector, with their gradients, put to every tool in one run: the loss of a
perceptron with tanh of 10, 1,000, 100,000 and 987,210 parameters, and a chain of 10,000,000 that
is evaluated in blocks. Tools are [asked as there](comparison.md), with the tolerances that are
their defaults. Ours is asked with its defaults, too: a sweep of up to 5,000 entries, a screen
beyond. scipy is asked for all entries, and with `direction="random"` for one direction; its error
passes below a millionth of the gradient's norm.

At each of up to five points the correct gradient is claimed, and five wrong ones: one entry 1%
off, one entry 0.1% off, one entry's sign, an opposite pair, everything x 2; drawn as above. A tool
is asked about them in that order until {patience:.0f} s are over. One that would take more than
{limit:.0f} s for a single one is *not asked*; the table says how many evaluations it would need,
and how long these and what it does beside them would take, by what it took at the size before.
*Late* are wrong gradients to which it had no answer after {limit:.0f} s: once torch's fast mode
finds a difference it repeats the check in slow mode, to say more.

*False alarms* are correct gradients that a tool does not accept, and *wrong ones caught* wrong
ones that it does not. *Names what is wrong* counts, of ours, the reports that name all wrong
entries and no other; of others it says what their message has. Our report says how large an error
of one entry must be to be seen: among ten million, more than 0.1% of most. Memory is by how much
the process grows at the peak, as the system counts it, in vectors of all parameters in float64:
beyond the function, the point and the claim. Each tool has a process of its own. It includes what
it takes to hand a numpy function to a tool: one vector, mostly. Of few parameters it is left out:
any process grows by more. Of the time only the ratio means something, and that roughly.

<!-- rivals -->
{rivals}
<!-- end -->

To run it again, with the dependency group `rivals` installed:

```bash
python -m tests.benchmarks.screening rivals
```

## Ten million parameters

The chain once more, for ours alone. Memory is beyond the user's own point, claim and function, at
the peak, in vectors of all entries in float64: as `tracemalloc` counts what Python and numpy
allocate, and by how much a fresh process grows. Where entries are few, that is more by what
Python itself needs.

<!-- large -->
{large}
<!-- end -->

To run it again:

```bash
python -m tests.benchmarks.screening large
```
"""

#: What is said before the tables of a type, with the number of seeds.
HEADINGS: Mapping[str, str] = {
    "float64": "In float64, {seeds} for each of the four networks:",
    "float32": (
        "With parameters in float32, and the gradient computed in float32 with all its rounding, "
        "{seeds} for each of the four networks. The loss is measured in float64, and a "
        "claim's own rounding is allowed for, which can hide an error of a small entry:"
    ),
}


def parts(text: str) -> dict[str, str]:
    """Return the parts of a page by name."""
    return {found["name"]: found["text"] for found in PART.finditer(text)}


def rewritten(text: str, **made: str) -> str:
    """Return the page with parts that were made, and the others as they are in `text`."""
    known = {**dict.fromkeys(NAMES, MISSING), **parts(text), **made}
    return PAGE.format(limit=LIMIT, patience=PATIENCE, **known)


def mistakes_part(trials: Sequence[MistakeResult]) -> str:
    """Return the tables of a run of trials."""
    kinds = dict.fromkeys(trial.dtype for trial in trials)
    texts = [_of_kind(kind, [t for t in trials if t.dtype == kind]) for kind in kinds]
    return "\n\n".join([*texts, _versions(["numpy", "pytest-gradcheck"])])


def _of_kind(kind: str, trials: Sequence[MistakeResult]) -> str:
    seeds = len({trial.seed for trial in trials})
    heading = _filled(HEADINGS[kind].format(seeds=_seeds(seeds)))
    return "\n".join([heading, "", *mistake_table(trials), "", *other_outcomes_table(trials)])


def hard_part(trials: Sequence[MistakeResult]) -> str:
    """Return the table of the hard places."""
    places = [trial for trial in trials if trial.mistake != NOTHING]
    correct = [trial for trial in trials if trial.mistake == NOTHING]
    unseen = [trial for trial in places if trial.mistake == UNSEEN]
    seeds = len({trial.seed for trial in trials})
    said = sum(trial.unseen > 0 for trial in unseen)
    note = (
        f"Of a factor of what is zero, {said} of {len(unseen)} reports say that errors there are "
        "unseen."
    )
    return "\n".join(
        [
            f"In float64, {_seeds(seeds)} for each:",
            "",
            *mistake_table([*places, *correct], "place"),
            "",
            *other_outcomes_table([*places, *correct]),
            "",
            _filled(note),
            "",
            _versions(["numpy", "pytest-gradcheck"]),
        ]
    )


def tools_part(lines: Iterable[str], packages: Sequence[str]) -> str:
    """Return tables of tools, and what they come in."""
    return "\n".join([*lines, "", _versions(["numpy", *packages])])


def _versions(packages: Sequence[str]) -> str:
    each = [f"{package} {version(package)}" for package in dict.fromkeys(packages)]
    return _filled(f"Python {platform.python_version()}, {', '.join(each)}.")


def _seeds(count: int) -> str:
    return "1 seed" if count == 1 else f"{count} seeds"


def _filled(text: str) -> str:
    return textwrap.fill(text, WIDTH)
