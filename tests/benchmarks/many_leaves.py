"""The costs of a check of very many small arrays, in each structure of parameters.

``python -m tests.benchmarks.many_leaves`` prints the processor time and the calls of forward of a
check of 1,000 and of 10,000 arrays of three numbers; and of a check of one array beside a dict of
as many numbers, and of a million, which is not checked. Forward is a sum over all arrays. In a
full check it would take most of the time, so there it is a function of two arrays. With
``--write`` the table goes to the docs.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from pytest_gradcheck import check_gradient
from tests.benchmarks.docs_page import markdown_table, replace_section, version_line
from tests.benchmarks.fixed_price import PAGE

COUNTS = (1_000, 10_000)
MILLION = 1_000_000

#: The option ``max_evaluations`` with which every entry is measured.
NO_LIMIT = 10**6


@dataclass(frozen=True)
class Check:
    """The arguments of a check: forward, backward, forward's arguments, and options."""

    forward: Callable[..., Any]
    backward: Callable[..., Any]
    args: tuple[Any, ...]
    options: dict[str, Any]


def arrays(count: int) -> list[Any]:
    """Return `count` random arrays of three numbers."""
    return list(np.random.default_rng(0).normal(size=(count, 3)))


def total(parts: list[Any]) -> float:
    """Return the sum of all squares."""
    flat = np.concatenate(parts)
    return float(flat @ flat)


def in_a_list(count: int) -> Check:
    """Return a check of a list."""
    return Check(total, lambda p: [2 * a for a in p], (arrays(count),), {"mode": "fast"})


def in_a_dict(count: int) -> Check:
    """Return a check of a dict."""
    named = {f"w{k}": a for k, a in enumerate(arrays(count))}
    return Check(
        lambda p: total(list(p.values())),
        lambda p: {name: 2 * a for name, a in p.items()},
        (named,),
        {"mode": "fast"},
    )


def in_layers(count: int) -> Check:
    """Return a check of a list of dicts of two."""
    every = arrays(count)
    layers = [{"W": W, "b": b} for W, b in zip(every[::2], every[1::2], strict=True)]
    return Check(
        lambda p: total([a for layer in p for a in layer.values()]),
        lambda p: [{name: 2 * a for name, a in layer.items()} for layer in p],
        (layers,),
        {"mode": "fast"},
    )


def as_arguments(count: int) -> Check:
    """Return a check of arrays that are arguments of their own."""
    return Check(
        lambda *p: total(list(p)),
        lambda *p: tuple(2 * a for a in p),
        tuple(arrays(count)),
        {"mode": "fast"},
    )


def as_numbers(count: int) -> Check:
    """Return a check of a dict of Python floats."""
    return Check(
        lambda p: sum(v * v for v in p.values()),
        lambda p: {name: 2 * v for name, v in p.items()},
        ({f"w{k}": float(a[0]) for k, a in enumerate(arrays(count))},),
        {"mode": "fast"},
    )


def every_entry(count: int) -> Check:
    """Return a full check of a list, with a function of two of its arrays."""
    return Check(
        lambda p: float(p[0] @ p[0] + p[-1] @ p[-1]),
        lambda p: [2 * p[0], *map(np.zeros_like, p[1:-1]), 2 * p[-1]],
        (arrays(count),),
        {"mode": "full", "max_evaluations": NO_LIMIT},
    )


def beside_numbers(count: int) -> Check:
    """Return a check of one array beside a dict of numbers that is not checked."""
    return Check(
        lambda x, table: float(x @ x) * table[1],
        lambda x, table: 2 * x * table[1],
        (np.arange(3.0), {k: float(k) for k in range(count)}),
        {"wrt": "x"},
    )


CHECKS: dict[str, tuple[Callable[[int], Check], tuple[int, ...]]] = {
    "in a list": (in_a_list, COUNTS),
    "in a dict": (in_a_dict, COUNTS),
    "in a list of dicts of two": (in_layers, COUNTS),
    "as arguments": (as_arguments, COUNTS),
    "a dict of Python's floats": (as_numbers, COUNTS),
    "in a list, full": (every_entry, COUNTS),
    "one array beside a dict of numbers": (beside_numbers, (*COUNTS, MILLION)),
}


def table_row(name: str, check: Check, count: int) -> list[str]:
    """Run a check, and return its row."""
    start = time.process_time()
    report = check_gradient(check.forward, check.backward, *check.args, **check.options)
    seconds = time.process_time() - start
    if report.verdict != "correct":
        raise ValueError(f"{name}, {count:,}: {report.verdict}")
    return [name, f"{count:,}", f"{report.evaluations:,}", f"{seconds:.2g}"]


def section_lines() -> Iterator[str]:
    """Yield the lines of the section."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some gradients are zero on purpose
        rows = [
            table_row(name, make(count), count)
            for name, (make, counts) in CHECKS.items()
            for count in counts
        ]
    yield from markdown_table(
        ["small arrays", "how many", "calls of forward", "seconds of processor time"], rows
    )
    yield ""
    yield version_line(["numpy", "pytest-gradcheck"])


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="The costs of very many small arrays.")
    parser.add_argument("--write", action="store_true", help="write the docs, too")
    lines = list(section_lines())
    print("\n".join(lines))
    if parser.parse_args().write:
        replace_section(PAGE, "many_leaves", lines)


if __name__ == "__main__":
    main()
