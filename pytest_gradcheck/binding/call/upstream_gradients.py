"""The usual names of an upstream gradient, by which a parameter of backward asks for one.

``dy``, ``grad_out``, ``dL_dz``, ``dh_next``: such a name says of what it is the derivative, and
that is an output of forward. Names of derivatives by anything else are not known. It does not
know what the other parameters of backward are.
"""

from __future__ import annotations

import dis
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from types import CodeType
from typing import Any, TypeAlias

from pytest_gradcheck.binding.call.decorators import unwrapped
from pytest_gradcheck.binding.values.user_attributes import attribute

__all__ = [
    "is_derivative",
    "known_outputs",
    "match_outputs",
    "may_return_tuple",
    "output_names",
    "upstream_parameters",
]

#: The name of what is returned, empty where it has none; of a tuple those of its elements.
Returned: TypeAlias = "str | tuple[Returned, ...]"

#: Names that mean it without saying of what it is the derivative.
WORDS = frozenset(
    {"cotangent", "cotangents", "cot", "ct", "upstream", "grad", "grads", "gradient"}
    | {"gradients", "delta", "deltas", "dl", "dout", "douts"}
)

#: What an output is usually called.
OUTPUT_NAMES = frozenset(
    {"a", "al", "h", "o", "y", "z", "zl", "act", "activation", "activations", "above", "accum"}
    | {"backprop", "backward", "backwards"}
    | {"cost", "head", "hidden", "incoming", "logit", "logits", "loss", "next", "new", "out"}
    | {"outer", "output", "outputs", "outs", "pred", "prediction", "predictions", "preds"}
    | {"prob", "probs", "res", "result", "results", "score", "scores", "state", "top", "up"}
    | {"upper", "upstream", "value", "values", "yhat", "ypred"}
)

#: Words in a longer name by which it is an output: ``next_h``, ``c_out``, ``y_pred``.
OUTPUT_WORDS = frozenset({"hat", "new", "next", "out", "output", "outputs", "pred", "upstream"})

#: Words that say which of them an output is: ``A_curr``, ``h_t``, ``grad_from_above``.
PLACES = frozenset({"curr", "current", "from", "i", "k", "l", "of", "t"})

LOSS = "L|l|E|e|J|C|[Ll]oss|[Cc]ost|[Ee]rr(?:or)?"

#: How the name of a derivative is made from that of the output.
AFFIXES = tuple(
    re.compile(pattern)
    for pattern in (
        rf"d_?(?:{LOSS})_?d_?(?P<stem>\w+)",
        r"(?i:grads?|gradients?)_?(?:of_|wrt_|by_)?(?P<stem>\w+)",
        r"(?i:deltas?|bar|adj|adjoint|ct|cot(?:angent)?|err(?:or)?)_?(?P<stem>\w+)",
        r"(?:[dDg]|del)_?(?P<stem>\w+)",
        r"(?P<stem>\w+?)_?(?i:grads?|gradients?|derivatives?|bar|adj|adjoint|ct|cot(?:angent)?|deltas?)",
        r"(?P<stem>\w+?)_?(?i:err(?:or)?|diff)",
    )
)


def upstream_parameters(
    names: Sequence[str], inputs: Collection[str], outputs: Callable[[], Collection[str]]
) -> tuple[str, ...]:
    """Return the names that ask for an upstream gradient.

    Parameters
    ----------
    names : sequence of str
        Names of parameters of backward.
    inputs : collection of str
        Names of the arguments of forward: their derivatives are no upstream gradients.
    outputs : callable
        Returns the names of the outputs of forward, where it has any for them.

    Returns
    -------
    tuple of str
        In the order of `names`.

    Examples
    --------
    >>> upstream_parameters(["dh_next", "dx", "x"], ["x"], tuple)
    ('dh_next',)
    >>> upstream_parameters(["grad_q"], ["x"], lambda: ["q"])
    ('grad_q',)
    """
    found = {
        name
        for name in names
        if name.lower() in WORDS or any(_is_output(stem, inputs, ()) for _, stem in _stems(name))
    }
    rest = [name for name in names if name not in found and _stems(name)]
    if rest:
        known = outputs()
        found |= {n for n in rest if any(_is_output(s, inputs, known) for _, s in _stems(n))}
        # As dc is where there is a dh: made in the same way, of one letter.
        affixes = {affix for name in found for affix, _ in _stems(name)}
        found |= {
            name
            for name in rest
            if any(
                affix in affixes and len(stem) == 1 and stem not in inputs
                for affix, stem in _stems(name)
            )
        }
    return tuple(name for name in names if name in found)


