"""The arguments of backward: how to call it, from the names of its parameters.

As pytest matches fixtures, each parameter is looked up among the arguments of forward, among a
few special names (cache, output, cotangent, tangent) and among the usual names of an upstream
gradient. A backward that names none of them gets the arguments of forward by position, but only
where it cannot mean an upstream gradient. It does not call forward or know what a gradient is.
"""

from __future__ import annotations

import difflib
import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, count, islice, repeat
from typing import Any

from pytest_gradcheck.binding.call.attributes import bound_object
from pytest_gradcheck.binding.call.decorators import (
    is_decorated,
    is_variadic,
    signature_through_wrapper,
    unsupplied_signature,
)
from pytest_gradcheck.binding.call.signature import (
    BoundArguments,
    accepts,
    is_ufunc,
    name_of,
    readable,
    signature_of,
)
from pytest_gradcheck.binding.call.unclear_call import UnclearCall
from pytest_gradcheck.binding.call.upstream_gradients import (
    known_outputs,
    match_outputs,
    upstream_parameters,
)
from pytest_gradcheck.binding.call.user_function import add_note, call_user
from pytest_gradcheck.binding.values.pytree import describe_value
from pytest_gradcheck.errors import GradcheckUsageError
from pytest_gradcheck.report.inert_text import shortened
from pytest_gradcheck.report.report_data import Note
from pytest_gradcheck.report.representation import listed

__all__ = ["BackwardPlan", "invoke", "plan_backward"]

#: The most arguments of backward that a note on its call describes.
MOST_DESCRIBED = 8

#: What backward may ask for besides the arguments of forward, by each name for it.
SPECIALS = {
    "cache": "cache",
    "caches": "cache",
    "output": "output",
    "cotangent": "cotangent",
    "dout": "cotangent",
    "grad_output": "cotangent",
    "tangent": "tangent",
}

#: The names of the operands of universal functions, which have no signature, of two and of one.
OPERANDS = ({"x1": 0, "x2": 1, "x": 0, "y": 1}, {"x": 0, "z": 0})

_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)

#: What the source of a parameter is a part of, as in ``<cotangent[0]>`` and ``<*cotangent>``.
_SPECIAL = re.compile(r"<\*?(?P<special>\w+)")

