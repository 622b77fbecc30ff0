"""The arguments of forward by name: what was passed, how, and what was left at its default.

`bind_arguments` is `inspect.Signature.bind` with each variadic argument under a name of its own,
and for functions without a signature as well. It does not look inside the values.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import CodeType, FunctionType, MethodType
from typing import Any, TypeGuard
from weakref import WeakKeyDictionary

from pytest_gradcheck.binding.call.decorators import (
    unsupplied_signature,
    wrapper_signature,
)
from pytest_gradcheck.binding.values.user_attributes import attribute, has_attribute
from pytest_gradcheck.errors import GradcheckUsageError
from pytest_gradcheck.integrations.torch_tensors import called_signature
from pytest_gradcheck.report.inert_text import shortened
from pytest_gradcheck.report.representation import listed, shown, type_name

__all__ = [
    "BoundArguments",
    "accepts",
    "bind_arguments",
    "is_ufunc",
    "name_of",
    "readable",
    "signature_of",
]

#: Signatures of plain functions by their code object, which is the same when a test defines the
#: function again.
_BY_CODE: WeakKeyDictionary[CodeType, Signature] = WeakKeyDictionary()


class Signature(inspect.Signature):
    """A signature that is written without annotations, and with defaults as short text."""

    def __str__(self) -> str:
        parameters = [
            parameter.replace(
                annotation=parameter.empty,
                default=parameter.default
                if parameter.default is parameter.empty
                else _Text(shown(parameter.default)),
            )
            for parameter in self.parameters.values()
        ]
        return shortened(str(inspect.Signature(parameters)))


@dataclass(frozen=True, slots=True)
class _Text:
    """Text that represents itself."""

    text: str

    def __repr__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class BoundArguments:
    """The arguments of one call of forward.

    Attributes
    ----------
    names : tuple of str
        How each argument is written: ``x``; ``args[0]`` where forward has no name for it.
    values : tuple
        Their values.
    keywords : tuple of (str or None)
        The keyword by which each is passed, None for positional ones.
    defaulted : frozenset of str
        Names of those left at their defaults: they have a value but are not passed.
    """

    names: tuple[str, ...]
    values: tuple[Any, ...]
    keywords: tuple[str | None, ...]
    defaulted: frozenset[str]

    @property
    def positional(self) -> tuple[str, ...]:
        """Names of the arguments passed by position."""
        pairs = zip(self.names, self.keywords, strict=True)
        return tuple(name for name, keyword in pairs if keyword is None)

    def passed(self) -> dict[str, Any]:
        """Return the arguments that were not left at their defaults."""
        pairs = zip(self.names, self.values, strict=True)
        return {name: value for name, value in pairs if name not in self.defaulted}

    def pack(self, values: Sequence[Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return `values`, in the order of `names`, as positional and keyword arguments.

        Defaulted arguments are left out, unless their value was replaced.
        """
        args: list[Any] = []
        kwargs: dict[str, Any] = {}
        for name, keyword, old, new in zip(
            self.names, self.keywords, self.values, values, strict=True
        ):
            if name in self.defaulted and new is old:
                continue
            if keyword is None:
                args.append(new)
            else:
                kwargs[keyword] = new
        return tuple(args), kwargs


