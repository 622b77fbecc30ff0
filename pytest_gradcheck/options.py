"""The options of a check: their defaults, validation and precedence.

Options are given in layers (a call, a mark, the ini file, the command line), and a later layer
overrides the earlier ones. This module does not know where a layer was written down; it keeps
the name of the layer that each value comes from.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field, fields
from typing import Any, TypedDict

import numpy as np

from pytest_gradcheck.errors import GradcheckUsageError
from pytest_gradcheck.report.representation import shown
from pytest_gradcheck.report.spelling import closest

__all__ = [
    "OPTION_NAMES",
    "GivenOptions",
    "Layer",
    "Options",
    "parse",
    "resolve",
    "validate",
]

MODES = ("auto", "full", "fast")
KINKS = ("accept", "fail")
EMPTY = ("fail", "accept")
CONVENTIONS = ("pytorch", "jax")

#: The length of a seed: that of the entropy that `numpy.random.SeedSequence` draws.
SEED_BITS = 128


class GivenOptions(TypedDict, total=False):
    """The options that a call may give, before they are validated; see `Options`."""

    mode: str
    rtol: float
    step: float | None
    max_evaluations: int
    seed: int
    strict: bool
    kinks: str
    empty: str
    convention: str
    max_rows: int
    replay: object
    tangent: object
    project: object
    bounds: object
    executor: Executor | None
    batched: bool
    points: int
    also: object
    reference: object


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The resolved options of one check.

    Attributes
    ----------
    mode : {"auto", "full", "fast"}
        ``full`` measures every entry, ``fast`` screens all of them along a few
        directions, ``auto`` is full if ``2 N <= max_evaluations`` for N entries.
    rtol : float
        The relative error that is always allowed.
    step : float or None
        A fixed absolute step for the central differences; None chooses it from the
        measured noise. The error bound decides the verdict in both cases.
    max_evaluations : int
        The largest number of forward evaluations of a full check.
    seed : int
        Seed of the random directions and cotangents.
    strict : bool
        Whether kinks, inconclusive and vacuous parameters fail the check.
    kinks : {"accept", "fail"}
        Whether a valid subgradient at a kink passes.
    empty : {"fail", "accept"}
        Whether a check of nothing passes: one of arrays without entries, of containers without
        items, or of an output without any entry. It is refused by default.
    convention : {"pytorch", "jax"}
        The gradient of a real L with respect to a complex z: ``dL/dRe + i dL/dIm`` as
        in PyTorch, or ``dL/dRe - i dL/dIm`` as in JAX. With a cotangent, L is
        ``Re(conj(cotangent) * output)``, or ``Re(cotangent * output)``.
    max_rows : int
        The number of worst entries that are shown.
    replay : tuple of random generators
        Generators to restore before each evaluation, in addition to those found.
    tangent : mapping of str to constraint
        For each constrained parameter its tangent directions: a constraint from
        `pytest_gradcheck.constraints`, a boolean array (True where an entry may
        move), or a function ``f(direction)`` or ``f(point, direction)`` that returns
        the tangent part of a direction. If only one parameter is checked, the
        constraint itself suffices, here and below.
    project : mapping of str to callable
        ``f(array)`` returns the nearest array that satisfies the constraint.
    bounds : mapping of str to (low, high)
        Numbers, None or arrays; forward is never called outside them.
    executor : concurrent.futures.Executor or None
        Calls forward at perturbed points; None calls it in this thread.
    batched : bool
        Whether forward takes a leading axis on every checked parameter, and can be
        called at many perturbed points at once.
    points : int
        The number of points at which to check: the given one, and others around it, which
        differ by relative changes of up to 10% and satisfy the same constraints.
    also : mapping of str to callable or (forward, backward)
        Further implementations of forward, by name: compiled, vectorized, of another library.
        They must return the same values, and backward, or their own, must be their derivative.
    reference : (callable, callable or str or None), or None
        The same function, plainly written, and maybe its backward: in float64 it is what a kernel
        of low precision is compared with.
    origins : mapping of str to str
        The layer of each option that was given.
    """

    mode: str = "auto"
    rtol: float = 1e-6
    step: float | None = None
    max_evaluations: int = 10_000
    seed: int = 0
    strict: bool = False
    kinks: str = "accept"
    empty: str = "fail"
    convention: str = "pytorch"
    max_rows: int = 5
    replay: tuple[object, ...] = ()
    tangent: object = None
    project: object = None
    bounds: object = None
    executor: Executor | None = None
    batched: bool = False
    points: int = 1
    also: Mapping[str, object] = field(default_factory=dict)
    reference: tuple[Any, Any] | None = None
    origins: Mapping[str, str] = field(default_factory=dict)

    def origin(self, name: str) -> str:
        """Return the layer that the value of option `name` comes from, or ``"default"``."""
        return self.origins.get(name, "default")