#: The upstream gradient of one of several outputs, as it is stated.
_PART = re.compile(r"<?cotangent\[(?P<place>\d+)\]>?")


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
    upstream : tuple of str
        Parameters that each take the upstream gradient of one of several outputs.
    optional_upstream : tuple of str
        Others with a default, which are passed if there are as many outputs.
    by_position : bool
        Whether no name matched, so that the arguments of forward are passed by position.
    in_order : bool
        Whether the outputs have no names that say which upstream gradient is whose.
    unclear : UnclearCall or None
        What the call may mean, where it would be a guess for any output but a number.
    doubt : UnclearCall or None
        What it may mean, where it would be a guess for a number.
    signature : inspect.Signature or None
        That of backward, where it is known: a call is tried with it before it is proposed.
    """

    name: str
    positional: tuple[str, ...]
    keywords: Mapping[str, str] = field(default_factory=dict)
    optional_cotangent: str | None = None
    optional_cache: str | None = None
    upstream: tuple[str, ...] = ()
    optional_upstream: tuple[str, ...] = ()
    by_position: bool = False
    in_order: bool = False
    unclear: UnclearCall | None = None
    doubt: UnclearCall | None = None
    signature: inspect.Signature | None = None

    @property
    def needs(self) -> frozenset[str]:
        """The specials that it requires: cache, output, cotangent, tangent."""
        return frozenset(
            match["special"] for source in self._sources if (match := _SPECIAL.match(source))
        )

    @property
    def parts(self) -> frozenset[int]:
        """The outputs whose upstream gradients are stated one by one."""
        found = (_PART.fullmatch(source) for source in self._sources)
        return frozenset(int(match["place"]) for match in found if match)

    @property
    def takes_parts(self) -> bool:
        """Whether it takes upstream gradients one by one, and not those of all outputs."""
        return bool(self.parts) and not {"<cotangent>", "<*cotangent>"} & set(self._sources)

    @property
    def asks_for_several(self) -> bool:
        """Whether forward must have several outputs, each with an upstream gradient."""
        return len(self.upstream) > 1 or len(self.parts) > 1

    @property
    def depends_on_outputs(self) -> bool:
        """Whether what forward returns decides how to call backward, or whether to."""
        return bool(
            self.unclear or self.doubt or self.parts or self.upstream or self.optional_upstream
        )

    @property
    def note(self) -> Note | None:
        """A note for the report on a call by position."""
        if self.by_position:
            text = f"backward was called with forward's arguments by position: {self.describe()}"
        elif self.in_order:
            text = f"upstream gradients were passed in the order of the outputs: {self.describe()}"
        else:
            return None
        return Note("called", 0, text)

    @property
    def first(self) -> str | None:
        """The source of the first argument that is passed."""
        return next(iter(self._sources), None)

    @property
    def _sources(self) -> tuple[str, ...]:
        return (*self.positional, *self.keywords.values())

    def wants_cotangent(self, *, scalar_output: bool) -> bool:
        """Return whether backward is given a cotangent."""
        return "cotangent" in self.needs or (
            self.optional_cotangent is not None and not scalar_output
        )

    def for_outputs(self, names: Sequence[str], *, is_number: bool) -> BackwardPlan:
        """Return the plan for what forward turned out to return.

        Parameters
        ----------
        names : sequence of str
            Names of the outputs in a container, empty where they have none; nothing where
            forward returns a number or one array.
        is_number : bool
            Whether it returns a number.

        Raises
        ------
        GradcheckUsageError
            When the call would be a guess, or asks for upstream gradients of outputs that are
            not there.
        """
        if self.unclear is not None and not is_number:
            raise GradcheckUsageError(self.unclear.describe())
        if self.doubt is not None and is_number:
            raise GradcheckUsageError(self.doubt.describe_doubt())
        if any(place >= len(names) for place in self.parts):
            raise self._wrong_count([f"cotangent[{k}]" for k in sorted(self.parts)], names)
        upstream = (*self.upstream, *self.optional_upstream)
        if len(names) != len(upstream):
            upstream = self.upstream
        if len(upstream) < 2:
            return self
        places = match_outputs(upstream, names)
        if len(names) < len(upstream) or (None in places and len(names) > len(upstream)):
            raise self._wrong_count(upstream, names)
        rest = iter(k for k in range(len(names)) if k not in places)
        part = {
            name: f"<cotangent[{next(rest) if place is None else place}]>"
            for name, place in zip(upstream, places, strict=True)
        }
        sources = {f"<cotangent of {name}>": source for name, source in part.items()}
        optional = {name: part[name] for name in self.optional_upstream if name in part}
        if len(self.upstream) == 1:
            sources["<cotangent>"] = part[self.upstream[0]]
        keywords = {key: sources.get(source, source) for key, source in self.keywords.items()}
        return replace(
            self,
            positional=tuple(sources.get(source, source) for source in self.positional),
            keywords=keywords | optional,
            in_order=places.count(None) > 1,
        )

    def describe(self) -> str:
        """Return the call as code: ``affine_backward(dout=<cotangent>, cache=<cache>)``."""
        parts = [
            *self.positional,
            *(f"{shortened(key)}={source}" for key, source in self.keywords.items()),
        ]
        return f"{self.name}({', '.join(parts)})"

    def _wrong_count(self, asked: Sequence[str], outputs: Sequence[str]) -> GradcheckUsageError:
        returned = f"{len(outputs)} outputs" if outputs else "one output"
        parts: Iterator[str] = (f"cotangent[{k}]" for k in count())
        if len(outputs) < len(asked):
            # What there is no output for is something else.
            known = islice(parts, len(outputs)) if len(outputs) > 1 else ["cotangent"]
            parts = chain(known, repeat("output"))
        stated = tuple(
            next(parts) if source.startswith("<cotangent") else source.strip("<>")
            for source in self._sources
        )
        advice = (
            "State the positional arguments of the call, as in "
            f"backward_args={stated!r}, where 'cotangent' is the upstream gradient of all that "
            "forward returns, and 'cotangent[0]' that of its first output."
        )
        if not accepts(self.signature, stated):
            advice = "Rename what is no upstream gradient, or wrap backward in a function."
        return GradcheckUsageError(
            f"backward, {self.name}, asks for the upstream gradients {listed(asked)}, but forward "
            f"returns {returned}. {advice}"
        )


def plan_backward(
    backward: Callable[..., Any],
    arguments: BoundArguments,
    *,
    forward: Callable[..., Any],
    forward_name: str,
    backward_args: Sequence[str] | None = None,
) -> BackwardPlan:
    """Decide how to call `backward`.

    Each required parameter is looked up among the arguments of forward first, then among the
    special names and those of upstream gradients. If all are known, backward is called by name.
    If none is, it gets the arguments of forward by position where nothing else can be meant. All
    else is an error, never a guess.

    Parameters
    ----------
    backward : callable
        The function under test; it is not called.
    arguments : BoundArguments
        The arguments of forward.
    forward : callable
        The function that it is the derivative of; it is not called.
    forward_name : str
        Its name, for messages.
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
    >>> forward = lambda x, w: x * w
    >>> arguments = bind_arguments(forward, (1.0, 2.0), {})
    >>> def backward(dout, w): ...
    >>> plan_backward(backward, arguments, forward=forward, forward_name="forward").describe()
    'backward(dout=<cotangent>, w=w)'
    """
    name = name_of(backward)
    if backward_args is not None:
        sources = tuple(_stated(source, arguments, name) for source in backward_args)
        return BackwardPlan(name, sources)
    signature = signature_of(backward)
    sources_of = _Sources(arguments, forward)
    parameters, known = _required(signature, sources_of)
    if signature is not None and is_decorated(backward):
        if None in known.values():
            signature = readable(unsupplied_signature(backward) or signature)
        signature = readable(signature_through_wrapper(backward, signature))
        parameters, known = _required(signature, sources_of)
    upstream = tuple(key for key, source in known.items() if source == "<cotangent>")
    if len(upstream) > 1:
        known |= {key: f"<cotangent of {key}>" for key in upstream}
    rest = _passed_on(parameters, sources_of)
    passed = tuple(n for n in arguments.names if n not in arguments.defaulted)
    unclear = UnclearCall(name, forward_name, signature, forward, known, passed)
    is_known = None not in known.values()
    if is_known and rest:
        required = [p for p in parameters if p.name in known]
        return BackwardPlan(name, (*_in_order(required, known), *rest))
    if is_known and _is_doubtful(known, passed):
        doubt = replace(unclear, sources={n: _unless_upstream(known[n]) for n in known})
        return replace(_by_name(name, signature, known, upstream, sources_of), doubt=doubt)
    if is_known and (known or (signature is not None and not any(map(is_variadic, parameters)))):
        return _by_name(name, signature, known, upstream, sources_of)
    if rest or any(source is not None for source in known.values()):
        raise GradcheckUsageError(unclear.describe())
    return _by_position(name, signature, arguments, unclear, backward)


def _is_doubtful(known: Mapping[str, str | None], passed: Sequence[str]) -> bool:
    """Return whether an upstream gradient has the place of an argument among the others.

    In ``backward(dvalues, y_true)``, `dvalues` may be the predictions.
    """
    places = [
        (name, source)
        for (name, source), own in zip(known.items(), passed, strict=False)
        if source != own
    ]
    return (
        len(known) == len(passed) > 1
        and len(places) == 1
        and places[0][1] == "<cotangent>"
        and places[0][0] not in SPECIALS
    )


def _unless_upstream(source: str | None) -> str | None:
    return None if source == "<cotangent>" else source


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
    args = list[Any]()
    for name in plan.positional:
        args += sources[name] if name == "<*cotangent>" else [sources[name]]
    kwargs = {key: sources[name] for key, name in plan.keywords.items()}
    if plan.optional_cotangent is not None and not scalar_output:
        kwargs[plan.optional_cotangent] = sources["<cotangent>"]
    if plan.optional_cache is not None and "<cache>" in sources:
        kwargs[plan.optional_cache] = sources["<cache>"]
    try:
        return call_user(backward, args, kwargs)
    except GradcheckUsageError:
        raise  # it says itself what was called
    except Exception as error:
        add_note(error, f"gradcheck called backward as {_described(plan, sources)}")
        raise


def _described(plan: BackwardPlan, sources: Mapping[str, Any]) -> str:
    """Return a call as code, with what the arguments are: ``f(dy=<cotangent, float>)``."""

    def described(source: str, keyword: str | None = None) -> str:
        what = describe_value(sources[source])
        return f"<{what}>" if source == keyword else f"<{source.strip('<>')}, {what}>"

    given = [described(source) for source in plan.positional]
    given += [f"{shortened(key)}={described(name, key)}" for key, name in plan.keywords.items()]
    listed = given if len(given) <= MOST_DESCRIBED else [*given[:MOST_DESCRIBED], "..."]
    return f"{plan.name}({', '.join(listed)})"


class _Sources:
    """What the parameters of backward stand for, by their names.

    Parameters
    ----------
    arguments : BoundArguments
        The arguments of forward.
    forward : callable
        The function itself: its code tells the names of its outputs.
    """

    def __init__(self, arguments: BoundArguments, forward: Callable[..., Any]) -> None:
        self.arguments = arguments
        self._forward = forward
        self._operands: dict[str, str] = {}
        if is_ufunc(forward):
            self._operands = {
                operand: name
                for operand, place in OPERANDS[len(arguments.names) == 1].items()
                for name in arguments.names[place : place + 1]
            }

    def of(self, names: Sequence[str]) -> dict[str, str | None]:
        """Return the source of each parameter, None where it has none."""
        found = {name: self._of(name) for name in names}
        rest = [name for name, source in found.items() if source is None]
        upstream = self.upstream(rest) if rest else ()
        return found | dict.fromkeys(upstream, "<cotangent>")

    def upstream(self, names: Sequence[str]) -> tuple[str, ...]:
        """Return the names of upstream gradients."""
        return upstream_parameters(
            names, self.arguments.names, lambda: known_outputs(self._forward)
        )

    def parameters_of_forward(self) -> Mapping[str, inspect.Parameter]:
        """Return the parameters of forward."""
        signature = signature_of(self._forward)
        return {} if signature is None else signature.parameters

    def _of(self, name: str) -> str | None:
        name = shortened(name)  # as the names of arguments are
        if name in self.arguments.names:
            return name
        special = SPECIALS.get(name)
        return self._operands.get(name) if special is None else f"<{special}>"


def _required(
    signature: inspect.Signature | None, sources: _Sources
) -> tuple[list[inspect.Parameter], dict[str, str | None]]:
    """Return all parameters, and the sources of those that must be passed."""
    parameters = _parameters(signature)
    required = [p.name for p in parameters if p.default is p.empty and not is_variadic(p)]
    return parameters, sources.of(required)


def _parameters(signature: inspect.Signature | None) -> list[inspect.Parameter]:
    return [] if signature is None else list(signature.parameters.values())


def _passed_on(parameters: Iterable[inspect.Parameter], sources: _Sources) -> tuple[str, ...]:
    """Return the sources of ``*args``, by its name: those of forward, or upstream gradients."""
    by_position = [p for p in parameters if p.kind is not p.KEYWORD_ONLY]
    variadic = next((p.name for p in by_position if p.kind is p.VAR_POSITIONAL), None)
    if variadic is None or any(p.default is not p.empty for p in by_position):
        return ()
    own = tuple(n for n in sources.arguments.names if n.startswith(f"{variadic}["))
    return own or (("<*cotangent>",) if sources.upstream([variadic]) else ())


def _stated(source: str, arguments: BoundArguments, backward_name: str) -> str:
    if source in arguments.names:
        return source
    part = _PART.fullmatch(source)
    if part is not None:
        return f"<cotangent[{part['place']}]>"
    special = SPECIALS.get(source.removeprefix("<").removesuffix(">"))
    if special is None and upstream_parameters([source], arguments.names, tuple):
        special = "cotangent"
    if special is not None:
        return f"<{special}>"
    known = [*arguments.names, *SPECIALS]
    close = difflib.get_close_matches(source, known, n=1)
    hint = f" Did you mean {close[0]!r}?" if close else ""
    raise GradcheckUsageError(
        f"backward_args={source!r} for {backward_name}: forward has no argument of that name."
        f"{hint} Known are {', '.join(arguments.names)} and {', '.join(SPECIALS)}."
    )


def _optional(
    parameters: Iterable[inspect.Parameter], sources: _Sources
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the sources of parameters with a default, and those that take upstream gradients."""
    named = {p.name: p for p in parameters if p.default is not p.empty and p.kind in _NAMED}
    found = {key: source for key, source in sources.of(list(named)).items() if source is not None}
    upstream = tuple(
        key
        for key, source in found.items()
        if source == "<cotangent>" and (key in SPECIALS or _is_neutral(named[key].default))
    )
    unasked = {"<output>", "<tangent>", "<cotangent>"}
    return {key: source for key, source in found.items() if source not in unasked}, upstream


