"""The arguments of backward: how to call it, from the names of its parameters.

As pytest matches fixtures, each parameter is looked up among the arguments of forward and among a
few special names (cache, output, cotangent, tangent). A backward that names none of them gets the
arguments of forward by position. It does not call forward or know what a gradient is.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pytest_gradcheck.binding.call.signature import BoundArguments, name_of, signature_of
from pytest_gradcheck.binding.call.user_function import add_note, call_user
from pytest_gradcheck.errors import GradcheckUsageError
from pytest_gradcheck.report.inert_text import shortened
from pytest_gradcheck.report.records import Note

__all__ = ["SPECIALS", "BackwardPlan", "invoke", "plan_backward"]

#: What backward may ask for besides the arguments of forward, by each name for it.
SPECIALS = {
    "cache": "cache",
    "output": "output",
    "cotangent": "cotangent",
    "dout": "cotangent",
    "grad_output": "cotangent",
    "tangent": "tangent",
}

_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


@dataclass(frozen=True, slots=True)
class BackwardPlan:
    """How to call backward, in names of the arguments of forward and of specials.

    Attributes
    ----------
    name : str
        The name of backward, for messages.
    positional : tuple of str
        Sources of its positional arguments.
    keywords : mapping of str to str
        Sources of its keyword arguments.
    optional_cotangent : str or None
        A keyword with a default that takes the cotangent, unless the output is a scalar.
    optional_cache : str or None
        A keyword with a default that takes the cache, where forward returns one.
    by_position : bool
        Whether no name matched, so that the arguments of forward are passed by position.
    """

    name: str
    positional: tuple[str, ...]
    keywords: Mapping[str, str] = field(default_factory=dict)
    optional_cotangent: str | None = None
    optional_cache: str | None = None
    by_position: bool = False

    @property
    def needs(self) -> frozenset[str]:
        """The specials that it requires: cache, output, cotangent, tangent."""
        asked = {*self.positional, *self.keywords.values()}
        return frozenset(name.strip("<>") for name in asked if name.startswith("<"))

    @property
    def note(self) -> Note | None:
        """A note for the report on a call by position."""
        if not self.by_position:
            return None
        text = f"backward was called with forward's arguments by position: {self.describe()}"
        return Note("called", 0, text)

    def wants_cotangent(self, *, scalar_output: bool) -> bool:
        """Return whether backward is given a cotangent."""
        return "cotangent" in self.needs or (
            self.optional_cotangent is not None and not scalar_output
        )

    def describe(self) -> str:
        """Return the call as code: ``affine_backward(dout=<cotangent>, cache=<cache>)``."""
        parts = [
            *self.positional,
            *(f"{shortened(key)}={source}" for key, source in self.keywords.items()),
        ]
        return f"{self.name}({', '.join(parts)})"


def plan_backward(
    backward: Callable[..., Any],
    arguments: BoundArguments,
    *,
    forward_name: str,
    backward_args: Sequence[str] | None = None,
) -> BackwardPlan:
    """Decide how to call `backward`.

    Each required parameter is looked up among the arguments of forward first, then among the
    special names. If all are known, backward is called by name. If none is, or there is no
    signature, it gets the arguments of forward by position. If some are known and some are not,
    it is an error, never a guess.

    Parameters
    ----------
    backward : callable
        The function under test; it is not called.
    arguments : BoundArguments
        The arguments of forward.
    forward_name : str
        The name of forward, for messages.
    backward_args : sequence of str, optional
        The user's own choice of positional arguments, by name.

    Returns
    -------
    BackwardPlan
        Specials are written as ``<cache>``, since an argument of forward may have the same name.

    Raises
    ------
    GradcheckUsageError
        When the parameters cannot be matched.

    Examples
    --------
    >>> from pytest_gradcheck.binding.call.signature import bind_arguments
    >>> arguments = bind_arguments(lambda x, w: x * w, (1.0, 2.0), {})
    >>> def backward(dout, w): ...
    >>> plan_backward(backward, arguments, forward_name="forward").describe()
    'backward(dout=<cotangent>, w=w)'
    """
    name = name_of(backward)
    if backward_args is not None:
        sources = tuple(_stated(source, arguments, name) for source in backward_args)
        return BackwardPlan(name, sources)
    signature = signature_of(backward)
    parameters = [] if signature is None else list(signature.parameters.values())
    required = [p for p in parameters if p.default is p.empty and not _is_variadic(p)]
    known = {p.name: _source(p.name, arguments) for p in required}
    if required and not all(source is None for source in known.values()):
        unknown = [key for key, source in known.items() if source is None]
        if unknown:
            listed = " and ".join(repr(key) for key in unknown)
            raise GradcheckUsageError(
                f"backward, {name}{signature}, asks for {listed}, which is neither an argument of "
                f"{forward_name} ({', '.join(arguments.names)}) nor one of "
                f"{', '.join(SPECIALS)}. {_advice(known, arguments)}"
            )
        return _by_name(name, required, _optional(parameters, arguments), known)
    if not required and signature is not None and not any(map(_is_variadic, parameters)):
        return _by_name(name, [], _optional(parameters, arguments), {})
    return _by_position(name, signature, arguments, forward_name)


def invoke(
    plan: BackwardPlan,
    backward: Callable[..., Any],
    sources: Mapping[str, Any],
    *,
    scalar_output: bool,
) -> Any:
    """Call `backward` as planned, and add the call to an exception that it raises as a note.

    Parameters
    ----------
    plan : BackwardPlan
        How to call it.
    backward : callable
        The function, possibly rebound to a copy of its object.
    sources : mapping of str to Any
        Values of the arguments of forward, and of specials as ``<cache>``.
    scalar_output : bool
        Whether an optional cotangent is left at its default.

    Returns
    -------
    Any
        What backward returned.
    """
    args = [sources[name] for name in plan.positional]
    kwargs = {key: sources[name] for key, name in plan.keywords.items()}
    if plan.optional_cotangent is not None and not scalar_output:
        kwargs[plan.optional_cotangent] = sources["<cotangent>"]
    if plan.optional_cache is not None and "<cache>" in sources:
        kwargs[plan.optional_cache] = sources["<cache>"]
    try:
        return call_user(backward, args, kwargs)
    except Exception as error:
        add_note(error, f"gradcheck called backward as {plan.describe()}")
        raise


def _is_variadic(parameter: inspect.Parameter) -> bool:
    return parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)


def _source(name: str, arguments: BoundArguments) -> str | None:
    """Return the source of a parameter called `name`, None if there is none."""
    name = shortened(name)  # as the names of arguments are
    if name in arguments.names:
        return name
    special = SPECIALS.get(name)
    return None if special is None else f"<{special}>"


def _stated(source: str, arguments: BoundArguments, backward_name: str) -> str:
    found = _source(source, arguments)
    if found is not None:
        return found
    known = [*arguments.names, *SPECIALS]
    close = difflib.get_close_matches(source, known, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise GradcheckUsageError(
        f"backward_args={source!r} for {backward_name}: forward has no argument of that name."
        f"{hint} Known are {', '.join(arguments.names)} and {', '.join(SPECIALS)}."
    )


def _optional(
    parameters: Iterable[inspect.Parameter], arguments: BoundArguments
) -> dict[str, str]:
    """Return the parameters with a default that are passed nevertheless, with their sources."""
    sources = {
        p.name: _source(p.name, arguments)
        for p in parameters
        if p.default is not p.empty and p.kind in _NAMED
    }
    unasked = (None, "<output>", "<tangent>")
    return {key: source for key, source in sources.items() if source not in unasked and source}


def _by_name(
    name: str,
    required: Iterable[inspect.Parameter],
    optional: dict[str, str],
    known: Mapping[str, str | None],
) -> BackwardPlan:
    """Plan a call by name; positional-only parameters are passed in their order."""
    positional = []
    keywords = {}
    for parameter in required:
        source = known[parameter.name]
        if source is None:
            continue
        if parameter.kind is parameter.POSITIONAL_ONLY:
            positional.append(source)
        else:
            keywords[parameter.name] = source
    by_source = {source: key for key, source in optional.items()}
    cotangent = by_source.get("<cotangent>")
    cache = by_source.get("<cache>")
    named = {key: source for key, source in optional.items() if not source.startswith("<")}
    return BackwardPlan(name, tuple(positional), keywords | named, cotangent, cache)


def _by_position(
    name: str, signature: inspect.Signature | None, arguments: BoundArguments, forward_name: str
) -> BackwardPlan:
    """Plan to pass the arguments of forward as forward gets them."""
    passed = [n for n in arguments.names if n not in arguments.defaulted]
    keyword_of = dict(zip(arguments.names, arguments.keywords, strict=True))
    positional = tuple(n for n in passed if keyword_of[n] is None)
    keywords = {n: n for n in passed if keyword_of[n] is not None}
    if signature is not None:
        try:
            signature.bind(*positional, **keywords)
        except TypeError:
            raise GradcheckUsageError(
                f"backward, {name}{signature}, names nothing that is known, and cannot take the "
                f"arguments of {forward_name} by position either: {', '.join(passed) or 'none'}. "
                f"{_advice(signature.parameters, arguments)}"
            ) from None
    return BackwardPlan(name, positional, keywords, by_position=True)


def _advice(names: Iterable[str], arguments: BoundArguments) -> str:
    """Return the `backward_args` of each plausible meaning of the names, in words."""
    names = list(names)
    unknown = [name for name in names if _source(name, arguments) is None]
    free = [name for name in arguments.names if name not in names]
    meanings: list[tuple[str, ...]] = []
    if len(unknown) == 1:
        fillers = [filler for filler in ("cotangent", "cache", *free) if filler not in names]
        meanings = [tuple(f if n in unknown else n for n in names) for f in fillers]
    elif len(unknown) == len(free):
        pairs = dict(zip(unknown, free, strict=True))
        meanings = [tuple(pairs.get(n, n) for n in names)]
    meanings = meanings or [("cotangent", "cache", *free)[: len(names)]]
    lines = " or ".join(f"backward_args={meaning!r}" for meaning in meanings)
    return f"Rename the parameter, or state the call: {lines}."