def is_derivative(name: str, names: Collection[str]) -> bool:
    """Return whether a name is that of a derivative of, or by, one of the others.

    Examples
    --------
    >>> is_derivative("dweight", ["x", "weight"]), is_derivative("data", ["x", "weight"])
    (True, False)
    """
    return any(stem in names for _, stem in _stems(name))


def match_outputs(names: Sequence[str], outputs: Sequence[str]) -> tuple[int | None, ...]:
    """Return the output that each upstream gradient is about, by their names.

    Parameters
    ----------
    names : sequence of str
        Names of upstream gradients.
    outputs : sequence of str
        Names of as many outputs.

    Returns
    -------
    tuple of (int or None)
        Positions of the outputs, all different; None where a name does not say it.

    Examples
    --------
    >>> match_outputs(["dc_next", "dh_next"], ["h", "c"]), match_outputs(["dy", "dz"], ["", "z"])
    ((1, 0), (None, 1))
    """
    plain = [_plain(output) for output in outputs]
    places = list[int | None]()
    for name in names:
        stems = [stem for _, stem in _stems(name)]
        exact = {k for k, output in enumerate(outputs) if output in stems}
        alike = {k for k, output in enumerate(plain) if output in map(_plain, stems)}
        fitting = exact or alike
        places.append(fitting.pop() if len(fitting) == 1 else None)
    return tuple(place if places.count(place) == 1 else None for place in places)


def known_outputs(function: Callable[..., Any]) -> frozenset[str]:
    """Return all names that the code of a function has for what it returns.

    Those are variables and attributes in its return statements, keys and keywords of a dict or
    an object that is made there, and fields of the named tuples that it mentions.
    """
    code = _code_of(function)
    if code is None:
        return frozenset()
    mentioned = (_globals_of(function).get(name) for name in code.co_names)
    classes = (value for value in mentioned if isinstance(value, type))
    fields = (vars(value).get("_fields") for value in classes if issubclass(value, tuple))
    return _names_in(code).union(*(found for found in fields if isinstance(found, tuple)))


@lru_cache(maxsize=256)
def _names_in(code: CodeType) -> frozenset[str]:
    """Return the names in return statements."""
    names = {name for returned in _returned(code) for name in _flat(returned)}
    for before, instruction in pairwise(dis.get_instructions(code)):
        if instruction.opname == "RETURN_VALUE" and before.opname.startswith(("BUILD_", "CALL")):
            for constant in code.co_consts:
                keys = constant if isinstance(constant, tuple) else (constant,)
                names |= {key for key in keys if isinstance(key, str)}
    return frozenset(name for name in names if name.isidentifier())


def _globals_of(function: Callable[..., Any]) -> dict[str, Any]:
    """Return the globals of a function with code."""
    found = attribute(unwrapped(function), "__globals__")
    return found if isinstance(found, dict) else {}


def may_return_tuple(function: Callable[..., Any]) -> bool:
    """Return whether a function has a return statement with a tuple, by its code."""
    code = _code_of(function)
    return code is not None and any(isinstance(found, tuple) for found in _returned(code))


