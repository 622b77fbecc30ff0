"""A call of backward that is not clear, and its readings: what unknown parameters may stand for.

Each reading is given as the `backward_args` that state it, so that the user chooses by pasting
one. In it names that are alike go together, as ``w`` and ``weight``. It decides nothing: a
parameter that is not known is never guessed.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from pytest_gradcheck.binding.call.signature import accepts
from pytest_gradcheck.binding.call.upstream_gradients import (
    is_derivative,
    known_outputs,
    may_return_tuple,
)
from pytest_gradcheck.report.inert_text import shortened
from pytest_gradcheck.report.representation import listed

__all__ = ["UnclearCall"]

#: Names that what forward keeps for backward is usually given.
CACHE_NAMES = frozenset({"ctx", "context", "saved", "tape", "memory", "intermediates", "stash"})

#: Names that are rather those of an upstream gradient than of an argument of forward.
GRADIENT_NAME = re.compile(r"(?i:d|g|v|gr|ds|gs|err|error|residual)|[dg]_?[A-Za-z]?\d*")

#: The most arguments of forward that one parameter is tried for.
LISTED = 3

#: The most parameters for which whole calls are written out.
LONG = 16

#: A way to write the upstream gradient, the first that no argument of forward has as its name.
COTANGENT_NAMES = ("cotangent", "dout", "grad_output", "<cotangent>")


@dataclass(frozen=True, slots=True)
class UnclearCall:
    """A backward with parameters that are not known.

    Attributes
    ----------
    backward_name, forward_name : str
        For messages.
    signature : inspect.Signature or None
        That of backward.
    forward : callable
        The user's function; its code is read and not called.
    sources : mapping of str to (str or None)
        What each parameter that must be passed stands for, None where it is not known.
    arguments : tuple of str
        Names of the arguments that forward is given.
    """

    backward_name: str
    forward_name: str
    signature: inspect.Signature | None
    forward: Callable[..., Any]
    sources: Mapping[str, str | None]
    arguments: tuple[str, ...]

    def describe(self) -> str:
        """Return what is not clear, and the call for each reading, in words."""
        unknown = self._unknown
        signature = "" if self.signature is None else str(self.signature)
        names = listed(map(repr, unknown)) if self._is_long else " and ".join(map(repr, unknown))
        kind = "is no argument" if len(unknown) == 1 else "are no arguments"
        what = f"asks for {names}, which {kind} of" if unknown else "does not name arguments of"
        return (
            f"backward, {self.backward_name}{signature}, {what} {self.forward_name} "
            f"({listed(self.arguments) or 'it has none'}) and no special name (cache, output, "
            "cotangent, tangent, or a usual name of an upstream gradient, as dout, grad_output or "
            f"dy). {self._advice()}"
        )

    def describe_doubt(self) -> str:
        """Return what may be an upstream gradient as well as an argument, in words."""
        (name,) = self._unknown
        return (
            f"backward, {self.backward_name}{self.signature}, asks for {name!r}: by its name an "
            "upstream gradient, by its place an argument of "
            f"{self.forward_name} ({listed(self.arguments)}), which returns a number. "
            f"{self._advice()}"
        )

    @property
    def may_be_tuple(self) -> bool:
        """Whether forward has a return statement with a tuple, by its code."""
        return may_return_tuple(self.forward)

    @property
    def _unknown(self) -> list[str]:
        return [shortened(name) for name, source in self.sources.items() if source is None]

    def _advice(self) -> str:
        """Return what to write, for each reading."""
        unknown = self._unknown
        if not self.sources:
            stated = [
                f"backward_args={call!r} for {what}"
                for call, what in (
                    (self.arguments, "the arguments of forward"),
                    ((self._cotangent,), "an upstream gradient"),
                )
                if len(call) <= LONG and accepts(self.signature, call)
            ]
            if not stated:
                return "Wrap backward in a function that names what it takes."
            return f"State the call: {', or '.join(stated)}."
        rename = "Rename the parameter" if len(unknown) == 1 else "Rename the parameters"
        readings = [] if self._is_long else list(dict.fromkeys(self._readings()))
        if not readings:
            return f"{rename}, or wrap backward in a function that takes only what is known."
        stated = [
            f"backward_args={self._filled(reading)!r} if "
            + " and ".join(
                f"{name} is {_in_words(filler)}"
                for name, filler in zip(unknown, reading, strict=True)
            )
            for reading in readings
        ]
        if self._has_keyword_only:
            stated = [
                " and ".join(
                    f"{name} to {filler}" for name, filler in zip(unknown, reading, strict=True)
                )
                for reading in readings
            ]
            return f"Rename {', or '.join(stated)}."
        return f"{rename}, or state the call: {'; or '.join(stated)}.{self._about_settings()}"

    def _about_settings(self) -> str:
        """Return how to bind a setting, as a learning rate, beside an upstream gradient."""
        unknown = self._unknown
        is_alone = len(unknown) == 1 and not self._caches
        if not is_alone or "<cotangent>" not in self.sources.values():
            return ""
        return (
            f" If {unknown[0]} is a setting, pass functools.partial(backward, {unknown[0]}=...)."
        )

    def _readings(self) -> Iterator[tuple[str, ...]]:
        """Yield what the unknown parameters may stand for, the most likely first."""
        unknown, known = self._unknown, set(self.sources.values())
        has_cotangent = any(source and source.startswith("<cotangent") for source in known)
        free = [name for name in self.arguments if name not in known]
        free.sort(key=lambda name: bool(self._caches) and name not in CACHE_NAMES)
        caches = [] if "<cache>" in known else self._caches
        may_be_cache = "<cache>" not in known and (bool(caches) or self.may_be_tuple)
        upstream = [] if has_cotangent else [self._cotangent]
        if caches and CACHE_NAMES.isdisjoint(free):
            rest = [name for name in unknown if name != caches[0]]
            if len(upstream) + len(free) >= len(rest):
                others = iter(self._paired(rest, [*upstream, *free]))
                yield tuple("cache" if n == caches[0] else next(others) for n in unknown)
        if len(unknown) == 1:
            fillers = [*self._specials(unknown[0]), *upstream, *free[:LISTED]]
            yield from ((filler,) for filler in fillers)
            yield from [("cache",)] if may_be_cache else []
            return
        if len(free) == len(unknown):
            yield self._paired(unknown, free)
        if upstream and len(free) >= len(unknown) - 1:
            yield self._paired(unknown, [*upstream, *free])
        if upstream and may_be_cache and len(unknown) == 2:
            yield (*upstream, "cache")
        if upstream and (self.may_be_tuple or len(free) < len(unknown) - 1):
            yield tuple(f"cotangent[{k}]" for k in range(len(unknown)))

    def _paired(self, names: Sequence[str], fillers: Sequence[str]) -> tuple[str, ...]:
        """Return fillers in the order of the names: those that are alike, the rest in order."""
        rest, found = list(fillers), dict[str, str]()
        for name in names:
            alike = [filler for filler in rest if self._are_alike(name, filler)]
            if len(alike) == 1:
                found[name] = alike[0]
                rest.remove(alike[0])
        others = iter(rest)
        return tuple(found.get(name) or next(others) for name in names)

    def _are_alike(self, name: str, filler: str) -> bool:
        """Return whether one name abbreviates the other, or is that of an upstream gradient."""
        if filler == self._cotangent:
            names = {*self.arguments, *self.sources}
            return is_derivative(name, names) or GRADIENT_NAME.fullmatch(name) is not None
        name, filler = name.lower(), filler.lower()
        return name.startswith(filler) or filler.startswith(name)

    def _specials(self, name: str) -> Iterator[str]:
        """Yield the specials that a name suggests: that of an output, or of a tangent."""
        if "<output>" not in self.sources.values() and name in known_outputs(self.forward):
            yield "output"
        if name[:1] == "d" and name[1:].strip("_") in self.arguments:
            yield "tangent"

    @property
    def _caches(self) -> list[str]:
        """The unknown names that are those of a cache."""
        return [n for n in self._unknown if n in CACHE_NAMES or "cache" in n.lower()]

    @property
    def _is_long(self) -> bool:
        """Whether there are too many parameters to write the calls out."""
        return len(self.sources) > LONG

    @property
    def _cotangent(self) -> str:
        return next(name for name in COTANGENT_NAMES if name not in self.arguments)

    @property
    def _has_keyword_only(self) -> bool:
        parameters = {} if self.signature is None else self.signature.parameters
        return any(
            name in parameters and parameters[name].kind is inspect.Parameter.KEYWORD_ONLY
            for name in self.sources
        )

    def _filled(self, reading: Sequence[str]) -> tuple[str, ...]:
        """Return the names of all positional arguments under a reading."""
        fillers, outputs = iter(reading), count()
        return tuple(
            next(fillers)
            if source is None
            else f"cotangent[{next(outputs)}]"
            if source.startswith("<cotangent of ")
            else self._stated(source)
            for source in self.sources.values()
        )

    def _stated(self, source: str) -> str:
        """Return how `backward_args` name a source."""
        if source == "<cotangent>":
            return self._cotangent
        plain = source.strip("<>")
        return source if plain in self.arguments else plain


def _in_words(filler: str) -> str:
    if filler.startswith(("cotangent[", "<cotangent[")):
        return f"the upstream gradient of output {filler.strip('<>')[10:-1]}"
    words = {
        "cache": "the cache",
        "output": "the output of forward",
        "tangent": "the direction of a Jacobian-vector product",
    }
    return "the upstream gradient" if filler in COTANGENT_NAMES else words.get(filler, filler)
