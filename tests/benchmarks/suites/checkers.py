"""The checkers of numpy's world, each wrapped so that its questions become known.

Two kinds: those that take a function and its derivative, and those that only take a function and
return a numerical derivative, whose claim is what that is compared with later. A wrapper returns
what the checker returns. It must not ask ours; it hands questions on.
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

#: Where a call is made from a module with this in its name, a test makes it.
TESTS = ".tests."


@dataclass(frozen=True)
class CheckerCall:
    """A question as a suite's own checker met it.

    Attributes
    ----------
    checker : str
        Its name.
    question : DerivativeClaim
        The claim.
    evaluations, seconds : int, float
        What the checker took for it.
    """

    checker: str
    question: DerivativeClaim
    evaluations: int
    seconds: float


@dataclass(frozen=True)
class Checker:
    """A function of some package that checks a derivative, or computes one to check by.

    Attributes
    ----------
    home, name : str
        Its module, and what it is called there.
    forward, point, backward : str
        Its parameters for those; no backward where it only computes.
    layout : callable or None
        What it does with an array of the shape ``(entries, *outputs)`` to get its result's
        shape; None where its result is elementwise.
    """

    home: str
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


def replace_checkers(checkers: Iterable[Checker], take: Callable[[CheckerCall], object]) -> None:
    """Replace checkers wherever they have been imported, for the rest of the process.

    Parameters
    ----------
    checkers : iterable of Checker
        Of packages that can be imported.
    take : callable
        Takes every question.
    """
    for checker in checkers:
        original = getattr(importlib.import_module(checker.home), checker.name)
        wrapped = _wrapped(checker, original, take)
        for module in list(sys.modules.values()):
            names = [name for name, value in vars(module).items() if value is original]
            for name in names:
                setattr(module, name, wrapped)


def _wrapped(
    checker: Checker, original: Callable[..., Any], take: Callable[[CheckerCall], object]
) -> Callable[..., Any]:
    signature = inspect.signature(original)

    @functools.wraps(original)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        caller = sys._getframe(1).f_globals.get("__name__", "")
        if TESTS not in caller:
            return original(*args, **kwargs)
        given = signature.bind(*args, **kwargs)
        call = _Call(checker, given.arguments)
        timed = TimedFunction(given.arguments[checker.forward])
        given.arguments[checker.forward] = timed
        result = original(*given.args, **given.kwargs)
        seconds = timed.seconds
        if call.point is None:
            return result
        if checker.backward:
            take(CheckerCall(checker.name, call.given_claim(), timed.calls, seconds))
            return result

        def compared(entries: Indices, claim: NDArray[Any]) -> None:
            question = call.question_of(entries, claim, outputs, is_elementwise=elementwise)
            if question is not None:
                take(CheckerCall(checker.name, question, timed.calls, seconds))

        outputs = np.shape(timed.value)
        elementwise = checker.layout is None
        known = call.entries(outputs)
        if not isinstance(result, np.ndarray) or known.shape != result.shape:
            return result
        return track_comparisons(result, known, compared)

    return wrapper


class _Call:
    """One call of a checker: its function of a flat point.

    Parameters
    ----------
    checker : Checker
        Whose.
    given : mapping of str to Any
        Its arguments by name.
    """

    def __init__(self, checker: Checker, given: Mapping[str, Any]) -> None:
        self.checker = checker
        self.args = _tuple(given.get("args", ()))
        self.kwargs = given.get("kwargs") or {}
        self._forward = given[checker.forward]
        self._backward: Any = given.get(checker.backward)
        point = np.atleast_1d(np.asarray(given[checker.point]))
        is_real = point.dtype.kind in "biuf" and point.ndim == 1 and point.dtype != np.float32
        self.point = point.astype(np.float64) if is_real else None
        self.bounds = self._finite(given.get("bounds"))
        self._seen: set[tuple[bytes, bytes]] = set()

    def forward(self, x: NDArray[Any]) -> Any:
        """Return what the suite's function returns, as floats."""
        return np.asarray(self._forward(x, *self.args, **self.kwargs)).astype(float)[()]

    def backward(self, x: NDArray[Any]) -> Any:
        claim = self._backward(x, *self.args, **self.kwargs)
        return claim.toarray() if hasattr(claim, "toarray") else claim

    def given_claim(self) -> DerivativeClaim:
        """Return the question of a checker that takes both functions."""
        assert self.point is not None
        outputs = np.shape(self.forward(self.point.copy()))

        def backward(x: NDArray[Any]) -> Any:
            return np.reshape(self.backward(x), (*outputs, x.size))

        return DerivativeClaim(self.forward, backward, self.point, bounds=self.bounds)

    def entries(self, outputs: tuple[int, ...]) -> Indices:
        """Return which entry of the flat claim each of the result's is."""
        assert self.point is not None
        n = self.point.size
        if self.checker.layout is None:
            return np.arange(n)
        m = int(np.prod(outputs, dtype=int))
        places = np.arange(m * n).reshape(m, n).T.reshape(n, *outputs)
        return self.checker.layout(places)

    def question_of(
        self,
        entries: Indices,
        claim: NDArray[Any],
        outputs: tuple[int, ...],
        *,
        is_elementwise: bool,
    ) -> DerivativeClaim | None:
        """Return the question whether the claim is the derivative, of the part it is about.

        None where it is no rectangle of the Jacobian, or has been asked before.
        """
        assert self.point is not None
        key = entries.tobytes(), claim.tobytes()
        if key in self._seen or not claim.size:
            return None
        self._seen.add(key)
        order = np.argsort(entries, axis=None)
        flat, claimed = entries.ravel()[order], claim.astype(float).ravel()[order]
        rows = np.unique(flat if is_elementwise else flat // self.point.size)
        columns = np.unique(flat if is_elementwise else flat % self.point.size)
        whole = columns.size if is_elementwise else rows.size * columns.size
        if np.unique(flat).size != flat.size or flat.size != whole:
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
            forward, lambda x: claimed.reshape(shape), point[columns], bounds=bounds
        )

    def _finite(self, bounds: Any) -> Any:
        if bounds is None or self.point is None:
            return None
        low, high = (
            np.broadcast_to(np.asarray(b, float), self.point.shape).copy() for b in _pair(bounds)
        )
        return (low, high) if np.isfinite(low).any() or np.isfinite(high).any() else None


def _pair(bounds: Any) -> tuple[Any, Any]:
    return (bounds.lb, bounds.ub) if hasattr(bounds, "lb") else tuple(bounds)


def _tuple(args: Any) -> tuple[Any, ...]:
    return args if isinstance(args, tuple) else (args,)