def output_names(function: Callable[..., Any], count: int) -> tuple[str, ...]:
    """Return the names of `count` outputs that a function returns in a tuple.

    Parameters
    ----------
    function : callable
        The user's function; its code is read and not called.
    count : int
        The number of outputs. Its return statement may add a cache to them.

    Returns
    -------
    tuple of str
        An empty text for an expression without a name.
    """
    code = _code_of(function)
    for returned in () if code is None else _returned(code):
        if not isinstance(returned, tuple):
            continue
        first = returned[0] if returned else ""
        outputs = first if isinstance(first, tuple) and len(returned) == 2 else returned
        if len(outputs) in (count, count + 1):
            return tuple(name if isinstance(name, str) else "" for name in outputs[:count])
    return ("",) * count


@lru_cache(maxsize=256)
def _returned(code: CodeType) -> tuple[Returned, ...]:
    """Return the names of what each return statement returns, by following the stack."""
    found: list[Returned] = []
    stack: list[Returned] = []
    for instruction in dis.get_instructions(code):
        operation, value = instruction.opname, instruction.argval
        loads = operation.startswith(("LOAD_FAST", "LOAD_DEREF"))
        if operation == "RETURN_VALUE":
            found.append(stack.pop() if stack else "")
        elif loads or operation == "STORE_FAST_LOAD_FAST":
            names = value if isinstance(value, tuple) else (value,)
            stack += names if loads else names[1:]
        elif operation == "BUILD_TUPLE":
            inside = stack[len(stack) - value :] if value else []
            stack[len(stack) - len(inside) :] = [(*[""] * (value - len(inside)), *inside)]
        else:
            argument = instruction.arg if instruction.opcode >= dis.HAVE_ARGUMENT else None
            effect = dis.stack_effect(instruction.opcode, argument, jump=False)
            # What it puts in the place of what it takes has no name, except an attribute.
            is_attribute = operation == "LOAD_ATTR"
            taken = 1 if is_attribute else max(1 - effect, 0)
            new = [""] * (effect + taken)
            if is_attribute:
                new[0] = str(value)
            stack[max(len(stack) - taken, 0) :] = new
    return tuple(found)


def _flat(returned: Returned) -> Iterator[str]:
    if isinstance(returned, str):
        yield returned
    else:
        for item in returned:
            yield from _flat(item)


def _code_of(function: Callable[..., Any]) -> CodeType | None:
    """Return the code of a function or of the method by which an object is called."""
    plain = unwrapped(function)
    code = attribute(plain, "__code__") or attribute(type(plain).__call__, "__code__")
    return code if isinstance(code, CodeType) else None


@lru_cache(maxsize=1024)
def _stems(name: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    """Return how the name of a derivative may be made, and what it then is the derivative of."""
    matches = ((affix, affix.fullmatch(name)) for affix in AFFIXES)
    return tuple(
        (affix, match["stem"].strip("_"))
        for affix, match in matches
        if match is not None and match["stem"].strip("_")
    )


def _is_output(stem: str, inputs: Collection[str], outputs: Collection[str]) -> bool:
    words = stem.lower().split("_")
    if stem in inputs or words[-1] in {f"d{name}".lower() for name in inputs}:
        return False  # as dy_dx, which is a derivative of backward's own
    return (
        stem in outputs
        or stem.lower() in OUTPUT_NAMES
        or not OUTPUT_WORDS.isdisjoint(words)
        or _plain_output(words)
    )


def _plain_output(words: Sequence[str]) -> bool:
    """Return whether words are the name of an output with a number, or which of them it is."""
    names = [word.rstrip("0123456789") for word in words if word not in PLACES]
    return len(names) == 1 and names[0] in OUTPUT_NAMES


def _plain(name: str) -> str:
    """Return the name of an output without words and numbers that only say that it is one."""
    words = name.rstrip("0123456789").split("_")
    words = [word for word in words if word.lower() not in OUTPUT_WORDS]
    return "_".join(words) or name
