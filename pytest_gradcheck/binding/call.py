"""The call of a check as the user wrote it, before anything is made of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Call"]


@dataclass(frozen=True, slots=True)
class Call:
    """What was asked: two functions, their arguments, and how to match them.

    Attributes
    ----------
    forward : callable
        The function differentiated.
    backward : callable or True
        The hand-written derivative; True where forward returns both.
    args : tuple
        Positional arguments of forward.
    kwargs : mapping
        Keyword arguments of forward.
    wrt : str, int or sequence of them, or None
        What is checked; None for every floating argument.
    backward_args : sequence of str or None
        The positional call of backward, stated outright.
    has_cache : bool or None
        Whether forward returns ``(output, cache)``; None to tell from backward.
    """

    forward: Callable[..., Any]
    backward: Callable[..., Any] | bool
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    wrt: str | int | Sequence[str | int] | None = None
    backward_args: Sequence[str] | None = None
    has_cache: bool | None = None
