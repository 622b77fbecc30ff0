"""Objects of small autodiff engines, which hold their numbers and their gradient as attributes.

They are the values of micrograd, the tensors of teaching engines and the variables of Chainer: an
object has ``data`` and ``grad``, and its method ``backward()`` accumulates the gradients of all
that it was computed from.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["GradientObjects", "accumulated_gradients", "is_gradient_object"]

#: Types of numbers that an object may hold instead of an array.
NUMBERS = (int, float, complex)


def is_gradient_object(value: Any) -> bool:
    """Return whether a value is an object that holds numbers and their gradient.

    Examples
    --------
    >>> class Value:
    ...     def __init__(self, data):
    ...         self.data, self.grad = data, 0.0
    ...
    ...     def backward(self): ...
    >>> is_gradient_object(Value(1.0)), is_gradient_object(np.ones(2))
    (True, False)
    """
    if not callable(getattr(type(value), "backward", None)) or not hasattr(value, "grad"):
        return False
    data = getattr(value, "data", None)
    return isinstance(data, (np.ndarray, np.generic, *NUMBERS)) and not isinstance(data, bool)


class GradientObjects:
    """The `ArrayLibrary` of such objects.

    Parameters
    ----------
    noun : str
        The name of their class.
    """

    def __init__(self, noun: str) -> None:
        self.noun = noun

    def to_numpy(self, array: Any) -> NDArray[Any]:
        """Return the numbers."""
        return np.asarray(array.data)

    def from_numpy(self, array: NDArray[Any], like: Any) -> Any:
        """Return a new object of the class, which was computed from nothing.

        Its constructor takes the numbers first; where that fails, it is a copy.
        """
        try:
            made = type(like)(_numbers_like(array, like.data))
            is_made = np.array_equal(made.data, array)
        except Exception:  # noqa: BLE001  # whatever the user's constructor raises
            is_made = False
        return made if is_made else self.parameter(array, like)

    def parameter(self, array: NDArray[Any], like: Any) -> Any:
        """Return a copy of an object, with its settings, other numbers and no gradient."""
        made = copy.copy(like)
        _set(made, array, like.data)
        return made

    def copy(self, array: Any) -> Any:
        """Return a copy."""
        return self.parameter(np.asarray(array.data), array)

    def writer(self, array: Any) -> Callable[[NDArray[Any]], Any]:
        """Return what gives an object other numbers, and resets its gradient."""
        before = array.data

        def write(entries: NDArray[Any]) -> Any:
            _set(array, entries, before)
            return array

        return write

    def restorer(self, array: Any) -> Callable[[], None]:
        """Return what restores numbers and gradient."""
        data, gradient = array.data, array.grad
        kept = copy.deepcopy((data, gradient))

        def restore() -> None:
            for now, before in zip((data, gradient), kept, strict=True):
                if isinstance(now, np.ndarray) and now.flags.writeable:
                    now[...] = before
            array.data, array.grad = data, gradient

        return restore

    def short_rounding(self, array: Any) -> float:
        """Return 0: the numbers are those of NumPy or of Python."""
        del array
        return 0.0


def accumulated_gradients(
    function: Callable[[Sequence[Any]], Sequence[Any]],
    inputs: Sequence[Any],
    cotangents: Sequence[Any] | None,
) -> Sequence[Any]:
    """Return the gradients that ``backward()`` of the output of a function accumulates.

    Parameters
    ----------
    function : callable
        From a list of objects to one of outputs.
    inputs : sequence of objects
        What to differentiate by; their gradients are reset before.
    cotangents : sequence of objects or None
        Weights of the outputs, which are multiplied by them and summed; None for numbers that
        are only summed.

    Returns
    -------
    sequence of ndarray
        One for each input, zero where it has none.
    """
    for each in inputs:
        each.grad = _zero(each.grad)
    outputs = function(inputs)
    if cotangents is None:
        terms = list(outputs)
    else:
        weighted = [o * c for o, c in zip(outputs, cotangents, strict=True)]
        terms = [term.sum() if np.ndim(term.data) else term for term in weighted]
    sum(terms[1:], start=terms[0]).backward()
    return [
        np.zeros(np.shape(each.data)) if each.grad is None else np.asarray(_numbers(each.grad))
        for each in inputs
    ]


def _set(target: Any, entries: NDArray[Any], like: Any) -> None:
    """Give an object numbers of the kind that it had, and no gradient."""
    target.data = _numbers_like(entries, like)
    target.grad = _zero(target.grad)


def _numbers_like(entries: NDArray[Any], like: Any) -> Any:
    """Return a copy of numbers in the kind in which an object has them."""
    return entries.item() if isinstance(like, NUMBERS) else entries.copy()


def _zero(gradient: Any) -> Any:
    """Return what stands for no gradient: a zero of its kind, or None."""
    if isinstance(gradient, np.ndarray):
        return np.zeros_like(gradient)
    return type(gradient)(0) if isinstance(gradient, NUMBERS) else None


def _numbers(gradient: Any) -> Any:
    """Return the numbers of a gradient, which may be an object itself."""
    return gradient.data if is_gradient_object(gradient) else gradient
