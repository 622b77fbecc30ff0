"""Wrappers of the gradient checkers of numpy-based packages, which record the claims checked.

There are two kinds of checkers. One takes a function and its derivative. The other takes only a
function and returns a numerical derivative; there, the claim is what the result is compared with
later. A wrapper returns what the checker returns, and passes the claim on. It does not check it.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.benchmarks.suites.check_result import TimedFunction
from tests.benchmarks.suites.derivative_claim import DerivativeClaim
from tests.benchmarks.suites.tracked_derivative import track_comparisons

__all__ = ["CHECKERS", "Checker", "CheckerCall", "replace_checkers"]

Indices = NDArray[np.intp]

#: A call is made by a test if the name of the calling module contains this.
TEST_PACKAGE = ".tests."


@dataclass(frozen=True)
class CheckerCall:
    """A call of a suite's own checker.

    Attributes
    ----------
    checker : str
        The name of the checker.
    claim : DerivativeClaim
        The claim that it checks.
    evaluations, seconds : int, float
        Its calls of forward, and its seconds of processor time.
    """

    checker: str
    claim: DerivativeClaim
    evaluations: int
    seconds: float


@dataclass(frozen=True)
class Checker:
    """A function of a package that checks a derivative, or computes one numerically.

    Attributes
    ----------
    module, name : str
        The module that defines it, and its name there.
    forward, point, backward : str
        The names of its parameters for function, point and derivative; `backward` is empty where
        it only computes a derivative.
    layout : callable or None
        Transforms an array of shape ``(entries, *outputs)`` to the shape of its result; None
        where its result is elementwise.
    """

    module: str
    name: str
    forward: str
    point: str
    backward: str = ""
    layout: Callable[[Indices], Indices] | None = None


def _outputs_first(indices: Indices) -> Indices:
    return np.moveaxis(indices, 0, -1)


def _squeezed(indices: Indices) -> Indices:
    return indices.T if len(indices) == 1 else indices.squeeze().T


SCIPY = "scipy.optimize"
NUMDIFF = "statsmodels.tools.numdiff"

CHECKERS = {
    "sklearn": (
        Checker(SCIPY, "check_grad", "func", "x0", "grad"),
        Checker(SCIPY, "approx_fprime", "f", "xk", layout=_outputs_first),
        Checker(
            "sklearn.gaussian_process.kernels", "_approx_fprime", "f", "xk", layout=_outputs_first
        ),
    ),
    "scipy": (
        Checker(SCIPY, "check_grad", "func", "x0", "grad"),
        Checker(SCIPY, "approx_fprime", "f", "xk", layout=_outputs_first),
        Checker("scipy.optimize._numdiff", "check_derivative", "fun", "x0", "jac"),
        Checker(
            "scipy.optimize._numdiff", "approx_derivative", "fun", "x0", layout=_outputs_first
        ),
    ),
    "statsmodels": (
        Checker(SCIPY, "check_grad", "func", "x0", "grad"),
        Checker(SCIPY, "approx_fprime", "f", "xk", layout=_outputs_first),
        Checker(NUMDIFF, "approx_fprime", "f", "x", layout=_squeezed),
        Checker(NUMDIFF, "approx_fprime_cs", "f", "x", layout=np.transpose),
        Checker(NUMDIFF, "_approx_fprime_scalar", "f", "x"),
        Checker(NUMDIFF, "_approx_fprime_cs_scalar", "f", "x"),
    ),
}


def replace_checkers(checkers: Iterable[Checker], record: Callable[[CheckerCall], object]) -> None:
    """Replace checkers in all modules that have imported them, for the rest of the process.

    Parameters
    ----------
    checkers : iterable of Checker
        Checkers of packages that are installed.
    record : callable
        Called with every call of a checker by a test.
    """
    for checker in checkers:
        original = getattr(importlib.import_module(checker.module), checker.name)
        wrapped = _wrapped(checker, original, record)
        for module in list(sys.modules.values()):
            names = [name for name, value in vars(module).items() if value is original]
            for name in names:
                setattr(module, name, wrapped)


def _wrapped(
    checker: Checker, original: Callable[..., Any], record: Callable[[CheckerCall], object]
) -> Callable[..., Any]:
    signature = inspect.signature(original)

    @functools.wraps(original)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        caller = sys._getframe(1).f_globals.get("__name__", "")
        if TEST_PACKAGE not in caller:
            return original(*args, **kwargs)
        bound = signature.bind(*args, **kwargs)
        call = _InterceptedCall(checker, bound.arguments)
        timed = TimedFunction(bound.arguments[checker.forward])
        bound.arguments[checker.forward] = timed
        result = original(*bound.args, **bound.kwargs)
        seconds = timed.seconds
        if call.point is None:
            return result
        if checker.backward:
            record(CheckerCall(checker.name, call.claim_by_backward(), timed.calls, seconds))
            return result

        def on_comparison(entries: Indices, claimed: NDArray[Any]) -> None:
            claim = call.claim_by_comparison(
                entries, claimed, outputs, is_elementwise=is_elementwise
            )
            if claim is not None:
                record(CheckerCall(checker.name, claim, timed.calls, seconds))

        outputs = np.shape(timed.value)
        is_elementwise = checker.layout is None
        entries = call.entries(outputs)
        if not isinstance(result, np.ndarray) or entries.shape != result.shape:
            return result
        return track_comparisons(result, entries, on_comparison)

    return wrapper


class _InterceptedCall:
    """One call of a checker, as a function of a flat point.

    Parameters
    ----------
    checker : Checker
        The checker.
    arguments : mapping of str to Any
        Its arguments by name.

    Attributes
    ----------
    point : array or None
        The point in float64; None where it is not a vector of real numbers in that precision.
    bounds : tuple of two arrays, or None
        The bounds of the point, where there are finite ones.
    """

    def __init__(self, checker: Checker, arguments: Mapping[str, Any]) -> None:
        self.checker = checker
        self.args = _as_tuple(arguments.get("args", ()))
        self.kwargs = arguments.get("kwargs") or {}
        self._forward = arguments[checker.forward]
        self._backward: Any = arguments.get(checker.backward)
        point = np.atleast_1d(np.asarray(arguments[checker.point]))
        is_real = point.dtype.kind in "biuf" and point.ndim == 1 and point.dtype != np.float32
        self.point = point.astype(np.float64) if is_real else None
        self.bounds = self._finite_bounds(arguments.get("bounds"))
        self._recorded: set[tuple[bytes, bytes]] = set()

    def forward(self, x: NDArray[Any]) -> Any:
        """Return the value of the suite's function, as floats."""
        return np.asarray(self._forward(x, *self.args, **self.kwargs)).astype(float)[()]

    def backward(self, x: NDArray[Any]) -> Any:
        """Return the value of the suite's derivative, as a dense array."""
        claim = self._backward(x, *self.args, **self.kwargs)
        return claim.toarray() if hasattr(claim, "toarray") else claim

    def claim_by_backward(self) -> DerivativeClaim:
        """Return the claim of a checker that takes function and derivative."""
        assert self.point is not None
        outputs = np.shape(self.forward(self.point.copy()))

        def backward(x: NDArray[Any]) -> Any:
            return np.reshape(self.backward(x), (*outputs, x.size))

        return DerivativeClaim(self.forward, backward, self.point, bounds=self.bounds)

    def entries(self, outputs: tuple[int, ...]) -> Indices:
        """Return the index in the flat claim of each entry of the checker's result."""
        assert self.point is not None
        n = self.point.size
        if self.checker.layout is None:
            return np.arange(n)
        m = int(np.prod(outputs, dtype=int))
        indices = np.arange(m * n).reshape(m, n).T.reshape(n, *outputs)
        return self.checker.layout(indices)

    def claim_by_comparison(
        self,
        entries: Indices,
        claimed: NDArray[Any],
        outputs: tuple[int, ...],
        *,
        is_elementwise: bool,
    ) -> DerivativeClaim | None:
        """Return the claim of a test that compares part of a numerical derivative.

        Parameters
        ----------
        entries : array of int
            The indices of the part in the flat claim.
        claimed : array
            What the part is compared with, of the same shape.
        outputs : tuple of int
            The shape of forward's value.
        is_elementwise : bool
            Whether the derivative is a diagonal.

        Returns
        -------
        DerivativeClaim or None
            A claim about the entries and outputs of the part. None where the part is not a
            rectangle of the Jacobian, or where the claim was already returned.
        """
        assert self.point is not None
        key = entries.tobytes(), claimed.tobytes()
        if key in self._recorded or not claimed.size:
            return None
        self._recorded.add(key)
        order = np.argsort(entries, axis=None)
        flat, derivative = entries.ravel()[order], claimed.astype(float).ravel()[order]
        rows = np.unique(flat if is_elementwise else flat // self.point.size)
        columns = np.unique(flat if is_elementwise else flat % self.point.size)
        rectangle = columns.size if is_elementwise else rows.size * columns.size
        if np.unique(flat).size != flat.size or flat.size != rectangle:
            return None
        point = self.point

        def forward(z: NDArray[Any]) -> Any:
            x = point.astype(z.dtype)
            x[columns] = z
            value = np.asarray(self._forward(x, *self.args, **self.kwargs)).ravel()[rows]
            return value if outputs else value[0]

        shape = (columns.size,) if is_elementwise or not outputs else (rows.size, columns.size)
        bounds = self.bounds and (self.bounds[0][columns], self.bounds[1][columns])
        return DerivativeClaim(
            forward, lambda x: derivative.reshape(shape), point[columns], bounds=bounds
        )

    def _finite_bounds(self, bounds: Any) -> Any:
        if bounds is None or self.point is None:
            return None
        low, high = (
            np.broadcast_to(np.asarray(b, float), self.point.shape).copy()
            for b in _as_pair(bounds)
        )
        return (low, high) if np.isfinite(low).any() or np.isfinite(high).any() else None


def _as_pair(bounds: Any) -> tuple[Any, Any]:
    return (bounds.lb, bounds.ub) if hasattr(bounds, "lb") else tuple(bounds)


def _as_tuple(args: Any) -> tuple[Any, ...]:
    return args if isinstance(args, tuple) else (args,)
