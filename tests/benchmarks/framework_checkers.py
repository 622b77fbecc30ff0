"""Functions of PyTorch and JAX by their own checkers and by ours, in one run.

``python -m tests.benchmarks.framework_checkers`` checks the derivatives that PyTorch and JAX have
for their own functions, in double precision, at random points: as they are, and with one entry of
the gradient that is 1%, or 0.1%, too large. `torch.autograd.gradcheck` and
`jax.test_util.check_grads` (of first order, in reverse mode) do so with their defaults, and
`check_gradient` with ``backward="torch"`` and ``"jax"``. It writes the table of
docs/how-to/frameworks.md.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import jax.scipy.special
import numpy as np
import torch
from jax.test_util import check_grads

from pytest_gradcheck import check_gradient
from tests.benchmarks.docs_page import markdown_table, replace_section

__all__ = ["Result", "check_all", "jax_functions", "torch_functions"]

PAGE = Path(__file__).parents[2] / "docs/how-to/frameworks.md"

#: By how much one entry is off.
ERRORS = (0.01, 0.001)

#: Functions by the interval of their arguments.
ANYWHERE = (-2.0, 2.0)
POSITIVE = (0.2, 3.0)
INSIDE = (-0.9, 0.9)
PROBABILITY = (0.1, 0.9)
ELEMENTWISE: dict[str, tuple[float, float]] = {
    **dict.fromkeys(
        [
            "sin",
            "cos",
            "tan",
            "exp",
            "expm1",
            "sinh",
            "cosh",
            "tanh",
            "arctan",
            "arcsinh",
            "square",
        ],
        ANYWHERE,
    ),
    **dict.fromkeys(["log", "log1p", "log2", "log10", "sqrt", "reciprocal"], POSITIVE),
    **dict.fromkeys(["arcsin", "arccos", "arctanh"], INSIDE),
}
ACTIVATIONS = [
    "relu",
    "sigmoid",
    "softplus",
    "elu",
    "gelu",
    "silu",
    "selu",
    "celu",
    "hard_tanh",
    "log_sigmoid",
    "softmax",
]
SPECIAL: dict[str, tuple[float, float]] = {
    **dict.fromkeys(["erf", "erfc", "i0", "i1", "ndtr", "log_ndtr"], ANYWHERE),
    **dict.fromkeys(["gammaln", "digamma"], POSITIVE),
    **dict.fromkeys(["logit", "entr", "ndtri"], PROBABILITY),
}

#: Functions of a whole matrix.
MATRIX = ["sum", "prod", "var", "std", "max", "min", "cumsum", "cumprod", "logsumexp", "sort"]
LINEAR_ALGEBRA = ["inv", "det", "norm", "cholesky", "solve"]

Function = Callable[..., Any]


@dataclass(frozen=True)
class Subject:
    """A function at a point."""

    name: str
    function: Function
    point: tuple[np.ndarray[Any, Any], ...]


@dataclass(frozen=True)
class Result:
    """What a checker says of one function: of its gradient as it is, and with errors.

    Attributes
    ----------
    checker, name : str
        The checker and the function.
    passes : bool
        Whether the right gradient passes.
    misses : tuple of bool
        Whether a wrong one does, for each of `ERRORS`.
    seconds : float
        Of all.
    """

    checker: str
    name: str
    passes: bool
    misses: tuple[bool, ...]
    seconds: float


def matrix(rng: np.random.Generator) -> np.ndarray[Any, Any]:
    """Return a well conditioned matrix with distinct entries."""
    return rng.uniform(0.3, 1.5, size=(3, 3)) + 3 * np.eye(3)


def jax_functions(rng: np.random.Generator) -> Iterator[Subject]:
    """Yield functions of JAX."""
    for name, interval in ELEMENTWISE.items():
        yield Subject(f"jnp.{name}", getattr(jnp, name), (rng.uniform(*interval, size=6),))
    for name in ACTIVATIONS:
        yield Subject(f"nn.{name}", getattr(jax.nn, name), (rng.uniform(*ANYWHERE, size=6),))
    for name, interval in SPECIAL.items():
        function = getattr(jax.scipy.special, name)
        yield Subject(f"special.{name}", function, (rng.uniform(*interval, size=6),))
    for name in MATRIX:
        function = jax.nn.logsumexp if name == "logsumexp" else getattr(jnp, name)
        yield Subject(f"jnp.{name}", function, (rng.normal(size=(3, 4)),))
    for name in LINEAR_ALGEBRA:
        point = (matrix(rng), rng.normal(size=(3, 2))) if name == "solve" else (matrix(rng),)
        function = getattr(jnp.linalg, name)
        if name == "cholesky":
            function = _of_symmetric(jnp.linalg.cholesky)
        yield Subject(f"linalg.{name}", function, point)


def torch_functions(rng: np.random.Generator) -> Iterator[Subject]:
    """Yield functions of PyTorch."""
    for name, interval in ELEMENTWISE.items():
        yield Subject(f"torch.{name}", getattr(torch, name), (rng.uniform(*interval, size=6),))
    for name in ACTIVATIONS:
        own = {"hard_tanh": "hardtanh", "log_sigmoid": "logsigmoid"}.get(name, name)
        function = getattr(torch.nn.functional, own)
        function = partial(function, dim=-1) if name == "softmax" else function
        yield Subject(f"functional.{own}", function, (rng.uniform(*ANYWHERE, size=6),))
    for name, interval in SPECIAL.items():
        function = getattr(torch.special, name)
        yield Subject(f"special.{name}", function, (rng.uniform(*interval, size=6),))
    for name in MATRIX:
        function = getattr(torch, name)
        if name in {"cumsum", "cumprod", "logsumexp"}:
            function = partial(function, dim=0)
        elif name == "sort":
            function = _first(torch.sort)
        yield Subject(f"torch.{name}", function, (rng.normal(size=(3, 4)),))
    for name in LINEAR_ALGEBRA:
        point = (matrix(rng), rng.normal(size=(3, 2))) if name == "solve" else (matrix(rng),)
        function = getattr(torch.linalg, name)
        if name == "cholesky":
            function = _of_symmetric(torch.linalg.cholesky)
        yield Subject(f"linalg.{name}", function, point)


def _first(function: Function) -> Function:
    return lambda x: function(x)[0]


def _of_symmetric(function: Function) -> Function:
    return lambda x: function(x @ x.T)


class TorchIdentity(torch.autograd.Function):  # type: ignore[misc]  # Any where it is missing
    """The identity, with a relative error in its derivative."""

    @staticmethod
    def forward(ctx: Any, x: Any, error: float) -> Any:
        """Return the argument."""
        ctx.error = error
        return x.clone()

    @staticmethod
    def backward(ctx: Any, gradient: Any) -> Any:
        """Return the product with the derivative, of which one entry is too large."""
        return _too_large(gradient, ctx.error), None


def torch_identity(error: float) -> Function:
    """Return the identity, with an error in its derivative."""
    return lambda x: TorchIdentity.apply(x, error)


def jax_identity(error: float) -> Function:
    """Return the identity, with an error in its derivative."""
    identity = jax.custom_vjp(lambda x: x)
    identity.defvjp(lambda x: (x, None), lambda _, gradient: (_too_large(gradient, error),))
    function: Function = identity
    return function


def _too_large(gradient: Any, error: float) -> Any:
    """Return a gradient whose largest entry has a relative error."""
    return gradient * (1 + error * (abs(gradient) == abs(gradient).max()))


def _with_error(function: Function, identity: Function) -> Function:
    return lambda first, *others: function(identity(first), *others)


def torch_passes(function: Function, point: Sequence[Any]) -> bool:
    """Return whether PyTorch's checker accepts the derivatives of a function."""
    tensors = [torch.tensor(array, requires_grad=True) for array in point]
    return bool(torch.autograd.gradcheck(function, tensors, raise_exception=False))