def _is_neutral(default: object) -> bool:
    """Return whether a default may stand for the upstream gradient of a number: 1, or None."""
    is_one = isinstance(default, (int, float)) and not isinstance(default, bool) and default == 1
    return default is None or is_one


def _by_name(
    name: str,
    signature: inspect.Signature | None,
    known: Mapping[str, str | None],
    upstream: tuple[str, ...],
    sources: _Sources,
) -> BackwardPlan:
    """Plan a call by name; positional-only parameters are passed in their order."""
    parameters = _parameters(signature)
    required = [p for p in parameters if p.name in known]
    positional = [p for p in required if p.kind is p.POSITIONAL_ONLY]
    keywords = {p.name: known[p.name] or "" for p in required if p.kind is not p.POSITIONAL_ONLY}
    optional, optional_upstream = _optional(parameters, sources)
    named = {key: source for key, source in optional.items() if not source.startswith("<")}
    caches = (key for key, source in optional.items() if source == "<cache>")
    is_alone = not upstream and len(optional_upstream) == 1
    several = len(upstream) + len(optional_upstream) > 1
    return BackwardPlan(
        name,
        _in_order(positional, known),
        keywords | named | _keywords_passed_on(parameters, sources),
        optional_cotangent=optional_upstream[0] if is_alone else None,
        optional_cache=next(caches, None),
        upstream=upstream if several else (),
        optional_upstream=optional_upstream if several else (),
        signature=signature,
    )


