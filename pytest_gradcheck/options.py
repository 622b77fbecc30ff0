"""The options of a check: their values, one rule of precedence, one validation.

It must not know where a layer was written down (a call, a mark, pytest's ini
file): it is handed the layers, weakest first, and remembers who won.
"""

from __future__ import annotations

import difflib
import math
import operator
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field, fields

from pytest_gradcheck.errors import GradcheckUsageError

__all__ = [
    "CALL_ONLY",
    "MODES",
    "OPTION_NAMES",
    "Layer",
    "Options",
    "parse",
    "resolve",
    "validate",
]

MODES = ("auto", "full", "fast")
KINKS = ("accept", "fail")
CONVENTIONS = ("pytorch", "jax")

#: Options that make no sense for a whole suite: only a call or a mark may give them.
CALL_ONLY = frozenset({"replay", "tangent", "project", "bounds", "executor", "batched"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The options of one check, resolved.

    Attributes
    ----------
    mode : {"auto", "full", "fast"}
        ``full`` measures every entry, ``fast`` screens all of them with a few
        directions, ``auto`` sweeps while ``2 N <= max_evaluations``.
    rtol : float
        Relative error that is allowed whatever the measurement says.
    step : float or None
        A fixed absolute step for the central differences (the classic recipe);
        None balances it against the measured noise. The bound judges either way.
    max_evaluations : int
        Budget of the sweep, in forward evaluations.
    seed : int
        Seed of every direction and cotangent.
    strict : bool
        Kinks, inconclusive and vacuous parameters fail the check.
    kinks : {"accept", "fail"}
        What a valid subgradient at a kink counts as.
    convention : {"pytorch", "jax"}
        What the gradient of a real L by a complex z is: ``dL/dRe + i dL/dIm`` as
        in PyTorch, or ``dL/dRe - i dL/dIm`` as in JAX; and under a cotangent L is
        ``Re(conj(cotangent) * output)``, or ``Re(cotangent * output)``.
    max_rows : int
        Worst entries shown for a parameter.
    replay : tuple of random generators
        Generators to put back before each evaluation, beside those found.
    tangent : mapping of str to constraint
        For each constrained parameter what moves it along admissible directions
        alone: a helper of `pytest_gradcheck.constraints`, a boolean array (True
        where an entry may move), or ``f(direction)``, ``f(point, direction)``
        that returns the admissible part of a direction. Where only one
        parameter is checked, the constraint itself will do, here and below.
    project : mapping of str to callable
        ``f(array)`` that returns the nearest admissible array.
    bounds : mapping of str to (low, high)
        Numbers, None or arrays; forward is never called beyond them.
    executor : concurrent.futures.Executor or None
        Calls forward at perturbed points; None does that here.
    batched : bool
        Forward takes a leading axis on every checked parameter, and is called at
        many perturbed points at once.
    origins : mapping of str to str
        Where each option's value came from, ``"default"`` where nobody said.
    """

    mode: str = "auto"
    rtol: float = 1e-6
    step: float | None = None
    max_evaluations: int = 10_000
    seed: int = 0
    strict: bool = False
    kinks: str = "accept"
    convention: str = "pytorch"
    max_rows: int = 5
    replay: tuple[object, ...] = ()
    tangent: object = None
    project: object = None
    bounds: object = None
    executor: Executor | None = None
    batched: bool = False
    origins: Mapping[str, str] = field(default_factory=dict)

    def origin(self, name: str) -> str:
        """Say where the value of option `name` came from."""
        return self.origins.get(name, "default")


#: Every option's name, in the order of the documentation.
OPTION_NAMES = tuple(f.name for f in fields(Options) if f.name != "origins")


@dataclass(frozen=True, slots=True)
class Layer:
    """Option values from one place, for example a mark or the command line.

    Attributes
    ----------
    origin : str
        The place in words: ``"call"``, ``"mark"``, ``"command line"``, ``"ini"``.
    values : mapping of str to object
        Option names with the values given there.
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
        Names of forward's arguments; an unknown option among them was most
        likely meant for forward, and the error says so.

    Returns
    -------
    Options
        With the origin of every value that was given.

    Raises
    ------
    GradcheckUsageError
        For an unknown option or a value out of its range.

    Examples
    --------
    >>> options = resolve([Layer("ini", {"rtol": 1e-4}), Layer("call", {"rtol": 1e-5})])
    >>> options.rtol, options.origin("rtol"), options.origin("mode")
    (1e-05, 'call', 'default')
    """
    values: dict[str, object] = {}
    origins: dict[str, str] = {}
    for layer in layers:
        for name, value in layer.values.items():
            values[name] = validate(name, value, layer.origin, forward_arguments)
            origins[name] = layer.origin
    return Options(**values, origins=origins)  # type: ignore[arg-type]  # validate() returned the right types


def validate(
    name: str, value: object, origin: str, forward_arguments: Iterable[str] = ()
) -> object:
    """Return `value` as option `name` wants it, or raise in words.

    Parameters
    ----------
    name : str
        The option.
    value : object
        What was written for it, of the right type already (see `parse` for text).
    origin : str
        Where it was written, for the error message.
    forward_arguments : iterable of str, optional
        Names of forward's arguments, see `resolve`.

    Returns
    -------
    object
        The value, numpy numbers turned into Python's.

    Raises
    ------
    GradcheckUsageError
        For an unknown option or a value out of its range.
    """
    rule = _RULES.get(name)
    if rule is None:
        raise GradcheckUsageError(_unknown(name, origin, tuple(forward_arguments)))
    convert, wanted = rule
    try:
        return convert(value)
    except (TypeError, ValueError, OverflowError):
        raise GradcheckUsageError(
            f"gradcheck option {name}={value!r} ({origin}): {name} must be {wanted}."
        ) from None


def parse(name: str, text: str, origin: str) -> object:
    """Read option `name` from `text`, as a command line or an ini file gives it.

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


def _unknown(name: str, origin: str, forward_arguments: tuple[str, ...]) -> str:
    if name in forward_arguments:
        return (
            f"gradcheck has no option {name!r} ({origin}), but forward has an argument of that "
            f"name: put it in kwargs={{{name!r}: ...}}."
        )
    if name in _ELSEWHERE:
        return f"gradcheck has no option {name!r} ({origin}): {_ELSEWHERE[name]}."
    known = (*OPTION_NAMES, "wrt", "kwargs", "backward", "backward_args", "has_cache")
    close = difflib.get_close_matches(name, known, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    return (
        f"gradcheck has no option {name!r} ({origin}).{hint} Options: {', '.join(OPTION_NAMES)}."
    )


#: What other tools call their knobs, and what is done about them here.
_EPSILON = "leave it out, or say step= for a fixed absolute step"
_ELSEWHERE = {
    "eps": _EPSILON,
    "epsilon": _EPSILON,
    "delta": _EPSILON,
    "h": _EPSILON,
    "atol": "the error bound of each measurement takes the place of an absolute tolerance",
    "tol": "the error bound of each measurement takes its place; rtol= allows more",
}


def _choice(values: tuple[str, ...]) -> Callable[[object], str]:
    def convert(value: object) -> str:
        if isinstance(value, str) and value in values:
            return value
        raise ValueError(value)

    return convert


def _positive_float(value: object) -> float:
    if isinstance(value, (bool, str)):
        raise TypeError(value)
    number = float(value)  # type: ignore[arg-type]  # a TypeError is what validate() catches
    if not (number > 0 and math.isfinite(number)):
        raise ValueError(value)
    return number


def _rtol(value: object) -> float:
    number = 0.0 if value == 0 and not isinstance(value, bool) else _positive_float(value)
    if number >= 1:
        raise ValueError(value)
    return number


def _optional_step(value: object) -> float | None:
    return None if value is None else _positive_float(value)


def _integer(value: object, least: int) -> int:
    if isinstance(value, bool):
        raise TypeError(value)
    number = operator.index(value)  # type: ignore[arg-type]  # a TypeError is what validate() catches
    if number < least:
        raise ValueError(value)
    return number


def _boolean(value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise TypeError(value)


def _as_it_is(value: object) -> object:
    return value


def _executor(value: object) -> Executor | None:
    if value is None or isinstance(value, Executor):
        return value
    raise TypeError(value)


def _generators(value: object) -> tuple[object, ...]:
    return tuple(value) if isinstance(value, (list, tuple)) else (value,)


_RULES: dict[str, tuple[Callable[[object], object], str]] = {
    "mode": (_choice(MODES), "'auto', 'full' or 'fast'"),
    "rtol": (_rtol, "a float, at least 0 and less than 1"),
    "step": (_optional_step, "a positive float (an absolute step), or None to balance it"),
    "max_evaluations": (lambda v: _integer(v, 1), "a positive int"),
    "seed": (lambda v: _integer(v, 0), "an int, at least 0"),
    "strict": (_boolean, "True or False"),
    "kinks": (_choice(KINKS), "'accept' or 'fail'"),
    "convention": (_choice(CONVENTIONS), "'pytorch' or 'jax'"),
    "max_rows": (lambda v: _integer(v, 0), "an int, at least 0"),
    "replay": (_generators, "a random generator, or a list of them"),
    # What these must be depends on the parameters: binding reads them.
    "tangent": (_as_it_is, "a constraint"),
    "project": (_as_it_is, "a function"),
    "bounds": (_as_it_is, "a pair (low, high)"),
    "executor": (
        _executor,
        "a concurrent.futures.Executor (of a dask client: client.get_executor()), or None",
    ),
    "batched": (_boolean, "True or False"),
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
