"""How often right kernels of low precision are accused, and systematic errors are found.

``python -m tests.benchmarks.low_precision SEEDS`` prints a row for each type, and for kernels that
compute in a longer type or in their own: how many right kernels of `tests.low_precision` are
accused, with a reference alone or with its backward; and in how many kernels with each of the
systematic errors one is found, in any parameter. Every seed is another point. The constants of the
rules were chosen while looking at smaller seeds, so that others are taken here.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable
from itertools import product
from typing import Any

from tests.low_precision.functions import FUNCTIONS
from tests.low_precision.kernels import ERRORS, TYPES, WIDER, Kernel, check

#: The first seed, which was not looked at while rules and constants were chosen.
FRESH = 2000


def accused(dtype: str, inside: Any, seeds: Iterable[int]) -> tuple[int, int]:
    """Return how many checks of right kernels fail, and how many there are."""
    failures = []
    for seed, (name, function), is_pair in product(seeds, FUNCTIONS.items(), (False, True)):
        report = check(Kernel(function, TYPES[dtype], inside), seed=seed, is_pair=is_pair)
        failures.append(bool(report.failures))
        if report.failures:
            print(f"accused: {name}, {dtype}, seed {seed}: {report.failures}")
    return sum(failures), len(failures)


def found(dtype: str, inside: Any, error: str, seeds: Iterable[int]) -> tuple[int, int]:
    """Return in how many wrong kernels the error is found, and how many there are."""
    verdicts = []
    for seed, function in product(seeds, FUNCTIONS.values()):
        kernel = Kernel(function, TYPES[dtype], inside, ERRORS[error])
        verdicts.append(check(kernel, seed=seed, is_pair=False).verdict)
    return verdicts.count("wrong"), len(verdicts)


def main() -> None:
    """Print the table."""
    seeds = range(FRESH, FRESH + (int(sys.argv[1]) if len(sys.argv) > 1 else 1))
    warnings.simplefilter("ignore")
    print("| type | computed in | right, accused | " + " | ".join(ERRORS) + " |")
    print("|---|---|---" + "|---" * len(ERRORS) + "|")
    for dtype, (where, kinds) in product(TYPES, {"longer": WIDER, "its own": TYPES}.items()):
        inside = kinds[dtype]
        counts = [accused(dtype, inside, seeds)]
        counts += [found(dtype, inside, error, seeds) for error in ERRORS]
        cells = " | ".join(f"{n} of {of}" for n, of in counts)
        print(f"| {dtype} | {where} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