def jax_passes(function: Function, point: Sequence[Any]) -> bool:
    """Return whether JAX's checker accepts the derivatives of a function."""
    try:
        check_grads(function, tuple(map(jnp.asarray, point)), order=1, modes=["rev"])
    except AssertionError:
        return False
    return True


def ours_passes(package: str, array: Function, function: Function, point: Sequence[Any]) -> bool:
    """Return whether ours accepts them."""
    return check_gradient(function, package, *map(array, point)).passed


def check_all(
    checker: str,
    passes: Callable[[Function, Sequence[Any]], bool],
    identity: Callable[[float], Function],
    subjects: Sequence[Subject],
) -> list[Result]:
    """Return what a checker says of each function."""
    results = []
    for subject in subjects:
        started = time.perf_counter()
        is_right = passes(subject.function, subject.point)
        misses = tuple(
            passes(_with_error(subject.function, identity(error)), subject.point)
            for error in ERRORS
        )
        seconds = time.perf_counter() - started
        results.append(Result(checker, subject.name, is_right, misses, seconds))
    return results


def _row(results: Sequence[Result]) -> list[str]:
    count = len(results)
    alarms = sum(not result.passes for result in results)
    misses = [f"{sum(each)}" for each in zip(*(r.misses for r in results), strict=True)]
    seconds = sum(result.seconds for result in results)
    return [results[0].checker, f"{count}", f"{alarms}", *misses, f"{seconds:.1f}"]


def main() -> None:
    """Check all functions, print what differs, and write the table."""
    warnings.simplefilter("ignore")
    rows = []
    torch_subjects = list(torch_functions(np.random.default_rng(0)))
    with jax.enable_x64(True):
        jax_subjects = list(jax_functions(np.random.default_rng(0)))
        runs = (
            ("`torch.autograd.gradcheck`", torch_passes, torch_identity, torch_subjects),
            (
                'ours, `backward="torch"`',
                partial(ours_passes, "torch", torch.tensor),
                torch_identity,
                torch_subjects,
            ),
            ("`jax.test_util.check_grads`", jax_passes, jax_identity, jax_subjects),
            (
                'ours, `backward="jax"`',
                partial(ours_passes, "jax", jnp.asarray),
                jax_identity,
                jax_subjects,
            ),
        )
        for run in runs:
            results = check_all(*run)
            rows.append(_row(results))
            for result in results:
                if not result.passes or any(result.misses):
                    print(result)
    off = [f"passed, {error:.1%} off" for error in ERRORS]
    headings = ["checker", "functions", "right, called wrong", *off, "seconds"]
    lines = ["", *markdown_table(headings, rows), ""]
    print("\n".join(lines))
    replace_section(PAGE, "checkers", lines)


if __name__ == "__main__":
    main()
