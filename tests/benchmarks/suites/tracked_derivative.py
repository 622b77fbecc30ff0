"""Numerical derivatives that notice what they are compared with.

A suite computes one by some function of its package, and compares it with what its code claims:
that is the other side of a subtraction, of `numpy.isclose` or of whatever calls these, as
`numpy.testing` does. In between it may be indexed or reshaped. It must not know who computed it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["TrackedDerivative", "track_comparisons"]

#: Told of the entries of the derivative that were compared, and of the other side.
Compared = Callable[[NDArray[np.intp], NDArray[Any]], object]

#: Functions that move entries to other places and change none.
MOVING = {
    np.atleast_1d,
    np.atleast_2d,
    np.diag,
    np.ravel,
    np.reshape,
    np.squeeze,
    np.transpose,
}

#: Functions that compare.
COMPARING = {np.allclose, np.array_equal, np.isclose}

METHODS = ("copy", "flatten", "ravel", "reshape", "squeeze", "transpose", "diagonal", "swapaxes")


class TrackedDerivative(np.ndarray[Any, Any]):
    """A derivative, with the index of each of its entries in the claim it should equal."""

    entries: NDArray[np.intp] | None
    compared: Compared | None

    def __array_finalize__(self, other: Any) -> None:
        """Be a view that knows nothing, unless it is made below."""
        self.entries = self.compared = None

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **named: Any) -> Any:
        """Note what is subtracted; the result is no claim, whatever it is compared with."""
        if ufunc is np.subtract and method == "__call__":
            _notice(*inputs)
        result = getattr(ufunc, method)(*map(_plain, inputs), **_plain(named))
        return result.view(TrackedDerivative) if type(result) is np.ndarray else result

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        """Move along, note what is compared; otherwise be an ordinary array."""
        if func in MOVING and isinstance(args[0], TrackedDerivative):
            return _alike(args[0], lambda a: func(a, *args[1:], **kwargs))
        if func in COMPARING and len(args) > 1:
            _notice(args[0], args[1])
        return func(*_plain(args), **_plain(kwargs))

    def __getitem__(self, key: Any) -> Any:
        """Return entries that still know which they are."""
        return _alike(self, lambda a: a[_plain(key)])

    @property
    def T(self) -> Any:  # noqa: N802  # numpy's name
        """Return the transpose."""
        return _alike(self, lambda a: a.T)


def _mover(name: str) -> Callable[..., Any]:
    def move(self: TrackedDerivative, *given: Any, **named: Any) -> Any:
        return _alike(self, lambda a: getattr(a, name)(*given, **named))

    return move


for _name in METHODS:
    setattr(TrackedDerivative, _name, _mover(_name))


def track_comparisons(
    derivative: NDArray[Any], entries: NDArray[np.intp], compared: Compared | None
) -> NDArray[Any]:
    """Return a derivative that tells `compared` what it is compared with.

    Parameters
    ----------
    derivative : array
        As it was computed.
    entries : array of int
        Of its shape: which entry of the flat claim each of its entries is.
    compared : callable
        Told of each comparison: the entries, and the other side in their shape.

    Returns
    -------
    array
        Equal to `derivative`.
    """
    found = np.asarray(derivative).view(TrackedDerivative)
    found.entries, found.compared = entries, compared
    return found


def _alike(own: TrackedDerivative, move: Callable[[Any], Any]) -> Any:
    moved = np.asarray(move(np.asarray(own)))
    if own.entries is None:
        return moved.view(TrackedDerivative)
    return track_comparisons(moved, np.asarray(move(own.entries)), own.compared)


def _plain(given: Any) -> Any:
    if isinstance(given, TrackedDerivative):
        return given.view(np.ndarray)
    if isinstance(given, tuple | list):
        return type(given)(map(_plain, given)) if type(given) in {tuple, list} else given
    return {k: _plain(v) for k, v in given.items()} if type(given) is dict else given


def _notice(one: Any, other: Any, *_: Any) -> None:
    if isinstance(one, TrackedDerivative) == isinstance(other, TrackedDerivative):
        return  # two numerical derivatives claim nothing
    own, claim = (one, other) if isinstance(one, TrackedDerivative) else (other, one)
    claim = np.asarray(claim)
    if own.entries is None or own.compared is None or claim.dtype.kind not in "biuf":
        return
    if claim.size == own.size:
        own.compared(own.entries, claim.reshape(own.shape))
    elif claim.ndim == 0:
        own.compared(own.entries, np.broadcast_to(claim, own.shape))