def _keywords_passed_on(
    parameters: Iterable[inspect.Parameter], sources: _Sources
) -> dict[str, str]:
    """Return the sources of ``**kwargs``, where forward has one of the same name."""
    mine = next((p.name for p in parameters if p.kind is p.VAR_KEYWORD), None)
    theirs = sources.parameters_of_forward()
    if (
        mine is None
        or mine not in theirs
        or theirs[mine].kind is not inspect.Parameter.VAR_KEYWORD
    ):
        return {}
    own = {p.name for p in parameters} | set(theirs)
    pairs = zip(sources.arguments.keywords, sources.arguments.names, strict=True)
    return {key: name for key, name in pairs if key is not None and key not in own}


def _in_order(
    parameters: Iterable[inspect.Parameter], known: Mapping[str, str | None]
) -> tuple[str, ...]:
    return tuple(known[p.name] or "" for p in parameters)


def _by_position(
    name: str,
    signature: inspect.Signature | None,
    arguments: BoundArguments,
    unclear: UnclearCall,
    backward: Callable[..., Any],
) -> BackwardPlan:
    """Plan to pass the arguments of forward as forward gets them, where nothing else is meant."""
    keyword_of = dict(zip(arguments.names, arguments.keywords, strict=True))
    positional = tuple(n for n in unclear.arguments if keyword_of[n] is None)
    keywords = {key: n for n in unclear.arguments if (key := keyword_of[n]) is not None}
    plan = BackwardPlan(name, positional, keywords, by_position=True, unclear=unclear)
    owner = bound_object(backward)
    is_method_of_same = owner is not None and any(
        owner is other for other in (unclear.forward, bound_object(unclear.forward))
    )
    is_accepted = accepts(signature, positional, keywords)
    if is_accepted and not unclear.sources and not is_method_of_same:
        # It has no names to go by: a universal function, or a wrapper of only *args.
        return replace(plan, unclear=None)
    if is_method_of_same or unclear.may_be_tuple or not is_accepted:
        raise GradcheckUsageError(unclear.describe())
    return plan