def bind_arguments(
    forward: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> BoundArguments:
    """Name the arguments that `forward` is to be called with.

    Parameters
    ----------
    forward : callable
        The function; it is not called.
    args, kwargs : sequence, mapping
        Its arguments.

    Returns
    -------
    BoundArguments
        In the order of the signature.

    Raises
    ------
    GradcheckUsageError
        When forward does not take these arguments.

    Examples
    --------
    >>> arguments = bind_arguments(lambda x, *, w, b=0.0: x * w + b, (2.0,), {"w": 3.0})
    >>> arguments.names, arguments.keywords, sorted(arguments.defaulted)
    (('x', 'w', 'b'), (None, 'w', 'b'), ['b'])
    """
    signature = signature_of(forward)
    if signature is None:
        names = (*(f"args[{k}]" for k in range(len(args))), *map(shortened, kwargs))
        keywords = (None,) * len(args) + tuple(kwargs)
        return BoundArguments(names, (*args, *kwargs.values()), keywords, frozenset())
    try:
        used, bound = _bind(forward, signature, args, kwargs)
    except TypeError as error:
        inputs = args[0] if len(args) == 1 and not kwargs else None
        if isinstance(inputs, (tuple, list)) and accepts(signature, inputs):
            raise GradcheckUsageError(
                f"a {type_name(args[0])} of {len(args[0])} was passed as the one argument of "
                f"forward, {name_of(forward)}{signature}: pass its items one by one, as in "
                "gradcheck(forward, backward, *inputs)."
            ) from None
        given = listed([*(["..."] * len(args)), *(f"{name}=..." for name in kwargs)])
        raise GradcheckUsageError(
            f"forward, {name_of(forward)}{signature}, cannot be called as "
            f"{name_of(forward)}({given}): {error}. {_call_advice(forward, signature)}"
        ) from None
    found = list(_named_arguments(used, bound))
    names, values, keywords, defaulted = zip(*found, strict=True) if found else ((), (), (), ())
    left = frozenset(name for name, default in zip(names, defaulted, strict=True) if default)
    return BoundArguments(names, values, keywords, left)


def _call_advice(forward: Callable[..., Any], signature: inspect.Signature) -> str:
    """Return how to pass what forward lacks: an object, a context or arguments."""
    first = next(iter(signature.parameters), None)
    if isinstance(forward, type):
        return f"It is a class: pass a method of an object, {name_of(forward)}(...).forward."
    if first == "self":
        return "It is a function of a class: pass the method of an object of that class."
    if first == "ctx":
        return (
            "Its first argument is a context: pass an object in which forward can store what "
            "backward reads, before the other arguments."
        )
    return (
        "Positional arguments of forward follow backward in the call; keyword arguments go in "
        "kwargs={...}."
    )


def _bind(
    forward: Callable[..., Any],
    signature: inspect.Signature,
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
) -> tuple[inspect.Signature, inspect.BoundArguments]:
    """Bind the arguments; where some are missing, without those that a decorator supplies."""
    try:
        return signature, signature.bind(*args, **kwargs)
    except TypeError:
        for other in (unsupplied_signature(forward), wrapper_signature(forward)):
            if other is None:
                continue
            with suppress(TypeError):
                return other, other.bind(*args, **kwargs)
        raise


def _named_arguments(
    signature: inspect.Signature, bound: inspect.BoundArguments
) -> Iterator[tuple[str, Any, str | None, bool]]:
    """Yield name, value, keyword and whether it is a default, in the order of the signature."""
    positional = len(bound.args)
    for name, parameter in signature.parameters.items():
        if name not in bound.arguments:
            if parameter.default is not parameter.empty:
                yield shortened(name), parameter.default, name, True
        elif parameter.kind is parameter.VAR_POSITIONAL:
            for k, value in enumerate(bound.arguments[name]):
                positional -= 1
                yield f"{shortened(name)}[{k}]", value, None, False
        elif parameter.kind is parameter.VAR_KEYWORD:
            for keyword, value in bound.arguments[name].items():
                yield shortened(keyword), value, keyword, False
        else:
            by_position = positional > 0 and parameter.kind is not parameter.KEYWORD_ONLY
            positional -= by_position
            yield shortened(name), bound.arguments[name], None if by_position else name, False


def accepts(
    signature: inspect.Signature | None,
    args: Sequence[Any],
    kwargs: Mapping[str, Any] | None = None,
) -> bool:
    """Return whether a function of this signature can be called so; without one it may be.

    Examples
    --------
    >>> signature = signature_of(lambda x, *, w: x * w)
    >>> accepts(signature, ["x", "w"]), accepts(signature, ["x"], {"w": "w"})
    (False, True)
    """
    if signature is None:
        return True
    try:
        signature.bind(*args, **(kwargs or {}))
    except TypeError:
        return False
    return True


def signature_of(function: Callable[..., Any]) -> Signature | None:
    """Return the signature of `function`; None where it has none, or one without its operands.

    NumPy's universal functions and many builtins have no signature, or one of ``out`` and
    ``where``.
    """
    if _is_plain(function):
        known = _BY_CODE.get(function.__code__)
        if known is None:
            known = _BY_CODE[function.__code__] = _read(function)
        return known
    if is_ufunc(function):
        return None
    with suppress(Exception):  # whatever the user's class raises
        inner = called_signature(function)
        if inner is not None:
            return readable(inner)
    for readable_one in (function, MethodType(type(function).__call__, function)):
        with suppress(Exception):  # objects that are called may compute their attributes
            return _read(readable_one)
    return None


def _read(function: Callable[..., Any]) -> Signature:
    return readable(inspect.signature(function))


def readable(signature: inspect.Signature) -> Signature:
    """Return a signature as one whose text is short."""
    return Signature(list(signature.parameters.values()))


def _is_plain(function: Callable[..., Any]) -> TypeGuard[FunctionType]:
    """Return whether the signature of a function depends on nothing but its code object."""
    return (
        type(function) is FunctionType
        and function.__defaults__ is None
        and function.__kwdefaults__ is None
        and not (function.__dict__ or function.__annotations__)
    )


def is_ufunc(function: Callable[..., Any]) -> bool:
    """Return whether `function` is a universal function of numpy, or like one."""
    return all(has_attribute(function, name) for name in ("nin", "nout", "reduce"))


def name_of(function: object) -> str:
    """Return the name of `function` for messages.

    Examples
    --------
    >>> name_of(len), name_of("text".upper), name_of(functools.partial(print, end=""))
    ('len', 'str.upper', 'print')
    """
    if isinstance(function, functools.partial):
        return name_of(function.func)
    name = attribute(function, "__qualname__") or attribute(function, "__name__")
    if not isinstance(name, str):
        return shown(type(function))
    owner = attribute(function, "__self__")
    if isinstance(function, MethodType) and function.__func__ is attribute(
        type(owner), "__call__"
    ):
        return name_of(type(owner))  # an object that is called is shown by its type
    if isinstance(owner, type):  # of a class method, which a subclass may have inherited
        name = f"{owner.__qualname__}.{name.rpartition('.')[2]}"
    name = str.__str__(name).rsplit("<locals>.", 1)[-1]
    return "lambda" if name.endswith("<lambda>") else shortened(name)