#: The names of all options, in the order of the documentation.
OPTION_NAMES = tuple(f.name for f in fields(Options) if f.name != "origins")


@dataclass(frozen=True, slots=True)
class Layer:
    """Options from one source, for example a mark or the command line.

    Attributes
    ----------
    origin : str
        The name of the source: ``"call"``, ``"mark"``, ``"command line"``, ``"ini"``.
    values : mapping of str to object
        The options that are given there.
    """

    origin: str
    values: Mapping[str, object]


def resolve(layers: Iterable[Layer], forward_arguments: Iterable[str] = ()) -> Options:
    """Merge `layers`, weakest first, into validated options.

    Parameters
    ----------
    layers : iterable of Layer
        Later layers override earlier ones, option by option.
    forward_arguments : iterable of str, optional
        Argument names of forward. If an unknown option is among them, the error message
        says how to pass it to forward.

    Returns
    -------
    Options
        The options, with the origin of every value that was given.

    Raises
    ------
    GradcheckUsageError
        If an option is unknown, or a value is out of its range.

    Examples
    --------
    >>> options = resolve([Layer("ini", {"rtol": 1e-4}), Layer("call", {"rtol": 1e-5})])
    >>> options.rtol, options.origin("rtol"), options.origin("mode")
    (1e-05, 'call', 'default')
    """
    values: dict[str, object] = {}
    origins: dict[str, str] = {}
    for layer in layers:
        _refuse_arguments(layer, forward_arguments)
        for name, value in layer.values.items():
            values[name] = validate(name, value, layer.origin)
            origins[name] = layer.origin
    return Options(**values, origins=origins)  # type: ignore[arg-type]  # validate() returns the right types


def _refuse_arguments(layer: Layer, forward_arguments: Iterable[str]) -> None:
    """Raise where arguments of forward are given as options."""
    unknown = [name for name in layer.values if name not in _RULES]
    # To read the signature of forward may run code of the user.
    arguments = set(forward_arguments) if unknown else ()
    found = [name for name in unknown if name in arguments]
    if found:
        has_one = (
            "an argument of that name: put it"
            if len(found) == 1
            else "arguments of these names: put them"
        )
        kwargs = ", ".join(f"{shown(name)}: ..." for name in found)
        options = ", ".join(map(shown, found))
        raise GradcheckUsageError(
            f"gradcheck has no option {options} ({layer.origin}), but forward has {has_one} in "
            f"kwargs={{{kwargs}}}."
        )


def validate(name: str, value: object, origin: str) -> object:
    """Return the valid value of an option.

    Parameters
    ----------
    name : str
        The name of the option.
    value : object
        The given value; for text see `parse`.
    origin : str
        The name of its layer, for the error message.

    Returns
    -------
    object
        The value, with numpy numbers converted to Python numbers.

    Raises
    ------
    GradcheckUsageError
        If the option is unknown, or the value is out of its range.
    """
    rule = _RULES.get(name)
    if rule is None:
        raise GradcheckUsageError(_unknown_option_message(name, origin))
    convert, requirement = rule
    try:
        return convert(value)
    except Exception:  # noqa: BLE001  # methods of the value may raise anything
        raise GradcheckUsageError(
            f"gradcheck option {name}={shown(value)} ({origin}): {name} must be {requirement}."
        ) from None


def parse(name: str, text: str, origin: str) -> object:
    """Return the valid value of option `name` from the text of a command line or ini file.

    Examples
    --------
    >>> parse("rtol", "1e-4", "command line"), parse("strict", "yes", "ini")
    (0.0001, True)
    """
    reader = _READERS.get(name, str)
    try:
        value: object = reader(text.strip())
    except (KeyError, ValueError):
        value = text
    return validate(name, value, origin)


def _unknown_option_message(name: str, origin: str) -> str:
    if name in _FOREIGN_OPTIONS:
        return f"gradcheck has no option {shown(name)} ({origin}): {_FOREIGN_OPTIONS[name]}."
    known = (*OPTION_NAMES, "wrt", "kwargs", "backward", "backward_args", "has_cache")
    close = closest(name, known)
    hint = f" Did you mean {close!r}?" if close else ""
    options = ", ".join(OPTION_NAMES)
    return f"gradcheck has no option {shown(name)} ({origin}).{hint} Options: {options}."


