"""How often right kernels of low precision are accused, and systematic errors are found.

``python -m tests.benchmarks.low_precision SEEDS`` prints a row for each type: the right kernels of
`tests.low_precision`, which compute in a longer type or in their own, with a reference alone or
with its backward; and kernels with each of the systematic errors. Every seed is another point.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable

from tests.low_precision.functions import FUNCTIONS
from tests.low_precision.kernels import ERRORS, TYPES, WIDER, Kernel, check


def accused(dtype: str, seeds: Iterable[int]) -> tuple[int, int]:
    """Return how many checks of right kernels fail, and how many there are."""
    failures = []
    for seed in seeds:
        for name, function in FUNCTIONS.items():
            for inside in (WIDER[dtype], TYPES[dtype]):
                for is_pair in (False, True):
                    kernel = Kernel(function, TYPES[dtype], inside)
                    report = check(kernel, seed=seed, is_pair=is_pair)
                    failures.append(bool(report.failures))
                    if report.failures:
                        print(f"accused: {name}, {dtype}, seed {seed}: {report.failures}")
    return sum(failures), len(failures)


def found(dtype: str, error: str, seeds: Iterable[int]) -> tuple[int, int]:
    """Return in how many wrong kernels the error is found, and how many there are."""
    verdicts = []
    for seed in seeds:
        for function in FUNCTIONS.values():
            kernel = Kernel(function, TYPES[dtype], WIDER[dtype], ERRORS[error])
            verdicts.append(check(kernel, seed=seed, is_pair=False).verdict)
    return verdicts.count("wrong"), len(verdicts)


def main() -> None:
    """Print the table."""
    seeds = range(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
    warnings.simplefilter("ignore")
    print("| type | right, accused | " + " | ".join(ERRORS) + " |")
    print("|---|---" + "|---" * len(ERRORS) + "|")
    for dtype in TYPES:
        counts = [accused(dtype, seeds), *(found(dtype, error, seeds) for error in ERRORS)]
        print(f"| {dtype} | " + " | ".join(f"{n} of {of}" for n, of in counts) + " |", flush=True)


if __name__ == "__main__":
    main()
