"""Checks of an elementwise function of a thousand to a million entries, by several tools.

``python -m tests.benchmarks.elementwise`` prints the evaluations, the time and the memory of a
check of ``tanh`` and its derivative, by the tools of the dependency group ``rivals``. It also
prints the verdicts on a derivative with one entry 0.1% off, and on a function one of whose
outputs depends on another entry as well, with a derivative of 0.001. Each tool has a process of
its own. It is run for ten times as many entries as long as that should take no more than a
minute. With ``--write`` the table goes to the docs.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks.docs_page import markdown_table, replace_section, version_line
from tests.benchmarks.fresh_process import peak_resident_memory, run_in_fresh_process
from tests.benchmarks.number_format import format_number, format_short_time

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "scale.md"

SIZES = (10**3, 10**4, 10**5, 10**6)

#: A tool is not run where that should take more seconds.
TIME_LIMIT = 60.0

#: The growth of the time for ten times as many entries, for a tool that moves every entry.
GROWTH = 100.0

PACKAGES = ("numpy", "pytest-gradcheck", "torch", "jax")

Function = Callable[[Any], Any]
Check = Callable[[Function, Function, Any], bool]


@dataclass
class Tanh:
    """The function, which counts its calls.

    Attributes
    ----------
    coupling : float
        The derivative of one output with respect to the last entry.
    calls : int
        The number of calls so far.
    """

    coupling: float = 0.0
    calls: int = 0

    def __call__(self, x: Any) -> Any:
        """Evaluate the function."""
        self.calls += 1
        y = np.tanh(x)
        if self.coupling:
            y[..., y.shape[-1] // 3] += self.coupling * x[..., -1]
        return y


def derivative(x: Any, factor: float = 1.0) -> Any:
    """Return the derivative of each entry, with one in the middle times a factor."""
    slopes = 1 - np.tanh(x) ** 2
    slopes[x.size // 2] *= factor
    return slopes


def ours(forward: Function, backward: Function, x: Any) -> bool:
    """Check by `check_gradient` with its defaults."""
    from pytest_gradcheck import check_gradient

    return check_gradient(forward, backward, x).passed


def with_torch(forward: Function, backward: Function, x: Any, *, fast: bool = False) -> bool:
    """Check by torch, as a custom `Function` that calls numpy."""
    import torch

    class Elementwise(torch.autograd.Function):
        """The function with its derivative."""

        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            """Evaluate the function."""
            ctx.save_for_backward(x)
            return torch.from_numpy(forward(x.numpy()))

        @staticmethod
        def backward(ctx: Any, *gradients: Any) -> Any:
            """Multiply by the derivative."""
            (x,) = ctx.saved_tensors
            return gradients[0] * torch.from_numpy(backward(x.numpy()))

    point = torch.from_numpy(x.copy()).requires_grad_()
    return bool(
        torch.autograd.gradcheck(
            Elementwise.apply, (point,), fast_mode=fast, raise_exception=False
        )
    )


def with_jax(forward: Function, backward: Function, x: Any) -> bool:
    """Check by jax, as a custom function that calls back to numpy."""
    import jax

    jax.config.update("jax_enable_x64", True)
    from jax.test_util import check_grads

    shape = jax.ShapeDtypeStruct(x.shape, x.dtype)

    @jax.custom_vjp
    def function(x: Any) -> Any:
        return jax.pure_callback(lambda x: forward(np.asarray(x)), shape, x)

    def pull(x: Any, gradient: Any) -> Any:
        slopes = jax.pure_callback(lambda x: backward(np.asarray(x)), shape, x)
        return (gradient * slopes,)

    function.defvjp(lambda x: (function(x), x), pull)
    try:
        check_grads(function, (x,), order=1, modes=["rev"])
    except AssertionError:
        return False
    return True


TOOLS: dict[str, Check] = {
    "pytest-gradcheck": ours,
    "torch gradcheck": with_torch,
    "torch gradcheck, fast mode": partial(with_torch, fast=True),
    "jax check_grads": with_jax,
}


@dataclass(frozen=True)
class ElementwiseMeasurement:
    """The costs of a tool for a right derivative, and whether it accepts three claims.

    Attributes
    ----------
    calls, seconds, bytes : int, float, int
        Calls of forward, seconds, and the growth of memory at its peak.
    right, scaled, coupled : bool
        Whether it accepts the right derivative, the one with an entry 0.1% off, and the one of
        the coupled function.
    """

    calls: int
    seconds: float
    bytes: int
    right: bool
    scaled: bool
    coupled: bool


def measure_tool(name: str, size: int) -> ElementwiseMeasurement:
    """Measure a tool; in a process of its own."""
    check, forward = TOOLS[name], Tanh()
    check(Tanh(), derivative, np.arange(3.0))  # what is imported at first use must not count
    x = np.random.default_rng(0).normal(size=size)
    start = time.perf_counter()
    right, peak = peak_resident_memory(lambda: check(forward, derivative, x))
    seconds = time.perf_counter() - start
    scaled = check(Tanh(), partial(derivative, factor=1.001), x)
    coupled = check(Tanh(coupling=1e-3), derivative, x)
    return ElementwiseMeasurement(forward.calls, seconds, peak, right, scaled, coupled)


def table_rows() -> Iterator[list[str]]:
    """Yield a row of the table for each tool and size."""
    for name in TOOLS:
        expected = 0.0
        for size in SIZES:
            if expected > TIME_LIMIT:
                yield [name, f"{size:,}", "not run", "-", "-", "-", "-", "-"]
                continue
            measured = run_in_fresh_process(measure_tool, name, size)
            growth = GROWTH if measured.calls > size else GROWTH**0.5
            expected = growth * measured.seconds
            verdicts = [
                "passes" if passed else "fails"
                for passed in (measured.right, measured.scaled, measured.coupled)
            ]
            memory = f"{format_number(measured.bytes / 2**20)} MB"
            yield [
                name,
                f"{size:,}",
                f"{measured.calls:,}",
                format_short_time(measured.seconds),
                memory,
                *verdicts,
            ]


def section_lines() -> Iterator[str]:
    """Yield the lines of the section."""
    headings = ["tool", "entries", "evaluations", "time", "memory", "right", "0.1% off", "coupled"]
    yield from markdown_table(headings, list(table_rows()))
    yield ""
    yield version_line(PACKAGES)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Elementwise functions of many entries.")
    parser.add_argument("--write", action="store_true", help="write the docs, too")
    lines = list(section_lines())
    print("\n".join(lines))
    if parser.parse_args().write:
        replace_section(PAGE, "elementwise", lines)


if __name__ == "__main__":
    main()