#: Options of other tools, with what to use in their place.
_EPSILON = "leave it out, or say step= for a fixed absolute step"
_ARGUMENTS = (
    "arguments of forward follow backward, one by one; those by keyword are in kwargs={...}"
)
_DERIVATIVE = "it takes the place of backward, as True where forward returns (value, gradient)"
_FOREIGN_OPTIONS = {
    "args": _ARGUMENTS,
    "inputs": _ARGUMENTS,
    "jac": _DERIVATIVE,
    "grad": _DERIVATIVE,
    "eps": _EPSILON,
    "epsilon": _EPSILON,
    "delta": _EPSILON,
    "h": _EPSILON,
    "atol": "the error bound of each measurement takes the place of an absolute tolerance",
    "tol": "the error bound of each measurement takes its place; rtol= allows more",
}


def _choice(values: tuple[str, ...]) -> Callable[[object], str]:
    def convert(value: object) -> str:
        # The literal itself, since the value may be a member of a StrEnum or a numpy string.
        return values[values.index(value)]

    return convert


def _positive_float(value: object) -> float:
    if isinstance(value, (str, bytes)) or _is_boolean(value):
        raise TypeError(value)
    number = float(value)  # type: ignore[arg-type]  # validate() catches the TypeError
    if not (number > 0 and math.isfinite(number)):
        raise ValueError(value)
    return number


def _rtol(value: object) -> float:
    number = 0.0 if value == 0 and not _is_boolean(value) else _positive_float(value)
    if number >= 1:
        raise ValueError(value)
    return number


def _optional_step(value: object) -> float | None:
    return None if value is None else _positive_float(value)


def _integer(value: object, minimum: int, bits: int = 63) -> int:
    if _is_boolean(value):
        raise TypeError(value)
    number = int(operator.index(value))  # type: ignore[arg-type]  # validate() catches the TypeError
    if number < minimum or number.bit_length() > bits:
        raise ValueError(value)
    return number


def _boolean(value: object) -> bool:
    if _is_boolean(value):
        return bool(value)
    raise TypeError(value)


def _is_boolean(value: object) -> bool:
    return isinstance(value, (bool, np.bool_))


def _unchanged(value: object) -> object:
    return value


def _executor(value: object) -> Executor | None:
    if value is None or isinstance(value, Executor):
        return value
    raise TypeError(value)


def _generators(value: object) -> tuple[object, ...]:
    return tuple(value) if isinstance(value, (list, tuple)) else (value,)


def _implementations(value: object) -> dict[str, object]:
    if not isinstance(value, Mapping):
        raise TypeError(value)
    for name, implementation in value.items():
        pair = implementation if isinstance(implementation, tuple) else (implementation, None)
        if not isinstance(name, str) or len(pair) != 2 or not callable(pair[0]):
            raise TypeError(value)
    return dict(value)


def _reference(value: object) -> tuple[object, object] | None:
    if value is None:
        return None
    pair = value if isinstance(value, tuple) else (value, None)
    if len(pair) != 2 or not callable(pair[0]):
        raise TypeError(value)
    return pair


_RULES: dict[str, tuple[Callable[[object], object], str]] = {
    "mode": (_choice(MODES), "'auto', 'full' or 'fast'"),
    "rtol": (_rtol, "a float, at least 0 and less than 1"),
    "step": (_optional_step, "a positive float (an absolute step), or None to balance it"),
    "max_evaluations": (lambda v: _integer(v, 1), "a positive int, less than 2**63"),
    "seed": (lambda v: _integer(v, 0, SEED_BITS), "an int, at least 0 and less than 2**128"),
    "strict": (_boolean, "True or False"),
    "kinks": (_choice(KINKS), "'accept' or 'fail'"),
    "empty": (_choice(EMPTY), "'fail' or 'accept'"),
    "convention": (_choice(CONVENTIONS), "'pytorch' or 'jax'"),
    "max_rows": (lambda v: _integer(v, 0), "an int, at least 0 and less than 2**63"),
    "replay": (_generators, "a random generator, or a list of them"),
    # The validation of these needs the parameters: binding does it.
    "tangent": (_unchanged, "a constraint"),
    "project": (_unchanged, "a function"),
    "bounds": (_unchanged, "a pair (low, high)"),
    "executor": (
        _executor,
        "a concurrent.futures.Executor (of a dask client: client.get_executor()), or None",
    ),
    "batched": (_boolean, "True or False"),
    "points": (lambda v: _integer(v, 1), "a positive int"),
    "also": (_implementations, "a dict of functions, or of pairs (forward, backward), by name"),
    "reference": (_reference, "a function, or a pair (forward, backward)"),
}

_BOOLEANS = {"true": True, "yes": True, "on": True, "1": True}
_BOOLEANS |= {"false": False, "no": False, "off": False, "0": False}

_READERS: dict[str, Callable[[str], object]] = {
    "rtol": float,
    "step": float,
    "max_evaluations": lambda text: int(text.replace(",", "")),
    "seed": int,
    "max_rows": int,
    "strict": lambda text: _BOOLEANS[text.lower()],
}
