"""An array subclass for numerical derivatives that records what they are compared with.

A suite computes a numerical derivative and compares it with the derivative that its code claims.
The claim is the other operand of a subtraction or of `numpy.isclose`, which the functions of
`numpy.testing` use as well. Before that the derivative may be indexed or reshaped. The module does
not know who computed the derivative.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["TrackedDerivative", "track_comparisons"]

#: ``on_comparison(entries, claim)``: called with the entries of the derivative that are compared,
#: and with the other operand.
OnComparison = Callable[[NDArray[np.intp], NDArray[Any]], object]

#: Functions that rearrange entries and do not change them.
REARRANGING_FUNCTIONS = {
    np.atleast_1d,
    np.atleast_2d,
    np.diag,
    np.ravel,
    np.reshape,
    np.squeeze,
    np.transpose,
}

#: Functions that compare two arrays.
COMPARING_FUNCTIONS = {np.allclose, np.array_equal, np.isclose}

#: Methods that rearrange or copy entries.
REARRANGING_METHODS = (
    "copy",
    "flatten",
    "ravel",
    "reshape",
    "squeeze",
    "transpose",
    "diagonal",
    "swapaxes",
)


class TrackedDerivative(np.ndarray[Any, Any]):
    """A numerical derivative whose entries know their index in the flat claim.

    Attributes
    ----------
    entries : array of int or None
        The index of each entry; None for the result of a computation.
    on_comparison : callable or None
        Called at each comparison.
    """

    entries: NDArray[np.intp] | None
    on_comparison: OnComparison | None

    def __array_finalize__(self, other: Any) -> None:
        """Track nothing, until `track_comparisons` sets the attributes."""
        self.entries = self.on_comparison = None

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **named: Any) -> Any:
        """Record the operands of a subtraction; the result of a computation is not tracked."""
        if ufunc is np.subtract and method == "__call__":
            _record(*inputs)
        result = getattr(ufunc, method)(*map(_plain, inputs), **_plain(named))
        return result.view(TrackedDerivative) if type(result) is np.ndarray else result

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        """Rearrange the entries, or record a comparison; else behave like an ordinary array."""
        if func in REARRANGING_FUNCTIONS and isinstance(args[0], TrackedDerivative):
            return _rearranged(args[0], lambda a: func(a, *args[1:], **kwargs))
        if func in COMPARING_FUNCTIONS and len(args) > 1:
            _record(args[0], args[1])
        return func(*_plain(args), **_plain(kwargs))

    def __getitem__(self, key: Any) -> Any:
        """Return a part whose entries keep their index."""
        return _rearranged(self, lambda a: a[_plain(key)])

    @property
    def T(self) -> Any:  # noqa: N802  # numpy's name
        """Return the transpose."""
        return _rearranged(self, lambda a: a.T)


def _rearranging_method(name: str) -> Callable[..., Any]:
    def method(self: TrackedDerivative, *given: Any, **named: Any) -> Any:
        return _rearranged(self, lambda a: getattr(a, name)(*given, **named))

    return method


for _name in REARRANGING_METHODS:
    setattr(TrackedDerivative, _name, _rearranging_method(_name))


def track_comparisons(
    derivative: NDArray[Any], entries: NDArray[np.intp], on_comparison: OnComparison | None
) -> NDArray[Any]:
    """Return a derivative that reports what it is compared with.

    Parameters
    ----------
    derivative : array
        The numerical derivative.
    entries : array of int
        The index of each of its entries in the flat claim, of the same shape.
    on_comparison : callable
        Called at each comparison with the entries compared, and with the other operand in their
        shape.

    Returns
    -------
    array
        Equal to `derivative`.
    """
    tracked = np.asarray(derivative).view(TrackedDerivative)
    tracked.entries, tracked.on_comparison = entries, on_comparison
    return tracked


def _rearranged(tracked: TrackedDerivative, rearrange: Callable[[Any], Any]) -> Any:
    values = np.asarray(rearrange(np.asarray(tracked)))
    if tracked.entries is None:
        return values.view(TrackedDerivative)
    entries = np.asarray(rearrange(tracked.entries))
    return track_comparisons(values, entries, tracked.on_comparison)


def _plain(given: Any) -> Any:
    """Return arguments with tracked derivatives replaced by ordinary arrays."""
    if isinstance(given, TrackedDerivative):
        return given.view(np.ndarray)
    if isinstance(given, tuple | list):
        return type(given)(map(_plain, given)) if type(given) in {tuple, list} else given
    return {k: _plain(v) for k, v in given.items()} if type(given) is dict else given


def _record(one: Any, other: Any, *_: Any) -> None:
    if isinstance(one, TrackedDerivative) == isinstance(other, TrackedDerivative):
        return  # a comparison of two numerical derivatives is no claim
    tracked, claim = (one, other) if isinstance(one, TrackedDerivative) else (other, one)
    claim = np.asarray(claim)
    if tracked.entries is None or tracked.on_comparison is None or claim.dtype.kind not in "biuf":
        return
    if claim.size == tracked.size:
        tracked.on_comparison(tracked.entries, claim.reshape(tracked.shape))
    elif claim.ndim == 0:
        tracked.on_comparison(tracked.entries, np.broadcast_to(claim, tracked.shape))
